/**
 * Writes the difference that merge-plan.ts found, and nothing else: delete, update, insert. What the
 * target reports must equal the plan, in rows and in control totals.
 * Which row a violated constraint is about: find-violator.ts.
 */
import type { Connection } from '../db/connection.ts'
import { LoadError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import { versionOf } from './key-versions.ts'
import type { TablePlan } from './merge-plan.ts'
import { columnList, sameKey, type TargetTable } from './target-table.ts'
import { assertSameTotals, readTotals, type Sums, sumsOf, type TotalRow, totalsQuery } from './totals.ts'

/** Rows of one table that were written, as the database counted them. */
export interface Applied {
  inserted: number
  updated: number
  touched: number
  deleted: number
}

/** A part of the rows by `_seq`, `from` included, `to` excluded; null for all. The seam for isolating violators. */
export type SeqRange = { readonly from: number; readonly to: number } | null

/** What writing needs besides the plans. */
export interface ApplyInput {
  /** Version text by position of the file. */
  readonly versions: readonly string[]
}

/**
 * Writes all plans, deletes first and children before parents, then the rest, parents first.
 * `plans` come parents first. Deferrable constraints are checked at its end.
 * @throws LOAD_ROWS_SWALLOWED, LOAD_TOTALS_DIFFER, and the database's own errors.
 */
export async function applyPlans(
  connection: Connection,
  plans: readonly TablePlan[],
  input: ApplyInput,
): Promise<Map<TablePlan, Applied>> {
  await connection.query('SET CONSTRAINTS ALL DEFERRED')
  const applied = new Map<TablePlan, Applied>()
  for (const plan of plans.toReversed()) {
    const deleted = await deleteGone(connection, plan)
    assertCount(plan, 'deleted', plan.counts.gone, deleted)
    applied.set(plan, { inserted: 0, updated: 0, touched: 0, deleted })
  }
  failpoint('load.mid-merge')
  for (const plan of plans) {
    const counts = applied.get(plan)!
    Object.assign(counts, await writeRows(connection, plan, input, null))
    assertCount(plan, 'updated', plan.counts.changed, counts.updated)
    assertCount(plan, 'marked with their new version', plan.counts.touched, counts.touched)
    assertCount(plan, 'inserted', plan.counts.new, counts.inserted)
  }
  await connection.query('SET CONSTRAINTS ALL IMMEDIATE')
  return applied
}

function assertCount(plan: TablePlan, what: string, expected: number, found: number): void {
  if (expected === found) return
  const { name } = plan.staging.table
  throw new LoadError(
    'LOAD_ROWS_SWALLOWED',
    `${expected} rows of ${name} were to be ${what}, and the database reports ${found}. A trigger or rule on the table takes rows away or writes others. Nothing of this load was published.`,
    { details: { table: name, what, expected, found } },
  )
}

/** Deletes the rows that are gone. */
export async function deleteGone(connection: Connection, { staging, counts }: TablePlan): Promise<number> {
  if (counts.gone === 0) return 0
  const { table, plan } = staging
  const same =
    table.key.length > 0 ? sameKey(table.key, 't', 'p') : 't.ctid = p._row AND t.tableoid = p._table'
  const { rowCount } = await connection.query(
    `DELETE FROM ${table.sql} t USING ${plan} p WHERE p._kind = 'gone' AND ${same}`,
  )
  return rowCount
}

/** Updates and inserts the rows of a range. @throws LOAD_TOTALS_DIFFER when the target stored other amounts. */
export async function writeRows(
  connection: Connection,
  plan: TablePlan,
  input: ApplyInput,
  range: SeqRange,
): Promise<{ inserted: number; updated: number; touched: number }> {
  return {
    updated: plan.counts.changed === 0 ? 0 : await updateChanged(connection, plan, input, range),
    touched: plan.counts.touched === 0 ? 0 : await touch(connection, plan, input, range),
    inserted: plan.counts.new === 0 ? 0 : await insertNew(connection, plan, input, range),
  }
}

function inRange(range: SeqRange): string {
  return range === null ? '' : ` AND s._seq >= ${range.from} AND s._seq < ${range.to}`
}

async function updateChanged(
  connection: Connection,
  { staging }: TablePlan,
  input: ApplyInput,
  range: SeqRange,
): Promise<number> {
  const { table, rows, plan } = staging
  const sets = table.values.map(column => `${column.sql} = s.${column.sql}`)
  if (table.asOf !== null) sets.push(`${table.asOf.sql} = ${versionOf(1)}`)
  const chosen = `${rows} s JOIN ${plan} p ON p._seq = s._seq AND p._kind = 'changed'`
  const update = `UPDATE ${table.sql} t SET ${sets.join(', ')} FROM ${chosen} WHERE ${sameKey(table.key, 't', 's')}${inRange(range)}`
  const params = table.asOf === null ? [] : [input.versions]
  const source = `(SELECT s.* FROM ${chosen} WHERE true${inRange(range)}) x`
  return await writeProved(connection, table, update, 't.', params, source)
}

async function touch(
  connection: Connection,
  { staging }: TablePlan,
  input: ApplyInput,
  range: SeqRange,
): Promise<number> {
  const { table, rows, plan } = staging
  const { rowCount } = await connection.query(
    `UPDATE ${table.sql} t SET ${table.asOf!.sql} = ${versionOf(1)}
     FROM ${rows} s JOIN ${plan} p ON p._seq = s._seq AND p._kind = 'touched'
     WHERE ${sameKey(table.key, 't', 's')}${inRange(range)}`,
    [input.versions],
  )
  return rowCount
}

async function insertNew(
  connection: Connection,
  { staging, fresh }: TablePlan,
  input: ApplyInput,
  range: SeqRange,
): Promise<number> {
  const { table, rows, plan } = staging
  const columns = table.asOf === null ? table.columns : [...table.columns, table.asOf]
  const values = columnList(table.columns, 's.') + (table.asOf === null ? '' : `, ${versionOf(1)}`)
  const chosen = fresh
    ? `${rows} s WHERE true`
    : `${rows} s JOIN ${plan} p ON p._seq = s._seq AND p._kind = 'new' WHERE true`
  const insert = `INSERT INTO ${table.sql} (${columnList(columns)}) SELECT ${values} FROM ${chosen}${inRange(range)}`
  const params = table.asOf === null ? [] : [input.versions]
  return await writeProved(
    connection,
    table,
    insert,
    '',
    params,
    `(SELECT s.* FROM ${chosen}${inRange(range)}) x`,
  )
}

/** Runs a write and gives its row count; with control totals, those of the rows as the target stored them are compared. */
async function writeProved(
  connection: Connection,
  table: TargetTable,
  write: string,
  prefix: string,
  params: readonly unknown[],
  source: string,
): Promise<number> {
  const totals = totalsQuery(table, 'written')
  if (totals === null) return (await connection.query(write, params)).rowCount
  const { rows } = await connection.query<TotalRow>(
    `WITH written AS (${write} RETURNING ${columnList(table.columns, prefix)})
     SELECT NULL AS total, '' AS "group", count(*)::text AS amount FROM written UNION ALL ${totals}`,
    params,
  )
  const stored: Sums = sumsOf(rows.filter(row => row.total !== null))
  assertSameTotals(table, await readTotals(connection, table, source), stored, 'in the rows that it stored')
  return Number(rows.find(row => row.total === null)!.amount)
}
