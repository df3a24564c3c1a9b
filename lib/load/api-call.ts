/**
 * One call: the rows of one request under one idempotency key, until the API has accounted for every
 * row or it is clear that it will not now. The `call` row is committed before each request, so a crash
 * in between leaves an unknown outcome that is known to be one; the same key and bytes then ask again.
 * What a chunk is and what is done with the results: api-deliver.ts.
 */
import { createHash } from 'node:crypto'
import type { Database } from '../db/database.ts'
import { afterRetryAfterMs, backoffMs, THROTTLED, TRANSIENT } from '../http/backoff.ts'
import { type HttpAnswer, type HttpRequest, sendRequest } from '../http/http-request.ts'
import { beginCall, finishCall } from '../ledger/call.ts'
import type { Holding } from '../ledger/fence.ts'
import type { Revision } from '../ledger/revision.ts'
import { LoadError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { StepContext } from '../model/progress.ts'
import type { RunKey } from '../model/run.ts'
import type { Secret } from '../model/secret.ts'
import { type CallResult, readAnswer } from './api-answer.ts'
import type { ApiRow } from './api-spool.ts'

/** Tries of one call in one attempt: with full jitter about 6 s on average; longer trouble is the run's business. */
const MOST_TRIES = 5

/** Waiting for a throttling API is given up after this in all for one call; the run is then taken up again later. */
const THROTTLE_BUDGET_MS = 600_000

/** A bulk request of 1 MiB is answered in seconds by a healthy API; common gateways give up at 60 s. */
const ANSWER_WITHIN_MS = 90_000

/** Results of 10,000 rows with a message each are about 3 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** What all calls of a load share. */
export interface CallSite {
  readonly database: Database
  readonly lease: Holding & { readonly key: RunKey }
  readonly revision: Pick<Revision, 'id' | 'number'>
  /** `payroll/v1/hours`: as results and messages name the target. */
  readonly target: string
  readonly endpoint: string
  readonly url: URL
  /** Reads the token anew; null for an API without one. */
  readonly token: (() => Promise<Secret>) | null
  readonly context: StepContext
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** A request as it goes out. */
export interface CallBody {
  readonly key: string
  readonly body: string
  readonly bytes: number
  readonly bodySha256: string
  readonly items: number
}

/** How a call ended; `made` in this attempt, or known from an earlier one. `too-large`: nothing took effect, send less at once. */
export type CallEnd = { readonly made: boolean } & CallFacts

type CallFacts = { readonly kind: 'rows'; readonly result: CallResult } | { readonly kind: 'too-large' }

/**
 * Body and key of some rows. `round` counts how often the same rows were sent for real: rows that an API
 * left unprocessed go out again under another key.
 * Guarantee: the same rows of the same revision and round give the same key and bytes, in any attempt.
 */
export function callBody(
  site: Pick<CallSite, 'lease' | 'revision' | 'target'>,
  rows: readonly ApiRow[],
  round: number,
): CallBody {
  const body = `[${rows.map(row => row.json).join(',')}]`
  const bodySha256 = createHash('sha256').update(body).digest('hex')
  const { job, businessDate } = site.lease.key
  const identity = [
    job,
    businessDate,
    site.revision.number,
    site.target,
    round,
    rows.map(row => row.seq),
    bodySha256,
  ]
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex')
  return { key, body, bytes: Buffer.byteLength(body), bodySha256, items: rows.length }
}

/** How a recorded call ended; null when it has to be (or may have to be) asked again. */
export function recordedEnd(call: {
  readonly state: string
  readonly status: number | null
  readonly result: unknown
}): CallEnd | null {
  if (call.state === 'answered') return { made: false, kind: 'rows', result: call.result as CallResult }
  return call.state === 'refused' && call.status === 413 ? { made: false, kind: 'too-large' } : null
}

/**
 * Makes the call, or gives what an earlier attempt learned from it.
 * @throws LOAD_OUTCOME_UNKNOWN, LOAD_API_UNREACHABLE, LOAD_API_THROTTLED, LOAD_API_UNAUTHORIZED, LOAD_API_REFUSED and what sendRequest throws
 */
export async function makeCall(site: CallSite, call: CallBody): Promise<CallEnd> {
  const { database, lease, revision, endpoint, context } = site
  const draft = {
    revisionId: revision.id,
    endpoint,
    key: call.key,
    bodySha256: call.bodySha256,
    items: call.items,
  }
  let token = (await site.token?.()) ?? null
  let tokenIsFresh = false
  let throttledMs = 0
  for (let tries = 1; ; ) {
    const row = await database.use(connection => beginCall(connection, lease, draft))
    const known = recordedEnd(row)
    if (known !== null) return known
    failpoint('load.api-call-recorded')
    const outcome = await attempt(site, call, token)
    failpoint('load.api-call-answered')
    const settle = (
      state: 'answered' | 'refused' | 'unknown',
      status: number | null,
      result: CallResult | null,
    ): Promise<void> => database.use(connection => finishCall(connection, row.id, { state, status, result }))
    if (outcome.kind === 'rows') {
      await settle('answered', outcome.status, outcome.result)
      failpoint('load.api-call-settled')
      return { made: true, kind: 'rows', result: outcome.result }
    }
    if (outcome.kind === 'too-large') {
      await settle('refused', 413, null)
      return { made: true, kind: 'too-large' }
    }
    if (outcome.kind === 'refused') {
      await settle('refused', outcome.status, null)
      throw refused(site, outcome.status)
    }
    await settle('unknown', outcome.status, null)
    if (outcome.kind === 'unauthorized') {
      // A token may have been rotated since it was read; one that was read just now is simply wrong.
      if (tokenIsFresh || site.token === null) throw unauthorized(site)
      token = await site.token()
      tokenIsFresh = true
      continue
    }
    let waitMs: number
    if (outcome.kind === 'throttled') {
      waitMs =
        outcome.retryAfterMs === null
          ? backoffMs(tries, THROTTLED, site.random())
          : afterRetryAfterMs(outcome.retryAfterMs, site.random())
      throttledMs += waitMs
      if (throttledMs > THROTTLE_BUDGET_MS) throw throttled(site, waitMs)
    } else {
      if (tries >= MOST_TRIES) throw outcome.error
      waitMs = backoffMs(tries, TRANSIENT, site.random())
      tries += 1
    }
    const reason = outcome.kind === 'throttled' ? 'throttled' : outcome.error.code
    context.log.warn('load.api-asked-again', {
      target: site.target,
      key: call.key,
      reason,
      waitMs: Math.round(waitMs),
    })
    await context.clock.sleep(waitMs, context.signal)
  }
}

/** What one request came to. `again`: the same key and bytes may go out again. */
type Outcome = { readonly status: number | null } & (
  | { readonly kind: 'rows'; readonly result: CallResult }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | null }
  | { readonly kind: 'again'; readonly error: LoadError }
)

async function attempt(site: CallSite, call: CallBody, token: Secret | null): Promise<Outcome> {
  const request: HttpRequest = {
    method: 'POST',
    url: site.url,
    headers: { 'content-type': 'application/json', accept: 'application/json', 'idempotency-key': call.key },
    body: call.body,
    token,
    timeoutMs: ANSWER_WITHIN_MS,
    maxAnswerBytes: MAX_ANSWER_BYTES,
  }
  let answer: HttpAnswer
  try {
    answer = await sendRequest(request, site.context.clock, site.context.signal)
  } catch (error) {
    if (error instanceof LoadError && error.retry !== 'never') return { kind: 'again', status: null, error }
    throw error
  }
  const { status } = answer
  const read = readAnswer(answer, call.items)
  switch (read.kind) {
    case 'unknown':
      return { kind: 'again', status, error: unknown(site, call, read.why) }
    case 'refused':
      return { kind: 'refused', status }
    default:
      return { ...read, status }
  }
}

function unknown(site: CallSite, call: CallBody, why: string): LoadError {
  return new LoadError(
    'LOAD_OUTCOME_UNKNOWN',
    `${site.target} gave ${why} to ${call.items} rows (key ${call.key}), so it is not known which of them took effect. They are sent again under the same key, which can't take effect twice.`,
    { retry: 'verify-first', details: { target: site.target, key: call.key, items: call.items } },
  )
}

function throttled(site: CallSite, waitMs: number): LoadError {
  return new LoadError(
    'LOAD_API_THROTTLED',
    `${site.target} takes no more requests for now and asks to wait ${Math.ceil(waitMs / 1000)} s, longer than this attempt waits. What was sent stays as it is; the run goes on from there when the time is over.`,
    { retry: { afterMs: waitMs }, details: { target: site.target, waitMs } },
  )
}

function unauthorized(site: CallSite): LoadError {
  return new LoadError(
    'LOAD_API_UNAUTHORIZED',
    `${site.target} does not accept the token, not even freshly read. Nothing of this request was loaded; set a valid token where the environment file says and run again.`,
    { details: { target: site.target } },
  )
}

function refused(site: CallSite, status: number): LoadError {
  return new LoadError(
    'LOAD_API_REFUSED',
    `${site.target} refused a request as a whole with status ${status}, without saying which row is wrong. Its rows were not loaded; what was accepted before stays. Compare the job's table and path with what the API expects.`,
    { details: { target: site.target, status } },
  )
}
