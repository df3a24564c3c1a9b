/**
 * `tallyman reconcile`: compares again what is stored for a date; nothing is fetched or loaded.
 */
import { reconcileAgain } from '../../lib/run/reconcile-again.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { businessDateFor, jobNamed } from './options.ts'
import { summaryText } from './summary-text.ts'

/** Exit 0 clean, 4 breaks, 5 inconclusive. */
export async function reconcile(
  session: Session,
  options: Record<string, unknown>,
  name: string,
): Promise<number> {
  const engine = await session.engine()
  const scheduled = jobNamed(engine.timetable, name)
  const date = businessDateFor(scheduled, options.date as string | undefined, engine.clock, session.terminal)
  const summary = await reconcileAgain(engine, scheduled, date, { stored: true })
  session.progress.clear()
  session.terminal.note(summaryText(summary, session.terminal).trimEnd())
  if (session.terminal.json) session.terminal.out(jsonDocument({ runs: [summary] }))
  const outcome = summary.reconcile?.outcome
  return outcome === 'BREAKS' ? EXIT.breaks : outcome === 'INCONCLUSIVE' ? EXIT.inconclusive : EXIT.done
}
