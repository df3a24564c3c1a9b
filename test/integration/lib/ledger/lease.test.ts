/**
 * One holder per run, whatever happens to it: kill, pause, terminated session.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { assertFence } from '../../../../lib/ledger/fence.ts'
import { takeLease } from '../../../../lib/ledger/lease.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { runDetails } from '../../../../lib/ledger/run-list.ts'
import { SILENT_AFTER_MS } from '../../../../lib/ledger/takeover.ts'
import { type Clock, systemClock } from '../../../../lib/model/time/clock.ts'
import { testDatabase } from '../../../support/postgres.ts'
import { take } from '../../../support/run-ledger.ts'

const { database, url } = await testDatabase()
await openLedger(database, { environment: 'test' })

/** Waits as fast as the event loop turns, while its monotonic clock goes on by what was waited. */
function hurriedClock(): Clock {
  let now = 0
  return {
    now: () => now,
    monotonicMs: () => now,
    sleep: async (ms, signal) => {
      await systemClock.sleep(1, signal)
      now += ms
    },
  }
}

/** A clock on which nothing is ever due but what the test lets pass: for holders that shall not beat. */
const stoppedClock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  sleep: (_ms, signal) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
}

const HOLDER = join(import.meta.dirname, '../../../support/lease-holder.ts')

async function holder(
  job: string,
  how: 'plain' | 'fenced' | 'busy',
): Promise<{ child: ChildProcess; next: () => Promise<string> }> {
  const child = spawn(process.execPath, [HOLDER, url, job, '2026-11-20', how], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout!.setEncoding('utf8')
  child.stdout!.on('data', (piece: string) => {
    text += piece
    child.emit('said')
  })
  const next = async (): Promise<string> => {
    while (!text.includes('\n')) await once(child, 'said')
    const line = text.slice(0, text.indexOf('\n'))
    text = text.slice(line.length + 1)
    return line
  }
  assert.equal(await next(), 'held')
  if (how === 'fenced') assert.equal(await next(), 'locked')
  if (how === 'busy') assert.equal(await next(), 'busy')
  return { child, next }
}

test('a run whose holder was killed is taken at once and its attempt is marked interrupted', async () => {
  const key = { job: 'killed', businessDate: '2026-11-20' }
  const { child } = await holder(key.job, 'plain')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const clock = hurriedClock()
  const lease = await takeLease(database, clock, key, { trigger: 'recovery' })
  assert.equal(lease.attempt, 2)
  assert.equal(lease.previous.attemptState, 'interrupted')
  assert.ok(clock.monotonicMs() < SILENT_AFTER_MS / 3, `${clock.monotonicMs()} ms were waited`)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  const details = await database.use(c => runDetails(c, key))
  assert.deepEqual(
    details!.attempts.map(a => [a.number, a.state, a.trigger]),
    [
      [2, 'succeeded', 'recovery'],
      [1, 'interrupted', 'schedule'],
    ],
  )
})

test('A17: a holder that is paused with the fence locked is terminated after 30 s of silence and can commit nothing when it wakes', async () => {
  const key = { job: 'paused', businessDate: '2026-11-20' }
  const { child, next } = await holder(key.job, 'fenced')
  child.kill('SIGSTOP')
  const clock = hurriedClock()
  const lease = await takeLease(database, clock, key, { trigger: 'recovery' })
  assert.ok(clock.monotonicMs() >= SILENT_AFTER_MS, `only ${clock.monotonicMs()} ms were waited`)
  child.kill('SIGCONT')
  child.stdin!.write('commit\n')
  assert.match(await next(), /\[RUN_DATABASE_LOST\]/)
  await once(child, 'exit')
  await database.use(c => c.transaction(() => assertFence(c, lease)))
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('F8, F10: a run whose holder beats is refused, with the holder named', async () => {
  const key = { job: 'held', businessDate: '2026-11-20' }
  const { child } = await holder(key.job, 'plain')
  await assert.rejects(
    take(database, key),
    (error: Error & { code?: string; details?: { pid?: number } }) => {
      assert.equal(error.code, 'RUN_HELD_ELSEWHERE')
      assert.equal(error.details!.pid, child.pid)
      return true
    },
  )
  child.stdin!.write('end\n')
  await once(child, 'exit')
})

test('A17: the fence refuses the late commit of an attempt that was succeeded', async () => {
  const key = { job: 'late', businessDate: '2026-11-20' }
  const silent = await takeLease(database, stoppedClock, key, { trigger: 'manual' })
  const late = await database.connect()
  const lease = await takeLease(database, hurriedClock(), key, { trigger: 'recovery' })
  assert.equal(silent.signal.aborted, true)
  assert.equal(silent.signal.reason.code, 'RUN_LEASE_LOST')
  await assert.rejects(
    late.transaction(async () => {
      await late.query(`UPDATE tallyman.run SET state = 'failed' WHERE id = $1`, [silent.runId])
      await assertFence(late, silent)
    }),
    { code: 'RUN_FENCED' },
  )
  assert.equal(await silent.release({ attempt: 'succeeded', run: 'succeeded' }), false)
  const details = await database.use(c => runDetails(c, key))
  assert.equal(details!.run.state, 'running')
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  await late.close()
})

test('an attempt stops when the session of its lease is terminated', async () => {
  const key = { job: 'terminated', businessDate: '2026-11-20' }
  const lease = await take(database, key)
  const aborted = once(lease.signal, 'abort')
  await database.use(c =>
    c.query('SELECT pg_terminate_backend(pid) FROM tallyman.attempt_backend WHERE attempt = $1', [
      lease.attemptId,
    ]),
  )
  await aborted
  assert.equal(lease.signal.reason.code, 'RUN_LEASE_LOST')
  const next = await takeLease(database, hurriedClock(), key, { trigger: 'recovery' })
  assert.equal(next.attempt, 2)
  await next.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('F9: of many takers of one free run exactly one gets it', async () => {
  const key = { job: 'contested', businessDate: '2026-11-20' }
  const takes = await Promise.allSettled(Array.from({ length: 6 }, () => take(database, key)))
  const won = takes.filter(result => result.status === 'fulfilled')
  assert.equal(won.length, 1)
  for (const result of takes) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'RUN_HELD_ELSEWHERE')
  }
  await won[0]!.value.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('an attempt that failed keeps the code and text of its error', async () => {
  const key = { job: 'failing', businessDate: '2026-11-20' }
  const lease = await take(database, key)
  await lease.release({ attempt: 'failed', run: 'failed', error: new Error('NUL \0 inside') })
  const details = await database.use(c => runDetails(c, key))
  assert.equal(details!.run.state, 'failed')
  assert.match(details!.run.attempt!.error!.message, /^NUL . inside$/)
})

test('a backend in a long statement is gone seconds after its process was killed, without anybody ending it', async () => {
  const key = { job: 'killed-in-statement', businessDate: '2026-11-20' }
  const { child } = await holder(key.job, 'busy')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lease = await takeLease(database, systemClock, key, { trigger: 'recovery' })
  assert.equal(lease.previous.attemptState, 'interrupted')
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
})
