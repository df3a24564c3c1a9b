/**
 * A MariaDB for a test file: Debian's mariadb-server, made anew in a folder of its own and stopped with the
 * file. Where the package is not installed a test can't have it and skips, with the line that is given here.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, statfs } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SERVER = '/usr/sbin/mariadbd'

/** False where there is a MariaDB; else why a test is skipped. */
export const noMariaDb: string | false = existsSync(SERVER)
  ? false
  : 'there is no MariaDB here: apt-get install mariadb-server'

/** Bytes that a fresh data folder takes, twice over. */
const ROOM = 250_000_000

/** Looks for an answer of a starting server; on a busy machine it takes seconds. */
const LOOKS = 600
const BETWEEN_LOOKS_MS = 50

/** A running server with one empty database. */
export interface MariaDb {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Runs statements as the administrator. */
  sql(statements: string): Promise<void>
  /** Ends the server at once, as a power cut does. */
  kill(): Promise<void>
}

/** Starts a server; call it at the top of a test file, outside of tests. */
export async function startMariaDb(): Promise<MariaDb> {
  const folder = await mkdtemp(path.join(await roomyFolder(), 'tallyman-mariadb-'))
  const owner = process.getuid?.() === 0 ? await accountOf('mysql') : null
  if (owner !== null) await chown(folder, owner.uid, owner.gid)
  const data = path.join(folder, 'data')
  const common = ['--no-defaults', `--datadir=${data}`, ...(owner === null ? [] : ['--user=mysql'])]
  const small = ['--innodb-log-file-size=4M', '--innodb-flush-method=nosync', '--skip-name-resolve']
  const login = ['--auth-root-authentication-method=normal', '--skip-test-db']
  await run('mariadb-install-db', [...common, ...small, ...login])
  const port = await freePort()
  const socket = path.join(folder, 's.sock')
  const where = [`--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1']
  const server = spawn(SERVER, [...common, ...small, ...where], { stdio: 'ignore' })
  after(async () => {
    await stopped(server, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const sql = async (statements: string): Promise<void> => {
    const client = run('mariadb', [
      '--no-defaults',
      '-uroot',
      `--socket=${socket}`,
      '--default-character-set=utf8mb4',
    ])
    client.child.stdin!.end(statements)
    await client
  }
  await answered(sql, server)
  const password = `canary-mariadb-${randomBytes(9).toString('hex')}`
  await sql(`create database legacy character set utf8mb4;
    create user reader@'127.0.0.1' identified by '${password}';
    grant select, create temporary tables on legacy.* to reader@'127.0.0.1';`)
  return {
    ...{ host: '127.0.0.1', port, user: 'reader', password, database: 'legacy' },
    sql: statements => sql(`use legacy;\n${statements}`),
    kill: () => stopped(server, 'SIGKILL'),
  }
}

/** Memory where there is enough of it: making a data folder syncs files hundreds of times. */
async function roomyFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => null)
  return memory !== null && memory.bavail * memory.bsize > ROOM ? '/dev/shm' : tmpdir()
}

async function accountOf(name: string): Promise<{ uid: number; gid: number }> {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(text => text.startsWith(`${name}:`))!
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

async function answered(sql: (text: string) => Promise<void>, server: ChildProcess): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      await sql('select 1')
      return
    } catch (error) {
      if (look === LOOKS || server.exitCode !== null) throw error
      await new Promise(resolve => setTimeout(resolve, BETWEEN_LOOKS_MS))
    }
  }
}

async function stopped(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise(resolve => server.once('exit', resolve))
  server.kill(signal)
  await ended
}
