/**
 * Time as a dependency: everything that waits or looks at the clock gets one of these, so tests
 * move time instead of sleeping.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** The two clocks of a machine, and waiting. */
export interface Clock {
  /** Wall clock, epoch milliseconds. It may jump. */
  now(): number
  /** Milliseconds that only ever grow; for durations and leases. */
  monotonicMs(): number
  /** Waits; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error
    }
  },
}
