/**
 * What one night says about each break: all breaks of its comparison come in by COPY, those of an
 * earlier comparison of the same date are withdrawn, open ones that it does not have are asked for.
 * Works with temporary tables of the caller's transaction: `tonight` (as found), `said` and `moved` (what an
 * older date says otherwise than before), `unseen` (asked), `gone` (answers).
 */
import type { Connection } from '../db/connection.ts'
import { BugError } from '../model/errors.ts'

/** A night in hand. */
export interface Tonight {
  readonly ledger: number
  readonly date: string
  readonly watched: ReadonlySet<string>
}

/** Columns of a COPY line of a break, in order. */
export const SIGHTING_COLUMNS = [
  'identity',
  'kind',
  'key',
  'columns',
  'left_rows',
  'right_rows',
  'origin',
  'hint',
  'source_mark',
  'target_mark',
] as const

/**
 * Columns of a CSV line of an asked break. `names`: its columns as JSON list; `side`: which side had rows; `same_date`: an earlier comparison of this very date found it.
 */
export const ASKED_COLUMNS = [
  'identity',
  'kind',
  'names',
  'source_mark',
  'target_mark',
  'side',
  'same_date',
  'key',
] as const

/**
 * Takes open breaks as CSV lines (null is an unquoted `\N`, every value is quoted; ASKED_COLUMNS) and gives those that
 * are none any more as COPY lines: identity, cause. What the night could not have seen is left out. Resolves once it has read all.
 */
export type LookUp = (asked: AsyncIterable<Buffer>) => Promise<AsyncIterable<string>>

/** A date as SQL text, for statements that take no parameters. */
export function dateLiteral(date: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date))
    throw new BugError(
      'BUG_SQL_NAME',
      `${JSON.stringify(date)} came as far as an SQL statement and is no date. The statement was not sent.`,
    )
  return `date '${date}'`
}

/** Stores what the comparison found in place of what an earlier one of this date did; that is kept as withdrawn. */
export async function storeSightings(
  connection: Connection,
  { ledger, date }: Tonight,
  sightings: AsyncIterable<Buffer | string>,
  again: boolean,
): Promise<void> {
  await makeGone(connection)
  await connection.query('DROP TABLE IF EXISTS pg_temp.tonight')
  await connection.query(
    `CREATE TEMP TABLE tonight (identity uuid, kind text, key jsonb, columns jsonb, left_rows int, right_rows int,
       origin jsonb, hint text, source_mark bigint, target_mark bigint, columns_id int) ON COMMIT DROP`,
  )
  await connection.copyIn(`COPY pg_temp.tonight (${SIGHTING_COLUMNS.join(', ')}) FROM STDIN`, sightings)
  await connection.query('ANALYZE pg_temp.tonight (identity)')
  // Equal identities are one break told twice, which only rows that can't be read could be.
  await connection.query(
    `DELETE FROM pg_temp.tonight t USING pg_temp.tonight o WHERE o.identity = t.identity AND o.ctid < t.ctid`,
  )
  await connection.query('ALTER TABLE pg_temp.tonight ADD PRIMARY KEY (identity)')
  await nameColumns(connection, ledger)
  if (again) {
    await connection.query(
      `DELETE FROM tallyman.break_sighting WHERE ledger = $1 AND business_date = $2 AND sight = 'gone'`,
      [ledger, date],
    )
    await connection.query(
      `UPDATE tallyman.break_sighting s SET sight = 'withdrawn', cause = NULL
       WHERE s.ledger = $1 AND s.business_date = $2 AND (s.sight, s.cause) IS DISTINCT FROM ('withdrawn', NULL)
         AND NOT EXISTS (SELECT 1 FROM pg_temp.tonight t WHERE t.identity = s.identity)`,
      [ledger, date],
    )
  }
  await connection.query(
    `INSERT INTO tallyman.break_sighting AS s (ledger, business_date, identity, sight, source_mark, target_mark, columns_id)
     SELECT $1, $2, identity, 'seen', source_mark, target_mark, columns_id FROM pg_temp.tonight ORDER BY identity
     ON CONFLICT (ledger, identity, business_date) DO UPDATE SET sight = 'seen', cause = NULL,
         source_mark = excluded.source_mark, target_mark = excluded.target_mark, columns_id = excluded.columns_id
       WHERE (s.sight, s.cause, s.source_mark, s.target_mark, s.columns_id)
         IS DISTINCT FROM ('seen', NULL, excluded.source_mark, excluded.target_mark, excluded.columns_id)`,
    [ledger, date],
  )
}

