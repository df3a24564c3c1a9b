/**
 * Joins staging with the target once and says what is to be done: new, changed, touched (only asOf
 * moves on), outdated, gone; the rest is unchanged and is not written at all. Measured on 2 M rows:
 * join first and write the difference 4.3 s, ON CONFLICT DO UPDATE 25 s, into an empty table plain
 * INSERT 3.8 s against 12.6 s. Doing it: merge-apply.ts.
 */
import type { Connection } from '../db/connection.ts'
import { KEY_AS_OF } from '../ledger/as-of.ts'
import type { LoadMode } from '../model/run.ts'
import { type KeptVersions, keyText, readVersions, versionKeeping, versionOf } from './key-versions.ts'
import type { StagingTable } from './staging.ts'
import { columnList, differs, sameKey, type TargetTable } from './target-table.ts'

/** What a plan row can say. `kept`: a row of the target that is in the set as well; `unchanged` rows of the set are only counted. */
export const PLAN_KINDS = ['new', 'changed', 'touched', 'unchanged', 'outdated', 'gone', 'kept'] as const
export type PlanKind = (typeof PLAN_KINDS)[number]

/** What is to be done to one table. */
export interface TablePlan {
  readonly staging: StagingTable
  readonly counts: Readonly<Record<PlanKind, number>>
  /** The target (in its scope) is empty or only added to: all rows are new and nothing stands in the plan table. */
  readonly fresh: boolean
  /** Rows that the set lacks and that stay, because a refused record may be about them. */
  readonly withheld: number
  /** What was kept beside the table before; null where versions are not kept beside it. */
  readonly kept: KeptVersions | null
}

/** What plans need to know of the load. */
export interface PlanInput {
  readonly mode: LoadMode
  readonly businessDate: string
  /** Version text by position of the file: `2026-11-20#000000000042`. */
  readonly versions: readonly string[]
  /** A record without a readable key was refused, so that absence proves nothing. */
  readonly unreadableKeys: boolean
  /** False: the set is not known to be whole, and nothing may be deleted. */
  readonly mayDelete: boolean
}

/** Joins one table; call under its lock. */
export async function planTable(
  connection: Connection,
  staging: StagingTable,
  input: PlanInput,
): Promise<TablePlan> {
  const { table } = staging
  const scoped = table.scope === null ? '' : ` WHERE t.${table.scope.sql} = $1::date`
  const scopeParams = table.scope === null ? [] : [input.businessDate]
  const kept = versionKeeping(input.mode, table) === 'beside' ? await readVersions(connection, table) : null
  const onlyAdds =
    input.mode === 'append' ||
    (await connection.query(`SELECT FROM ${table.sql} t${scoped} LIMIT 1`, scopeParams)).rowCount === 0
  if (onlyAdds) {
    const { rows } = await connection.query<{ n: string }>(`SELECT count(*) AS n FROM ${staging.rows}`)
    return { staging, counts: { ...noCounts(), new: Number(rows[0]!.n) }, fresh: true, withheld: 0, kept }
  }
  const counts =
    table.key.length > 0
      ? await joinByKey(connection, staging, input, kept)
      : await joinAsBags(connection, staging, input)
  await connection.query(`ANALYZE ${staging.plan}`)
  const withheld = counts.gone === 0 ? 0 : await withhold(connection, staging, input)
  return { staging, counts: { ...counts, gone: counts.gone - withheld }, fresh: false, withheld, kept }
}

function noCounts(): Record<PlanKind, number> {
  return { new: 0, changed: 0, touched: 0, unchanged: 0, outdated: 0, gone: 0, kept: 0 }
}

async function joinByKey(
  connection: Connection,
  { table, rows, plan }: StagingTable,
  input: PlanInput,
  kept: KeptVersions | null,
): Promise<Record<PlanKind, number>> {
  const params: unknown[] = []
  const parameter = (value: unknown): number => params.push(value)
  const whole = input.mode === 'mirror' || input.mode === 'replace'
  const first = table.key[0]!.sql
  const scoped =
    table.scope === null ? '' : ` WHERE ${table.scope.sql} = $${parameter(input.businessDate)}::date`
  const targetColumns = table.asOf === null ? table.columns : [...table.columns, table.asOf]
  const cases = [
    `WHEN s._seq IS NULL THEN 'gone'`,
    `WHEN t.${first} IS NULL THEN 'new'`,
    ...versionCases(table, input, kept, parameter),
  ]
  const marks =
    kept?.marks === true
      ? `LEFT JOIN ${KEY_AS_OF} v ON v.target = $${parameter(table.name)} AND v.key = ${keyText(table, 's')}`
      : ''
  const key = columnList(table.key)
  const found = await connection.query<{ kind: PlanKind; n: string }>(
    `WITH joined AS MATERIALIZED (
       SELECT s._seq, ${columnList(table.key, 't.')}, CASE ${cases.join(' ')} ELSE 'unchanged' END AS _kind
       FROM ${rows} s ${whole ? 'FULL' : 'LEFT'} JOIN (SELECT ${columnList(targetColumns)} FROM ${table.sql}${scoped}) t
         ON ${sameKey(table.key, 's', 't')} ${marks}
     ), noted AS (
       INSERT INTO ${plan} (_kind, _seq, ${key}) SELECT _kind, _seq, ${key} FROM joined WHERE _kind <> 'unchanged'
     )
     SELECT _kind AS kind, count(*) AS n FROM joined GROUP BY _kind`,
    params,
  )
  return countsOf(found.rows)
}

