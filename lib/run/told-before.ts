/**
 * Whether a failure was mailed before: a date that is looked at every quarter of an hour tells each
 * cause once. Pure.
 */
import { TallymanError } from '../model/errors.ts'

/** A failure as an attempt keeps it. */
export interface ToldFailure {
  readonly code: string | null
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Failures of a date before this look. */
export interface ToldFailures {
  /** Of its latest attempt; null when that ended well, or there is none. */
  readonly last: ToldFailure | null
  /** Of all its attempts, in any order. */
  readonly all: readonly ToldFailure[]
}

/**
 * Whether the cause of `error` was told. Of refused files each one is a cause of its own, told when it
 * was refused: a second bad delivery is told although it fails with the same code. Anything else is told
 * again once something different happened in between.
 */
export function isTold({ last, all }: ToldFailures, error: unknown): boolean {
  if (!(error instanceof TallymanError)) return false
  if (error.code === 'FETCH_FILE_QUARANTINED') {
    const before = all.flatMap(({ message, details }) => [message, ...listOf(details.files)])
    return listOf(error.details.files).every(file => before.some(text => isSaidIn(file, text)))
  }
  if (last === null || last.code !== error.code) return false
  return error.step !== 'parse' || last.message === error.message
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** A quarantined file's reason is the message that refused it, with its code. */
function isSaidIn(reason: string, text: string): boolean {
  return text.includes(reason.replace(/ \[[A-Z_]+\]$/, ''))
}
