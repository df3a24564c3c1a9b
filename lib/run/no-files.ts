/**
 * What came for a date and can't be loaded, or why there is nothing at all: said with what was looked
 * for and what happens next. Pure.
 */
import type { Freeze, Refusals } from '../ledger/freeze.ts'
import { FetchError, RunError } from '../model/errors.ts'
import type { ScheduledJob } from '../model/job.ts'
import type { FetchedFeed } from '../model/received-file.ts'
import type { RunKey } from '../model/run.ts'
import { printableName } from '../model/source.ts'

/** Every delivery of the date that is kept out, a sentence each that names it. Files that a later delivery replaced are not among them. */
export function refusedFiles({ leftOut, quarantined }: Refusals): string[] {
  const said = (name: string, why: string): string =>
    why.includes(name) || why.includes(printableName(name)) ? why : `${printableName(name)}: ${why}`
  return [
    ...leftOut.map(row => said(row.remoteName, row.reason)),
    ...quarantined.map(file => said(file.name, file.note)),
  ]
}

/** The error of a date of which everything usable is loaded, and something came that is not. */
export function onlyRefused(key: RunKey, refused: readonly string[]): FetchError {
  return new FetchError(
    'FETCH_FILE_QUARANTINED',
    `What came for ${key.job} of ${key.businessDate} besides what is loaded can't be used: ${refused.join(' ')} What is loaded stays as it is; a corrected delivery is taken by itself.`,
    { details: { files: refused } },
  )
}

/** The error of a date for which nothing usable came. */
export function noFiles(
  scheduled: Pick<ScheduledJob, 'fileUntil' | 'zone'>,
  key: RunKey,
  fetched: FetchedFeed | null,
  frozen: Extract<Freeze, { kind: 'no-files' }>,
): FetchError {
  const refused = refusedFiles(frozen)
  if (refused.length > 0) {
    return new FetchError(
      'FETCH_FILE_QUARANTINED',
      `What came for ${key.job} of ${key.businessDate} can't be used: ${refused.join(' ')} Nothing was loaded; a corrected delivery is taken by itself.`,
      { details: { files: refused } },
    )
  }
  const held = fetched?.held ?? []
  if (held.length > 0) {
    return new FetchError(
      'FETCH_FILE_HELD',
      `The files of ${key.job} for ${key.businessDate} are not whole yet: ${held.map(file => file.message).join(' ')} Nothing was loaded; they are looked at again at the next run.`,
      { retry: 'backoff', details: { files: held.map(file => file.remoteName) } },
    )
  }
  const lookedFor = fetched?.lookedFor ?? 'the archive'
  const until =
    scheduled.fileUntil === null
      ? 'the job declares no window, so it is missing at once'
      : `it was expected by ${scheduled.fileUntil} (${scheduled.zone})`
  return new FetchError(
    'FETCH_FILE_MISSING',
    `No file came for ${key.job} of ${key.businessDate}: looked for ${lookedFor}; ${until}. Nothing was loaded; when it lands, the next run of that date takes it.`,
    { details: { lookedFor } },
  )
}

/** The error of a mirror whose set is not complete. */
export function setIncomplete(key: RunKey, frozen: Extract<Freeze, { kind: 'blocked' }>): RunError {
  const names = frozen.files.map(
    file =>
      `${printableName(file.remoteName)} (${file.state}${file.reason === '' ? '' : `: ${file.reason}`})`,
  )
  return new RunError(
    'RUN_SET_INCOMPLETE',
    `${key.job} of ${key.businessDate} mirrors the whole set of its files, and some of it can't be loaded: ${names.join('; ')}. Nothing was published, because their rows would be deleted; it goes on when they come or are waived.`,
    { details: { files: names } },
  )
}
