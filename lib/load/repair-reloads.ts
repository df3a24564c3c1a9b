/**
 * The reloads of a plan in one table: rows that the mapping made anew, judged in one join with the
 * target, added where they are still missing, and looked at afterwards. In tables without a key the
 * number of equal rows must still be what was compared.
 */
import type { Connection } from '../db/connection.ts'
import { KEY_AS_OF } from '../ledger/as-of.ts'
import type { AppliedChange, ChangeOutcome } from '../model/resolution.ts'
import type { Value } from '../model/table.ts'
import { keyText } from './key-versions.ts'
import { assertWrote, countOf, laterThan, type RepairedTable, tempName, typed } from './repair-table.ts'
import { canonicalJson, columnList, literal, sameKey, type TargetColumn } from './target-table.ts'

/** Rows to be added for one change. */
export interface Reload {
  readonly position: number
  readonly row: readonly Value[]
  /** How many equal ones are missing, and how many the source has in all. */
  readonly add: number
  readonly inSource: number
  readonly fileId: string
}

/** Adds the rows; gives what became of each change. @throws LOAD_ROWS_SWALLOWED */
export async function reload(
  connection: Connection,
  repaired: RepairedTable,
  reloads: readonly Reload[],
): Promise<AppliedChange[]> {
  if (reloads.length === 0) return []
  const { table } = repaired
  const rows = tempName(repaired, 'reloads')
  await sendRows(connection, repaired, rows, reloads)
  await judge(connection, repaired, rows)
  const due = await countOf(
    connection,
    `SELECT coalesce(sum(_add), 0) AS n FROM ${rows} WHERE _outcome = 'applied'`,
  )
  const columns = table.asOf === null ? table.columns : [...table.columns, table.asOf]
  const values = columnList(table.columns, 's.') + (table.asOf === null ? '' : ', s._version')
  const { rowCount } = await connection.query(
    `INSERT INTO ${table.sql} (${columnList(columns)}) SELECT ${values} FROM ${rows} s, generate_series(1, s._add)
     WHERE s._outcome = 'applied'`,
  )
  assertWrote(table, 'added', due, rowCount)
  const standing = await countOf(
    connection,
    `SELECT coalesce(sum(_add), 0) AS n FROM ${rows} s WHERE _outcome = 'applied'
       AND (SELECT count(*) FROM ${table.sql} t WHERE ${same(table.columns)}) = ${table.key.length > 0 ? '1' : 's._source'}`,
  )
  assertWrote(table, 'as the plan says afterwards', due, standing)
  if (repaired.kept !== null) await markVersions(connection, repaired, rows)
  const { rows: judged } = await connection.query<{
    position: number
    outcome: ChangeOutcome
    found: AppliedChange['found']
  }>(`SELECT _position AS position, _outcome AS outcome, _found AS found FROM ${rows}`)
  return judged
}

/** Rows `s` and `t` are the same, null equal to null. */
function same(columns: readonly TargetColumn[]): string {
  return columns.map(({ sql }) => `t.${sql} IS NOT DISTINCT FROM s.${sql}`).join(' AND ')
}

async function judge(connection: Connection, repaired: RepairedTable, rows: string): Promise<void> {
  const { table } = repaired
  const counted = `(SELECT count(*) FROM ${table.sql} t WHERE ${same(table.columns)})`
  if (table.key.length === 0) {
    await connection.query(
      `UPDATE ${rows} s SET _outcome = CASE ${counted} WHEN s._source THEN 'unchanged' WHEN s._source - s._add THEN 'applied' ELSE 'refused' END`,
    )
    return
  }
  const later = laterThan(repaired, 's')
  await connection.query(
    `UPDATE ${rows} x SET _outcome = j.outcome, _found = j.found FROM (
       SELECT s._position, CASE WHEN ${later.condition} THEN 'outdated' WHEN t.${table.key[0]!.sql} IS NULL THEN 'applied'
           WHEN ${same(table.columns)} THEN 'unchanged' ELSE 'refused' END AS outcome,
         CASE WHEN t.${table.key[0]!.sql} IS NOT NULL AND NOT (${same(table.columns)}) THEN ${canonicalJson(table.values, 't.')} END AS found
       FROM ${rows} s LEFT JOIN ${table.sql} t ON ${sameKey(table.key, 't', 's')} ${later.join}) j
     WHERE j._position = x._position`,
  )
}

/** The rows as a temporary table: place, how many, how many in the source, version, then the table's columns. */
async function sendRows(
  connection: Connection,
  repaired: RepairedTable,
  name: string,
  reloads: readonly Reload[],
): Promise<void> {
  const { columns } = repaired.table
  const types = columns.map(column => typed(repaired, column))
  await connection.query(
    `CREATE TEMPORARY TABLE ${name} (_position integer, _add integer, _source integer, _version text COLLATE "C",
       ${columns.map((column, i) => `${column.sql} ${types[i]}`).join(', ')}, _outcome text, _found jsonb) ON COMMIT DROP`,
  )
  const texts = columns.map((_, i) =>
    reloads.map(({ row }) => (row[i] === null || row[i] === undefined ? null : String(row[i]))),
  )
  await connection.query(
    `INSERT INTO ${name} SELECT u.position, u.add, u.source, u.version, ${columns.map((_, i) => `u.v${i}::${types[i]}`).join(', ')}
     FROM unnest($1::int[], $2::int[], $3::int[], $4::text[], ${columns.map((_, i) => `$${i + 5}::text[]`).join(', ')})
       AS u (position, add, source, version, ${columns.map((_, i) => `v${i}`).join(', ')})`,
    [
      reloads.map(({ position }) => position),
      reloads.map(({ add }) => add),
      reloads.map(({ inSource }) => inSource),
      reloads.map(({ fileId }) => repaired.versionOf(fileId)),
      ...texts,
    ],
  )
}

/** A row that is back has the version of its file again, also where the table's floor says otherwise. */
async function markVersions(
  connection: Connection,
  { table, kept }: RepairedTable,
  rows: string,
): Promise<void> {
  const floor = kept!.floor === null ? "''" : literal(kept!.floor)
  await connection.query(
    `INSERT INTO ${KEY_AS_OF} AS k (target, key, as_of)
     SELECT $1, ${keyText(table, 's')}, s._version FROM ${rows} s WHERE s._outcome = 'applied' AND s._version <> ${floor}
     ON CONFLICT (target, key) DO UPDATE SET as_of = excluded.as_of WHERE excluded.as_of > k.as_of`,
    [table.name],
  )
}
