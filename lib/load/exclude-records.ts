/**
 * Takes whole records out of staging, from all tables: those of units that do not tie (known only
 * once the stream ended) and those that contradict another record of their file about one key.
 * What is taken out stays readable in `removed`; refused records become rejects in refused-rejects.ts.
 * Records that the target itself refuses: refuse-violators.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { FailedUnit } from '../model/mapping.ts'
import type { RemovedBecause, Staging, StagingTable } from './staging.ts'
import { stagingColumns } from './staging.ts'
import { columnList, differs, sameKey } from './target-table.ts'

/** The engine's columns of all staged rows of a load, those included for which another row of their key stands. */
function allRows(staging: Staging): string {
  const columns = 'SELECT _file, _record, _line, _unit FROM'
  return staging.tables
    .flatMap(({ rows, removed }) => [
      `${columns} ${rows}`,
      `${columns} ${removed} WHERE _why IN ('collapsed', 'outdated')`,
    ])
    .join(' UNION ALL ')
}

/** Takes out the records of failed units. */
export async function excludeUnits(
  connection: Connection,
  staging: Staging,
  failed: readonly FailedUnit[],
): Promise<void> {
  if (failed.length === 0) return
  await connection.query(
    `INSERT INTO ${staging.refused} (file, record, line, unit, why)
     SELECT DISTINCT ON (s._file, s._record) s._file, s._record, s._line, s._unit, 'excluded'
     FROM (${allRows(staging)}) s
     JOIN unnest($1::int[], $2::text[]) x(file, unit) ON s._file = x.file AND s._unit = x.unit
     ORDER BY s._file, s._record`,
    [failed.map(({ file }) => file), failed.map(({ unit }) => unit)],
  )
  await removeRefused(connection, staging, ['excluded'])
}

/** How many records were refused for a conflict, and how many went along because their unit lost one. */
export interface Conflicts {
  readonly conflicts: number
  readonly along: number
}

/**
 * Takes out every record that shares a key with another record of its file and says other values:
 * which of them holds can't be known. Records of the same unit go along, because the unit no longer ties.
 */
export async function excludeConflicts(connection: Connection, staging: Staging): Promise<Conflicts> {
  let conflicts = 0
  for (const one of staging.tables) {
    if (!(await markDoubleKeys(connection, one))) continue
    conflicts += await refuseConflicts(connection, staging, one)
  }
  if (conflicts === 0) return { conflicts: 0, along: 0 }
  const along = await refuseUnitMates(connection, staging)
  await removeRefused(connection, staging, ['conflict', 'along'])
  return { conflicts, along }
}

/** Refuses the other records of units that lost one to the load, and counts them. */
export async function refuseUnitMates(connection: Connection, staging: Staging): Promise<number> {
  const { rowCount } = await connection.query(
    `INSERT INTO ${staging.refused} (file, record, line, unit, why)
     SELECT DISTINCT ON (s._file, s._record) s._file, s._record, s._line, s._unit, 'along'
     FROM (${allRows(staging)}) s
     JOIN (SELECT DISTINCT file, unit FROM ${staging.refused} WHERE why IN ('conflict', 'violated')) u
       ON u.file = s._file AND u.unit = s._unit
     WHERE NOT EXISTS (SELECT FROM ${staging.refused} r WHERE r.file = s._file AND r.record = s._record)
     ORDER BY s._file, s._record`,
  )
  return rowCount
}

/** Notes keys with more than one row in the plan table, as kind `double`; false when there is none. */
export async function markDoubleKeys(connection: Connection, one: StagingTable): Promise<boolean> {
  if (one.table.key.length === 0) return false
  const key = columnList(one.table.key)
  const { rowCount } = await connection.query(
    `INSERT INTO ${one.plan} (_kind, ${key}) SELECT 'double', ${key} FROM ${one.rows} GROUP BY ${key} HAVING count(*) > 1`,
  )
  return rowCount > 0
}

