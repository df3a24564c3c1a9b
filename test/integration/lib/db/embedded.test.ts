/**
 * The embedded server: as root and as another user, joined, restarted, killed with its starter.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { Database } from '../../../../lib/db/database.ts'
import { startEmbedded } from '../../../../lib/db/embedded.ts'

const base = await mkdtemp(join(tmpdir(), 'tallyman-embedded-'))
await chmod(base, 0o711)
after(() => rm(base, { recursive: true, force: true }))

async function ask<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const database = await Database.open(url)
  try {
    return (await database.use(c => c.query<Row>(sql))).rows
  } finally {
    await database.close()
  }
}

test('a started server keeps UTF-8, no TCP port and its data over a restart, and a second start joins it', async () => {
  const folder = join(base, 'restarted')
  const first = await startEmbedded({ folder, durable: false })
  const second = await startEmbedded({ folder, durable: false })
  assert.deepEqual([first.started, second.started], [true, false])
  await ask(second.url, 'CREATE TABLE kept AS SELECT 1 AS n')
  await second.stop()
  const settings = await ask<{ encoding: string; listen: string }>(
    first.url,
    `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS listen`,
  )
  assert.deepEqual(settings, [{ encoding: 'UTF8', listen: '' }])
  await first.stop()
  await assert.rejects(Database.open(first.url), { code: 'RUN_DATABASE_UNREACHABLE' })
  const third = await startEmbedded({ folder, durable: true })
  assert.deepEqual(await ask(third.url, `SELECT n, current_setting('fsync') AS fsync FROM kept`), [
    { n: 1, fsync: 'on' },
  ])
  await third.stop()
})

test('two starts of an empty folder at once end in one server', async () => {
  const folder = join(base, 'contested')
  const servers = await Promise.all([1, 2, 3].map(() => startEmbedded({ folder, durable: false })))
  assert.equal(servers.filter(server => server.started).length, 1)
  await ask(servers[2]!.url, 'SELECT 1')
  for (const server of servers) await server.stop()
})

test('a data folder with a path too long for a socket is served through a short one', async () => {
  const folder = join(base, 'long-'.repeat(30))
  const server = await startEmbedded({ folder, durable: false })
  assert.deepEqual(await ask(server.url, 'SELECT 1 AS one'), [{ one: 1 }])
  await server.stop()
})

test('the server runs as a user who is not root, in a folder that only this user enters', {
  skip: process.getuid?.() !== 0,
}, async () => {
  const folder = join(base, 'as-root')
  const server = await startEmbedded({ folder, durable: false })
  const found = await stat(folder)
  assert.notEqual(found.uid, 0)
  assert.equal(found.mode & 0o777, 0o700)
  await server.stop()
})

test('a project that only root may enter has its server elsewhere', {
  skip: process.getuid?.() !== 0,
}, async () => {
  const closed = await mkdtemp(join(base, 'closed-'))
  const folder = join(closed, 'postgres')
  const server = await startEmbedded({ folder, durable: false })
  assert.deepEqual(await ask(server.url, 'SELECT 1 AS one'), [{ one: 1 }])
  await server.stop()
  const again = await startEmbedded({ folder, durable: false })
  assert.equal(again.started, true)
  await again.stop()
  const { realpath } = await import('node:fs/promises')
  await rm(await realpath(folder), { recursive: true })
})

/** Starts the server from a process of its own, which prints its URL and waits. */
const STARTER = `
  const { startEmbedded } = await import(process.argv[1])
  const server = await startEmbedded({ folder: process.argv[2], durable: false })
  process.stdout.write(server.url + '\\n')
  process.stdin.on('data', async () => { await server.stop(); process.exit(0) })`

const MODULE = join(import.meta.dirname, '../../../../lib/db/embedded.ts')

async function starter(
  folder: string,
  user: { uid?: number; gid?: number } = {},
): Promise<{
  readonly child: ReturnType<typeof spawn>
  readonly url: string
}> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', STARTER, MODULE, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...user,
  })
  const [said] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, url: said.toString().trim() }
}

test('an ordinary user starts a server too', { skip: process.getuid?.() !== 0 }, async () => {
  const nobody = 65_534
  const folder = await mkdtemp(join(base, 'ordinary-'))
  await import('node:fs/promises').then(fs => fs.chown(folder, nobody, nobody))
  const { child, url } = await starter(join(folder, 'postgres'), { uid: nobody, gid: nobody })
  assert.deepEqual(await ask(url, 'SELECT 1 AS one'), [{ one: 1 }])
  child.stdin!.write('stop\n')
  await once(child, 'exit')
})

test('the server ends with a starter that is killed, and the next start does not wait for anybody', {
  skip: process.platform !== 'linux',
}, async () => {
  const folder = join(base, 'orphaned')
  const { child, url } = await starter(folder)
  await ask(url, 'CREATE TABLE kept AS SELECT 1 AS n')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const next = await startEmbedded({ folder, durable: false })
  assert.equal(next.started, true)
  assert.deepEqual(await ask(next.url, 'SELECT n FROM kept'), [{ n: 1 }])
  await next.stop()
})
