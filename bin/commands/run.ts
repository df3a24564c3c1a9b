/**
 * `tallyman run` and `tallyman rerun`: one or more jobs for a business date, told line by line on
 * stderr and as one document with --json. The run itself is lib/run/run-job.ts.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { ScheduledJob } from '../../lib/model/job.ts'
import type { Trigger } from '../../lib/model/run.ts'
import { dryRun } from '../../lib/run/dry-run.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { rerunJob } from '../../lib/run/rerun.ts'
import { runJob } from '../../lib/run/run-job.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import { EXIT, exitCodeOf, worstExit } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument, jsonFailure, noteError } from '../terminal.ts'
import { businessDateFor, jobNamed, windowEnd } from './options.ts'
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
  const engine = await session.engine()
  const jobs = await selectJobs(engine, names, flags.select)
  return runAll(session, engine, jobs, flags, async (scheduled, businessDate) =>
    flags.dryRun === true
      ? dryRun(engine, scheduled, businessDate, {})
      : runJob(engine, scheduled, businessDate, {
          trigger: 'manual' as Trigger,
          createTarget: flags.createTarget ?? false,
          waitUntil: windowEnd(scheduled, businessDate),
        }),
  )
}

/** A new attempt of a date that was run before, or an old date for the first time. */
export async function rerun(
  session: Session,
  options: Record<string, unknown>,
  name: string,
): Promise<number> {
  const flags = options as RunFlags
  if (flags.date === undefined) {
    throw new ConfigError(
      'CONFIG_USAGE',
      'rerun needs --date: which business date is to be run again? Nothing was started.',
    )
  }
  const engine = await session.engine()
  const job = jobNamed(engine.timetable, name)
  return runAll(session, engine, [job], flags, (scheduled, businessDate) =>
    rerunJob(engine, scheduled, businessDate, {
      from: flags.from ?? 'fetch',
      fromArchive: flags.fromArchive ?? false,
      force: flags.force ?? false,
      dryRun: flags.dryRun ?? false,
      say: line => session.terminal.note(line),
    }),
  )
}

async function runAll(
  session: Session,
  engine: Engine,
  jobs: readonly ScheduledJob[],
  flags: RunFlags,
  work: (scheduled: ScheduledJob, businessDate: string) => Promise<RunSummary>,
): Promise<number> {
  if (flags.failOn !== undefined && flags.failOn !== 'rejects') {
    throw new ConfigError(
      'CONFIG_USAGE',
      `--fail-on knows only "rejects", not ${JSON.stringify(flags.failOn)}. Nothing was started.`,
    )
  }
  const { terminal, progress } = session
  const summaries: RunSummary[] = []
  const codes: number[] = []
  let failure: unknown = null
  for (const scheduled of jobs) {
    const businessDate = businessDateFor(scheduled, flags.date, engine.clock, terminal)
    try {
      const summary = await work(scheduled, businessDate)
      progress.clear()
      summaries.push(summary)
      codes.push(exitOf(summary, flags.failOn === 'rejects'))
      terminal.note(summaryText(summary, terminal).trimEnd())
    } catch (error) {
      progress.clear()
      codes.push(exitCodeOf(error))
      failure ??= error
      noteError(terminal, error, `npm run -s tallyman -- runs --job ${scheduled.job.name}`)
      if (session.signal.aborted) break
    }
  }
  if (terminal.json)
    terminal.out(
      failure === null ? jsonDocument({ runs: summaries }) : jsonFailure(failure, { runs: summaries }),
    )
  return worstExit(codes)
}

function exitOf(summary: RunSummary, failOnRejects: boolean): number {
  if (summary.reconcile?.outcome === 'INCONCLUSIVE') return EXIT.inconclusive
  if (summary.reconcile?.outcome === 'BREAKS') return EXIT.breaks
  return failOnRejects && summary.counts.rejected > 0 ? EXIT.rejects : EXIT.done
}
