/**
 * Takes the records that the target refuses out of staging: the record of each refused row, in all
 * tables, with the other records of its unit. Rows for which one of theirs stood take its place.
 * Finding the rows: write-by-halves.ts; the rejects: refused-rejects.ts.
 */
import type { Connection } from '../db/connection.ts'
import { collapseRows, markDoubleKeys, refuseUnitMates, removeRefused } from './exclude-records.ts'
import { type Staging, type StagingTable, stagingColumns } from './staging.ts'
import { literal, sameKey, type TargetTable } from './target-table.ts'
import type { RefusedRow } from './write-by-halves.ts'

/** How many records the target refused, and how many went along because their unit lost one. */
export interface Violators {
  readonly violated: number
  readonly along: number
}

/** Takes them out. `fileOrder`: the rank of each file by position, as in collapseRows. */
export async function refuseViolators(
  connection: Connection,
  staging: Staging,
  refused: readonly RefusedRow[],
  fileOrder: readonly number[],
): Promise<Violators> {
  let violated = 0
  for (const one of staging.tables) {
    const rows = refused.filter(({ table }) => table === one.position)
    if (rows.length > 0) violated += await note(connection, staging, one, rows)
  }
  const along = await refuseUnitMates(connection, staging)
  for (const { removed } of staging.tables) {
    await connection.query(
      `UPDATE ${removed} m SET _why = r.why FROM ${staging.refused} r
       WHERE m._why IN ('collapsed', 'outdated') AND m._file = r.file AND m._record = r.record`,
    )
  }
  await removeRefused(connection, staging, ['violated', 'along'])
  await restoreLosers(connection, staging, fileOrder)
  return { violated, along }
}

/** Notes the records of refused rows, and those of rows that collapsed into them: they say the same. */
async function note(
  connection: Connection,
  staging: Staging,
  { table, rows, removed, position }: StagingTable,
  refused: readonly RefusedRow[],
): Promise<number> {
  const equal =
    table.key.length === 0
      ? ''
      : `UNION ALL SELECT s._file, s._record, s._line, s._unit, b._key, b._rule, b._words
         FROM bad b JOIN ${removed} s ON s._why = 'collapsed' AND ${sameKey(table.key, 's', 'b')}`
  const { rowCount } = await connection.query(
    `WITH bad AS MATERIALIZED (
       SELECT s.*, ${shownKey(table)} AS _key, v.rule AS _rule, v.words AS _words
       FROM ${rows} s JOIN unnest($1::bigint[], $2::text[], $3::text[]) v(seq, rule, words) ON s._seq = v.seq
     )
     INSERT INTO ${staging.refused} (file, record, line, unit, why, subject, key, rule, words)
     SELECT DISTINCT ON (a._file, a._record) a._file, a._record, a._line, a._unit, 'violated', ${position}, a._key, a._rule, a._words
     FROM (SELECT _file, _record, _line, _unit, _key, _rule, _words FROM bad ${equal}) a
     WHERE NOT EXISTS (SELECT FROM ${staging.refused} r WHERE r.file = a._file AND r.record = a._record)
     ORDER BY a._file, a._record`,
    [
      refused.map(({ seq }) => seq),
      refused.map(({ violation }) => violation.rule),
      refused.map(({ violation }) => violation.words),
    ],
  )
  return rowCount
}

/** The key as a reject tells it: `ref = A-1, name [masked]`; null for a table without one. */
function shownKey(table: TargetTable): string {
  if (table.key.length === 0) return 'NULL::text'
  const parts = table.key.map(({ name, sql, declared }) =>
    declared.pii === 'none' ? `${literal(`${name} = `)} || s.${sql}::text` : literal(`${name} [masked]`),
  )
  return `concat_ws(', ', ${parts.join(', ')})`
}

/** Puts rows back for whose key no other row stands any more; of several the newest then stands. */
async function restoreLosers(
  connection: Connection,
  staging: Staging,
  fileOrder: readonly number[],
): Promise<void> {
  let contested = false
  for (const one of staging.tables) {
    const { table, rows, removed } = one
    if (table.key.length === 0) continue
    const columns = stagingColumns(table)
    const { rowCount } = await connection.query(
      `WITH back AS (
         DELETE FROM ${removed} m WHERE m._why IN ('collapsed', 'outdated')
           AND NOT EXISTS (SELECT FROM ${rows} s WHERE ${sameKey(table.key, 's', 'm')})
         RETURNING ${stagingColumns(table, 'm.')}
       )
       INSERT INTO ${rows} (${columns}) SELECT ${columns} FROM back`,
    )
    if (rowCount > 0 && (await markDoubleKeys(connection, one))) contested = true
  }
  if (contested) await collapseRows(connection, staging, fileOrder)
}
