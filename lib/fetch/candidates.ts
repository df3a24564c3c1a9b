/**
 * Which entries of a listing are files of a business date: by the feed's pattern and what the listing
 * tells. Pure; whether they are whole is judged in completeness.ts.
 */
import type { FetchSpec } from '../model/job.ts'
import type { OtherDateFile, RemoteFile, SkippedEntry } from '../model/received-file.ts'
import { type Listing, printableName, type SourceEntry } from '../model/source.ts'
import type { BusinessDate } from '../model/time/business-date.ts'
import { type NamePattern, namePattern } from '../model/time/date-tokens.ts'
import { isAsideName } from './aside-name.ts'
import { isCompanion } from './companion.ts'

/** A listing, sorted out for one date. */
export interface Candidates {
  /** To be fetched, in arrival order: by mtime, then name. */
  readonly wanted: readonly RemoteFile[]
  /** By their name of another date. */
  readonly otherDates: readonly OtherDateFile[]
  readonly skipped: readonly SkippedEntry[]
}

/** Most unusable names told one by one; the rest is counted. A hostile listing must not fill the log. */
const UNUSABLE_TOLD = 10

/** Sorts a listing out. */
export function candidatesOf(spec: FetchSpec, listing: Listing, date: BusinessDate): Candidates {
  const pattern = namePattern(spec.files)
  const wanted: RemoteFile[] = []
  const otherDates: OtherDateFile[] = []
  const skipped = unusableNames(listing.unusable)
  const seen = new Set<string>()
  for (const entry of listing.entries) {
    if (isCompanion(spec.completeWhen, entry.name) || !pattern.matchesAny(entry.name)) continue
    const refusal = seen.has(entry.name) ? listedTwice(entry) : refusalOf(spec, pattern, entry)
    seen.add(entry.name)
    if (refusal !== null) {
      skipped.push(refusal)
      continue
    }
    const file = remoteFile(spec.folder, entry)
    const named = spec.dateFrom === 'name' ? pattern.dateOf(entry.name) : null
    if (named !== null && named !== date) otherDates.push({ ...file, businessDate: named, file: null })
    else if (named !== null || typeof spec.dateFrom === 'object' || pattern.matches(entry.name, date)) {
      wanted.push(file)
    }
  }
  return { wanted: wanted.sort(byArrival), otherDates, skipped }
}

/** Sorts as the files arrived. */
export function byArrival(a: RemoteFile, b: RemoteFile): number {
  if (a.mtimeMs !== b.mtimeMs) return a.mtimeMs - b.mtimeMs
  return a.remoteName < b.remoteName ? -1 : a.remoteName > b.remoteName ? 1 : 0
}

/** Arrival as text that sorts alike, for files of different fetches. */
export function arrivalOf(file: Pick<RemoteFile, 'mtimeMs' | 'remoteName'>): string {
  return `${new Date(file.mtimeMs).toISOString()} ${file.remoteName}`
}

/** An entry as a file; a size that is not told is found out to be missing at the download. */
export function remoteFile(folder: string, entry: SourceEntry): RemoteFile {
  return { remoteFolder: folder, remoteName: entry.name, size: entry.size ?? -1, mtimeMs: entry.mtimeMs ?? 0 }
}

function refusalOf(spec: FetchSpec, pattern: NamePattern, entry: SourceEntry): SkippedEntry | null {
  const name = printableName(entry.name)
  if (entry.kind !== 'file') {
    return {
      name,
      code: 'FETCH_NOT_A_FILE',
      message: `${name} matches ${spec.files} but is a ${entry.kind === 'other' ? 'special file' : entry.kind}, not a regular file. It was left alone.`,
    }
  }
  if (isAsideName(entry.name)) {
    return {
      name,
      code: 'FETCH_SET_ASIDE',
      message: `${name} was put away by Tallyman after its load and not yet moved or deleted. It is not fetched again; the next run of its date finishes it.`,
    }
  }
  if (spec.dateFrom === 'name' && pattern.dateOf(entry.name) === null) {
    return {
      name,
      code: 'FETCH_NAME_WITHOUT_DATE',
      message: `${name} matches ${spec.files}, but its digits are no date that exists. It was not fetched; ask the partner what it is.`,
    }
  }
  return null
}

function listedTwice(entry: SourceEntry): SkippedEntry {
  const name = printableName(entry.name)
  return {
    name,
    code: 'FETCH_LISTED_TWICE',
    message: `The server listed ${name} more than once. It was considered once.`,
  }
}

function unusableNames(names: readonly string[]): SkippedEntry[] {
  const told = names.slice(0, UNUSABLE_TOLD).map(name => {
    const shown = printableName(name)
    return {
      name: shown,
      code: 'FETCH_NAME_UNUSABLE',
      message: `The server listed an entry named ${shown}, which is no name within a folder. It was not touched.`,
    }
  })
  const more = names.length - told.length
  if (more <= 0) return told
  const message = `The server listed ${more} more entries with names that are none within a folder. They were not touched.`
  return [...told, { name: `${more} more`, code: 'FETCH_NAME_UNUSABLE', message }]
}
