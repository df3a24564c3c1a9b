/**
 * Applies a plan: a load like any other, under the run's lease, whose records are the plan's changes; then
 * both sides are compared, because only a comparison closes breaks. Killed anywhere, it is applied once.
 */
import type { Person } from '../ledger/break-ledger-acks.ts'
import { nextComparisonNumber } from '../ledger/comparison.ts'
import { type Lease, takeLease } from '../ledger/lease.ts'
import { type LoadRow, loadOf } from '../ledger/load.ts'
import { changesOf, freezeResolution } from '../ledger/resolution.ts'
import { type Revision, revisionById } from '../ledger/revision.ts'
import { repairPostgres } from '../load/repair.ts'
import { BugError } from '../model/errors.ts'
import type { PostgresLoad, ScheduledJob } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { AppliedChange, ResolutionPlan } from '../model/resolution.ts'
import { endDone, nothingYet } from './endings.ts'
import type { Engine } from './engine.ts'
import { type JudgedPlan, judgePlan } from './judge-plan.ts'
import { reconcileRun } from './reconcile-step.ts'
import { refusedChanges } from './refused-changes.ts'
import { reloadedRows } from './reload-rows.ts'
import { readSourceSnapshots } from './source-snapshots.ts'
import { openStepLog, type StepLog } from './steps.ts'
import { type RunSummary, summaryOf } from './summary.ts'
import { withSession } from './target-session.ts'

/** What became of a plan. */
export interface AppliedPlan {
  readonly summary: RunSummary
  /** In the plan's order. */
  readonly changes: readonly AppliedChange[]
  /** It was applied and compared before; nothing was done now. */
  readonly before: boolean
}

/**
 * Applies a plan and compares afterwards.
 * Guarantee: the changes take effect once, whatever is killed and tried again; each only where the target still has
 * what was compared. On failure: nothing of the plan took effect, or the next call goes on after it.
 * @throws CONFIG_PLAN_EDITED, CONFIG_PLAN_STALE, CONFIG_RESOLVE_OVER_CAP, RUN_HELD_ELSEWHERE, and what the load or the comparison throw
 */
export async function applyPlan(
  engine: Engine,
  scheduled: ScheduledJob,
  plan: ResolutionPlan,
  by: Person,
): Promise<AppliedPlan> {
  // Judged before the run is taken: a plan that can't be applied is no attempt.
  const judged = await engine.database.use(connection => judgePlan(connection, scheduled, plan))
  if (judged.revision?.state === 'finished') return appliedBefore(engine, plan, judged.revision)
  const lease = await takeLease(
    engine.database,
    engine.clock,
    { job: plan.job, businessDate: plan.businessDate },
    {
      trigger: 'repair',
      configHash: engine.versions.config,
      codeVersion: engine.versions.code,
      mappingVersion: scheduled.job.map.version,
      tzdataVersion: engine.versions.tzdata,
      signal: engine.signal,
    },
  )
  let loaded = false
  try {
    return await underLease({ engine, scheduled, plan, by, lease }, () => {
      loaded = true
    })
  } catch (error) {
    const { runState } = lease.previous
    await lease.release({
      attempt: 'failed',
      run: loaded || runState === 'running' ? 'applied' : runState,
      error,
    })
    throw error
  }
}

interface Applying {
  readonly engine: Engine
  readonly scheduled: ScheduledJob
  readonly plan: ResolutionPlan
  readonly by: Person
  readonly lease: Lease
}

async function underLease(applying: Applying, hasLoaded: () => void): Promise<AppliedPlan> {
  const { engine, scheduled, plan, by, lease } = applying
  const log = engine.log.with({ ...lease.key, attempt: lease.attempt })
  const signal = AbortSignal.any([engine.signal, lease.signal])
  const context: StepContext = { clock: engine.clock, log, signal, progress: engine.progress }
  const steps = openStepLog(engine, lease, log)
  const judged = await engine.database.use(connection => judgePlan(connection, scheduled, plan))
  const revision = await engine.database.use(connection =>
    freezeResolution(connection, lease, plan, judged.base, by),
  )
  if (revision.state === 'finished') {
    // Somebody else was quicker between judging and taking.
    await lease.release({ attempt: 'nothing-to-do', run: 'succeeded' })
    return appliedBefore(engine, plan, revision)
  }
  const load = await steps.run('load', () => loadPlan(applying, judged, revision, context))
  hasLoaded()
  const changes = await engine.database.use(connection => changesOf(connection, revision.id))
  return compareAfter(applying, { revision, load, changes }, steps, context)
}

/** T2 of the plan, found done where an earlier attempt did it. */
async function loadPlan(
  { engine, scheduled, plan, lease }: Applying,
  { base }: JudgedPlan,
  revision: Revision,
  context: StepContext,
): Promise<LoadRow> {
  const { done, kept } = await engine.database.use(async connection => ({
    done: await loadOf(connection, revision.id),
    kept: await loadOf(connection, base.id),
  }))
  if (done !== null) return done
  const reloads = await reloadedRows(engine, scheduled, plan, base, context)
  await withSession(engine, lease, context, connection =>
    repairPostgres({
      ...{ connection, lease, revision, base, changes: plan.changes, reloads },
      spec: scheduled.job.load as PostgresLoad,
      businessDate: plan.businessDate,
      snapshotHash: kept!.snapshotHash,
      mappingVersion: scheduled.job.map.version,
      tell: applied => refusedChanges(scheduled.job, plan.changes, applied),
    }),
  )
  const load = await engine.database.use(connection => loadOf(connection, revision.id))
  if (load !== null) return load
  throw new BugError('BUG_LOAD_GATE', `Revision ${revision.id} applied a plan and left no load behind.`)
}

interface LoadedPlan {
  readonly revision: Revision
  readonly load: LoadRow
  readonly changes: readonly AppliedChange[]
}

async function compareAfter(
  { engine, scheduled, plan, lease }: Applying,
  { revision, load, changes }: LoadedPlan,
  steps: StepLog,
  context: StepContext,
): Promise<AppliedPlan> {
  const { businessDate } = plan
  const number = await engine.database.use(connection => nextComparisonNumber(connection, lease.runId))
  const snapshots = await readSourceSnapshots(engine, load.snapshotHash)
  const reconciled = await steps.run('reconcile', () =>
    reconcileRun({ engine, scheduled, businessDate, lease, number, snapshots }, context),
  )
  const facts = {
    ...nothingYet,
    state: 'done' as const,
    revision,
    comparisonNumber: number,
    load: load.result,
    published: true,
    warnings: load.result.told?.warnings ?? [],
    reconciled,
  }
  const summary = await endDone({ engine, scheduled, lease }, steps, facts)
  return { summary, changes, before: false }
}

/** What is told of a plan that was applied and compared before. */
async function appliedBefore(engine: Engine, plan: ResolutionPlan, found: Revision): Promise<AppliedPlan> {
  const { revision, load, changes } = await engine.database.use(async connection => ({
    revision: await revisionById(connection, found.id),
    load: await loadOf(connection, found.id),
    changes: await changesOf(connection, found.id),
  }))
  const facts = { revision, files: [], load: load?.result ?? null, steps: [], warnings: [] }
  const summary = summaryOf({ key: { job: plan.job, businessDate: plan.businessDate }, attempt: 0 }, facts, {
    ...{ state: 'nothing-to-do', reconciled: [], changes: null, report: null, replaces: [] },
  })
  return { summary, changes, before: true }
}