/** Gives each list of columns its number. */
async function nameColumns(connection: Connection, ledger: number): Promise<void> {
  const names = `(SELECT coalesce(jsonb_agg(c -> 'name'), '[]')::text FROM jsonb_array_elements(t.columns) c)`
  await connection.query('DROP TABLE IF EXISTS pg_temp.named')
  await connection.query(
    `CREATE TEMP TABLE named ON COMMIT DROP AS SELECT identity, ${names} COLLATE "C" AS names FROM pg_temp.tonight t`,
  )
  await connection.query(
    `INSERT INTO tallyman.break_columns (ledger, id, names)
     SELECT $1, (SELECT count(*) FROM tallyman.break_columns WHERE ledger = $1) + row_number() OVER (ORDER BY names), names
     FROM (SELECT DISTINCT names FROM pg_temp.named) n
     WHERE NOT EXISTS (SELECT 1 FROM tallyman.break_columns b WHERE b.ledger = $1 AND b.names = n.names)`,
    [ledger],
  )
  await inSets(connection, true, () =>
    connection.query(
      `UPDATE pg_temp.tonight t SET columns_id = b.id FROM pg_temp.named n, tallyman.break_columns b
       WHERE n.identity = t.identity AND b.ledger = $1 AND b.names = n.names`,
      [ledger],
    ),
  )
}

/** Remembers what this date said before, so that storeMoved can tell what it says otherwise now. */
export async function rememberDate(connection: Connection, { ledger, date }: Tonight): Promise<void> {
  await connection.query('DROP TABLE IF EXISTS pg_temp.said')
  await connection.query(
    `CREATE TEMP TABLE said ON COMMIT DROP AS SELECT identity, sight, source_mark, target_mark, cause
     FROM tallyman.break_sighting WHERE ledger = ${ledger} AND business_date = ${dateLiteral(date)}`,
  )
}

/** Puts the breaks into `moved` of which this date says something else than before, and forgets what later dates were told of them. */
export async function storeMoved(connection: Connection, { ledger, date }: Tonight): Promise<void> {
  const says = `SELECT identity, sight, source_mark, target_mark, cause FROM tallyman.break_sighting
    WHERE ledger = ${ledger} AND business_date = ${dateLiteral(date)}`
  const said = 'TABLE pg_temp.said'
  await connection.query('DROP TABLE IF EXISTS pg_temp.moved')
  await connection.query(
    `CREATE TEMP TABLE moved ON COMMIT DROP AS
     SELECT identity FROM ((${says} EXCEPT ${said}) UNION ALL (${said} EXCEPT ${says})) x GROUP BY identity`,
  )
  await connection.query('ANALYZE pg_temp.moved')
  await connection.query(
    `DELETE FROM tallyman.break_sighting s USING pg_temp.moved m
     WHERE s.ledger = $1 AND s.identity = m.identity AND s.business_date > $2 AND s.sight = 'gone'`,
    [ledger, date],
  )
}

/** Breaks that were open before a night, by where that is looked up. */
export type OpenBefore =
  /** The night is the last one, so the breaks as they stand say it. */
  | 'standing'
  /** The sightings up to this night say it; resolved ones may be asked for once more. */
  | 'sighted'
  /** The same, of `moved` alone. */
  | 'moved'

/** Asks a night what became of the breaks that were open before it and that it does not have, and stores the answers. */
export async function askOpenBreaks(
  connection: Connection,
  night: Pick<Tonight, 'ledger' | 'date'>,
  open: OpenBefore,
  lookUp: LookUp,
): Promise<void> {
  const { ledger } = night
  await connection.query('DROP TABLE IF EXISTS pg_temp.unseen')
  await inSets(connection, open !== 'moved', () =>
    connection.query(
      `CREATE TEMP TABLE unseen ON COMMIT DROP AS
       SELECT u.identity, coalesce(l.kind, t.kind) AS kind, coalesce(l.key, t.key) AS key, u.source_mark, u.target_mark,
         u.columns_id, u.same_date, c.names,
         CASE WHEN coalesce(l.left_rows, t.left_rows) > 0 THEN 'source' ELSE 'target' END AS side
       FROM (${openSql(night, open)}) u
         LEFT JOIN tallyman.break_columns c ON c.ledger = ${ledger} AND c.id = u.columns_id
         LEFT JOIN tallyman.lasting_break l ON l.ledger = ${ledger} AND l.identity = u.identity
         LEFT JOIN pg_temp.tonight t ON t.identity = u.identity
       WHERE u.open`,
    ),
  )
  await takeGone(connection, night, lookUp)
}

/**
 * Runs statements that join whole sets without nested loops: within one transaction the tables have no statistics of
 * what was just written, and a plan made for one row took minutes for 100,000.
 */