async function refuseConflicts(connection: Connection, staging: Staging, one: StagingTable): Promise<number> {
  const { key, values } = one.table
  const { rowCount } = await connection.query(
    `WITH doubles AS MATERIALIZED (
       SELECT s.*, first_value(s._seq) OVER (PARTITION BY s._file, ${columnList(key, 's.')} ORDER BY s._seq) AS _first
       FROM ${one.rows} s JOIN ${one.plan} p ON p._kind = 'double' AND ${sameKey(key, 's', 'p')}
     ), contradicted AS (
       SELECT s._file, ${columnList(key, 's.')}, (array_agg(DISTINCT s._line))[1:5] AS _lines
       FROM doubles s JOIN doubles f ON f._seq = s._first
       GROUP BY s._file, ${columnList(key, 's.')} HAVING bool_or(${differs(values, 's', 'f')})
     )
     INSERT INTO ${staging.refused} (file, record, line, unit, why, subject, key, lines)
     SELECT DISTINCT ON (s._file, s._record) s._file, s._record, s._line, s._unit, 'conflict', ${one.position},
       concat_ws(', ', ${key.map(column => `s.${column.sql}::text`).join(', ')}), c._lines
     FROM doubles s JOIN contradicted c ON c._file = s._file AND ${sameKey(key, 's', 'c')}
     WHERE NOT EXISTS (SELECT FROM ${staging.refused} r WHERE r.file = s._file AND r.record = s._record)
     ORDER BY s._file, s._record`,
  )
  return rowCount
}

/** Moves the rows of refused records from `rows` to `removed`, in all tables. */
export async function removeRefused(
  connection: Connection,
  staging: Staging,
  because: readonly RemovedBecause[],
): Promise<void> {
  for (const one of staging.tables) {
    const columns = stagingColumns(one.table)
    await connection.query(
      `WITH gone AS (
         DELETE FROM ${one.rows} s USING ${staging.refused} r
         WHERE r.why = ANY($1::text[]) AND s._file = r.file AND s._record = r.record
         RETURNING ${stagingColumns(one.table, 's.')}, r.why AS _why
       )
       INSERT INTO ${one.removed} (${columns}, _why) SELECT ${columns}, _why FROM gone`,
      [because],
    )
  }
}

/**
 * Leaves one row per key in each keyed table: equal rows collapse, and across the files of a set the
 * later wins (the earlier is outdated). Call after excludeConflicts, which marked the double keys.
 */
export async function collapseRows(
  connection: Connection,
  staging: Staging,
  fileOrder: readonly number[],
): Promise<void> {
  for (const one of staging.tables) {
    const { key, values } = one.table
    if (key.length === 0) continue
    const columns = stagingColumns(one.table)
    const newestFirst = `(PARTITION BY ${columnList(key, 's.')} ORDER BY ($1::bigint[])[s._file + 1] DESC, s._seq)`
    await connection.query(
      `WITH doubles AS MATERIALIZED (
         SELECT s.*, row_number() OVER ${newestFirst} AS _rank, first_value(s._seq) OVER ${newestFirst} AS _winner
         FROM ${one.rows} s JOIN ${one.plan} p ON p._kind = 'double' AND ${sameKey(key, 's', 'p')}
       ), losers AS (
         SELECT s._seq, ${differs(values, 's', 'w')} AS _differs
         FROM doubles s JOIN doubles w ON w._seq = s._winner WHERE s._rank > 1
       ), gone AS (
         DELETE FROM ${one.rows} s USING losers l WHERE s._seq = l._seq
         RETURNING ${stagingColumns(one.table, 's.')}, CASE WHEN l._differs THEN 'outdated' ELSE 'collapsed' END AS _why
       )
       INSERT INTO ${one.removed} (${columns}, _why) SELECT ${columns}, _why FROM gone`,
      [fileOrder],
    )
    await connection.query(`DELETE FROM ${one.plan}`)
  }
}
