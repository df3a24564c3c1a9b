/**
 * An SFTP server as a source of files. Connects at the first use, again after a lost connection;
 * READ session.ts for how one connection lives and read-ahead.ts for how a file is read.
 */
import type { FileEntry, Stats } from 'ssh2'
import type { SftpEndpoint } from '../model/environment.ts'
import { FetchError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'
import type { ResolveSecret } from '../model/secret.ts'
import {
  isUsableName,
  type Listing,
  type RemotePath,
  type SourceConnection,
  type SourceEntry,
} from '../model/source.ts'
import { type Login, prepareLogin } from './login.ts'
import { readAhead } from './read-ahead.ts'
import { openSession, type Session } from './session.ts'
import { STATUS } from './ssh2.ts'

/** More entries than this in one folder are not listed: 100 MB of names, and no partner's outbox. */
const MAX_ENTRIES = 200_000

/** What an SFTP source is made of. */
export interface SftpOptions {
  /** The endpoint's name in the environment. */
  readonly name: string
  readonly endpoint: SftpEndpoint
  /** Called at each login, so that a rotated secret is found. */
  readonly readSecret: ResolveSecret
  /** Silence after which the connection is dropped. */
  readonly stallMs: number
  readonly context: Pick<StepContext, 'clock' | 'signal' | 'log'>
}

/** The source; nothing is connected yet. */
export function sftpConnection(options: SftpOptions): SourceConnection {
  const name = `${options.name} (${options.endpoint.host}:${options.endpoint.port})`
  let current: Session | null = null
  const session = async () => {
    if (current === null || !current.alive) current = await connect(name, options)
    return current
  }
  const list = async (folder: string) => listFolder(await session(), name, folder)
  return {
    name,
    list,
    stat: async (folder, file) => {
      const path = join({ folder, name: file })
      const live = await session()
      const answer = await live.request<Stats | null | 'unsupported'>(path, 'file', (sftp, done) =>
        sftp.lstat(path, (error, stats) => {
          const status = (error as { code?: unknown } | undefined)?.code
          if (status === STATUS.noSuchFile) done(null, null)
          else if (status === STATUS.unsupported) done(null, 'unsupported')
          else done(error, stats)
        }),
      )
      if (answer !== 'unsupported') return answer === null ? null : entryOf(file, answer, '')
      return (await list(folder)).entries.find(entry => entry.name === file) ?? null
    },
    read: async function* (folder, file) {
      yield* readAhead(await session(), join({ folder, name: file }))
    },
    rename: async (from, to) => {
      const live = await session()
      await live.request<void>(join(from), 'file', (sftp, done) => sftp.rename(join(from), join(to), done))
    },
    remove: async path => {
      const live = await session()
      await live.request<void>(join(path), 'file', (sftp, done) => sftp.unlink(join(path), done))
    },
    close: async () => {
      await current?.close()
      current = null
    },
  }
}

/** Connects; after a refused login the secrets are read once more, and only other ones are tried. */
async function connect(source: string, options: SftpOptions): Promise<Session> {
  const { endpoint, readSecret, context, stallMs } = options
  const login = await prepareLogin(source, endpoint, readSecret)
  try {
    return await openSession(login, { source, endpoint, stallMs, context })
  } catch (error) {
    if (!(error instanceof FetchError) || error.code !== 'FETCH_AUTH_REFUSED') throw error
    const fresh: Login = await prepareLogin(source, endpoint, readSecret)
    if (fresh.sameAs(login)) throw error
    context.log.info('fetch.secret-rotated', { source })
    return openSession(fresh, { source, endpoint, stallMs, context })
  }
}

async function listFolder(session: Session, source: string, folder: string): Promise<Listing> {
  const handle = await session.request<Buffer>(folder, 'folder', (sftp, done) => sftp.opendir(folder, done))
  const entries: SourceEntry[] = []
  const unusable: string[] = []
  for (;;) {
    const block = await session.request<FileEntry[] | null>(folder, 'folder', (sftp, done) =>
      sftp.readdir(handle, (error, found) =>
        (error as { code?: unknown } | undefined)?.code === STATUS.eof
          ? done(null, null)
          : done(error, found),
      ),
    )
    if (block === null) break
    for (const found of block) {
      if (isUsableName(found.filename)) entries.push(entryOf(found.filename, found.attrs, found.longname))
      else if (found.filename !== '.' && found.filename !== '..') unusable.push(found.filename)
    }
    if (entries.length + unusable.length > MAX_ENTRIES) throw tooMany(source, folder)
  }
  await session.request<void>(folder, 'folder', (sftp, done) => sftp.close(handle, done))
  return { entries, unusable }
}

/** What the server tells about an entry. Version 3 may leave out anything; the long name then tells the kind. */
function entryOf(name: string, stats: FileEntry['attrs'], longName: string): SourceEntry {
  const { mode, size, mtime } = stats as { mode?: number; size?: number; mtime?: number }
  return {
    name,
    kind: mode === undefined ? kindByLongName(longName) : kindByMode(mode),
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

function kindByLongName(longName: string): SourceEntry['kind'] {
  if (longName.startsWith('d')) return 'folder'
  return longName.startsWith('l') ? 'link' : 'file'
}

function join(path: RemotePath): string {
  return path.folder.endsWith('/') ? `${path.folder}${path.name}` : `${path.folder}/${path.name}`
}

function tooMany(source: string, folder: string): FetchError {
  return new FetchError(
    'FETCH_TOO_MANY_ENTRIES',
    `The folder ${JSON.stringify(folder)} on ${source} has more than ${MAX_ENTRIES} entries. Nothing was fetched; have the partner clear it, or move fetched files away after the load.`,
    { details: { source, folder } },
  )
}