export async function inSets<T>(connection: Connection, on: boolean, work: () => Promise<T>): Promise<T> {
  if (!on) return work()
  await connection.query(
    "SELECT set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)",
  )
  const value = await work()
  await connection.query('SET LOCAL enable_nestloop TO DEFAULT')
  await connection.query('SET LOCAL work_mem TO DEFAULT')
  return value
}

function openSql({ ledger, date }: Pick<Tonight, 'ledger' | 'date'>, open: OpenBefore): string {
  if (open === 'standing') {
    return `SELECT identity, source_mark, target_mark, columns_id, false AS same_date, true AS open FROM tallyman.lasting_break b
      WHERE ledger = ${ledger} AND state <> 'resolved'
        AND NOT EXISTS (SELECT 1 FROM pg_temp.tonight o WHERE o.identity = b.identity)`
  }
  const [moved, withdrawn] =
    open === 'moved'
      ? [' JOIN pg_temp.moved m ON m.identity = s.identity', 'false']
      : ['', "s.sight = 'withdrawn'"]
  // The latest word up to this night decides; one of this very night is news only to the night in hand. The values are
  // those of the last night that still stands, which a withdrawn sighting is not.
  const standing = `(SELECT x.source_mark, x.target_mark, x.columns_id FROM tallyman.break_sighting x
    WHERE w.sight = 'withdrawn' AND NOT w.same_date AND x.ledger = ${ledger} AND x.identity = w.identity
      AND x.sight <> 'gone' AND x.business_date < ${dateLiteral(date)}
    ORDER BY x.sight = 'seen' DESC, CASE WHEN x.sight = 'seen' THEN x.business_date END DESC, x.business_date LIMIT 1)`
  return `SELECT w.identity, w.same_date, w.open,
      CASE WHEN o.found THEN o.source_mark ELSE w.source_mark END AS source_mark,
      CASE WHEN o.found THEN o.target_mark ELSE w.target_mark END AS target_mark,
      CASE WHEN o.found THEN o.columns_id ELSE w.columns_id END AS columns_id
    FROM (SELECT DISTINCT ON (s.identity) s.identity, s.source_mark, s.target_mark, s.columns_id, s.sight,
        s.business_date = ${dateLiteral(date)} AS same_date,
        CASE WHEN s.business_date = ${dateLiteral(date)} THEN ${withdrawn}
          ELSE s.sight = 'seen' OR (s.sight = 'withdrawn' AND s.cause IS NULL) END AS open
      FROM tallyman.break_sighting s${moved}
      WHERE s.ledger = ${ledger} AND s.business_date <= ${dateLiteral(date)}
      ORDER BY s.identity, s.business_date DESC) w
    LEFT JOIN LATERAL (SELECT true AS found, y.* FROM ${standing} y) o ON true`
}

async function takeGone(
  connection: Connection,
  { ledger, date }: Pick<Tonight, 'ledger' | 'date'>,
  lookUp: LookUp,
): Promise<void> {
  await makeGone(connection)
  const { rows } = await connection.query<{ some: boolean }>(
    'SELECT EXISTS (SELECT 1 FROM pg_temp.unseen) AS some',
  )
  if (rows[0]?.some !== true) return
  const asked = ASKED_COLUMNS.map(column =>
    column === 'identity' ? "replace(identity::text, '-', '')" : `${column}::text`,
  )
  const answers = await lookUp(
    connection.copyOut(
      `COPY (SELECT ${asked.join(', ')} FROM pg_temp.unseen) TO STDOUT (FORMAT csv, NULL '\\N', FORCE_QUOTE *, ENCODING 'UTF8')`,
    ),
  )
  await connection.copyIn('COPY pg_temp.gone (identity, cause) FROM STDIN', answers)
  await connection.query(
    `UPDATE pg_temp.gone g SET source_mark = u.source_mark, target_mark = u.target_mark, columns_id = u.columns_id
     FROM pg_temp.unseen u WHERE u.identity = g.identity`,
  )
  await connection.query(
    `INSERT INTO tallyman.break_sighting AS s
       (ledger, business_date, identity, sight, source_mark, target_mark, columns_id, cause)
     SELECT $1, $2, identity, 'gone', source_mark, target_mark, columns_id, cause FROM pg_temp.gone ORDER BY identity
     ON CONFLICT (ledger, identity, business_date) DO UPDATE SET cause = excluded.cause`,
    [ledger, date],
  )
}

async function makeGone(connection: Connection): Promise<void> {
  await connection.query('DROP TABLE IF EXISTS pg_temp.gone')
  await connection.query(
    `CREATE TEMP TABLE gone (identity uuid PRIMARY KEY, cause text, source_mark bigint, target_mark bigint, columns_id int) ON COMMIT DROP`,
  )
}