function versionCases(
  table: TargetTable,
  { mode, versions }: PlanInput,
  kept: KeptVersions | null,
  parameter: (value: unknown) => number,
): string[] {
  const changed = `WHEN ${differs(table.values, 's', 't')} THEN 'changed'`
  const version = (): string => versionOf(parameter(versions))
  if (versionKeeping(mode, table) === 'column') {
    const [known, brought] = [`t.${table.asOf!.sql}`, version()]
    const touched = `WHEN ${known} IS DISTINCT FROM ${brought} THEN 'touched'`
    return [`WHEN ${known} > ${brought} THEN 'outdated'`, changed, touched]
  }
  if (kept === null || (kept.floor === null && !kept.marks)) return [changed]
  const floor = `$${parameter(kept.floor)}::text`
  const known = kept.marks ? `COALESCE(v.as_of, ${floor})` : floor
  return [`WHEN ${known} > ${version()} THEN 'outdated'`, changed]
}

async function joinAsBags(
  connection: Connection,
  { table, rows, plan }: StagingTable,
  input: PlanInput,
): Promise<Record<PlanKind, number>> {
  const columns = columnList(table.columns)
  const scoped = table.scope === null ? '' : ` WHERE t.${table.scope.sql} = $1::date`
  const found = await connection.query<{ kind: PlanKind; n: string }>(
    `WITH both_sides AS (
       SELECT _seq, NULL::oid AS _table, NULL::tid AS _row, ${columns} FROM ${rows}
       UNION ALL
       SELECT NULL, t.tableoid, t.ctid, ${columnList(table.columns, 't.')} FROM ${table.sql} t${scoped}
     ), ranked AS (
       SELECT _seq, _table, _row,
         count(_seq) OVER (PARTITION BY ${columns}) AS _ours,
         count(_row) OVER (PARTITION BY ${columns}) AS _theirs,
         row_number() OVER (PARTITION BY ${columns}, (_seq IS NULL) ORDER BY _seq, _table, _row) AS _rank
       FROM both_sides
     ), joined AS MATERIALIZED (
       SELECT _seq, _table, _row, CASE
         WHEN _seq IS NOT NULL THEN CASE WHEN _rank > _theirs THEN 'new' ELSE 'unchanged' END
         ELSE CASE WHEN _rank > _ours THEN 'gone' ELSE 'kept' END END AS _kind
       FROM ranked
     ), noted AS (
       INSERT INTO ${plan} (_kind, _seq, _table, _row)
       SELECT _kind, _seq, _table, _row FROM joined WHERE _kind IN ('new', 'gone')
     )
     SELECT _kind AS kind, count(*) AS n FROM joined GROUP BY _kind`,
    table.scope === null ? [] : [input.businessDate],
  )
  return countsOf(found.rows)
}

function countsOf(rows: readonly { kind: PlanKind; n: string }[]): Record<PlanKind, number> {
  const counts = noCounts()
  for (const { kind, n } of rows) counts[kind] = Number(n)
  return counts
}

/**
 * Takes deletes back that absence does not prove: all of them when the set may not be whole; in keyed
 * tables all of them when a record without a readable key was refused, else those of refused keys.
 * A bag has no keys: there it is replaced by what was accepted, or changed rows would stand twice.
 */
async function withhold(connection: Connection, staging: StagingTable, input: PlanInput): Promise<number> {
  const { table, plan, removed } = staging
  const gone = `DELETE FROM ${plan} p`
  if (!input.mayDelete || (table.key.length > 0 && input.unreadableKeys)) {
    return (await connection.query(`${gone} WHERE p._kind = 'gone'`)).rowCount
  }
  if (table.key.length === 0) return 0
  const refused = `SELECT FROM ${removed} r WHERE r._why IN ('excluded', 'conflict', 'violated', 'along') AND ${sameKey(table.key, 'r', 'p')}`
  return (await connection.query(`${gone} WHERE p._kind = 'gone' AND EXISTS (${refused})`)).rowCount
}
