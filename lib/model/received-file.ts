/**
 * What fetch gives to the run and the run ledger: files that were received and archived, and those
 * that were not, with the reason. Nothing that lies in a feed's folder goes without a word.
 */
import type { BusinessDate } from './time/business-date.ts'

/** A file as it lay at the source. */
export interface RemoteFile {
  readonly remoteFolder: string
  readonly remoteName: string
  readonly size: number
  /** Epoch milliseconds as the source tells them; whole seconds over SFTP. */
  readonly mtimeMs: number
}

/** What must be known of an archived file to fetch it no second time; a row of the run ledger has all of it. */
export interface KnownFile {
  readonly remoteName: string
  readonly size: number
  readonly mtimeMs: number
  readonly businessDate: BusinessDate
  /** Of the bytes as received. */
  readonly rawSha256: string
  /** Of the decoded content: the same content zipped again is the same content. */
  readonly contentSha256: string
  readonly contentBytes: number
}

/** A file that is whole, verified and archived under our own name. */
export interface ReceivedFile extends KnownFile, RemoteFile {
  readonly feed: string
  /** Path of the bytes as received within the archive, with forward slashes: what the run ledger keeps. */
  readonly archive: string
  /** Absolute path of the bytes as received. */
  readonly rawPath: string
  /** Absolute path of the decoded content, for parse; equals `rawPath` where nothing is decoded. */
  readonly contentPath: string
  /** Sorts as the files arrived (mtime, then name), over all fetches of the feed. */
  readonly arrival: string
  /** Archived by an earlier fetch and unchanged since: nothing was downloaded. */
  readonly known: boolean
  /** Why it may not be loaded, null when it may. */
  readonly quarantine: FileFinding | null
  /** Whether `businessDate` was read from its content, so that it is a file of no other date. */
  readonly statesItsDate?: boolean
}

/** A code of docs/errors.md and what it means for this file, in full sentences. */
export interface FileFinding {
  readonly code: string
  readonly message: string
}

/** A file that is there but not yet whole; the next fetch looks again. */
export interface HeldFile extends RemoteFile, FileFinding {}

/** An entry that matches the feed's pattern, or can't be named, and is not fetched. */
export interface SkippedEntry extends FileFinding {
  /** Quoted and escaped, for people. */
  readonly name: string
}

/** A file of another date than the run's: the other run's business. */
export interface OtherDateFile extends RemoteFile {
  readonly businessDate: BusinessDate
  /** Set when its date could only be read from its content, so that it was fetched and archived. */
  readonly file: ReceivedFile | null
}

/** What a fetch found for one business date. */
export interface FetchedFeed {
  /** The date's files, known ones included, in arrival order. */
  readonly received: readonly ReceivedFile[]
  /** Archived but not to be loaded. */
  readonly quarantined: readonly ReceivedFile[]
  readonly held: readonly HeldFile[]
  readonly skipped: readonly SkippedEntry[]
  readonly otherDates: readonly OtherDateFile[]
  /** Nothing of the date lies there, not even held or quarantined. */
  readonly missing: boolean
  /** What was looked for, for the message about a missing file: `SHIP_20261120_*.csv in /out`. */
  readonly lookedFor: string
}
