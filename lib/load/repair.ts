/**
 * T2 of a plan: one transaction that makes its changes where the target still is what was compared, or
 * nothing. READ FIRST; judging and writing are repair-updates.ts and repair-reloads.ts. Deletes nothing.
 */

import type { Connection } from '../db/connection.ts'
import { asOfMark } from '../ledger/as-of.ts'
import { assertFence, type Holding } from '../ledger/fence.ts'
import { finishLoad, insertLoad, type LoadRow } from '../ledger/load.ts'
import { storeChanges } from '../ledger/resolution.ts'
import type { Revision } from '../ledger/revision.ts'
import { failpoint } from '../model/failpoint.ts'
import type { PostgresLoad } from '../model/job.ts'
import type { AppliedChange, ChangeOutcome, PlannedChange } from '../model/resolution.ts'
import type { LoadResult, TableCounts } from '../model/run.ts'
import type { Value } from '../model/table.ts'
import { targetTables } from './create-target.ts'
import { readVersions, versionKeeping } from './key-versions.ts'
import { assertRecordLaw, assertTableLaw } from './laws.ts'
import { LOCK_WAIT_MS, lockTargets } from './lock-targets.ts'
import { assertNotOutdated } from './merge.ts'
import { reload } from './repair-reloads.ts'
import type { RepairedTable } from './repair-table.ts'
import { update } from './repair-updates.ts'
import { checkTargets } from './target-check.ts'
import type { TargetTable } from './target-table.ts'
import { violated, violationOf } from './violation.ts'

/** Rows that the job's mapping made anew for a change. */
export interface ReloadedRows {
  /** Values by position of the table's mapped columns. */
  readonly row: readonly Value[]
  /** How many equal rows the source has; more than one only in tables without a key. */
  readonly inSource: number
  /** Id of the file that they came from. */
  readonly fileId: string
}

/** One plan to be applied. */
export interface RepairInput {
  /** A session of the load's own. */
  readonly connection: Connection
  readonly lease: Holding
  readonly revision: Revision
  /** The load of files that the plan stands on. */
  readonly base: Revision
  readonly spec: PostgresLoad
  readonly businessDate: string
  readonly changes: readonly PlannedChange[]
  /** By place of the change, for every reload. */
  readonly reloads: ReadonlyMap<number, ReloadedRows>
  /** As the base's load keeps them: the source is what it was. */
  readonly snapshotHash: string | null
  readonly mappingVersion: number | null
  /** What the mail tells of changes that were not made; kept with the load. */
  readonly tell: (applied: readonly AppliedChange[]) => readonly string[]
  readonly lockWaitMs?: number
}

/** What became of a plan. `done-before`: the gate found it done. */
export type RepairOutcome =
  | { readonly kind: 'repaired'; readonly result: LoadResult; readonly applied: readonly AppliedChange[] }
  | { readonly kind: 'done-before'; readonly load: LoadRow }

/** Why changes of a plan were not made, as counted among what was left out. */
export const REFUSED_REASON = 'the target is no longer what was compared'

/**
 * Applies a plan in one transaction whose commit is proved.
 * Guarantee: a crash anywhere leaves all of it or nothing; the same plan again gives `done-before`. A row is changed
 * only where it has every old value, added only where it is missing, and never overwrites a later load's.
 * On failure: nothing of the plan took effect.
 * @throws LOAD_TARGET_MISMATCH, LOAD_TARGET_LOCKED, LOAD_MIRROR_OUTDATED, LOAD_CONSTRAINT_VIOLATED,
 * LOAD_ROWS_SWALLOWED, RUN_FENCED, BUG_LAW_BROKEN
 */
export async function repairPostgres(input: RepairInput): Promise<RepairOutcome> {
  const outcome = await input.connection.transaction(() => inTransaction(input), { commit: 'proved' })
  failpoint('resolve.after-commit')
  return outcome
}

