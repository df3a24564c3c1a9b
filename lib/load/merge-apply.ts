/**
 * Writes the difference that merge-plan.ts found, and nothing else: delete, update, insert. What the
 * target reports must equal the plan, in rows and in control totals.
 * When the target refuses rows, write-by-halves.ts finds them with the same statements.
 */
import type { Connection } from '../db/connection.ts'
import { LoadError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import { versionOf } from './key-versions.ts'
import type { TablePlan } from './merge-plan.ts'
import type { StagingTable } from './staging.ts'
import { columnList, sameKey, type TargetTable } from './target-table.ts'
import {
  assertSameTotals,
  readTotals,
  type Sums,
  sumsOf,
  type TotalRow,
  totalsColumns,
  totalsQuery,
} from './totals.ts'

/** Rows of one table that were written, as the database counted them. */
export interface Applied {
  inserted: number
  updated: number
  touched: number
  deleted: number
}

/** Some of the rows of a plan: those with a row `w` in `pending` (try-order.ts) for which `where` holds. Null for all. */
export type Part = { readonly pending: string; readonly where: string } | null

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
    applied.set(plan, { inserted: 0, updated: 0, touched: 0, deleted })
  }
  failpoint('load.mid-merge')
  for (const plan of plans) {
    const counts = applied.get(plan)!
    Object.assign(counts, await writeRows(connection, plan, input))
    assertWritten(plan, counts)
  }
  await connection.query('SET CONSTRAINTS ALL IMMEDIATE')
  return applied
}

/** Refuses counts that are not those of the plan. @throws LOAD_ROWS_SWALLOWED */
export function assertWritten(plan: TablePlan, applied: Applied): void {
  assertCount(plan, 'updated', plan.counts.changed, applied.updated)
  assertCount(plan, 'marked with their new version', plan.counts.touched, applied.touched)
  assertCount(plan, 'inserted', plan.counts.new, applied.inserted)
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

/** Deletes the rows that are gone. @throws LOAD_ROWS_SWALLOWED */
export async function deleteGone(connection: Connection, gone: TablePlan): Promise<number> {
  const { staging, counts } = gone
  if (counts.gone === 0) return 0
  const { table, plan } = staging
  const same =
    table.key.length > 0 ? sameKey(table.key, 't', 'p') : 't.ctid = p._row AND t.tableoid = p._table'
  const { rowCount } = await connection.query(
    `DELETE FROM ${table.sql} t USING ${plan} p WHERE p._kind = 'gone' AND ${same}`,
  )
  assertCount(gone, 'deleted', counts.gone, rowCount)
  return rowCount
}

/** Kinds of writes, in the order in which they are made. */
export const WRITE_KINDS = ['updated', 'touched', 'inserted'] as const

async function writeRows(
  connection: Connection,
  plan: TablePlan,
  { versions }: ApplyInput,
): Promise<Omit<Applied, 'deleted'>> {
  const { table } = plan.staging
  const params = table.asOf === null ? [] : [versions]
  const { updated, touched, inserted } = writes(plan, versionOf(1), null)
  const run = async (write: Write | null): Promise<number> =>
    write === null ? 0 : await writeProved(connection, table, write, params)
  return {
    updated: await run(updated),
    touched: touched === null ? 0 : (await connection.query(touched.sql, params)).rowCount,
    inserted: await run(inserted),
  }
}

/** One statement that writes, and the rows that it writes. */
export interface Write {
  readonly sql: string
  /** Alias of the target in `sql`, with a point. */
  readonly prefix: string
  /** The staged rows as a row source. */
  readonly source: string
}

/** The statements that write a part of a plan, null where there is nothing to do. `version` is the SQL of a row's version, of alias `s`. */
export function writes(
  plan: TablePlan,
  version: string,
  part: Part,
): Readonly<Record<(typeof WRITE_KINDS)[number], Write | null>> {
  const { staging, counts, fresh } = plan
  const { table, rows, plan: planned } = staging
  const among = inPart(staging, part)
  const chosen = (kind: string): string =>
    `${rows} s JOIN ${planned} p ON p._seq = s._seq AND p._kind = '${kind}'`
  const write = (sql: string, prefix: string, from: string): Write => ({
    sql: `${sql}${among}`,
    prefix,
    source: `(SELECT s.* FROM ${from} WHERE true${among}) x`,
  })
  const sets = table.values.map(column => `${column.sql} = s.${column.sql}`)
  const asOf = table.asOf === null ? [] : [`${table.asOf.sql} = ${version}`]
  const update = (kind: string, set: readonly string[]): Write =>
    write(
      `UPDATE ${table.sql} t SET ${set.join(', ')} FROM ${chosen(kind)} WHERE ${sameKey(table.key, 't', 's')}`,
      't.',
      chosen(kind),
    )
  const columns = table.asOf === null ? table.columns : [...table.columns, table.asOf]
  const values = columnList(table.columns, 's.') + (table.asOf === null ? '' : `, ${version}`)
  const added = fresh ? `${rows} s` : chosen('new')
  const insert = `INSERT INTO ${table.sql} (${columnList(columns)}) SELECT ${values} FROM ${added} WHERE true`
  return {
    updated: counts.changed === 0 ? null : update('changed', [...sets, ...asOf]),
    touched: counts.touched === 0 ? null : update('touched', asOf),
    inserted: counts.new === 0 ? null : write(insert, '', added),
  }
}

function inPart({ position }: StagingTable, part: Part): string {
  if (part === null) return ''
  return ` AND s._seq IN (SELECT w._seq FROM ${part.pending} w WHERE w._table = ${position} AND ${part.where})`
}

/** Runs a write and gives its row count; with control totals, those of the rows as the target stored them are compared. */
async function writeProved(
  connection: Connection,
  table: TargetTable,
  { sql, prefix, source }: Write,
  params: readonly unknown[],
): Promise<number> {
  const totals = totalsQuery(table, 'written')
  if (totals === null) return (await connection.query(sql, params)).rowCount
  const { rows } = await connection.query<TotalRow>(
    // Only what is summed: the rows are kept until the end of the statement, and whole they cost a third of it.
    `WITH written AS (${sql} RETURNING ${columnList(totalsColumns(table), prefix)})
     SELECT NULL AS total, '' AS "group", count(*)::text AS amount FROM written UNION ALL ${totals}`,
    params,
  )
  const stored: Sums = sumsOf(rows.filter(row => row.total !== null))
  assertSameTotals(table, await readTotals(connection, table, source), stored, 'in the rows that it stored')
  return Number(rows.find(row => row.total === null)!.amount)
}
