/**
 * Notices a silent peer: SSH keepalives are answered by servers whose file system hangs, so only
 * progress counts. Used around every answer that lib/sftp waits for.
 */
import type { Clock } from '../model/time/clock.ts'

/** A running watchdog. */
export interface Watchdog {
  /** Progress was seen. */
  touch(): void
  stop(): void
}

/** Calls `onSilence` once when `touch` was not called for `stallMs`. Cost: one timer, not one per touch. */
export function startWatchdog(clock: Clock, stallMs: number, onSilence: () => void): Watchdog {
  const stopped = new AbortController()
  let last = clock.monotonicMs()
  const watch = async () => {
    for (;;) {
      const left = last + stallMs - clock.monotonicMs()
      if (left <= 0) return onSilence()
      await clock.sleep(left, stopped.signal)
    }
  }
  watch().catch(error => {
    if (!stopped.signal.aborted) throw error
  })
  return {
    touch: () => {
      last = clock.monotonicMs()
    },
    stop: () => stopped.abort(),
  }
}
