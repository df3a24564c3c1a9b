/**
 * Delivers chunks one after another until every row is accounted for: a request that is too large or
 * refused whole goes out in halves, down to the rows that are at fault; rows that the API left unprocessed
 * go out again, refused rows are collected.
 * Walks calls of earlier attempts in the same order, so that a half-delivered load goes on where it was.
 * One request is api-call.ts; limits, rejects and the final transaction are load-into-api.ts.
 */
import type { CallRow } from '../ledger/call.ts'
import { BugError, LoadError } from '../model/errors.ts'
import { type CallEnd, makeCall, recordedEnd } from './api-call.ts'
import type { ApiRow } from './api-spool.ts'
import { type CallBody, type CallSite, callBody } from './call-body.ts'

/** A row that the API did not take. */
export interface RefusedRow {
  readonly row: ApiRow
  readonly code: 'LOAD_API_ROW_REJECTED' | 'LOAD_API_ROW_TOO_LARGE'
  /** The API's own words. */
  readonly words: string
}

/** Rows by what became of them. `unknown` and `unprocessed` are 0 in every load that ends well. */
export interface RowTally {
  sent: number
  created: number
  updated: number
  unchanged: number
  rejected: number
  unprocessed: number
  unknown: number
}

/** Delivers the rows of one load. */
export class ApiDelivery {
  readonly refused: RefusedRow[] = []
  /** The records of refused rows. */
  readonly refusedRecords = new Set<string>()
  readonly tally: RowTally = {
    sent: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    rejected: 0,
    unprocessed: 0,
    unknown: 0,
  }
  readonly #site: CallSite
  readonly #call: (call: CallBody) => Promise<CallEnd | null>
  readonly #isEnough: (refusedRecords: number) => boolean
  #stopped = false
  /** Requests above this came back as too large; learned in the order of the calls, so alike in every attempt. */
  #maxBytes = Number.POSITIVE_INFINITY

  private constructor(
    site: CallSite,
    call: (call: CallBody) => Promise<CallEnd | null>,
    isEnough: (refusedRecords: number) => boolean,
  ) {
    this.#site = site
    this.#call = call
    this.#isEnough = isEnough
  }

  /** One that sends, until so many records were refused that it is enough. */
  static sending(site: CallSite, isEnough: (refusedRecords: number) => boolean): ApiDelivery {
    return new ApiDelivery(site, call => makeCall(site, call), isEnough)
  }

  /**
   * Delivers one chunk, or as much of it as goes out before so many rows are refused that it is enough.
   * On failure: its rows without an outcome are counted as unknown.
   */
  async deliver(chunk: readonly ApiRow[]): Promise<void> {
    this.tally.sent += chunk.length
    const before = this.#settled()
    try {
      await this.#send(chunk, 0)
      if (this.#stopped) this.tally.sent -= chunk.length - (this.#settled() - before)
    } catch (error) {
      this.tally.unknown += chunk.length - (this.#settled() - before)
      this.assertLaw()
      throw error
    }
    this.assertLaw()
  }

  /** sent = applied + unchanged + rejected + unprocessed + unknown. @throws BUG_LAW_BROKEN */
  assertLaw(): void {
    if (this.tally.sent === this.#settled() + this.tally.unknown) return
    throw new BugError(
      'BUG_LAW_BROKEN',
      `A law of the load into ${this.#site.target} does not hold: sent = created + updated + unchanged + rejected + unprocessed + unknown, with ${JSON.stringify(this.tally)}. Nothing more is sent.`,
    )
  }

  /**
   * Holds the calls of earlier attempts against the rows of this one, sending nothing: every recorded
   * call must come up again, or rows would go out twice under other keys.
   * @throws LOAD_CALLS_CHANGED
   */
  static async assertSameCalls(
    site: CallSite,
    recorded: readonly CallRow[],
    chunks: AsyncIterable<readonly ApiRow[]>,
  ): Promise<void> {
    const open = new Map(recorded.map(call => [call.key, call]))
    const recall = async ({ key }: CallBody): Promise<CallEnd | null> => {
      const call = open.get(key)
      open.delete(key)
      return call === undefined ? null : recordedEnd(call)
    }
    const walk = new ApiDelivery(site, recall, () => false)
    for await (const chunk of chunks) {
      if (open.size === 0) return
      await walk.#send(chunk, 0)
    }
    const lost = [...open.values()][0]
    if (lost === undefined) return
    throw new LoadError(
      'LOAD_CALLS_CHANGED',
      `An earlier attempt of this load already sent rows to ${site.target}, and the same files no longer give the same requests (${open.size} of ${recorded.length} are not met again): the mapping or the load's limits were changed in between. Nothing was sent; put them back and run again, or send all rows of the date anew with rerun --force.`,
      { details: { target: site.target, key: lost.key, unmet: open.size, recorded: recorded.length } },
    )
  }

  #settled(): number {
    const { created, updated, unchanged, rejected, unprocessed } = this.tally
    return created + updated + unchanged + rejected + unprocessed
  }

  async #send(rows: readonly ApiRow[], round: number): Promise<void> {
    if (this.#stopped) return
    const call = callBody(this.#site, rows, round)
    if (rows.length > 1 && call.bytes > this.#maxBytes) return this.#sendHalves(rows, round)
    const end = await this.#call(call)
    if (end === null) return
    if (end.kind === 'rows') return this.#settle(rows, end, round)
    if (end.kind === 'too-large') this.#maxBytes = Math.min(this.#maxBytes, Math.floor(call.bytes / 2))
    if (rows.length > 1) return this.#sendHalves(rows, round)
    if (end.kind === 'too-large') this.#refuse(rows[0]!, 'LOAD_API_ROW_TOO_LARGE', `${call.bytes} bytes`)
    else this.#refuse(rows[0]!, 'LOAD_API_ROW_REJECTED', end.words)
  }

  #refuse(row: ApiRow, code: RefusedRow['code'], words: string): void {
    this.tally.rejected += 1
    this.refused.push({ row, code, words })
    this.refusedRecords.add(`${row.file}/${row.ordinal}`)
    this.#stopped = this.#isEnough(this.refusedRecords.size)
  }

  async #sendHalves(rows: readonly ApiRow[], round: number): Promise<void> {
    const half = Math.ceil(rows.length / 2)
    await this.#send(rows.slice(0, half), round)
    await this.#send(rows.slice(half), round)
  }

  async #settle(rows: readonly ApiRow[], end: CallEnd & { kind: 'rows' }, round: number): Promise<void> {
    const left: ApiRow[] = []
    for (const [at, row] of rows.entries()) {
      const status = end.result.statuses[at]!
      if (status === 'unprocessed') {
        left.push(row)
        continue
      }
      if (status === 'rejected') {
        const { code, message } = end.result.errors[at]!
        this.#refuse(row, 'LOAD_API_ROW_REJECTED', `${message} (${code})`)
      } else this.tally[status] += 1
    }
    if (left.length === 0) return
    if (end.made && left.length === rows.length) {
      this.tally.unprocessed += left.length
      throw new LoadError(
        'LOAD_API_UNPROCESSED',
        `${this.#site.target} did not try any of ${left.length} rows, though it took the request. They are sent again by the next attempt; what was accepted before stays.`,
        { retry: 'backoff', details: { target: this.#site.target, unprocessed: left.length } },
      )
    }
    await this.#send(left, round + 1)
  }
}
