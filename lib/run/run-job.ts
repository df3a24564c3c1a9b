/**
 * READ THIS FIRST. One run of a job for a business date: lease, fetch, freeze, parse, map, load,
 * reconcile, report. Every step can be repeated after a crash: what is done is found done.
 * A dry run is dry-run.ts; whether a failed attempt is tried again is retry.ts.
 */
import { nextComparisonNumber } from '../ledger/comparison.ts'
import { type Freeze, freeze } from '../ledger/freeze.ts'
import { type Lease, takeLease } from '../ledger/lease.ts'
import { loadOf } from '../ledger/load.ts'
import { latestRevision } from '../ledger/revision.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import { type AnyJob, isMoving, type JobDefinition, type ScheduledJob } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import { compareOnly } from './compare-only.ts'
import {
  deliveryWarnings,
  endDone,
  endFailed,
  endWithNothingNew,
  endWithoutFiles,
  nothingYet,
  type Reached,
  type RunOptions,
} from './endings.ts'
import type { Engine } from './engine.ts'
import { contentPathOf, fetchFeed, finishRemoteFiles } from './fetch-step.ts'
import { freezeRules, reopenQuarantined } from './freeze-rules.ts'
import { loadedBefore, loadRevision } from './load-step.ts'
import type { Reporting } from './night-facts.ts'
import { setIncomplete } from './no-files.ts'
import { reconcileRun } from './reconcile-step.ts'
import { decideRetry } from './retry.ts'
import { openStepLog, type StepLog } from './steps.ts'
import type { RunSummary } from './summary.ts'
import { takeTarget } from './target-session.ts'

/**
 * Runs a job for a date, again where a retry can help.
 * Guarantee: whatever happens, the run ledger says where it stands, and the next call goes on from there.
 * @throws what the last attempt failed with; RUN_HELD_ELSEWHERE when the date is running elsewhere.
 */
export async function runJob(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  businessDate: string,
  options: RunOptions,
): Promise<RunSummary> {
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await takeAndTry(engine, scheduled, businessDate, options, attempts)
    if ('summary' in outcome) return outcome.summary
    if (outcome.retryAfterMs === null) throw outcome.error
    await engine.clock.sleep(outcome.retryAfterMs, engine.signal)
  }
}

/** One attempt, the taking of the run included: a database that is lost meanwhile may be back for the next. */
async function takeAndTry(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  businessDate: string,
  options: RunOptions,
  attempts: number,
): Promise<AttemptOutcome> {
  let lease: Lease
  try {
    lease = await takeLease(
      engine.database,
      engine.clock,
      { job: scheduled.job.name, businessDate },
      {
        trigger: attempts === 1 ? options.trigger : 'recovery',
        ...(attempts === 1 && options.attemptsBefore !== undefined
          ? { attemptsBefore: options.attemptsBefore }
          : {}),
        configHash: engine.versions.config,
        codeVersion: engine.versions.code,
        mappingVersion: scheduled.job.map.version,
        tzdataVersion: engine.versions.tzdata,
        signal: engine.signal,
      },
    )
  } catch (error) {
    // Whoever holds the run does the work; waiting for them is the caller's business.
    if (error instanceof TallymanError && error.code === 'RUN_HELD_ELSEWHERE') throw error
    const decision = decideRetry(error, attempts, engine.clock.now(), Math.random)
    return { error, retryAfterMs: decision.kind === 'again' ? decision.afterMs : null }
  }
  return attempt(engine, scheduled, lease, options, attempts)
}

type AttemptOutcome =
  | { readonly summary: RunSummary }
  | { readonly error: unknown; readonly retryAfterMs: number | null }

