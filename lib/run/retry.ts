/**
 * The only place that decides whether a failed attempt is tried again: errors state facts
 * (`retry`), this turns them into a wait or an end. Pure but for the random jitter handed in.
 */
import { TallymanError } from '../model/errors.ts'

/** Attempts that one command makes of one run before it leaves the rest to the next occurrence or a person. */
const MOST_ATTEMPTS = 3

/** Full jitter: a wait between 0 and min(cap, base x 2^n), so that many jobs do not return at once. */
const BASE_MS = 1_000
const CAP_MS = 30_000

/** What to do after a failed attempt. */
export type Decision =
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'stop'; readonly because: 'final' | 'exhausted' | 'too-far' }

/**
 * Decides. `failed` counts the attempts made so far, from 1; `random` gives numbers in [0, 1).
 * A peer's own time is kept exactly, plus up to a tenth; one beyond the cap ends the command (exit 75), the run stays owed.
 */
export function decideRetry(error: unknown, failed: number, now: number, random: () => number): Decision {
  if (!(error instanceof TallymanError) || error.retry === 'never') return { kind: 'stop', because: 'final' }
  if (failed >= MOST_ATTEMPTS) return { kind: 'stop', because: 'exhausted' }
  const { retry } = error
  if (typeof retry === 'object') {
    const waitMs = 'afterMs' in retry ? retry.afterMs : Math.max(0, retry.at - now)
    if (waitMs > CAP_MS) return { kind: 'stop', because: 'too-far' }
    return { kind: 'again', afterMs: Math.ceil(waitMs * (1 + random() / 10)) }
  }
  // `verify-first` needs no other path: the next attempt's load begins with the gate, which is that look.
  return { kind: 'again', afterMs: Math.floor(random() * Math.min(CAP_MS, BASE_MS * 2 ** failed)) }
}
