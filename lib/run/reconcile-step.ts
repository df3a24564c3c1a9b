/**
 * The reconcile step of a run: takes a picture of each side of each comparison and compares them.
 * Nothing is written to the run ledger here; that is one transaction with the mail (report-step.ts).
 */
import type { ComparedSide } from '../../reconcile/compare/gates.ts'
import { type ComparePlan, planOf, tableOf } from '../../reconcile/compare/plan.ts'
import { columnsOfTable } from '../../reconcile/snapshot/columns.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import { applicableScope } from '../../reconcile/snapshot/scope.ts'
import { rowsOfQuery, rowsOfTable, snapshotDatabase } from '../../reconcile/snapshot/target.ts'
import { openSnapshotWriter } from '../../reconcile/snapshot/writer.ts'
import { filesOfDate } from '../ledger/file.ts'
import type { Lease } from '../ledger/lease.ts'
import { MapTally } from '../map/map-tally.ts'
import { describeError, MapError, ParseError } from '../model/errors.ts'
import type { Reconciliation, ScheduledJob, Side } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { TableDefinition } from '../model/table.ts'
import { compareNight, type Reconciled } from './compare-night.ts'
import type { Engine } from './engine.ts'
import { contentPathOf, fetchFeed } from './fetch-step.ts'
import { withSession } from './load-step.ts'
import { mappedBlocks, RecordsMeter } from './records.ts'
import type { SourceSnapshots } from './source-snapshots.ts'

/** What a run's comparisons are made from. */
export interface ReconcileRequest {
  readonly engine: Engine
  readonly scheduled: ScheduledJob
  readonly businessDate: string
  readonly lease: Lease
  /** Number of the comparison, part of the breaks file's name. */
  readonly number: number
  readonly snapshots: SourceSnapshots
}

interface SideInput {
  readonly request: ReconcileRequest
  readonly plan: ComparePlan
  readonly table: TableDefinition
  readonly which: 'source' | 'target'
}

/** Makes all comparisons of a job, one after another. @throws RECONCILE_*, BUG_RECONCILE_* */
export async function reconcileRun(request: ReconcileRequest, context: StepContext): Promise<Reconciled[]> {
  const done: Reconciled[] = []
  for (const reconciliation of request.scheduled.job.reconcile.comparisons) {
    done.push(await reconcileOne(request, reconciliation, context))
  }
  return done
}

async function reconcileOne(
  request: ReconcileRequest,
  reconciliation: Reconciliation,
  context: StepContext,
): Promise<Reconciled> {
  const { scheduled } = request
  const table = tableOf(reconciliation, scheduled.job.map)
  const plan = planOf(reconciliation, scheduled.job.name, table)
  const { source, target } = reconciliation
  // A side that is limited to the keys of the other one is taken second.
  const sourceSecond = scopeOf(source) === 'keysOfOther'
  const take = (which: 'source' | 'target', other: ComparedSide | null): Promise<ComparedSide> =>
    takeSide(
      which === 'source' ? source : target,
      { request, plan, table, which },
      presentOrNull(other),
      context,
    )
  const first = await take(sourceSecond ? 'target' : 'source', null)
  const second = await take(sourceSecond ? 'source' : 'target', first)
  const [left, right] = sourceSecond ? [second, first] : [first, second]
  return compareNight(request, plan, { left, right }, {}, context)
}

function scopeOf(side: Side): unknown {
  return side.kind === 'mapped' ? 'all' : side.scope
}

function presentOrNull(side: ComparedSide | null): Snapshot | null {
  return side === null || 'absent' in side ? null : side
}

async function takeSide(
  side: Side,
  input: SideInput,
  other: Snapshot | null,
  context: StepContext,
): Promise<ComparedSide> {
  const { request, plan, table, which } = input
  const { engine, scheduled, businessDate, lease } = request
  if (side.kind === 'mapped') {
    const [name] = Object.entries(scheduled.job.map.tables).find(([, one]) => one === table)!
    return (
      request.snapshots.get(name) ?? {
        name: 'mapped records',
        absent:
          'The mapped records of this run were not kept, so there is nothing to compare with. Rerun the date from the archive.',
      }
    )
  }
  const scopeGiven = { plan, businessDate, other }
  if (side.scope === 'keysOfOther' && other === null) {
    return { name: side.kind, absent: 'The other side is missing, and this side is limited to its keys.' }
  }
  const scope = applicableScope(side.scope, scopeGiven)
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal: context.signal }
  const facts = {
    job: scheduled.job.name,
    side: which,
    businessDate,
    mappingVersion: scheduled.job.map.version,
    files: [],
  }
  if (side.kind === 'files') return takeFiles(side, input, scope, context)
  const rows = side.kind === 'target' ? rowsOfTable(table, scope) : rowsOfQuery(side.sql, table, scope)
  const name = side.kind === 'target' ? `${table.schema}.${table.name}` : 'query'
  return withSession(engine, lease, context, connection =>
    snapshotDatabase(place, { ...facts, name }, connection, rows),
  )
}

/** A second feed as a side: fetched, parsed and mapped like the first, but never loaded. */
async function takeFiles(
  side: Extract<Side, { kind: 'files' }>,
  { request, table, which }: SideInput,
  scope: ReturnType<typeof applicableScope>,
  context: StepContext,
): Promise<ComparedSide> {
  const { engine, scheduled, businessDate } = request
  const fetched = await fetchFeed(engine, side.fetch, businessDate, null, context)
  const rows = await engine.database.use(connection => filesOfDate(connection, side.fetch.feed, businessDate))
  const usable = rows.filter(row => row.state === 'received' || row.state === 'applied')
  const current = side.fetch.perDate === 'one' ? usable.slice(-1) : usable
  if (current.length === 0)
    return {
      name: side.fetch.feed,
      absent: `There is no file of feed ${side.fetch.feed} for ${businessDate}: looked for ${fetched.lookedFor}.`,
    }
  const files = current.map(row => row.remoteName)
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal: context.signal }
  const facts = {
    job: scheduled.job.name,
    side: which,
    name: files.join(', '),
    businessDate,
    mappingVersion: side.map.version,
    files,
  }
  const [alias] = Object.entries(side.map.tables).find(([, one]) => one === table)!
  const writer = await openSnapshotWriter(place, facts, columnsOfTable(table), table.totals)
  const input = {
    job: scheduled.job.name,
    businessDate,
    zone: scheduled.zone,
    files: current.map(row => ({ row, path: contentPathOf(engine, row) })),
    parse: side.parse,
    mapping: side.map,
  }
  const tee = async (block: Parameters<Parameters<typeof mappedBlocks>[2]>[0]): Promise<void> => {
    await writer.push(block.file, block.tables[alias]!)
    await writer.pushUnreadable(
      block.file,
      block.rejects.map(({ line, issues, raw }) => ({
        line,
        issue: `${issues[0]!.code}: ${issues[0]!.message}`,
        raw,
      })),
    )
  }
  try {
    for await (const _block of mappedBlocks(
      input,
      new MapTally(side.map, null),
      tee,
      new RecordsMeter(),
      context,
    )) {
      // The rows are in the snapshot; nothing else is done with them.
    }
    return await writer.finish({ asOf: new Date(engine.clock.now()).toISOString(), scope })
  } catch (error) {
    await writer.discard()
    if (!(error instanceof ParseError || error instanceof MapError)) throw error
    // The other side's file is no reason to call tonight's load failed: nothing is proved, and that is told.
    return { name: side.fetch.feed, absent: describeError(error) }
  }
}
