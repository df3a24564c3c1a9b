/**
 * A11 and D6 through all six steps: the answer to a COMMIT is lost at the wire, after the server decided,
 * while it is still undecided, and before it ever got it; or the wire of the load goes dead without a
 * word. The run ends right, and the independent checker finds nothing lost and nothing doubled.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LOOK_EVERY_MS } from '../../lib/db/answer-watch.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { openNight } from '../support/night.ts'
import { orders, someLines } from '../support/night-deliveries.ts'
import { watchNight } from '../support/run-check.ts'
import { wireNight } from '../support/wired-night.ts'

const night = await openNight({ changes: { 'portal-orders': { after: { move: 'done' } } } })
const watched = await watchNight(night)
/** Silent sessions are looked at when a test says so, and then soon. */
const dead = Promise.withResolvers<void>()
const clock = {
  ...night.clock,
  sleep: async (ms: number, signal?: AbortSignal) => {
    if (ms !== LOOK_EVERY_MS) return night.clock.sleep(ms, signal)
    await dead.promise
    return systemClock.sleep(300, signal)
  },
}
const wired = await wireNight(night, { clock })
const { database } = wired.wires
const JOB = 'portal-orders'

/** The transactions whose answer counts most, by what they begin with on their session. */
const TRANSACTIONS = {
  'T2, the load': 'INSERT INTO tallyman.load (',
  'T6, comparison and mail': 'INSERT INTO tallyman.comparison (',
} as const

let days = 0
/** The next business date, with its file delivered. */
async function nextDate(lines = 4): Promise<string> {
  days += 1
  const date = new Date(Date.UTC(2026, 0, days)).toISOString().slice(0, 10)
  await watched.deliver(
    'portal',
    `orders_${date.replaceAll('-', '')}.csv`,
    orders(date, [...someLines(lines), ['BAD', 'x']]),
  )
  return date
}

async function attemptsOf(date: string): Promise<string[]> {
  const rows = await night.rows<{ state: string }>(
    `SELECT a.state FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run WHERE r.business_date = $1 ORDER BY number`,
    [date],
  )
  return rows.map(({ state }) => state)
}

async function assertNothingFound(): Promise<void> {
  assert.deepEqual(await watched.findings({ mails: wired.smtp.received }), [])
}

/** The one session that is about to COMMIT. */
async function sessionInTransaction(): Promise<number> {
  const rows = await night.rows<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`,
  )
  assert.equal(rows.length, 1)
  return rows[0]!.pid
}

const NO_SIGSTOP = process.platform === 'win32' && 'Windows can not stop a process'

/** Stops the session that is about to COMMIT, as an overloaded server would; `wake` lets it go on. */
function stopAtCommit(t: TestContext) {
  const stopped = { pid: 0, wake: () => {} }
  stopped.wake = () => {
    if (stopped.pid > 0) process.kill(stopped.pid, 'SIGCONT')
    stopped.pid = 0
  }
  t.after(stopped.wake)
  const before = async (): Promise<void> => {
    stopped.pid = await sessionInTransaction()
    process.kill(stopped.pid, 'SIGSTOP')
  }
  return { stopped, before }
}

for (const [name, begins] of Object.entries(TRANSACTIONS)) {
  test(`A11: ${name}: a COMMIT whose answer is lost after it was made is known to have happened`, async () => {
    const date = await nextDate()
    const fired = database.counts.fired
    database.fault = { kind: 'lose-answer', to: [begins, 'COMMIT\0'] }
    assert.equal((await wired.run(JOB, date)).state, 'succeeded')
    assert.equal(database.counts.fired, fired + 1)
    assert.deepEqual(await attemptsOf(date), ['succeeded'])
    await assertNothingFound()
  })

  test(`A11: ${name}: a COMMIT that is still undecided when its answer is lost is waited for`, {
    skip: NO_SIGSTOP,
  }, async t => {
    const date = await nextDate()
    const { stopped, before } = stopAtCommit(t)
    database.fault = { kind: 'lose-answer', to: [begins, 'COMMIT\0'], when: 'sent', before }
    const asked = database.nextSent('pg_xact_status')
    const running = wired.run(JOB, date)
    await asked
    // It asks again only when it was told that nothing is decided yet.
    await database.nextSent('pg_xact_status')
    stopped.wake()
    assert.equal((await running).state, 'succeeded')
    assert.deepEqual(await attemptsOf(date), ['succeeded'])
    await assertNothingFound()
  })

  test(`A11: ${name}: a COMMIT that is undecided and then rolled back is done by the next attempt`, {
    skip: NO_SIGSTOP,
  }, async t => {
    const date = await nextDate()
    const { stopped, before } = stopAtCommit(t)
    database.fault = { kind: 'lose-answer', to: [begins, 'COMMIT\0'], when: 'sent', before }
    const asked = database.nextSent('pg_xact_status')
    const running = wired.run(JOB, date)
    await asked
    // Woken, the session finds that it was ended before it reads the COMMIT.
    await night.rows('SELECT pg_terminate_backend($1)', [stopped.pid])
    stopped.wake()
    assert.equal((await running).state, 'succeeded')
    assert.deepEqual(await attemptsOf(date), ['failed', 'succeeded'])
    await assertNothingFound()
  })

  test(`A11: ${name}: a COMMIT that never reached the server is done by the next attempt`, async () => {
    const date = await nextDate()
    database.fault = { kind: 'lose-answer', to: [begins, 'COMMIT\0'], reaches: false }
    assert.equal((await wired.run(JOB, date)).state, 'succeeded')
    assert.deepEqual(await attemptsOf(date), ['failed', 'succeeded'])
    await assertNothingFound()
  })
}

/** COMMITs that an undisturbed run makes: lease, file, freeze, load, T3 with its fence, T6, release, mail. */
const LEAST_COMMITS = 8

for (const reaches of [true, false]) {
  const what = reaches ? 'loses its answer' : 'is lost itself'
  test(`whichever COMMIT of a run ${what}, the date is done once in the end`, async () => {
    let skip = 0
    for (; ; skip += 1) {
      const date = await nextDate()
      const fired = database.counts.fired
      database.fault = { kind: 'lose-answer', to: ['COMMIT\0'], skip, reaches }
      await wired.runUntilDone(JOB, date)
      // No COMMIT of that number: all were tried.
      if (database.counts.fired === fired) break
    }
    database.fault = null
    assert.ok(skip >= LEAST_COMMITS, `only ${skip} COMMITs were found`)
    await assertNothingFound()
  })
}

test('D6: a load whose wire goes dead in its COPY ends in bounded time, and the retry loads', async () => {
  const date = await nextDate(400)
  const [fired, copying] = [database.counts.fired, database.nextSent('COPY ')]
  const running = wired.run(JOB, date)
  await copying
  // More than a beat of the lease sends, less than the rows of the file.
  database.fault = { kind: 'swallow', direction: 'to-server', after: 2_000 }
  await database.nextFired()
  database.fault = null
  dead.resolve()
  assert.equal((await running).state, 'succeeded')
  assert.equal(database.counts.fired, fired + 1)
  assert.deepEqual(await attemptsOf(date), ['failed', 'succeeded'])
  const [{ code } = assert.fail('no attempt')] = await night.rows<{ code: string }>(
    `SELECT a.error ->> 'code' AS code FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run WHERE r.business_date = $1 ORDER BY number`,
    [date],
  )
  assert.equal(code, 'RUN_DATABASE_LOST')
  await assertNothingFound()
})
