/**
 * A rerun: a new attempt of a date, with both sides taken afresh. Says first what it will replace.
 * Where it starts decides what is done again: the files, only the load, only the comparison.
 */
import { runDetails } from '../ledger/run-list.ts'
import { type AnyJob, isMoving, type ScheduledJob } from '../model/job.ts'
import { dryRun } from './dry-run.ts'
import type { Engine } from './engine.ts'
import { reconcileAgain } from './reconcile-again.ts'
import { runJob } from './run-job.ts'
import type { RunSummary } from './summary.ts'

/** How a rerun is made. */
export interface RerunOptions {
  /** `fetch`: list the source again. `parse`, `load`: from the archive. `reconcile`: compare afresh. `failed`: where the last attempt failed. */
  readonly from: string
  readonly fromArchive: boolean
  readonly force: boolean
  readonly dryRun: boolean
  readonly say: (line: string) => void
}

/** Runs a date again. @throws as runJob. */
export async function rerunJob(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  businessDate: string,
  options: RerunOptions,
): Promise<RunSummary> {
  const key = { job: scheduled.job.name, businessDate }
  const before = await engine.database.use(connection => runDetails(connection, key))
  if (before === null) options.say(`${key.job} ${businessDate}: was never run; this is its first attempt`)
  else if (!isMoving(scheduled))
    options.say(`${key.job} ${businessDate}: ${before.run.state}; both sides are taken afresh and compared`)
  else {
    const { run, revision, load } = before
    const rows = load?.result.counts.mapped ?? 0
    const what =
      revision === null
        ? 'nothing was loaded yet'
        : `revision ${revision.number} with ${rows.toLocaleString('en-US')} mapped records`
    options.say(
      `${key.job} ${businessDate}: ${run.state}, ${what}; ${options.force ? 'the next revision replaces what it applied' : 'the same files are not loaded again, both sides are compared afresh'}`,
    )
  }
  const failedStep = before?.run.attempt?.error?.step ?? null
  if (!isMoving(scheduled) && !options.dryRun)
    return runJob(engine, scheduled, businessDate, { trigger: 'rerun', fromArchive: options.fromArchive })
  const from = options.from === 'failed' ? (failedStep ?? 'fetch') : options.from
  if (from === 'reconcile' || from === 'report')
    return reconcileAgain(engine, scheduled, businessDate, { stored: false })
  const fromArchive = options.fromArchive || from === 'parse' || from === 'map' || from === 'load'
  if (options.dryRun)
    return dryRun(engine, scheduled, businessDate, { force: options.force, fromArchive, again: true })
  return runJob(engine, scheduled, businessDate, { trigger: 'rerun', fromArchive, force: options.force })
}