async function attempt(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  lease: Lease,
  options: RunOptions,
  attempts: number,
): Promise<AttemptOutcome> {
  const log = engine.log.with({
    job: lease.key.job,
    businessDate: lease.key.businessDate,
    attempt: lease.attempt,
  })
  const signal = AbortSignal.any([engine.signal, lease.signal])
  const context: StepContext = { clock: engine.clock, log, signal, progress: engine.progress }
  const steps = openStepLog(engine, lease, log)
  const reached: Reached = { revision: null, files: [], loaded: null, warnings: [] }
  const reporting: Reporting = { engine, scheduled, lease }
  log.info('run.attempt-started', { trigger: lease.trigger })
  try {
    const summary = isMoving(scheduled)
      ? await sixSteps({ engine, scheduled, lease }, options, steps, context, reached)
      : await compareOnly(reporting, options, steps, context)
    log.info('run.attempt-ended', { state: summary.state })
    return { summary }
  } catch (thrown) {
    // What a stopped or superseded attempt trips over is only the consequence.
    const error = signal.aborted ? signal.reason : thrown
    log.error('run.attempt-failed', {
      error: describeError(error),
      ...(error === thrown ? {} : { thrown: describeError(thrown) }),
    })
    const decision = decideRetry(error, attempts, engine.clock.now(), Math.random)
    const again = decision.kind === 'again' && !engine.signal.aborted
    await endFailed(reporting, options, steps, reached, error, again)
    return { error, retryAfterMs: again ? decision.afterMs : null }
  }
}

/** A rerun takes both sides afresh: where the same files are applied already, it goes on after the load. */
async function comparedAfresh(
  { engine, scheduled, lease }: Reporting<JobDefinition>,
  frozen: Freeze,
): Promise<Freeze> {
  if (frozen.kind !== 'nothing-to-do' || scheduled.job.reconcile.comparisons.length === 0) return frozen
  return engine.database.use(async connection => {
    const revision = await latestRevision(connection, lease.runId)
    const load = revision === null ? null : await loadOf(connection, revision.id)
    if (revision === null || load === null || load.state === 'unpublished') return frozen
    const { quarantined, leftOut } = frozen
    return { kind: 'resume' as const, revision, load, quarantined, leftOut }
  })
}

/** Fetch, freeze, load (which pulls parse and map), reconcile; every ending reports. */
async function sixSteps(
  reporting: Reporting<JobDefinition>,
  options: RunOptions,
  steps: StepLog,
  context: StepContext,
  reached: Reached,
): Promise<RunSummary> {
  const { engine, scheduled, lease } = reporting
  const { job } = scheduled
  const { businessDate } = lease.key

  await takeTarget(engine, job, lease, context)
  const fetched = await steps.run('fetch', async () => {
    if (lease.trigger === 'rerun') {
      await engine.database.use(c => reopenQuarantined(c, job.fetch.feed, businessDate))
    }
    return options.fromArchive === true ? null : fetchFeed(engine, job.fetch, businessDate, job.name, context)
  })
  const found = await engine.database.use(connection =>
    freeze(connection, lease, freezeRules(job, options.force ?? false)),
  )
  const frozen = lease.trigger === 'rerun' ? await comparedAfresh(reporting, found) : found
  if (frozen.kind === 'no-files') return endWithoutFiles(reporting, options, steps, fetched, frozen)
  if (frozen.kind === 'blocked') throw setIncomplete(lease.key, frozen)
  if (frozen.kind === 'nothing-to-do') return endWithNothingNew(reporting, steps, fetched, frozen, context)

  const { revision } = frozen
  reached.revision = revision
  reached.files = revision.results
  reached.warnings = deliveryWarnings(fetched, frozen)
  const loaded = await steps.run('load', () =>
    frozen.kind === 'resume'
      ? loadedBefore(engine, frozen.load)
      : loadRevision(
          {
            engine,
            scheduled,
            businessDate,
            lease,
            revision,
            contentPath: row => contentPathOf(engine, row),
            dryRun: false,
            createTarget: options.createTarget ?? false,
          },
          steps,
          context,
        ),
  )
  reached.loaded = loaded
  const remote = await finishRemoteFiles(engine, job.fetch, lease, context)
  failpoint('run.after-remote')

  const number = await engine.database.use(connection => nextComparisonNumber(connection, lease.runId))
  const reconciled = await steps.run('reconcile', () =>
    reconcileRun({ engine, scheduled, businessDate, lease, number, snapshots: loaded.snapshots }, context),
  )
  const facts = {
    ...nothingYet,
    state: 'done' as const,
    revision,
    comparisonNumber: number,
    files: revision.results,
    load: loaded.result,
    published: true,
    warnings: [...reached.warnings, ...loaded.warnings, ...remote],
    failedUnits: loaded.failedUnits,
    reconciled,
  }
  return endDone(reporting, steps, facts)
}
