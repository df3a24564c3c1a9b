/**
 * Tries a request to a source again while its error says that it may get better. Runs as a whole are
 * retried by lib/run; this is for the blink of a line in the middle of one fetch.
 */
import { FetchError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'

/** With pauses of 8 s on average in all: longer trouble is the run's business, which frees its lease meanwhile. */
const ATTEMPTS = 5
const BASE_MS = 500
const CAP_MS = 8_000

/**
 * The action's result. After a transient failure it is done anew from its beginning after a pause,
 * drawn evenly between 0 and a growing bound, so that jobs that failed together do not come back together.
 * On failure: the last error.
 */
export async function retrying<T>(
  context: Pick<StepContext, 'clock' | 'log' | 'signal'>,
  subject: string,
  action: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action()
    } catch (error) {
      const transient = error instanceof FetchError && error.retry === 'backoff'
      if (!transient || attempt >= ATTEMPTS) throw error
      const waitMs = Math.round(pauseMs(attempt, Math.random()))
      context.log.warn('fetch.retried', { subject, code: error.code, attempt, waitMs })
      await context.clock.sleep(waitMs, context.signal)
    }
  }
}

/** The pause after the n-th failure, `draw` in [0, 1). */
export function pauseMs(attempt: number, draw: number): number {
  return draw * Math.min(CAP_MS, BASE_MS * 2 ** attempt)
}
