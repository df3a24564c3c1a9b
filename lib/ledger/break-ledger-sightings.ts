/**
 * What one night says about each break: all breaks of its comparison come in by COPY, those of an
 * earlier comparison of the same date are withdrawn, open ones that it does not have are asked for.
 * Works with temporary tables of the caller's transaction: `tonight` (as found) and `unseen`.
 */
import type { Connection } from '../db/connection.ts'
import { BugError } from '../model/errors.ts'
import type { LookUp } from './break-ledger.ts'

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
 * Columns of a CSV line of an asked break. `names`: its columns as JSON list, null when the values it had are no longer
 * known; `side`: which side had rows; `same_date`: an earlier comparison of this very date found it.
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
  await connection.query('DROP TABLE IF EXISTS pg_temp.tonight')
  await connection.query(
    `CREATE TEMP TABLE tonight (identity uuid, kind text, key jsonb, columns jsonb, left_rows int, right_rows int,
       origin jsonb, hint text, source_mark bigint, target_mark bigint) ON COMMIT DROP`,
  )
  await connection.copyIn(`COPY pg_temp.tonight (${SIGHTING_COLUMNS.join(', ')}) FROM STDIN`, sightings)
  // Equal identities are one break told twice, which only rows that can't be read could be.
  await connection.query(
    `DELETE FROM pg_temp.tonight t USING pg_temp.tonight o WHERE o.identity = t.identity AND o.ctid < t.ctid`,
  )
  await connection.query('ALTER TABLE pg_temp.tonight ADD PRIMARY KEY (identity)')
  await connection.query('ANALYZE pg_temp.tonight')
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
    `INSERT INTO tallyman.break_sighting AS s (ledger, business_date, identity, sight, source_mark, target_mark)
     SELECT $1, $2, identity, 'seen', source_mark, target_mark FROM pg_temp.tonight ORDER BY identity
     ON CONFLICT (ledger, identity, business_date) DO UPDATE
       SET sight = 'seen', cause = NULL, source_mark = excluded.source_mark, target_mark = excluded.target_mark
       WHERE (s.sight, s.cause, s.source_mark, s.target_mark)
         IS DISTINCT FROM ('seen', NULL, excluded.source_mark, excluded.target_mark)`,
    [ledger, date],
  )
}

/**
 * Puts the breaks into `unseen` that were open before this night and that it does not have. Before the last night the
 * breaks themselves say so; before an older one the sightings do, for which resolved ones may be asked for once more.
 */
export async function openBreaksBefore(
  connection: Connection,
  { ledger, date }: Tonight,
  last: boolean,
): Promise<void> {
  await connection.query('DROP TABLE IF EXISTS pg_temp.unseen')
  const open = last
    ? `SELECT identity, source_mark, target_mark, false AS same_date FROM tallyman.lasting_break
         WHERE ledger = ${ledger} AND state <> 'resolved'`
    : `SELECT DISTINCT ON (identity) identity, source_mark, target_mark, business_date = ${dateLiteral(date)} AS same_date, sight
         FROM tallyman.break_sighting WHERE ledger = ${ledger} AND business_date <= ${dateLiteral(date)}
         ORDER BY identity, business_date DESC`
  await connection.query(
    `CREATE TEMP TABLE unseen ON COMMIT DROP AS
     SELECT u.identity, l.kind, l.key, u.source_mark, u.target_mark, u.same_date,
       CASE WHEN l.left_rows > 0 THEN 'source' ELSE 'target' END AS side,
       CASE WHEN (l.source_mark, l.target_mark) IS NOT DISTINCT FROM (u.source_mark, u.target_mark)
         THEN (SELECT coalesce(jsonb_agg(c -> 'name'), '[]') FROM jsonb_array_elements(l.columns) c) END AS names
     FROM (${open}) u JOIN tallyman.lasting_break l ON l.ledger = ${ledger} AND l.identity = u.identity
     WHERE NOT EXISTS (SELECT 1 FROM pg_temp.tonight t WHERE t.identity = u.identity)
       ${last ? '' : "AND u.sight <> 'gone'"}`,
  )
}

/** Asks what became of the breaks in `unseen` and stores the answers. */
export async function takeGone(
  connection: Connection,
  { ledger, date }: Tonight,
  lookUp: LookUp,
): Promise<void> {
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
  await connection.query('DROP TABLE IF EXISTS pg_temp.gone')
  await connection.query('CREATE TEMP TABLE gone (identity uuid PRIMARY KEY, cause text) ON COMMIT DROP')
  await connection.copyIn('COPY pg_temp.gone (identity, cause) FROM STDIN', answers)
  await connection.query(
    `INSERT INTO tallyman.break_sighting AS s
       (ledger, business_date, identity, sight, source_mark, target_mark, cause)
     SELECT $1, $2, g.identity, 'gone', u.source_mark, u.target_mark, g.cause
     FROM pg_temp.gone g JOIN pg_temp.unseen u ON u.identity = g.identity ORDER BY g.identity
     ON CONFLICT (ledger, identity, business_date) DO UPDATE SET cause = excluded.cause`,
    [ledger, date],
  )
}
