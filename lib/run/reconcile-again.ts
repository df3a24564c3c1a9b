/**
 * Compares a date again without loading anything: either what is stored (`reconcile --date`), or the
 * stored source against the target as it is now (`rerun --from reconcile`).
 */
import { planOf, tableOf } from '../../reconcile/compare/plan.ts'
import { readSnapshot } from '../../reconcile/snapshot/manifest.ts'
import { nextComparisonNumber } from '../ledger/comparison.ts'
import { type Lease, takeLease } from '../ledger/lease.ts'
import { loadOf } from '../ledger/load.ts'
import { latestRevision } from '../ledger/revision.ts'
import { runDetails } from '../ledger/run-list.ts'
import { latestSnapshots, type SnapshotRow } from '../ledger/snapshot.ts'
import { ReconcileError } from '../model/errors.ts'
import { type AnyJob, isMoving, type ScheduledJob } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { RunKey } from '../model/run.ts'
import { compareNight, type Reconciled } from './compare-night.ts'
import { nothingYet } from './endings.ts'
import type { Engine } from './engine.ts'
import { purgeAfterRun } from './purge.ts'
import { reconcileRun, sideGates } from './reconcile-step.ts'
import { publishNight, sendMails } from './report-step.ts'
import { readSourceSnapshots } from './source-snapshots.ts'
import { openStepLog } from './steps.ts'
import { type RunSummary, summaryOf } from './summary.ts'
import { takeTarget } from './target-session.ts'

/** Compares a date again. @throws RECONCILE_NOTHING_STORED when the date was never loaded. */
export async function reconcileAgain(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  businessDate: string,
  options: { readonly stored: boolean },
): Promise<RunSummary> {
  const key = { job: scheduled.job.name, businessDate }
  // Looked at before the run is taken: a date that was never loaded must not become one that is owed.
  const before = await engine.database.use(connection => runDetails(connection, key))
  if (!isMoving(scheduled)) {
    if ((before?.comparison.number ?? 0) === 0) throw nothingStored(key)
  } else if (before?.load == null || before.load.state === 'unpublished') throw nothingStored(key)
  const lease = await takeLease(engine.database, engine.clock, key, {
    trigger: 'rerun',
    configHash: engine.versions.config,
    codeVersion: engine.versions.code,
    mappingVersion: scheduled.job.map.version,
    signal: engine.signal,
  })
  try {
    return await compareUnderLease(engine, scheduled, lease, options.stored)
  } catch (error) {
    await lease.release({
      attempt: 'failed',
      run: lease.previous.runState === 'running' ? 'applied' : lease.previous.runState,
      error,
    })
    throw error
  }
}

async function compareUnderLease(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  lease: Lease,
  stored: boolean,
): Promise<RunSummary> {
  const log = engine.log.with({ ...lease.key, attempt: lease.attempt })
  const signal = AbortSignal.any([engine.signal, lease.signal])
  const context: StepContext = { clock: engine.clock, log, signal, progress: engine.progress }
  const steps = openStepLog(engine, lease, log)
  const reporting = { engine, scheduled, lease }
  await takeTarget(engine, scheduled.job, lease, context)
  const revision = await engine.database.use(connection => latestRevision(connection, lease.runId))
  const load =
    revision === null ? null : await engine.database.use(connection => loadOf(connection, revision.id))
  const loaded = revision !== null && load !== null && load.state !== 'unpublished'
  if (isMoving(scheduled) && !loaded) throw nothingStored(lease.key)
  const number = await engine.database.use(connection => nextComparisonNumber(connection, lease.runId))
  const request = { engine, scheduled, businessDate: lease.key.businessDate, lease, number }
  const reconciled = await steps.run('reconcile', async () =>
    stored
      ? compareStored(engine, scheduled, lease, number, context)
      : reconcileRun(
          { ...request, snapshots: await readSourceSnapshots(engine, load?.snapshotHash ?? null) },
          context,
        ),
  )
  const facts = {
    ...nothingYet,
    state: 'done' as const,
    revision,
    comparisonNumber: number,
    files: revision?.results ?? [],
    load: load?.result ?? null,
    published: loaded,
    reconciled,
  }
  const written = await steps.run('report', () =>
    publishNight(reporting, { ...facts, steps: steps.results() }, 'succeeded'),
  )
  const report = await sendMails(engine, lease.runId, written.messageId)
  await purgeAfterRun(engine, lease)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  return summaryOf(
    lease,
    { ...facts, steps: steps.results() },
    { state: 'succeeded', ...written, report, replaces: [] },
  )
}

async function compareStored(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  lease: Lease,
  number: number,
  context: StepContext,
): Promise<Reconciled[]> {
  const rows = await engine.database.use(connection => latestSnapshots(connection, lease.runId))
  const done: Reconciled[] = []
  for (const reconciliation of scheduled.job.reconcile.comparisons) {
    const plan = planOf(reconciliation, scheduled.job.name, tableOf(reconciliation, scheduled.job.map))
    const side = (which: SnapshotRow['side']): SnapshotRow | undefined =>
      rows.find(row => row.reconciliation === plan.name && row.side === which)
    const [source, target] = [side('source'), side('target')]
    if (source === undefined || target === undefined) throw nothingStored(lease.key)
    const pictures = { left: await readSnapshot(source.path), right: await readSnapshot(target.path) }
    const { businessDate } = lease.key
    const gates = await sideGates({ engine, scheduled, businessDate }, reconciliation, plan, pictures)
    done.push(await compareNight({ engine, lease, number }, plan, pictures, { gates }, context))
  }
  return done
}

function nothingStored(key: RunKey): ReconcileError {
  return new ReconcileError(
    'RECONCILE_NOTHING_STORED',
    `${key.job} of ${key.businessDate} has no stored snapshots to compare: it was never loaded and compared. Nothing was done; run the date first.`,
  )
}
