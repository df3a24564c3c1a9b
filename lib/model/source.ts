/**
 * Where files come from, as fetch sees it: a place that lists, reads, renames and removes.
 * Implemented by lib/sftp (SFTP) and lib/fetch/local-folder.ts; fetch itself knows no protocol.
 */

/** One entry of a listing. Its name is data: it may hold anything but `/` and NUL. */
export interface SourceEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  /** Null when the place does not tell. */
  readonly size: number | null
  /** Epoch milliseconds; whole seconds over SFTP. Null when the place does not tell. */
  readonly mtimeMs: number | null
}

/** A listing: what can be addressed, and the names that can't. */
export interface Listing {
  readonly entries: readonly SourceEntry[]
  /** Names with `/` or NUL, `.`-names, names that are not UTF-8, endless ones: never touched, but said. */
  readonly unusable: readonly string[]
}

/**
 * A place that files come from. It connects at the first use and again after a lost connection, so a
 * caller retries by calling again.
 * On failure: every method throws FetchError with the code of the situation; a silent peer is
 * FETCH_STALLED after `stallMs` without an answer or a byte; an abort throws the signal's reason.
 */
export interface SourceConnection {
  /** For messages: `carrier (sftp.example.com:22)`. */
  readonly name: string
  list(folder: string): Promise<Listing>
  /** Null when there is no such entry. Links are not followed. */
  stat(folder: string, name: string): Promise<SourceEntry | null>
  /** The file's bytes from the start, in pieces. A piece may be overwritten once the next is asked for. */
  read(folder: string, name: string): AsyncIterable<Uint8Array>
  /** Moves an entry; never replaces one that exists. */
  rename(from: RemotePath, to: RemotePath): Promise<void>
  remove(path: RemotePath): Promise<void>
  /** Ends the connection; never fails. */
  close(): Promise<void>
}

/** An entry's place. */
export interface RemotePath {
  readonly folder: string
  readonly name: string
}

/** Longest name taken from a listing, in characters: file systems end at 255 bytes, an SFTP packet at 256 KiB. */
const LONGEST_NAME = 1024

/** Whether a name from a listing can be addressed at all, without ever leaving its folder. */
export function isUsableName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    name.length <= LONGEST_NAME &&
    // U+FFFD stands for bytes that are not UTF-8: the name can't be sent back as it was.
    !/[/\0\uFFFD]/.test(name)
  )
}

/** A name as it may stand in a message: quoted, control characters escaped, at most 200 characters. */
export function printableName(name: string): string {
  const shown = JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
  return shown.replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, char => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
