/**
 * How an attempt of a run ends: done, nothing to do, waiting for its file, failed. Each writes the
 * ending down before it gives the run free; run-job.ts decides which one it is.
 */
import type { Freeze } from '../ledger/freeze.ts'
import type { Revision } from '../ledger/revision.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import type { FetchedFeed } from '../model/received-file.ts'
import type { Trigger } from '../model/run.ts'
import type { Loaded } from './load-step.ts'
import { noFiles } from './no-files.ts'
import type { Reconciled } from './reconcile-step.ts'
import { type breakChanges, type NightFacts, publishNight, type Reporting, sendMails } from './report-step.ts'
import type { StepLog } from './steps.ts'
import { type RunSummary, summaryOf } from './summary.ts'

/** How a run is made. */
export interface RunOptions {
  readonly trigger: Trigger
  /** A new revision even when the files are the same. */
  readonly force?: boolean
  /** Do not list the remote folder: the archived files are the truth. */
  readonly fromArchive?: boolean
  /** Create missing target tables first. */
  readonly createTarget?: boolean
  /** Code of a failure that was mailed before: the same one again is not. */
  readonly toldFailure?: string | null
  /** Until when (epoch milliseconds) a missing file means waiting. Default: not at all. */
  readonly waitUntil?: number | null
}

/** What an attempt knows so far; a failure tells what was reached. */
export interface Reached {
  revision: Revision | null
  files: NightFacts['files']
  loaded: Loaded | null
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

/** What of a fetch is worth a line in the mail. */
export function fetchWarnings(fetched: FetchedFeed | null): string[] {
  if (fetched === null) return []
  return [
    ...fetched.skipped.map(entry => entry.message),
    ...fetched.held.map(file => file.message),
    ...fetched.quarantined.map(file => file.quarantine!.message),
  ]
}

/** Reconciled: writes the night down and mails it. */
export async function endDone(
  reporting: Reporting,
  steps: StepLog,
  facts: Omit<NightFacts, 'steps'>,
  reconciled: readonly Reconciled[],
  changes: Awaited<ReturnType<typeof breakChanges>>,
): Promise<RunSummary> {
  const { engine, lease } = reporting
  const written = await steps.run('report', () =>
    publishNight(reporting, { ...facts, steps: steps.results() }, 'succeeded'),
  )
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  const report = await sendMails(engine, lease.runId, written.messageId)
  return summaryOf(
    lease,
    { ...facts, steps: steps.results() },
    { state: 'succeeded', reconciled, changes, report, replaces: written.replaces },
  )
}

/** The same files as applied: said once, nothing else. */
export async function endDuplicate(
  reporting: Reporting,
  steps: StepLog,
  frozen: Extract<Freeze, { kind: 'nothing-to-do' }>,
): Promise<RunSummary> {
  const { engine, lease } = reporting
  const facts = { ...nothingYet, state: 'nothing-to-do' as const, files: frozen.files }
  // A refused or failed state of the run stays what it was; nothing happened to it.
  const written = await steps.run('report', () =>
    publishNight(reporting, { ...facts, steps: steps.results() }, 'succeeded'),
  )
  await lease.release({ attempt: 'nothing-to-do', run: 'succeeded' })
  const report = await sendMails(engine, lease.runId, written.messageId)
  return summaryOf(
    lease,
    { ...facts, steps: steps.results() },
    { state: 'nothing-to-do', reconciled: [], changes: null, report, replaces: [] },
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
  const facts = { ...nothingYet, state: 'nothing-to-do' as const, steps: steps.results() }
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
  const told = error instanceof TallymanError && error.code === options.toldFailure
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
