/**
 * Nights of one reconciliation on a real run ledger, without files: a test says what both sides have, the
 * differing keys are tonight's breaks, and what became of others is looked up in the same two lists.
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Connection } from '../../lib/db/connection.ts'
import type { Database } from '../../lib/db/database.ts'
import { recordNight } from '../../lib/ledger/break-ledger.ts'
import type { FoldedNight } from '../../lib/ledger/break-ledger-fold.ts'
import { type LastingBreak, listBreaks } from '../../lib/ledger/break-ledger-list.ts'
import type { Sees } from '../../lib/model/lasting-break.ts'
import { causeOf, type Sight } from '../../reconcile/breaks/cause.ts'
import { foldRules } from '../../reconcile/breaks/fold.ts'
import { sightingLine } from '../../reconcile/breaks/sighting.ts'

/** Values by key; whole numbers, which are their own marks. */
export type Side = Readonly<Record<string, number>>

/** What one comparison looks at. */
export interface Look {
  readonly left: Side
  readonly right: Side
  readonly sees?: Sees
  /** Keys that only the left side has and that may still arrive: no breaks. */
  readonly awaited?: readonly string[]
  /** Nobody is asked who moved. */
  readonly blind?: boolean
}

/** The identity of a key's break. */
export function identityOf(key: string): string {
  return createHash('md5').update(key).digest('hex')
}

/** The nights of one reconciliation. */
export class BreakNights {
  readonly job: string
  readonly #database: Database
  readonly #numbers = new Map<string, number>()
  readonly #looks = new Map<string, Look>()

  constructor(database: Database, job: string) {
    this.#database = database
    this.job = job
  }

  get reconciliation(): string {
    return `${this.job}.rows`
  }

  /** One comparison of a date; the same date again is a rerun. */
  compare(date: string, look: Look): Promise<FoldedNight> {
    return this.#database.use(connection =>
      connection.transaction(() => this.compareOn(connection, date, look)),
    )
  }

  /** The same in the caller's transaction. */
  async compareOn(connection: Connection, date: string, look: Look): Promise<FoldedNight> {
    this.#looks.set(date, look)
    const right = look.sees === 'keys' ? [] : Object.keys(look.right)
    const keys = [...new Set([...Object.keys(look.left), ...right])]
    const awaited = look.awaited ?? []
    const differing = keys.filter(key => look.left[key] !== look.right[key] && !awaited.includes(key))
    async function* lines(): AsyncGenerator<string> {
      for (const key of differing) yield lineOf(key, look)
    }
    return recordNight(
      connection,
      {
        reconciliation: this.reconciliation,
        job: this.job,
        businessDate: date,
        comparisonId: await this.#comparison(connection, date),
        sees: look.sees ?? 'all',
        sightings: lines(),
        pending: awaited.length === 0 ? null : Readable.from(awaited.map(key => `${identityOf(key)}\n`)),
        lookUpAt: async night => asked => answers(asked, this.#looks.get(night.date)!, night.sees),
        watched: new Set(keys.map(identityOf)),
      },
      foldRules,
    )
  }

  /** The breaks as of the last night, by key. */
  async breaks(): Promise<Map<string, LastingBreak>> {
    const all = await this.#database.use(connection => listBreaks(connection, { job: this.job }, 1_000_000))
    return new Map(all.map(found => [found.key.k!, found]))
  }

  #comparison(connection: Connection, date: string): Promise<string> {
    const number = (this.#numbers.get(date) ?? 0) + 1
    this.#numbers.set(date, number)
    return insertedComparison(connection, this.job, date, number)
  }
}

/** The row of a comparison with the run and the attempt that it needs; gives its id. */
export async function insertedComparison(
  connection: Connection,
  job: string,
  date: string,
  number: number,
): Promise<string> {
  const { rows } = await connection.query<{ id: string }>(
    `WITH r AS (INSERT INTO tallyman.run (job, business_date, state) VALUES ($1, $2, 'succeeded')
       ON CONFLICT (job, business_date) DO UPDATE SET changed_at = now() RETURNING id),
     a AS (INSERT INTO tallyman.attempt (run, number, trigger, state, fence, host, os_pid)
       SELECT id, $3, 'manual', 'succeeded', 1, 'test', 1 FROM r RETURNING id, run)
     INSERT INTO tallyman.comparison (run, number, attempt, fence) SELECT run, $3, id, 1 FROM a RETURNING id`,
    [job, date, number],
  )
  return rows[0]!.id
}

function marksOf(key: string, { left, right }: Look): { source: string | null; target: string | null } {
  const mark = (value: number | undefined): string | null => (value === undefined ? null : String(value))
  return { source: mark(left[key]), target: mark(right[key]) }
}

function lineOf(key: string, look: Look): string {
  const marks = marksOf(key, look)
  const kind =
    marks.target === null
      ? 'missing_in_target'
      : marks.source === null
        ? 'missing_in_source'
        : 'value_mismatch'
  const both = kind === 'value_mismatch'
  return sightingLine(
    {
      identity: identityOf(key),
      kind,
      key: { k: key },
      columns: [
        {
          name: 'v',
          left: marks.source,
          right: marks.target,
          nature: 'amount',
          delta: both ? String(look.right[key]! - look.left[key]!) : null,
        },
      ],
      leftRows: marks.source === null ? 0 : 1,
      rightRows: marks.target === null ? 0 : 1,
      origin: null,
      hint: '',
    },
    marks,
  )
}

/** Reads all asked breaks, then tells what both sides have of them. */
async function answers(asked: AsyncIterable<Buffer>, look: Look, sees: Sees): Promise<AsyncIterable<string>> {
  const sight: Sight = { sees, driving: 'source' }
  let text = ''
  for await (const bytes of asked) text += bytes.toString()
  const lines = look.blind === true ? [] : text.split('\n').filter(line => line !== '')
  async function* told(): AsyncGenerator<string> {
    for (const line of lines) {
      const cells = [...line.matchAll(/"((?:[^"]|"")*)"|(\\N)/g)].map(([, value]) =>
        value === undefined ? null : value.replaceAll('""', '"'),
      )
      const [identity, , names, source, target, , sameDate, key] = cells
      const before = names === null ? null : { source: source ?? null, target: target ?? null }
      const now = marksOf((JSON.parse(key!) as { k: string }).k, look)
      const cause = causeOf(before, now, sight, sameDate === 'true')
      if (cause !== null) yield `${identity}\t${cause}\n`
    }
  }
  return told()
}
