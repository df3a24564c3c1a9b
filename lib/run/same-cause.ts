/**
 * Whether a failure is the one that was mailed before: a date that is looked at every quarter of an
 * hour tells each cause once. Pure.
 */
import { TallymanError } from '../model/errors.ts'

/** A failure as an attempt keeps it. */
export interface ToldFailure {
  readonly code: string | null
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * Whether `error` has the cause that was told. Of refused files each one is a cause of its own: a
 * second bad delivery is told although it fails with the same code.
 */
export function sameCause(told: ToldFailure | null, error: unknown): boolean {
  if (told === null || !(error instanceof TallymanError)) return false
  if (error.code === 'FETCH_FILE_QUARANTINED') {
    const before = [told.message, ...listOf(told.details.files)]
    return listOf(error.details.files).every(file => before.some(text => isSaidIn(file, text)))
  }
  if (error.step === 'parse') return told.code === error.code && told.message === error.message
  return told.code === error.code
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** A quarantined file's reason is the message that refused it, with its code. */
function isSaidIn(reason: string, text: string): boolean {
  return text.includes(reason.replace(/ \[[A-Z_]+\]$/, ''))
}
