/**
 * Finds runs whose holder died or fell silent, whoever began them and whatever date they are of, and has
 * them taken over. Who may be succeeded is decided in lib/ledger/takeover.ts; here is only when to ask.
 */
import { type Holder, holders } from '../ledger/takeover.ts'
import { describeError } from '../model/errors.ts'
import type { RunKey } from '../model/run.ts'
import type { Engine } from '../run/engine.ts'
import { runKeyText } from './owed.ts'

/**
 * Between two looks at the holders. More than a beat of theirs (2 s), so that one that lives has beaten
 * since; so little that a run is taken 10 s after a kill, and 40 s after a pause: two looks and the 30 s
 * of patience of takeover.ts.
 */
export const RECOVERY_LOOK_MS = 3_000

/** What was seen of a holder, by run. */
export type Pulses = ReadonlyMap<string, string>

/** What each holder's heart was at. */
export function pulsesOf(seen: readonly Holder[]): Pulses {
  return new Map(
    seen.map(({ job, businessDate, fence, beat }) => [runKeyText(job, businessDate), `${fence} ${beat}`]),
  )
}

/** Runs that are worth asking for: their holder's sessions are gone, or it has not beaten since the look before. */
export function forsaken(seen: readonly Holder[], before: Pulses): Holder[] {
  const now = pulsesOf(seen)
  return seen.filter(({ job, businessDate, alive }) => {
    const key = runKeyText(job, businessDate)
    return alive === 0 || before.get(key) === now.get(key)
  })
}

/**
 * Looks for such runs and hands each to `recover`, one after the other, until the engine's signal or `stop` is aborted.
 * On failure of a look: told in the log, and looked again; whether the database is gone is for the scheduler to say.
 */
export async function keepRecovering(
  engine: Engine,
  recover: (run: RunKey) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([engine.signal, stop])
  const jobs = engine.timetable.jobs.map(scheduled => scheduled.job.name)
  let before: Pulses = new Map()
  for (;;) {
    await engine.clock.sleep(RECOVERY_LOOK_MS, signal).catch(() => {})
    if (signal.aborted) return
    try {
      const seen = await engine.database.use(connection => holders(connection, jobs))
      for (const run of forsaken(seen, before)) await recover(run)
      before = pulsesOf(seen)
    } catch (error) {
      if (signal.aborted) return
      engine.log.warn('schedule.recovery-look-failed', { error: describeError(error) })
    }
  }
}
