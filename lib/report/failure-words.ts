/**
 * The words of a failure mail beside the error's own text: what Tallyman does by itself, and what the
 * reader is to do. Both follow from the same facts of the error, so that they can't contradict each
 * other. Pure; headlines are in outcome.ts, the commands in commands.ts.
 */
import { awaitsFile, curesItself, LOOK_AGAIN_MS } from '../model/cures-itself.ts'
import type { TallymanError } from '../model/errors.ts'
import { instant } from './figures.ts'
import type { NightReportInput } from './night-report.ts'

/** A failure as the words need it. */
export interface Failure {
  readonly error: Pick<TallymanError, 'code' | 'step' | 'retry'>
  readonly nextAttemptAt: string | null
  /** Whether the load took effect before. */
  readonly published: boolean
}

const LOOKS = `every ${LOOK_AGAIN_MS / 60_000} minutes`

/** How a corrected file of a date that failed comes in. */
const CORRECTED =
  "A corrected file is taken at the scheduler's next look or at the next night's run; at once with the first command at the end."

const AGAIN = 'then run this date again with the first command at the end.'

/** What is to be done, where a code says more than its step does. Each agrees with the code's row in docs/errors.md. */
const BY_CODE: Readonly<Record<string, string>> = {
  FETCH_FILE_MISSING: `Ask the sender where the file is. It is taken at the scheduler's next look after it came or at the next night's run; at once with the first command at the end.`,
  FETCH_FILE_HELD: `Nothing at first: the file is still being written, or what announces it has not come. If it stays so, ask the sender to finish it.`,
  FETCH_FILE_QUARANTINED: `Ask the sender for a file that can be used. ${CORRECTED}`,
  FETCH_HOST_KEY_CHANGED:
    'Do not run it again before the partner has confirmed the new key by telephone: somebody else may be answering in their place.',
  MAP_REJECT_LIMIT: `Look at the refused records below. One reason for nearly all of them means that the format has changed, many reasons mean bad data: have the mapping corrected or ask the sender for a corrected file, ${AGAIN}`,
  LOAD_REJECT_LIMIT: `Look at the refused records below. One reason for nearly all of them means that the format has changed, many reasons mean bad data: have the mapping corrected or ask the sender for a corrected file, ${AGAIN}`,
  MAP_UNIT_FAILS_FILE: `Ask the sender for a file that adds up. ${CORRECTED}`,
  LOAD_TARGET_MISMATCH: `Have the table and its definition brought together as said below, ${AGAIN}`,
  LOAD_DELETE_GUARD: `Find out whether the file is whole. If it is cut, ask the sender for a whole one; if so much is really gone, have the job's limit for deletions raised, ${AGAIN}`,
  LOAD_EMPTY_SET: `Ask the sender whether there is really nothing. ${CORRECTED}`,
  LOAD_OUTSIDE_SCOPE: `Ask the sender which date the file is about. ${CORRECTED}`,
}

/** What Tallyman does about a failure by itself. */
export function nextOf({ error, nextAttemptAt, published }: Failure): string {
  if (nextAttemptAt !== null) return `It is tried again by itself at ${instant(nextAttemptAt)}.`
  const once = 'A cause that stays the same is mailed once.'
  if (published) {
    return `The load stands. The scheduler compares and reports again ${LOOKS}. ${once}`
  }
  if (awaitsFile(error)) {
    return `The scheduler looks again ${LOOKS} and takes what has come. ${once}`
  }
  if (error.retry === 'verify-first') {
    return `It may already have taken effect: the next try looks first and never does it twice. The scheduler tries again ${LOOKS}. ${once}`
  }
  if (curesItself(error)) return `The scheduler tries again ${LOOKS}. ${once}`
  return 'It is not tried again by itself: somebody has to act.'
}

/** What the reader of a failure mail is to do. */
export function failureAction(failure: Failure): string {
  const { error, nextAttemptAt, published } = failure
  if (nextAttemptAt !== null) return `Nothing yet: it is tried again at ${instant(nextAttemptAt)}.`
  const special = BY_CODE[error.code]
  if (special !== undefined) return special
  if (error.step === 'bug') {
    return 'Report it with this mail to whoever looks after Tallyman: the mistake is in the program, not in the data.'
  }
  if (error.step === 'parse') {
    return `Ask the sender for a whole and correct file; if their format has changed on purpose, have the job follow it. ${CORRECTED}`
  }
  if (published || curesItself(error)) {
    return 'Nothing at first: it is tried again by itself. If it lasts, have somebody look at the cause below; the code leads to who can.'
  }
  return `Have the cause below put right by whom the page of its code names, ${AGAIN}`
}

/** Whether a file of the sender is what the failure waits for: then the first command takes it. */
export function waitsForFile({ failure }: Pick<NightReportInput, 'failure'>): boolean {
  if (failure === null) return false
  const { code } = failure.error
  const corrected = ['MAP_UNIT_FAILS_FILE', 'LOAD_EMPTY_SET', 'LOAD_OUTSIDE_SCOPE']
  return awaitsFile(failure.error) || corrected.includes(code)
}
