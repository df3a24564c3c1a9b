/**
 * Looking at the break ledger: breaks as of their last night, one of them in full, and what each night
 * said of it. Reads only; commands and mails are made of these.
 */
import type { Connection } from '../db/connection.ts'
import type { Break } from '../model/break.ts'
import type {
  Acknowledgement,
  Course,
  LedgerNight,
  ShownState,
  Sighting,
  StateCounts,
} from '../model/lasting-break.ts'
import { awaitedSql } from './break-ledger-pending.ts'
import { type CourseRow, courseColumns, courseOf } from './break-ledger-rows.ts'

/** A break as of the last night of its reconciliation, with the values it was last seen with. */
export interface LastingBreak extends Break {
  readonly ledger: number
  readonly reconciliation: string
  readonly job: string
  /** The last night that proved anything: ages are as of it. */
  readonly asOf: string
  readonly shown: ShownState
  readonly course: Course
  /** Null unless one holds. */
  readonly acknowledgement: Pick<Acknowledgement, 'id' | 'owner' | 'by' | 'reason' | 'until'> | null
}

/** Which breaks are wanted; absent parts do not matter. */
export interface BreakFilter {
  readonly job?: string
  /** The beginning of an identity, at least one hex digit. */
  readonly prefix?: string
  readonly ledger?: number
  readonly identities?: readonly string[]
  readonly states?: readonly ShownState[]
}

interface Row extends CourseRow, Break {
  readonly ledger: number
  readonly reconciliation: string
  readonly job: string
  readonly asOf: string
  readonly shown: ShownState
  readonly ackId: string | null
  readonly ackOwner: string
  readonly ackBy: string
  readonly ackReason: string
  readonly ackUntil: string
}

const SHOWN = `CASE WHEN l.acknowledgement IS NULL THEN l.state ELSE 'acknowledged' END`

/** The oldest breaks first. */
export async function listBreaks(
  connection: Connection,
  filter: BreakFilter,
  limit: number,
): Promise<LastingBreak[]> {
  const { where, params } = whereOf(filter)
  const { rows } = await connection.query<Row>(
    `SELECT l.ledger, b.reconciliation, b.job, n.as_of AS "asOf", replace(l.identity::text, '-', '') AS identity, l.kind,
       l.key, l.columns, l.left_rows AS "leftRows", l.right_rows AS "rightRows", l.origin, l.hint, l.explanation, ${SHOWN} AS shown,
       ${courseColumns('l')}, a.id AS "ackId", a.owner AS "ackOwner", a.by_person AS "ackBy", a.reason AS "ackReason",
       a.until_date AS "ackUntil"
     FROM tallyman.lasting_break l JOIN tallyman.break_ledger b ON b.id = l.ledger
       JOIN (SELECT ledger, max(business_date) AS as_of FROM tallyman.break_night GROUP BY ledger) n ON n.ledger = l.ledger
       LEFT JOIN tallyman.break_ack a ON a.id = l.acknowledgement
     ${where} ORDER BY l.first_seen, b.reconciliation, l.identity LIMIT ${limit}`,
    params,
  )
  return rows.map(lastingBreak)
}

function lastingBreak(row: Row): LastingBreak {
  const { ackId, ackOwner, ackBy, ackReason, ackUntil } = row
  return {
    ...{ ledger: row.ledger, reconciliation: row.reconciliation, job: row.job, asOf: row.asOf },
    ...{ identity: row.identity, shown: row.shown, kind: row.kind, key: row.key, columns: row.columns },
    ...{ leftRows: row.leftRows, rightRows: row.rightRows, origin: row.origin, hint: row.hint },
    explanation: row.explanation ?? null,
    course: courseOf(row),
    acknowledgement:
      ackId === null ? null : { id: ackId, owner: ackOwner, by: ackBy, reason: ackReason, until: ackUntil },
  }
}

/** How many breaks a filter has. */
export async function countBreaks(connection: Connection, filter: BreakFilter): Promise<number> {
  const { where, params } = whereOf(filter)
  const { rows } = await connection.query<{ count: string }>(
    `SELECT count(*) FROM tallyman.lasting_break l JOIN tallyman.break_ledger b ON b.id = l.ledger ${where}`,
    params,
  )
  return Number(rows[0]!.count)
}

function whereOf(filter: BreakFilter): { where: string; params: unknown[] } {
  const params: unknown[] = []
  const conditions: string[] = []
  const add = (condition: (name: string) => string, value: unknown): void => {
    params.push(value)
    conditions.push(condition(`$${params.length}`))
  }
  if (filter.job !== undefined) add(name => `b.job = ${name}`, filter.job)
  if (filter.ledger !== undefined) add(name => `l.ledger = ${name}`, filter.ledger)
  if (filter.identities !== undefined) add(name => `l.identity = ANY(${name}::uuid[])`, filter.identities)
  if (filter.states !== undefined) add(name => `${SHOWN} = ANY(${name}::text[])`, filter.states)
  if (filter.prefix !== undefined) {
    add(name => `l.identity >= ${name}::uuid`, filter.prefix.padEnd(32, '0'))
    add(name => `l.identity <= ${name}::uuid`, filter.prefix.padEnd(32, 'f'))
  }
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, params }
}

/** A night with what it says of one break, null where it says nothing. */
export interface BreakNight extends LedgerNight {
  readonly sighting: Sighting | null
}

