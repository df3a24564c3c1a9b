/**
 * How an attempt of a run ends: done, nothing to do, waiting for its file, failed. Each writes the
 * ending down before it gives the run free; run-job.ts decides which one it is.
 */
import { breaksOf, latestComparison, unfinishedComparison } from '../ledger/comparison.ts'
import type { Freeze, Refusals } from '../ledger/freeze.ts'
import { loadOf } from '../ledger/load.ts'
import { latestMail } from '../ledger/outbox.ts'
import { replacedFiles } from '../ledger/replaced.ts'
import { latestRevision, type Revision } from '../ledger/revision.ts'
import type { Comparison } from '../model/break.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import type { JobDefinition } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { FetchedFeed } from '../model/received-file.ts'
import type { Trigger } from '../model/run.ts'
import { recordedChanges } from './break-night.ts'

import { finishRemoteFiles } from './fetch-step.ts'
import type { Loaded } from './load-step.ts'
import type { NightFacts, Reporting } from './night-facts.ts'
import { noFiles, onlyRefused, refusedFiles } from './no-files.ts'
import { purgeAfterRun } from './purge.ts'
import { publishNight, sendMails } from './report-step.ts'
import type { StepLog } from './steps.ts'
import { type RunSummary, summaryOf } from './summary.ts'
import { isTold, type ToldFailures } from './told-before.ts'

/** How a run is made. */
export interface RunOptions {
  readonly trigger: Trigger
  /** A new revision even when the files are the same. */
  readonly force?: boolean
  /** Do not list the remote folder: the archived files are the truth. */
  readonly fromArchive?: boolean
  /** Create missing target tables first. */
  readonly createTarget?: boolean
  /** Failures that were mailed before: the same cause again is not. Default none. */
  readonly told?: ToldFailures
  /** Until when (epoch milliseconds) a missing file means waiting. Default: not at all. */
  readonly waitUntil?: number | null
  /** Attempts that the run had when it was found owed: with more it is left alone. Default: it is run. */
  readonly attemptsBefore?: number
}

/** What an attempt knows so far; a failure tells what was reached. */
export interface Reached {
  revision: Revision | null
  files: NightFacts['files']
  loaded: Loaded | null
  /** What of its deliveries is worth telling. */
  warnings: readonly string[]
}

/** An attempt's facts before anything happened. */
export const nothingYet: Omit<NightFacts, 'state' | 'steps'> = {
  revision: null,
  comparisonNumber: null,
  files: [],
  load: null,
  published: false,
  warnings: [],
  failedUnits: [],
  reconciled: [],
  failure: null,
}

/** What of the date's deliveries is worth a line in summary and mail: none is passed over in silence. */
export function deliveryWarnings(fetched: FetchedFeed | null, frozen: Refusals): string[] {
  return [
    ...(fetched?.skipped.map(entry => entry.message) ?? []),
    ...(fetched?.held.map(file => file.message) ?? []),
    ...refusedFiles(frozen).map(sentence => `Not loaded: ${sentence}`),
  ]
}

/** Reconciled: writes the night down and mails it. The attempt ends after its mail, so that one that dies while sending is finished by the next. */
export async function endDone(
  reporting: Reporting,
  steps: StepLog,
  facts: Omit<NightFacts, 'steps'>,
): Promise<RunSummary> {
  const { engine, lease } = reporting
  const written = await steps.run('report', () =>
    publishNight(reporting, { ...facts, steps: steps.results() }, 'succeeded'),
  )
  const report = await sendMails(engine, lease.runId, written.messageId)
  await purgeAfterRun(engine, lease)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  return summaryOf(lease, { ...facts, steps: steps.results() }, { state: 'succeeded', ...written, report })
}

/**
 * Nothing new came. The same files as applied are said to be so, once; remote ones that still wait to be
 * put away are. After an attempt that died when its report was committed, its report is this one's.
 * @throws FETCH_FILE_QUARANTINED when a delivery of the date is kept out: what is loaded is not what was sent
 */
export async function endWithNothingNew(
  reporting: Reporting<JobDefinition>,
  steps: StepLog,
  fetched: FetchedFeed | null,
  frozen: Extract<Freeze, { kind: 'nothing-to-do' }>,
  context: StepContext,
): Promise<RunSummary> {
  const { engine, scheduled, lease } = reporting
  const remote = await finishRemoteFiles(engine, scheduled.job.fetch, lease, context)
  const warnings = [...deliveryWarnings(fetched, frozen), ...remote]
  const reported = await engine.database.use(connection =>
    unfinishedComparison(connection, lease.runId, lease.attempt),
  )
  if (reported !== null) return endReported(reporting, steps, reported, warnings)
  const refused = refusedFiles(frozen)
  if (refused.length > 0) throw onlyRefused(lease.key, refused)
  const facts = { ...nothingYet, state: 'nothing-to-do' as const, files: frozen.files, warnings }
  // An attempt that only looks after another one has nothing to tell.
  const mailed = lease.trigger !== 'recovery'
  const written = mailed
    ? await steps.run('report', () =>
        publishNight(reporting, { ...facts, steps: steps.results() }, 'succeeded'),
      )
    : { messageId: null }
  const report = await sendMails(engine, lease.runId, written.messageId)
  await lease.release({ attempt: 'nothing-to-do', run: 'succeeded' })
  return summaryOf(
    lease,
    { ...facts, steps: steps.results() },
    { state: 'nothing-to-do', reconciled: [], changes: null, report, replaces: [] },
  )
}