async function inTransaction(input: RepairInput): Promise<RepairOutcome> {
  const { connection, lease, revision, spec, changes } = input
  failpoint('resolve.before-gate')
  const gate = await insertLoad(connection, lease, revision)
  if (gate !== 'new') return { kind: 'done-before', load: gate.done }
  const checked = await checkTargets(connection, targetTables(spec))
  const touched = [...checked.keys()].filter(({ name }) => changes.some(({ table }) => table === name))
  await lockTargets(connection, touched, input.lockWaitMs ?? LOCK_WAIT_MS)
  if (spec.mode === 'mirror')
    await assertNotOutdated(
      connection,
      touched.map(({ name }) => name),
      input.businessDate,
    )
  const applied: AppliedChange[] = []
  const tables: TableCounts[] = []
  await connection.query('SET CONSTRAINTS ALL DEFERRED')
  for (const [position, table] of touched.entries()) {
    const done = await repairTable(input, {
      ...(await tableFacts(input, table)),
      table,
      name: `pg_temp."repair_${position}`,
      collate: column => {
        const collation = checked.get(table)!.collations.get(column)
        return collation === undefined ? '' : ` COLLATE ${collation}`
      },
    })
    applied.push(...done)
    tables.push(countsOf(table, changes, done))
  }
  failpoint('resolve.after-changes')
  await connection.query('SET CONSTRAINTS ALL IMMEDIATE')
  applied.sort((a, b) => a.position - b.position)
  const result = resultOf(changes.length, applied, tables, input.tell(applied))
  await storeChanges(connection, revision.id, changes, applied)
  await finishLoad(connection, revision, {
    state: 'published',
    result,
    snapshotHash: input.snapshotHash,
    mappingVersion: input.mappingVersion,
  })
  failpoint('resolve.before-fence')
  await assertFence(connection, lease)
  failpoint('resolve.before-commit')
  return { kind: 'repaired', result, applied }
}

async function tableFacts(
  { connection, spec, base, businessDate }: RepairInput,
  table: TargetTable,
): Promise<Pick<RepairedTable, 'kept' | 'latest' | 'versionOf'>> {
  const kept = versionKeeping(spec.mode, table) === 'beside' ? await readVersions(connection, table) : null
  const marks = base.files.map(({ id }) => asOfMark(businessDate, id)).sort()
  return {
    kept,
    latest: spec.mode === 'upsert' ? (marks.at(-1) ?? null) : null,
    versionOf: fileId => asOfMark(businessDate, fileId),
  }
}

async function repairTable(input: RepairInput, repaired: RepairedTable): Promise<AppliedChange[]> {
  const { connection, changes, reloads } = input
  const mine = changes.flatMap((change, position) =>
    change.table === repaired.table.name ? [{ change, position }] : [],
  )
  try {
    const updated = await update(
      connection,
      repaired,
      mine.filter(({ change }) => change.operation === 'update'),
    )
    failpoint('resolve.mid-changes')
    const reloaded = await reload(
      connection,
      repaired,
      mine
        .filter(({ change }) => change.operation === 'reload')
        .map(({ change, position }) => ({ position, add: change.rows, ...reloads.get(position)! })),
    )
    return [...updated, ...reloaded]
  } catch (error) {
    const violation = violationOf(error)
    if (violation === null) throw error
    throw violated(violation, 'A change of the plan', { table: repaired.table.name })
  }
}

function countsOf(
  { name }: TargetTable,
  changes: readonly PlannedChange[],
  applied: readonly AppliedChange[],
): TableCounts {
  const rows = (outcome: ChangeOutcome, operation?: PlannedChange['operation']): number =>
    applied
      .filter(one => one.outcome === outcome)
      .map(({ position }) => changes[position]!)
      .filter(change => operation === undefined || change.operation === operation)
      .reduce((sum, change) => sum + change.rows, 0)
  const counts: TableCounts = {
    table: name,
    mapped: applied
      .filter(({ outcome }) => outcome !== 'refused')
      .reduce((sum, { position }) => sum + changes[position]!.rows, 0),
    inserted: rows('applied', 'reload'),
    updated: rows('applied', 'update'),
    unchanged: rows('unchanged'),
    collapsed: 0,
    outdated: rows('outdated'),
    deleted: 0,
  }
  assertTableLaw(counts)
  return counts
}

/** Changes are counted as records: read from the plan, mapped to rows, or left out because the target had moved on. */
function resultOf(
  read: number,
  applied: readonly AppliedChange[],
  tables: readonly TableCounts[],
  warnings: readonly string[],
): LoadResult {
  const refused = applied.filter(({ outcome }) => outcome === 'refused').length
  const counts = { read, mapped: applied.length - refused, rejected: 0, filtered: refused }
  assertRecordLaw(counts, 0)
  return {
    counts,
    filters: refused === 0 ? [] : [{ reason: REFUSED_REASON, count: refused }],
    tables,
    totals: [],
    failedUnits: 0,
    told: { failedUnits: [], warnings, withheldDeletes: 0 },
  }
}
