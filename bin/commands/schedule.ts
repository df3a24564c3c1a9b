/**
 * `tallyman schedule`: the long-running scheduler; with --once it takes what is owed now and ends.
 */
import { describeError } from '../../lib/model/errors.ts'
import { localText } from '../../lib/model/time/zone.ts'
import type { OwedRun } from '../../lib/schedule/owed.ts'
import { runOwed, runScheduler, type SchedulerEvents } from '../../lib/schedule/scheduler.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { summaryText } from './summary-text.ts'

/** Runs until it is stopped. Exit 143 or 130 then; with --once 0, or 1 when a run failed. */
export async function schedule(session: Session, options: Record<string, unknown>): Promise<number> {
  const engine = await session.engine()
  const { terminal, progress } = session
  const zone = (run: OwedRun): string => engine.timetable.jobs.find(one => one.job.name === run.job)!.zone
  const runs: object[] = []
  let failures = 0
  const events: SchedulerEvents = {
    began: run =>
      terminal.note(
        `${run.job} ${run.businessDate}: ${run.because}, planned ${localText(run.plannedAt, zone(run))}`,
      ),
    ended: (run, summary) => {
      progress.clear()
      runs.push(summary)
      if (summary.state !== 'waiting') terminal.note(summaryText(summary, terminal).trimEnd())
      else terminal.note(`${run.job} ${run.businessDate}: waiting for its file`)
    },
    failed: (run, error) => {
      progress.clear()
      failures += 1
      terminal.note(
        `${terminal.paint('bad', 'failed')} ${run.job} ${run.businessDate}: ${describeError(error)}`,
      )
    },
    held: (_run, error) => {
      progress.clear()
      terminal.note(error.message)
    },
    skipped: run =>
      terminal.note(
        `${run.job} ${run.businessDate}: missed and not caught up; tallyman run ${run.job} --date ${run.businessDate}`,
      ),
  }
  if (options.once !== true) await runScheduler(engine, events)
  const owed = await runOwed(engine, events)
  if (terminal.json)
    terminal.out(
      jsonDocument({
        runs,
        skipped: owed.skipped,
        nextAt: owed.nextAt === null ? null : new Date(owed.nextAt).toISOString(),
      }),
    )
  return failures === 0 ? EXIT.done : EXIT.failed
}