/** All nights of a break's reconciliation, with what each says of the break. */
export async function nightsOfBreak(
  connection: Connection,
  ledger: number,
  identity: string,
): Promise<BreakNight[]> {
  const { rows } = await connection.query<{
    date: string
    sees: LedgerNight['sees']
    sight: Sighting['sight'] | null
    source: string | null
    target: string | null
    cause: Sighting['cause']
    columns: number | null
    awaitedSince: string | null
  }>(
    `SELECT n.business_date AS date, n.sees, s.sight, s.source_mark AS source, s.target_mark AS target, s.cause, s.columns_id AS columns,
       a.since AS "awaitedSince"
     FROM tallyman.break_night n LEFT JOIN tallyman.break_sighting s
       ON s.ledger = n.ledger AND s.business_date = n.business_date AND s.identity = $2::uuid
       LEFT JOIN (${awaitedSql(ledger, 'SELECT $2::uuid')}) a ON a.identity = s.identity AND a.seen_on = n.business_date
     WHERE n.ledger = $1 ORDER BY n.business_date`,
    [ledger, identity],
  )
  return rows.map(({ date, sees, sight, source, target, cause, columns, awaitedSince }) => ({
    date,
    sees,
    sighting: sight === null ? null : { sight, marks: { source, target }, columns, cause, awaitedSince },
  }))
}

/** The nights of a reconciliation with their counts by state, in the order of their dates; at most the last `limit`. */
export async function countsOfNights(
  connection: Connection,
  reconciliation: string,
  limit: number,
): Promise<{ readonly date: string; readonly comparisonId: string; readonly counts: StateCounts }[]> {
  const { rows } = await connection.query<{ date: string; comparisonId: string; counts: StateCounts }>(
    `SELECT n.business_date AS date, n.comparison AS "comparisonId", n.counts
     FROM tallyman.break_night n JOIN tallyman.break_ledger b ON b.id = n.ledger
     WHERE b.reconciliation = $1 ORDER BY n.business_date DESC LIMIT $2`,
    [reconciliation, limit],
  )
  return rows.reverse()
}

/** Breaks open as of each of the last nights of a ledger up to `until`, without acknowledged ones, oldest night first. */
export async function openOfNights(
  connection: Connection,
  ledger: number,
  until: string,
  limit: number,
): Promise<{ readonly date: string; readonly open: number }[]> {
  const { rows } = await connection.query<{ date: string; open: number }>(
    `SELECT business_date AS date,
       (SELECT coalesce(sum((counts ->> state)::int), 0)::int
        FROM unnest(ARRAY['new','persisting','changed','reopened']) state) AS open
     FROM tallyman.break_night WHERE ledger = $1 AND business_date <= $2::date
     ORDER BY business_date DESC LIMIT $3`,
    [ledger, until, limit],
  )
  return rows.reverse()
}

/** Dates on which nothing was proved: compared, but never with a result. */
export async function inconclusiveDates(connection: Connection, reconciliation: string): Promise<string[]> {
  const { rows } = await connection.query<{ date: string }>(
    `SELECT r.business_date AS date FROM tallyman.comparison_result x
       JOIN tallyman.comparison c ON c.id = x.comparison JOIN tallyman.run r ON r.id = c.run
     WHERE x.reconciliation = $1 GROUP BY r.business_date HAVING bool_and(x.outcome = 'INCONCLUSIVE') ORDER BY 1`,
    [reconciliation],
  )
  return rows.map(({ date }) => date)
}

/** The ledgers there are, of one job or of all. */
export async function breakLedgers(
  connection: Connection,
  job: string | null,
): Promise<{ readonly id: number; readonly reconciliation: string; readonly job: string }[]> {
  const { rows } = await connection.query<{ id: number; reconciliation: string; job: string }>(
    'SELECT id, reconciliation, job FROM tallyman.break_ledger WHERE $1::text IS NULL OR job = $1 ORDER BY reconciliation',
    [job],
  )
  return rows
}

/** Where the pictures lie that a night's comparison was made of, as kept in the ledger; null where it kept none. */
export async function picturesOfNight(
  connection: Connection,
  reconciliation: string,
  date: string,
): Promise<{ readonly source: string; readonly target: string } | null> {
  // Pictures and comparison are written in one transaction, whose clock stands still.
  const { rows } = await connection.query<{ side: 'source' | 'target'; path: string }>(
    `SELECT s.side, s.path FROM tallyman.break_night n JOIN tallyman.break_ledger b ON b.id = n.ledger
       JOIN tallyman.comparison c ON c.id = n.comparison
       JOIN tallyman.snapshot s ON s.run = c.run AND s.reconciliation = b.reconciliation AND s.comparison = c.id
     WHERE b.reconciliation = $1 AND n.business_date = $2`,
    [reconciliation, date],
  )
  const pathOf = (side: 'source' | 'target'): string | undefined => rows.find(row => row.side === side)?.path
  const [source, target] = [pathOf('source'), pathOf('target')]
  return source === undefined || target === undefined ? null : { source, target }
}

/** Breaks by state as of one night of a reconciliation, null when that date proved nothing. */
export async function countsOfNight(
  connection: Connection,
  reconciliation: string,
  date: string,
): Promise<StateCounts | null> {
  const { rows } = await connection.query<{ counts: StateCounts }>(
    `SELECT n.counts FROM tallyman.break_night n JOIN tallyman.break_ledger b ON b.id = n.ledger
     WHERE b.reconciliation = $1 AND n.business_date = $2`,
    [reconciliation, date],
  )
  return rows[0]?.counts ?? null
}
