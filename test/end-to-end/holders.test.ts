/**
 * Several processes and one run: a holder that is paused, one that is asked to stop, two that come at
 * once. Real processes over one database; the leases themselves are tested in lib/ledger.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Night, openNight } from '../support/night.ts'
import { type Child, command, startCommand } from '../support/night-child.ts'
import { hours, orders, someLines } from '../support/night-deliveries.ts'

const night = await openNight({ changes: { 'portal-orders': { after: { move: 'done' } } } })

const compact = (date: string): string => date.replaceAll('-', '')

function deliverOrders(date: string, lines = 3): Promise<void> {
  return night.deliver('portal', `orders_${compact(date)}.csv`, orders(date, someLines(lines)))
}

const runOrders = (date: string): string[] => ['run', 'portal-orders', '--date', date, '--create-target']

/** Waits until the question has a row; the database does the waiting between two looks. */
async function until(from: Night, sql: string, params: readonly unknown[] = []): Promise<void> {
  for (;;) {
    const rows = await from.rows(sql, params)
    if (rows.length > 0) return
    await from.rows('SELECT pg_sleep(0.05)')
  }
}

/** Waits until a session of this database stands before a lock. */
const untilWaitingForLock = (): Promise<void> =>
  until(
    night,
    `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  )

async function orderRows(date: string): Promise<number> {
  const [row] = await night.rows<{ count: number }>(
    'SELECT count(*)::int AS count FROM sales.order_line WHERE business_date = $1::date',
    [date],
  )
  return row!.count
}

function attemptsOf(job: string, date: string): Promise<{ state: string; code: string | null }[]> {
  return night.rows(
    `SELECT a.state, a.error ->> 'code' AS code FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run
     WHERE r.job = $1 AND r.business_date = $2::date ORDER BY a.number`,
    [job, date],
  )
}

const mailsOf = (date: string) => night.smtp.received.filter(({ mail }) => mail.subject?.includes(date))

/** Holds the answers of the API until the test lets go. */
function heldApi(): { readonly reached: Promise<void>; letGo(): void } {
  let letGo = (): void => {}
  const gate = new Promise<void>(resolve => {
    letGo = resolve
  })
  const reached = new Promise<void>(resolve => {
    night.api.rules.beforeAnswer = async () => {
      resolve()
      await gate
    }
  })
  return { reached, letGo: () => letGo() }
}

test('A17: a holder paused in the middle of its load is succeeded, and when it wakes its commit fails', async () => {
  const date = '2026-11-02'
  await deliverOrders('2026-11-01')
  await night.run('portal-orders', '2026-11-01')
  await deliverOrders(date)
  const paused = startCommand(night, [...runOrders(date), '--json'], 'load.before-fence:1:pause')
  await paused.stopped()
  night.clock.hurry(10)
  const successor = await night.run('portal-orders', date)
  night.clock.hurry(1)
  assert.equal(successor.state, 'succeeded')
  assert.equal(await orderRows(date), 3)
  paused.signal('SIGCONT')
  const woken = await paused.ended
  assert.equal(await orderRows(date), 3)
  assert.doesNotMatch(woken.stdout, /"state":"succeeded"/)
  const [first, second] = await attemptsOf('portal-orders', date)
  assert.deepEqual([first!.state, second!.state], ['interrupted', 'succeeded'])
  assert.equal(mailsOf(date).length, 1)
})

test('A18: a run that is asked to stop while it waits for a lock rolls back, exits 143, and the next one does it', async () => {
  const date = '2026-11-03'
  await deliverOrders(date)
  const blocker = await night.database.connect()
  let child: Child
  try {
    await blocker.query('BEGIN')
    await blocker.query('LOCK TABLE sales.order_line IN ACCESS EXCLUSIVE MODE')
    child = startCommand(night, runOrders(date))
    await untilWaitingForLock()
    child.signal('SIGTERM')
    const stopped = await child.ended
    assert.equal(stopped.code, 143, stopped.stderr)
    assert.match(stopped.stderr, /RUN_TERMINATED/)
  } finally {
    await blocker.query('ROLLBACK')
    await blocker.close()
  }
  assert.equal(await orderRows(date), 0)
  assert.equal(mailsOf(date).length, 0)
  assert.deepEqual(await attemptsOf('portal-orders', date), [
    { state: 'interrupted', code: 'RUN_TERMINATED' },
  ])
  const next = await night.run('portal-orders', date)
  assert.equal(next.state, 'succeeded')
  assert.equal(await orderRows(date), 3)
})

test('A18: a run that is asked to stop in the middle of a download leaves no part of it and exits 143', async () => {
  const date = '2026-11-04'
  await deliverOrders(date, 200)
  const peer = night.sftp.portal!
  let child: Child | null = null
  const opened = new Promise<void>(resolve => {
    peer.faults.duringDownload = () => resolve()
  })
  peer.faults.bytesPerSecond = 500
  child = startCommand(night, runOrders(date))
  await opened
  child.signal('SIGTERM')
  assert.equal((await child.ended).code, 143)
  delete peer.faults.bytesPerSecond
  delete peer.faults.duringDownload
  const next = await night.run('portal-orders', date)
  assert.equal(next.counts.mapped, 200)
})

test('of two processes that run one date one does it, and the other exits 75 and says who', async () => {
  const date = '2026-11-05'
  await night.deliver('payroll', `hours_${compact(date)}.csv`, hours(date, ['00000001', '00000002']))
  const api = heldApi()
  const first = startCommand(night, ['run', 'payroll-hours', '--date', date])
  await api.reached
  const second = await command(night, ['run', 'payroll-hours', '--date', date])
  assert.equal(second.code, 75, second.stderr)
  assert.match(second.stderr, new RegExp(`process ${first.pid} on `))
  api.letGo()
  const done = await first.ended
  assert.equal(done.code, 0, done.stderr)
  assert.deepEqual([...night.store.effects.values()], [1, 1])
  assert.equal(mailsOf(date).length, 1)
})

test('a process killed while it waits for an API is followed by one that sends the same request once more', async () => {
  const date = '2026-11-06'
  await night.deliver('payroll', `hours_${compact(date)}.csv`, hours(date, ['00000003']))
  const from = night.api.requests.length
  const api = heldApi()
  const first = startCommand(night, ['run', 'payroll-hours', '--date', date])
  await api.reached
  first.signal('SIGKILL')
  await first.ended
  night.api.rules.beforeAnswer = async () => {}
  api.letGo()
  const summary = await night.run('payroll-hours', date)
  assert.equal(summary.state, 'succeeded')
  const sent = night.api.requests.slice(from)
  assert.equal(sent.length, 2)
  assert.equal(new Set(sent.map(({ key, bodyHash }) => `${key} ${bodyHash}`)).size, 1)
  assert.deepEqual([...night.store.effects.values()], [1, 1, 1])
})
