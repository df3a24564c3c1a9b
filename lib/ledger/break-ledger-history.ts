/**
 * The way of each break through its nights, from the sightings kept: one break at a time, streamed through a
 * cursor. Writing states down is break-ledger-fold.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { Acknowledgement, Course, FoldRules, LedgerNight, Sighting } from '../model/lasting-break.ts'
import { acknowledgementsOf } from './break-ledger-acks.ts'
import { awaitedSql } from './break-ledger-pending.ts'
import { inSets } from './break-ledger-sightings.ts'

/** Rows fetched at a time: about 5 MB of them. */
const PAGE = 20_000

/** A break as of the night, with the acknowledgement that holds. */
export interface ToldBreak {
  readonly course: Course
  readonly acknowledgement: Acknowledgement | null
}

/** Tells of every break as it was after the last of `nights`, inside a transaction; changes nothing. */
export async function foldUntil(
  connection: Connection,
  ledger: number,
  nights: readonly LedgerNight[],
  rules: FoldRules,
  tell: (identity: string, told: ToldBreak) => void,
): Promise<void> {
  const last = nights.at(-1)
  if (last === undefined) return
  const acknowledgements = await acknowledgementsOf(connection, ledger)
  for await (const page of sightingsByBreak(connection, ledger)) {
    for (const [identity, sightings] of page) {
      const course = foldBreak(sightings, nights, rules, () => {})
      if (course === null) continue
      const acknowledgement = rules.acknowledged(course, acknowledgements.get(identity) ?? [], last.date)
      tell(identity, { course, acknowledgement })
    }
  }
}

/** One break through all nights; `visit` hears of each from the first that saw it. */
export function foldBreak(
  sightings: ReadonlyMap<string, Sighting>,
  nights: readonly LedgerNight[],
  rules: FoldRules,
  visit: (course: Course, night: LedgerNight) => void,
): Course | null {
  let course: Course | null = null
  for (const night of nights) {
    course = rules.step(course, night, sightings.get(night.date) ?? null)
    if (course !== null) visit(course, night)
  }
  return course
}

/** All that was said of each break, by date; some breaks at a time. */
export async function* sightingsByBreak(
  connection: Connection,
  ledger: number,
): AsyncGenerator<[string, Map<string, Sighting>][]> {
  let last: [string, Map<string, Sighting>] | null = null
  const pages = fetchPages<SightingRow>(
    connection,
    `SELECT replace(s.identity::text, '-', '') AS identity, s.business_date AS date, s.sight,
       s.source_mark AS "seenSource", s.target_mark AS "seenTarget", s.cause AS "seenCause", s.columns_id AS "seenColumns",
       a.since AS "awaitedSince"
     FROM tallyman.break_sighting s
       LEFT JOIN (${awaitedSql(ledger, null)}) a ON a.identity = s.identity AND a.seen_on = s.business_date
     WHERE s.ledger = ${ledger} ORDER BY s.identity, s.business_date`,
  )
  for await (const rows of pages) {
    const page: [string, Map<string, Sighting>][] = []
    for (const row of rows) {
      if (last?.[0] !== row.identity) {
        if (last !== null) page.push(last)
        last = [row.identity, new Map()]
      }
      last[1].set(row.date, sightingOf(row)!)
    }
    yield page
  }
  if (last !== null) yield [last]
}

/** What a night says of a break, as a row. */
export interface SightingRow {
  readonly identity: string
  readonly date: string
  readonly sight: Sighting['sight'] | null
  readonly seenSource: string | null
  readonly seenTarget: string | null
  readonly seenCause: Sighting['cause']
  readonly seenColumns: number | null
  readonly awaitedSince: string | null
}

/** The same, as the rules take it; null where the night says nothing. */
export function sightingOf(row: Omit<SightingRow, 'date' | 'identity'>): Sighting | null {
  if (row.sight === null) return null
  return {
    sight: row.sight,
    marks: { source: row.seenSource, target: row.seenTarget },
    cause: row.seenCause,
    columns: row.seenColumns,
    awaitedSince: row.awaitedSince,
  }
}

/** The rows of a query in pages, read from one picture of the tables. */
export async function* fetchPages<Row extends object>(
  connection: Connection,
  sql: string,
): AsyncGenerator<Row[]> {
  await inSets(connection, true, () => connection.query(`DECLARE fold_rows NO SCROLL CURSOR FOR ${sql}`))
  for (;;) {
    const { rows } = await connection.query<Row>(`FETCH FORWARD ${PAGE} FROM fold_rows`)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) break
  }
  await connection.query('CLOSE fold_rows')
}
