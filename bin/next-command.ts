/**
 * What a person should type after an error: one command that shows more or mends it. Pure; what the
 * error itself says is lib/model/errors.ts, and who acts on which code is docs/errors.md.
 */
import { TallymanError } from '../lib/model/errors.ts'

/** How the program is called from where it lies: by npm in a checkout, by npx where it is installed. */
export const PROGRAM: string = import.meta.dirname.includes('node_modules')
  ? 'npx tallyman'
  : 'npm run -s tallyman --'

/** Codes whose cure is found by asking everything outside. */
const ASK_OUTSIDE = [
  'FETCH_UNREACHABLE',
  'FETCH_HOST_KEY_CHANGED',
  'FETCH_HANDSHAKE_FAILED',
  'FETCH_AUTH_REFUSED',
  'FETCH_PERMISSION_DENIED',
  'FETCH_FOLDER_MISSING',
  'RUN_DATABASE_UNREACHABLE',
  'LOAD_TARGET_MISMATCH',
]

/** Codes about a command line or a date: its own help says what is right. */
const WRONG_CALL = [
  'CONFIG_USAGE',
  'CONFIG_JOB_UNKNOWN',
  'CONFIG_DATE_INVALID',
  'CONFIG_TIME_INVALID',
  'CONFIG_CRON_INVALID',
  'CONFIG_CALENDAR_UNKNOWN',
  'CONFIG_DEMO_DATA',
  'CONFIG_DATA_FOLDER',
  'CONFIG_SECRET_MISSING',
  'CONFIG_SECRET_TOO_SHORT',
]

/** The command, or null where the error's own text says all there is to do. */
export function nextCommand(error: unknown, about: { readonly job?: string }): string | null {
  if (!(error instanceof TallymanError)) return null
  const { code, step } = error
  const job = about.job === undefined ? '' : ` --job ${about.job}`
  if (code === 'RUN_INTERRUPTED' || code === 'RUN_TERMINATED') return null
  if (ASK_OUTSIDE.includes(code)) return `${PROGRAM} doctor`
  if (['FETCH_FILE_MISSING', 'FETCH_FILE_HELD', 'FETCH_FILE_QUARANTINED'].includes(code))
    return `${PROGRAM} files${job}`
  if (code === 'MAP_REJECT_LIMIT' || code === 'MAP_UNIT_FAILS_FILE') return `${PROGRAM} rejects list${job}`
  if (WRONG_CALL.includes(code)) return null
  if (step === 'config') return `${PROGRAM} check`
  if (about.job !== undefined && step !== 'bug') return `${PROGRAM} runs${job}`
  return null
}
