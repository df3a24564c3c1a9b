/**
 * An SFTP server as a source of files. Connects at the first use, again after a lost connection;
 * READ session.ts for how one connection lives, listing.ts for how a folder and read-ahead.ts for how
 * a file is read.
 */
import type { Stats } from 'ssh2'
import type { SftpEndpoint } from '../model/environment.ts'
import { FetchError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'
import type { ResolveSecret } from '../model/secret.ts'
import type { RemotePath, SourceConnection } from '../model/source.ts'
import { entryOf, listFolder } from './listing.ts'
import { type Login, prepareLogin } from './login.ts'
import { readAhead } from './read-ahead.ts'
import { openSession, type Session } from './session.ts'
import { STATUS } from './ssh2.ts'

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
    // Below the package, whose lstat says "no such file" to a failing server as well (status 4): a file
    // that is there would be taken for gone.
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
      if (answer !== 'unsupported') return answer === null ? null : entryOf(file, answer)
      return (await list(folder)).entries.find(entry => entry.name === file) ?? null
    },
    read: async function* (folder, file) {
      yield* readAhead(await session(), join({ folder, name: file }))
    },
    rename: async (from, to) => {
      const live = await session()
      await live.call(join(from), 'file', client => client.rename(join(from), join(to)))
    },
    remove: async path => {
      const live = await session()
      await live.call(join(path), 'file', client => client.delete(join(path)))
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

function join(path: RemotePath): string {
  return path.folder.endsWith('/') ? `${path.folder}${path.name}` : `${path.folder}/${path.name}`
}
