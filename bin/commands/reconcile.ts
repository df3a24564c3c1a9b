/**
 * `tallyman reconcile`: compares again what is stored for a date; nothing is fetched or loaded.
 */
import { systemClock } from '../../lib/model/time/clock.ts'
import { EXIT, exitCodeOfComparisons } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { businessDateFor, jobNamed } from './options.ts'
import { runData } from './run-data.ts'
import { summaryText } from './summary-text.ts'

/** Exit 0 clean or all acknowledged, 4 breaks, 5 inconclusive. */
export async function reconcile(
  session: Session,
  options: Record<string, unknown>,
  name: string,
): Promise<number> {
  const { timetable } = await session.configuration()
  const scheduled = jobNamed(timetable, name)
  const date = businessDateFor(scheduled, options.date as string | undefined, systemClock, session.terminal)
  const engine = await session.engine()
  const { reconcileAgain } = await import('../../lib/run/reconcile-again.ts')
  const summary = await reconcileAgain(engine, scheduled, date, { stored: true })
  session.progress.clear()
  session.terminal.note(summaryText(summary, session.terminal).trimEnd())
  if (session.terminal.json)
    session.terminal.out(jsonDocument({ runs: [runData(summary)] }, summary.warnings))
  return exitCodeOfComparisons(summary.reconcile) ?? EXIT.done
}
