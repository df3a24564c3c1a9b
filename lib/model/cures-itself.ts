/**
 * Which failures of a run another look may cure without a person. The scheduler looks again because
 * of it (lib/schedule/scheduler.ts), the mail says so (lib/report/failure-words.ts).
 */
import type { Retry } from './errors.ts'

/** A failed date is looked at again for a late or corrected file, or a partner that is back, this often. */
export const LOOK_AGAIN_MS = 15 * 60_000

/** What must be known of a failure; the run ledger keeps as much of it. */
export interface FailureFacts {
  readonly code: string | null
  readonly step: string | null
  /** Attempts of earlier versions did not say. */
  readonly retry?: Retry | undefined
}

/** Nothing usable came yet: what is there may be followed by something better. */
const AWAIT_A_FILE: readonly string[] = ['FETCH_FILE_MISSING', 'FETCH_FILE_HELD', 'FETCH_FILE_QUARANTINED']

/** Whether a file that comes, or comes again, is what ends the failure. */
export function awaitsFile({ code, step }: FailureFacts): boolean {
  return step === 'parse' || (code !== null && AWAIT_A_FILE.includes(code))
}

/** Whether another look may end the failure: nothing usable came yet, or somebody was away. */
export function curesItself(failure: FailureFacts): boolean {
  if (failure.code === null) return false
  return awaitsFile(failure) || (failure.retry ?? 'never') !== 'never'
}