/** All was written down by the attempt before, which died: its mail is sent, its result is told. */
export async function endReported(
  { engine, lease }: Reporting,
  steps: StepLog,
  number: number,
  warnings: readonly string[],
): Promise<RunSummary> {
  const stored = await engine.database.use(async connection => {
    const revision = await latestRevision(connection, lease.runId)
    const reconciled: { comparison: Comparison }[] = []
    for (const result of (await latestComparison(connection, lease.runId)).results) {
      const breaks = await breaksOf(connection, lease.runId, result.reconciliation, number)
      reconciled.push({ comparison: { ...result, breaks } })
    }
    return {
      ...{ revision, reconciled },
      changes: await recordedChanges(connection, lease.key.businessDate, reconciled),
      load: revision === null ? null : await loadOf(connection, revision.id),
      replaces: revision === null ? [] : await replacedFiles(connection, revision.id),
      mail: await latestMail(connection, lease.runId),
    }
  })
  const { revision, reconciled, changes, replaces } = stored
  const report = await sendMails(engine, lease.runId, stored.mail?.messageId ?? null)
  await purgeAfterRun(engine, lease)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  const load = stored.load?.result ?? null
  const files = revision?.results ?? []
  return summaryOf(
    lease,
    {
      revision,
      files,
      load,
      steps: steps.results(),
      warnings: [...(load?.told?.warnings ?? []), ...warnings],
    },
    { state: 'succeeded', reconciled, changes, report, replaces },
  )
}

/** Nothing to load: waiting while the window is open. @throws FETCH_FILE_MISSING, FETCH_FILE_HELD, FETCH_FILE_QUARANTINED after it */
export async function endWithoutFiles(
  reporting: Reporting,
  options: RunOptions,
  steps: StepLog,
  fetched: FetchedFeed | null,
  frozen: Extract<Freeze, { kind: 'no-files' }>,
): Promise<RunSummary> {
  const { engine, scheduled, lease } = reporting
  const missing = noFiles(scheduled, lease.key, fetched, frozen)
  const open = (options.waitUntil ?? null) !== null && engine.clock.now() < options.waitUntil!
  if (!open || missing.code === 'FETCH_FILE_QUARANTINED') throw missing
  await lease.release({ attempt: 'waiting', run: 'waiting' })
  engine.log.info('run.waiting', { job: lease.key.job, businessDate: lease.key.businessDate })
  const warnings = deliveryWarnings(fetched, frozen)
  const facts = { ...nothingYet, state: 'nothing-to-do' as const, steps: steps.results(), warnings }
  return summaryOf(lease, facts, {
    state: 'waiting',
    reconciled: [],
    changes: null,
    report: null,
    replaces: [],
  })
}

/** Writes a failure down, mails it when it is final, and gives the run free. What fails here is logged: the first error is what counts. */
export async function endFailed(
  reporting: Reporting,
  options: RunOptions,
  steps: StepLog,
  reached: Reached,
  error: unknown,
  again: boolean,
): Promise<void> {
  const { engine, lease } = reporting
  const stopped =
    error instanceof TallymanError && (error.code === 'RUN_INTERRUPTED' || error.code === 'RUN_TERMINATED')
  const told = options.told !== undefined && isTold(options.told, error)
  const silent = again || stopped || told || lease.signal.aborted
  try {
    if (!silent) {
      const facts = {
        ...nothingYet,
        state: 'failed' as const,
        revision: reached.revision,
        files: reached.files,
        steps: steps.results(),
        load: reached.loaded?.result ?? null,
        warnings: [...reached.warnings, ...(reached.loaded?.warnings ?? [])],
        published: reached.loaded !== null,
        failure: error,
      }
      await publishNight(reporting, facts, reached.loaded === null ? 'failed' : 'applied')
    }
    const run = again || stopped ? 'owed' : reached.loaded === null ? 'failed' : 'applied'
    await lease.release({ attempt: stopped ? 'interrupted' : 'failed', run, error })
    if (!silent) await sendMails(engine, lease.runId, null)
  } catch (second) {
    engine.log.error('run.ending-failed', { error: describeError(second) })
    await lease.release({ attempt: 'failed', run: 'owed', error }).catch(() => {})
  }
}
