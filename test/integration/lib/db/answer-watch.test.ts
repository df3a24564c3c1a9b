/**
 * Half-open connections to Postgres, made by a proxy that swallows what one session sends or gets: the
 * wait for an answer ends, whatever was waited for; and what only takes long is waited for.
 */
import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, test } from 'node:test'
import { LOOK_EVERY_MS } from '../../../../lib/db/answer-watch.ts'
import type { Connection } from '../../../../lib/db/connection.ts'
import { Database } from '../../../../lib/db/database.ts'
import { type Clock, systemClock } from '../../../../lib/model/time/clock.ts'
import { testDatabase } from '../../../support/postgres.ts'
import { type Direction, proxyBefore, type WireProxy } from '../../../support/wire-proxy.ts'

const { database: direct, url } = await testDatabase()
await direct.use(c => c.query('CREATE TABLE t (words text)'))

/** Pauses between looks that are over, of all sessions; they begin to be when a test says so. */
const looks = { count: 0, due: Promise.withResolvers<void>() }
const clock: Clock = {
  ...systemClock,
  sleep: async (ms, signal) => {
    if (ms !== LOOK_EVERY_MS) return systemClock.sleep(ms, signal)
    await looks.due.promise
    // Long enough for an answer that is on its way.
    await systemClock.sleep(50, signal)
    looks.count += 1
  },
}
afterEach(() => {
  looks.due = Promise.withResolvers()
  looks.count = 0
})

const WORDS = 'w'.repeat(1_000)

/** Pauses of all sessions: of the two that a test has, each is looked at several times. */
const LOOKS = 14

/** A session over a proxy of its own. */
async function wired(): Promise<{
  proxy: WireProxy
  database: Database
  session: Connection
  end: () => Promise<void>
}> {
  const { url: through, proxy } = await proxyBefore(url)
  const database = await Database.open(through, { clock })
  const session = await database.connect()
  const end = async (): Promise<void> => {
    await session.close()
    await database.close()
    await proxy.close()
  }
  return { proxy, database, session, end }
}

/** From now on this session's wire is dead in one direction and its fellow says nothing; other sessions are well. */
function swallow(proxy: WireProxy, direction: Direction, after = 0): void {
  proxy.fault = { kind: 'swallow', direction, after }
  void proxy.nextFired().then(() => {
    proxy.fault = null
    looks.due.resolve()
  })
}

async function untilGone(pid: number): Promise<void> {
  for (let asked = 0; asked < 1_000; asked += 1) {
    const { rowCount } = await direct.use(c => c.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid]))
    if (rowCount === 0) return
  }
  assert.fail(`session ${pid} is still there`)
}

const LOST = {
  code: 'RUN_DATABASE_LOST',
  message: /the server waits for us and we for it/,
  retry: 'verify-first',
}

for (const direction of ['to-server', 'to-client'] as const) {
  test(`D6: a statement swallowed ${direction} ends with a lost session, and the server's half is ended`, async () => {
    const { proxy, session, end } = await wired()
    swallow(proxy, direction)
    await assert.rejects(session.query('SELECT 1'), LOST)
    assert.equal(session.lost !== null, true)
    await untilGone(session.pid)
    await end()
  })
}

test('D6: a COPY swallowed in its middle ends with a lost session and stores nothing', async () => {
  const { proxy, session, end } = await wired()
  swallow(proxy, 'to-server', 500_000)
  const source = (async function* () {
    for (let row = 0; row < 5_000; row += 1) yield `${WORDS}\n`
  })()
  await assert.rejects(session.copyIn('COPY t FROM STDIN', source), LOST)
  await untilGone(session.pid)
  assert.equal((await direct.use(c => c.query('SELECT FROM t'))).rowCount, 0)
  await end()
})

test('D6: a COPY out swallowed in its middle ends with a lost session', async () => {
  await direct.use(c => c.query(`INSERT INTO t SELECT $1 FROM generate_series(1, 2000)`, [WORDS]))
  const { proxy, session, end } = await wired()
  swallow(proxy, 'to-client', 500_000)
  await assert.rejects(Array.fromAsync(session.copyOut('COPY t TO STDOUT')), LOST)
  await direct.use(c => c.query('TRUNCATE t'))
  await end()
})

test('D6: a COMMIT whose answer is swallowed is proved to have happened', async () => {
  const { proxy, session, end } = await wired()
  const done = await session.transaction(
    async () => {
      await session.query(`INSERT INTO t VALUES ('kept')`)
      const before = proxy.counts['to-client']
      await session.query('SELECT pg_current_xact_id()::text AS xid')
      // The same is asked once more before the COMMIT, and answered; then nothing comes.
      swallow(proxy, 'to-client', proxy.counts['to-client'] - before + 3)
      return 'done'
    },
    { commit: 'proved' },
  )
  assert.equal(done, 'done')
  assert.match(session.lost?.message ?? '', /the server waits for us/)
  assert.equal((await direct.use(c => c.query('SELECT FROM t'))).rowCount, 1)
  await direct.use(c => c.query('TRUNCATE t'))
  await end()
})

test('a server that answers nobody any more ends the wait', async () => {
  const { proxy, session, end } = await wired()
  swallow(proxy, 'to-server')
  const socket = path.join(proxy.folder, '.s.PGSQL.5432')
  await rename(socket, `${socket}.away`)
  await assert.rejects(session.query('SELECT 1'), {
    code: 'RUN_DATABASE_LOST',
    message: /the server answers nobody any more/,
  })
  await rename(`${socket}.away`, socket)
  await end()
})

test('a session that is gone at the server without a word ends the wait', async () => {
  const { proxy, session, end } = await wired()
  proxy.fault = { kind: 'swallow', direction: 'to-server', after: 0 }
  const swallowed = proxy.nextFired()
  const waiting = session.query('SELECT 1').then(
    () => assert.fail('it was answered'),
    (error: Error) => error.message,
  )
  await swallowed
  proxy.fault = null
  await direct.terminate(session.pid, session.backendStart)
  await untilGone(session.pid)
  looks.due.resolve()
  assert.match(await waiting, /its session is gone at the server/)
  await end()
})

test('a statement that works or waits for a lock is waited for however often it is looked at', async () => {
  const { session, end } = await wired()
  const other = await direct.connect()
  await other.query('SELECT pg_advisory_lock(7)')
  const waiting = session.query<{ n: number }>('SELECT 7 AS n, pg_advisory_lock(7)')
  looks.due.resolve()
  while (looks.count < LOOKS) await systemClock.sleep(10)
  await other.close()
  assert.equal((await waiting).rows[0]!.n, 7)
  await end()
})

test('a COPY whose source takes its time is waited for however often it is looked at', async () => {
  const { session, end } = await wired()
  const source = (async function* () {
    yield 'first\n'
    looks.due.resolve()
    while (looks.count < LOOKS) await systemClock.sleep(10)
    yield 'second\n'
  })()
  assert.equal(await session.copyIn('COPY t FROM STDIN', source), 2)
  await direct.use(c => c.query('TRUNCATE t'))
  await end()
})
