/**
 * Lists a remote folder through the package, and watches the listing come in: the package gives it only
 * as a whole, without the kinds of entries, however long or endless it is.
 */
import type { FileEntry, SFTPWrapper } from 'ssh2'
import { FetchError } from '../model/errors.ts'
import { isUsableName, type Listing, type SourceEntry } from '../model/source.ts'
import type { Session } from './session.ts'

/** More entries than this in one folder are not listed: 100 MB of names, and no partner's outbox. */
const MAX_ENTRIES = 200_000

/** What SFTP tells about an entry; version 3 may leave out anything. */
type Told = Partial<Pick<FileEntry['attrs'], 'mode' | 'size' | 'mtime'>>

/**
 * The entries of a folder.
 * @throws FETCH_FOLDER_MISSING, FETCH_PERMISSION_DENIED, FETCH_TOO_MANY_ENTRIES; FETCH_STALLED when a part of it is awaited too long
 */
export async function listFolder(session: Session, source: string, folder: string): Promise<Listing> {
  const told: Told[] = []
  const onPart = (part: readonly FileEntry[]) => {
    session.touch()
    for (const { attrs } of part) told.push(attrs)
    return told.length <= MAX_ENTRIES
  }
  const listed = await session
    .call(folder, 'folder', (client, sftp) => watched(sftp, onPart, () => client.list(folder)))
    .catch(error => {
      throw told.length > MAX_ENTRIES ? tooMany(source, folder) : error
    })
  const entries: SourceEntry[] = []
  const unusable: string[] = []
  for (const [position, { name, type }] of listed.entries()) {
    if (isUsableName(name)) entries.push(entryOf(name, told[position]!, type))
    else unusable.push(name)
  }
  return { entries, unusable }
}

/**
 * Runs a listing and shows each part of it to `onPart`, which ends it by false. For a folder's path
 * ssh2 asks itself for one part after the other through this same method.
 */
async function watched<T>(
  sftp: SFTPWrapper,
  onPart: (part: readonly FileEntry[]) => boolean,
  list: () => Promise<T>,
): Promise<T> {
  const readdir = sftp.readdir.bind(sftp) as (where: unknown, options: unknown, done?: unknown) => void
  type Done = (error: Error | undefined, part: FileEntry[]) => void
  sftp.readdir = (where: string | Buffer, options: unknown, done?: unknown) => {
    if (typeof where === 'string') return readdir(where, options, done)
    readdir(where, options, (error: Error | undefined, part: FileEntry[]) => {
      const enough = error === undefined && !onPart(part)
      ;(done as Done)(enough ? new Error('more entries than are taken') : error, part)
    })
  }
  try {
    return await list()
  } finally {
    Reflect.deleteProperty(sftp, 'readdir')
  }
}

/** An entry as told. `letter` is the first of the long name, for servers that tell no mode. */
export function entryOf(name: string, told: Told, letter = '-'): SourceEntry {
  const { mode, size, mtime } = told
  return {
    name,
    kind: mode === undefined ? kindByLetter(letter) : kindByMode(mode),
    size: size ?? null,
    mtimeMs: mtime === undefined ? null : mtime * 1000,
  }
}

function kindByMode(mode: number): SourceEntry['kind'] {
  // S_IFMT of POSIX; a mode without type bits comes from servers that only tell permissions.
  switch (mode & 0o170000) {
    case 0o100000:
    case 0:
      return 'file'
    case 0o040000:
      return 'folder'
    case 0o120000:
      return 'link'
    default:
      return 'other'
  }
}

function kindByLetter(letter: string): SourceEntry['kind'] {
  if (letter === 'd') return 'folder'
  return letter === 'l' ? 'link' : 'file'
}

function tooMany(source: string, folder: string): FetchError {
  return new FetchError(
    'FETCH_TOO_MANY_ENTRIES',
    `The folder ${JSON.stringify(folder)} on ${source} has more than ${MAX_ENTRIES} entries. Nothing was fetched; have the partner clear it, or move fetched files away after the load.`,
    { details: { source, folder } },
  )
}
