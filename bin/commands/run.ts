/**
 * `tallyman run` and `tallyman rerun`: one or more jobs for a business date, told line by line on
 * stderr and as one document with --json (run-data.ts). The run itself is lib/run/run-job.ts.
 */
import { ConfigError, describeError } from '../../lib/model/errors.ts'
import type { AnyJob, ScheduledJob } from '../../lib/model/job.ts'
import type { Trigger } from '../../lib/model/run.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import type { Engine } from '../../lib/run/engine.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import { EXIT, exitCodeOf, exitCodeOfComparisons, worstExit } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument, jsonFailure, noteError } from '../terminal.ts'
import { businessDateFor, jobNamed, windowEnd } from './options.ts'
import { failedRunData, type RunData, runData } from './run-data.ts'
import { selectJobs } from './select.ts'
import { summaryText } from './summary-text.ts'

interface RunFlags {
  readonly date?: string
  readonly select?: string
  readonly dryRun?: boolean
  readonly createTarget?: boolean
  readonly failOn?: string
  readonly from?: string
  readonly fromArchive?: boolean
  readonly force?: boolean
}

/** Runs jobs for a date. Exit codes: docs/commands.md. */
export async function run(
  session: Session,
  options: Record<string, unknown>,
  ...given: unknown[]
): Promise<number> {
  const flags = options as RunFlags
  const names = (given[0] as string[] | undefined) ?? []
  assertFailOn(flags)
  const { timetable } = await session.configuration()
  const jobs = await selectJobs(timetable, session.engine, names, flags.select)
  return runAll(session, datesOf(session, jobs, flags), flags, async (engine, scheduled, businessDate) => {
    if (flags.dryRun === true)
      return (await import('../../lib/run/dry-run.ts')).dryRun(engine, scheduled, businessDate, {})
    const { runJob } = await import('../../lib/run/run-job.ts')
    return runJob(engine, scheduled, businessDate, {
      trigger: 'manual' as Trigger,
      createTarget: flags.createTarget ?? false,
      waitUntil: windowEnd(scheduled, businessDate),
    })
  })
}

/** A new attempt of a date that was run before, or an old date for the first time. */
export async function rerun(
  session: Session,
  options: Record<string, unknown>,
  name: string,
): Promise<number> {
  const flags = options as RunFlags
  assertFailOn(flags)
  if (flags.date === undefined) {
    throw new ConfigError(
      'CONFIG_USAGE',
      'rerun needs --date: which business date is to be run again? Nothing was started.',
    )
  }
  const { timetable } = await session.configuration()
  const planned = datesOf(session, [jobNamed(timetable, name)], flags)
  return runAll(session, planned, flags, async (engine, scheduled, businessDate) => {
    const { rerunJob } = await import('../../lib/run/rerun.ts')
    return rerunJob(engine, scheduled, businessDate, {
      from: flags.from ?? 'fetch',
      fromArchive: flags.fromArchive ?? false,
      force: flags.force ?? false,
      dryRun: flags.dryRun ?? false,
      say: line => session.terminal.note(line),
    })
  })
}

function assertFailOn(flags: RunFlags): void {
  if (flags.failOn === undefined || flags.failOn === 'rejects') return
  throw new ConfigError(
    'CONFIG_USAGE',
    `--fail-on knows only "rejects", not ${JSON.stringify(flags.failOn)}. Nothing was started.`,
  )
}

interface Planned {
  readonly scheduled: ScheduledJob<AnyJob>
  readonly businessDate: string
}

/** Each job with its date, resolved and said before anything is opened: a database may take seconds to answer. */
function datesOf(session: Session, jobs: readonly ScheduledJob<AnyJob>[], flags: RunFlags): Planned[] {
  const { terminal } = session
  return jobs.map(scheduled => {
    const businessDate = businessDateFor(scheduled, flags.date, systemClock, terminal)
    if (businessDate === flags.date) terminal.note(`${scheduled.job.name}: business date ${businessDate}`)
    return { scheduled, businessDate }
  })
}

async function runAll(
  session: Session,
  planned: readonly Planned[],
  flags: RunFlags,
  work: (engine: Engine, scheduled: ScheduledJob<AnyJob>, businessDate: string) => Promise<RunSummary>,
): Promise<number> {
  const { terminal, progress } = session
  const engine = await session.engine()
  const runs: RunData[] = []
  const codes: number[] = []
  const failures: unknown[] = []
  const warnings: string[] = []
  for (const { scheduled, businessDate } of planned) {
    const job = scheduled.job.name
    try {
      const summary = await work(engine, scheduled, businessDate)
      progress.clear()
      runs.push(runData(summary))
      warnings.push(...summary.warnings.map(warning => `${job} ${businessDate}: ${warning}`))
      codes.push(exitOf(summary, flags.failOn === 'rejects'))
      terminal.note(summaryText(summary, terminal).trimEnd())
    } catch (error) {
      progress.clear()
      codes.push(exitCodeOf(error))
      failures.push(error)
      noteError(terminal, error, { job })
      if (terminal.json) {
        const failed = await failedRunData(engine, { job, businessDate })
        if (failed !== null) runs.push(failed)
      }
      if (session.signal.aborted) break
    }
  }
  if (terminal.json) {
    const [first, ...more] = failures
    terminal.out(
      failures.length === 0
        ? jsonDocument({ runs }, warnings)
        : jsonFailure(first, { runs }, [...more.map(describeError), ...warnings]),
    )
  }
  return worstExit(codes)
}

function exitOf(summary: RunSummary, failOnRejects: boolean): number {
  const compared = exitCodeOfComparisons(summary.reconcile)
  if (compared !== null) return compared
  return failOnRejects && summary.counts.rejected > 0 ? EXIT.rejects : EXIT.done
}
