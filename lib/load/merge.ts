/**
 * From staging to the target: the difference, guards, writing, and the proofs that rows and control
 * totals arrived as they were mapped. Runs inside a savepoint of T2, again without the records that
 * the target refused: merge-accepted.ts.
 */
import type { Connection } from '../db/connection.ts'
import { TABLE_AS_OF } from '../ledger/as-of.ts'
import { BugError, LoadError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { PostgresLoad } from '../model/job.ts'
import type { LoadMode, TableCounts, TotalResult } from '../model/run.ts'
import { noteMirror, noteVersions } from './key-versions.ts'
import { assertTableLaw } from './laws.ts'
import { judgeDeletes } from './limits.ts'
import type { MapSummary } from './load-input.ts'
import { parentsFirst } from './lock-targets.ts'
import { type Applied, applyPlans, assertWritten } from './merge-apply.ts'
import { planTable, type TablePlan } from './merge-plan.ts'
import type { RemovedBecause, Staging, StagingTable } from './staging.ts'
import { columnList } from './target-table.ts'
import { assertSameTotals, readTotals, totalResults, totalsFrom } from './totals.ts'
import { violationOf } from './violation.ts'
import { type RefusedRow, writeByHalves } from './write-by-halves.ts'

/** What merging needs of the load. */
export interface MergeInput {
  readonly spec: PostgresLoad
  readonly wholeSet: boolean
  readonly forced: boolean
  readonly mayDelete: boolean
  readonly businessDate: string
  /** Version text by position of the file. */
  readonly versions: readonly string[]
  readonly fileNames: readonly string[]
  readonly unreadableKeys: boolean
  /** Rows sent, by the mapping's table name. */
  readonly sent: ReadonlyMap<string, number>
  readonly mapped: Pick<MapSummary, 'rows' | 'totals'>
  readonly dryRun: boolean
}

/** What merging did, or would do. */
export interface Merged {
  readonly tables: readonly TableCounts[]
  readonly totals: readonly TotalResult[]
  readonly withheld: number
}

/** Leaves the savepoint of a merge whose rows the target does not all take. */
export class RowsRefused extends Error {
  readonly rows: readonly RefusedRow[]
  /** Tries that it took to find them. */
  readonly tries: number
  constructor(rows: readonly RefusedRow[], tries: number) {
    super('rows refused')
    this.rows = rows
    this.tries = tries
  }
}

/** How a table is treated: an append that loads a date's whole set again replaces that date. */
function effectiveMode({ spec, wholeSet }: MergeInput): LoadMode {
  return spec.mode === 'append' && spec.scope !== null && wholeSet ? 'replace' : spec.mode
}

/** Refuses a set that may not be merged at all. @throws LOAD_OUTSIDE_SCOPE, LOAD_MIRROR_OUTDATED */
export async function judgeSet(connection: Connection, staging: Staging, input: MergeInput): Promise<void> {
  for (const one of staging.tables) await assertInScope(connection, one, input)
  if (effectiveMode(input) !== 'mirror' || input.forced) return
  const names = staging.tables.map(({ table }) => table.name)
  await assertNotOutdated(connection, names, input.businessDate)
}

/**
 * Merges all tables, under their locks.
 * @throws RowsRefused; the LOAD codes of load-into-postgres.ts from LOAD_DELETE_GUARD on.
 */
export async function mergeStaging(
  connection: Connection,
  staging: Staging,
  input: MergeInput,
  mostRefused: number,
): Promise<Merged> {
  const mode = effectiveMode(input)
  const planned = new Map<StagingTable, TablePlan>()
  for (const one of staging.tables) {
    await connection.query(`ANALYZE ${one.rows} ${joinedColumns(one)}`)
    planned.set(one, await planTable(connection, one, { ...input, mode }))
  }
  const plans = staging.tables.map(one => planned.get(one)!)
  judgeDeletes(plans, input.spec)
  const tables = staging.tables.map(({ table }) => table)
  const groups = (await parentsFirst(connection, tables)).map(group =>
    group.map(table => plans.find(plan => plan.staging.table === table)!),
  )
  const applied = input.dryRun ? null : await write(connection, staging, groups, input, mostRefused)
  failpoint('load.after-merge')
  const results: TableCounts[] = []
  const totals: TotalResult[] = []
  for (const plan of plans) {
    const removed = await removedCounts(connection, plan.staging)
    totals.push(...(await proveTotals(connection, plan, input, removed)))
    const counts = countsOf(plan, applied?.get(plan) ?? plannedCounts(plan), removed, input)
    assertTableLaw(counts)
    results.push(counts)
  }
  return { tables: results, totals, withheld: plans.reduce((sum, { withheld }) => sum + withheld, 0) }
}

/** The columns by which staging is joined: values are only compared, and statistics of them cost more than the join gains. */
function joinedColumns({ table }: StagingTable): string {
  // Without a key all columns are the key.
  if (table.key.length === 0) return ''
  const joined = new Set([...table.key, ...(table.scope === null ? [] : [table.scope])])
  return `(_seq, _file, _record, ${columnList([...joined])})`
}

/** Writes the whole difference at once or, when the target refuses that, by halves. @throws RowsRefused */
async function write(
  connection: Connection,
  staging: Staging,
  groups: readonly (readonly TablePlan[])[],
  input: MergeInput,
  mostRecords: number,
): Promise<ReadonlyMap<TablePlan, Applied>> {
  const { versions } = input
  const plans = groups.flat()
  let applied = await writeAtOnce(connection, plans, versions)
  if (applied === null) {
    failpoint('load.before-halves')
    const halves = await writeByHalves(connection, { staging, groups, versions, mostRecords })
    if (halves.kind === 'refused') throw new RowsRefused(halves.rows, halves.tries)
    applied = halves.applied
    for (const [plan, counts] of applied) assertWritten(plan, counts)
  }
  for (const plan of plans) {
    if (effectiveMode(input) === 'mirror') {
      await noteMirror(connection, plan.staging.table, versions.toSorted().at(-1) ?? '')
    } else if (plan.kept !== null) {
      await noteVersions(connection, { ...plan, kept: plan.kept, versions })
    }
  }
  return applied
}

/** Null when a rule of the target refused it. */
async function writeAtOnce(
  connection: Connection,
  plans: readonly TablePlan[],
  versions: readonly string[],
): Promise<Map<TablePlan, Applied> | null> {
  try {
    return await connection.savepoint(() => applyPlans(connection, plans, { versions }))
  } catch (error) {
    if (violationOf(error) === null) throw error
    return null
  }
}

/** Refuses rows of another date than the run's. @throws LOAD_OUTSIDE_SCOPE */
async function assertInScope(
  connection: Connection,
  { table, rows }: StagingTable,
  { businessDate, fileNames }: MergeInput,
): Promise<void> {
  if (table.scope === null) return
  const found = await connection.query<{ file: number; line: number; n: string }>(
    `SELECT _file AS file, _line AS line, count(*) OVER () AS n FROM ${rows}
     WHERE ${table.scope.sql} IS DISTINCT FROM $1::date ORDER BY _seq LIMIT 1`,
    [businessDate],
  )
  const first = found.rows[0]
  if (first === undefined) return
  throw new LoadError(
    'LOAD_OUTSIDE_SCOPE',
    `${first.n} rows for ${table.name} do not belong to ${businessDate}, the first from line ${first.line} of ${fileNames[first.file] ?? first.file}: ${table.scope.name} says another date. Loading them would touch rows of other dates; nothing was published.`,
    { details: { table: table.name, rows: Number(first.n), line: first.line } },
  )
}

/** Refuses a mirror that is older than what its tables show. @throws LOAD_MIRROR_OUTDATED */
export async function assertNotOutdated(
  connection: Connection,
  names: readonly string[],
  businessDate: string,
): Promise<void> {
  const { rows } = await connection.query<{ target: string; asOf: string }>(
    `SELECT target, left(as_of, 10) AS "asOf" FROM ${TABLE_AS_OF} WHERE target = ANY($1::text[]) AND left(as_of, 10) > $2`,
    [names, businessDate],
  )
  const newer = rows[0]
  if (newer === undefined) return
  throw new LoadError(
    'LOAD_MIRROR_OUTDATED',
    `${newer.target} shows the set of ${newer.asOf} already, which is newer than ${businessDate}. An older set never overwrites a newer one unless forced; nothing was published.`,
    { details: { table: newer.target, shown: newer.asOf, businessDate } },
  )
}

function plannedCounts({ counts }: TablePlan): Applied {
  return { inserted: counts.new, updated: counts.changed, touched: counts.touched, deleted: counts.gone }
}

async function removedCounts(
  connection: Connection,
  { removed }: StagingTable,
): Promise<Record<RemovedBecause, number>> {
  const counts = { excluded: 0, conflict: 0, violated: 0, along: 0, collapsed: 0, outdated: 0 }
  const { rows } = await connection.query<{ why: RemovedBecause; n: string }>(
    `SELECT _why AS why, count(*) AS n FROM ${removed} GROUP BY _why`,
  )
  for (const { why, n } of rows) counts[why] = Number(n)
  return counts
}

function countsOf(
  { staging, counts }: TablePlan,
  applied: Applied,
  removed: Record<RemovedBecause, number>,
  { sent, mapped }: MergeInput,
): TableCounts {
  const { alias, name } = staging.table
  const rows = (sent.get(alias) ?? 0) - removed.excluded
  if (rows !== (mapped.rows[alias] ?? 0)) {
    throw new BugError(
      'BUG_LAW_BROKEN',
      `A law of the load does not hold: map made ${mapped.rows[alias] ?? 0} rows for ${name} outside of failed units, and staging holds ${rows}. Nothing of this load was published.`,
    )
  }
  return {
    table: name,
    mapped: rows - removed.conflict - removed.violated - removed.along,
    inserted: applied.inserted,
    updated: applied.updated,
    unchanged: counts.unchanged + counts.touched,
    collapsed: removed.collapsed,
    outdated: removed.outdated + counts.outdated,
    deleted: applied.deleted,
  }
}

/**
 * Proves that staging holds, with what was taken out after mapping, exactly what map summed; gives
 * the totals of the rows that now stand in the target. @throws LOAD_TOTALS_DIFFER
 */
async function proveTotals(
  connection: Connection,
  { staging, counts }: TablePlan,
  { mapped }: MergeInput,
  takenOut: Record<RemovedBecause, number>,
): Promise<TotalResult[]> {
  const { table, rows, removed, plan } = staging
  if (Object.keys(table.definition.totals).length === 0) return []
  const staged = `(SELECT * FROM ${rows} UNION ALL SELECT ${stagedColumns(staging)} FROM ${removed} WHERE _why <> 'excluded') s`
  const all = await readTotals(connection, table, staged)
  assertSameTotals(table, totalsFrom(table, mapped.totals), all, 'in staging')
  // Excluded rows are not in the sums of map either.
  const others = Object.entries(takenOut).some(([why, count]) => why !== 'excluded' && count > 0)
  const allStand = counts.outdated === 0 && !others
  if (allStand) return totalResults(table, all)
  const standing =
    counts.outdated === 0
      ? rows
      : `(SELECT s.* FROM ${rows} s WHERE NOT EXISTS (SELECT FROM ${plan} p WHERE p._seq = s._seq AND p._kind = 'outdated')) s`
  return totalResults(table, await readTotals(connection, table, standing))
}

function stagedColumns({ table }: StagingTable): string {
  return ['_seq', '_file', '_record', '_line', '_unit', ...table.columns.map(column => column.sql)].join(', ')
}
