/**
 * Nights without a person, through all six steps: what is owed is taken, missed nights are caught up,
 * late and corrected files are found by a later look, each cause is mailed once. The clock is set by
 * the test, to days after those of the database's own clock. What is owed when: unit tests of owed.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeError, TallymanError } from '../../lib/model/errors.ts'
import { owedNow, runOwed, type SchedulerEvents } from '../../lib/schedule/scheduler.ts'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { type OrderLine, orders, someLines } from '../support/night-deliveries.ts'

const night = await openNight()
const engine = await night.another(new AbortController().signal, ['portal-orders'])

function deliver(date: string, lines: readonly OrderLine[], suffix = '', head?: string): Promise<void> {
  return night.deliver('portal', `orders_${date.replaceAll('-', '')}${suffix}.csv`, orders(date, lines, head))
}

const skippedBefore = new Set<string>()

/** One look of the scheduler at this instant: what it told, a line each. */
async function look(instant: string): Promise<string[]> {
  night.clock.set(instant)
  const told: string[] = []
  const events: SchedulerEvents = {
    began: run => told.push(`${run.businessDate} ${run.because}`),
    ended: (_run, summary) => told.push(summary.state),
    failed: (_run, error) => told.push(error instanceof TallymanError ? error.code : describeError(error)),
    held: (_run, error) => told.push(error.code),
    skipped: ({ businessDate }) => {
      if (!skippedBefore.has(businessDate)) told.push(`${businessDate} skipped`)
      skippedBefore.add(businessDate)
    },
  }
  await runOwed(engine, events)
  night.clock.set(null)
  return told
}

const mailsOf = (date: string): string[] =>
  night.smtp.received
    .map(({ mail }) => mail.subject!)
    .filter(subject => subject.includes(date))
    .map(subject => subject.slice(0, subject.indexOf(']') + 1))

test('schedule --once takes what is owed now and ends', async () => {
  // Long ago, so that the table is there and no date of today's is known.
  await deliver('2026-01-05', someLines(1))
  await night.run('portal-orders', '2026-01-05')
  const [run] = (await owedNow(engine)).owed.runs
  assert.ok(run !== undefined)
  await deliver(run.businessDate, someLines(5))
  const ended = await command(night, ['schedule', '--once', '--json'])
  // The other jobs' partners have delivered nothing, which is their failure or their waiting.
  assert.ok(ended.code === 0 || ended.code === 1, ended.stderr)
  const { data } = JSON.parse(ended.stdout) as {
    data: { runs: { job: string; businessDate: string; state: string }[] }
  }
  const own = data.runs.find(({ job }) => job === 'portal-orders')
  assert.equal(`${own?.businessDate} ${own?.state}`, `${run.businessDate} succeeded`)
})

test('F9: of two schedulers that look at the same time one runs the date, once', async () => {
  await deliver('2027-02-08', someLines(1))
  await night.run('portal-orders', '2027-02-08')
  await deliver('2027-02-09', someLines(3))
  const other = await night.another(new AbortController().signal, ['portal-orders'])
  night.clock.set('2027-02-10T05:20:00Z')
  const ends: string[] = []
  const events: SchedulerEvents = {
    began: () => {},
    ended: (_run, summary) => ends.push(summary.state),
    failed: (_run, error) => ends.push(describeError(error)),
    held: () => {},
    skipped: () => {},
  }
  await Promise.all([runOwed(engine, events), runOwed(other, events)])
  night.clock.set(null)
  assert.deepEqual(ends, ['succeeded'])
  const attempts = await night.rows(
    `SELECT 1 FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run WHERE r.business_date = '2027-02-09'`,
  )
  assert.equal(attempts.length, 1)
  assert.equal(mailsOf('2027-02-09').length, 1)
})

test('a look takes what is owed at its hour once, and the next look finds nothing owed', async () => {
  await deliver('2027-03-08', someLines(1))
  await night.run('portal-orders', '2027-03-08')
  await deliver('2027-03-09', someLines(3))
  assert.deepEqual(await look('2027-03-10T05:14:00Z'), [])
  assert.deepEqual(await look('2027-03-10T05:20:00Z'), ['2027-03-09 due', 'succeeded'])
  assert.deepEqual(await look('2027-03-10T05:40:00Z'), [])
  assert.deepEqual(mailsOf('2027-03-09'), ['[CLEAN]'])
})

test('after nights without a scheduler the latest missed one is caught up, and the others are named', async () => {
  await deliver('2027-03-12', someLines(3))
  assert.deepEqual(await look('2027-03-13T12:00:00Z'), [
    '2027-03-10 skipped',
    '2027-03-11 skipped',
    '2027-03-12 missed',
    'succeeded',
  ])
})

test('B9, F7: a file that is late is waited for, its absence is mailed once, and a later look takes it', async () => {
  const date = '2027-03-13'
  assert.deepEqual(await look('2027-03-14T05:20:00Z'), [`${date} due`, 'waiting'])
  assert.deepEqual(await look('2027-03-14T06:20:00Z'), [`${date} waiting`, 'waiting'])
  assert.deepEqual(mailsOf(date), [])
  assert.deepEqual(await look('2027-03-14T06:40:00Z'), [`${date} waiting`, 'FETCH_FILE_MISSING'])
  assert.deepEqual(await look('2027-03-14T07:00:00Z'), [`${date} waiting`, 'FETCH_FILE_MISSING'])
  assert.deepEqual(mailsOf(date), ['[FAILED]'])
  await deliver(date, someLines(2))
  assert.deepEqual(await look('2027-03-14T07:20:00Z'), [`${date} waiting`, 'succeeded'])
  assert.deepEqual(mailsOf(date), ['[FAILED]', '[CLEAN]'])
})

test('a refused delivery is mailed once, another refused one once more, and the corrected one is taken', async () => {
  const date = '2027-03-14'
  const doubled = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Country'
  await deliver(date, someLines(2), '', doubled)
  assert.deepEqual(await look('2027-03-15T05:20:00Z'), [`${date} due`, 'PARSE_HEADER_DOUBLED'])
  for (const minute of ['40', '59']) {
    assert.deepEqual(await look(`2027-03-15T05:${minute}:00Z`), [`${date} waiting`, 'FETCH_FILE_QUARANTINED'])
  }
  assert.deepEqual(mailsOf(date), ['[FAILED]'])
  await deliver(date, someLines(2), '_v2', doubled)
  assert.deepEqual(await look('2027-03-15T06:20:00Z'), [`${date} waiting`, 'PARSE_HEADER_DOUBLED'])
  assert.deepEqual(await look('2027-03-15T06:40:00Z'), [`${date} waiting`, 'FETCH_FILE_QUARANTINED'])
  assert.deepEqual(mailsOf(date), ['[FAILED]', '[FAILED]'])
  await deliver(date, someLines(2), '_v3')
  assert.deepEqual(await look('2027-03-15T07:00:00Z'), [`${date} waiting`, 'succeeded'])
})

test('a login that a partner refuses is not tried again by itself: a person runs the date', async () => {
  const date = '2027-03-15'
  await deliver(date, someLines(2))
  night.sftp.portal!.setUsers([])
  const refused = await look('2027-03-16T05:20:00Z')
  night.sftp.portal!.setUsers([{ name: 'tallyman', password: night.variables.SFTP_PASSWORD! }])
  assert.deepEqual(refused, [`${date} due`, 'FETCH_AUTH_REFUSED'])
  assert.deepEqual(await look('2027-03-16T06:00:00Z'), [])
  assert.equal((await night.run('portal-orders', date)).state, 'succeeded')
})

test('a run whose process was killed in its load is recovered by the next look', async () => {
  const date = '2027-03-16'
  await deliver(date, someLines(4))
  const killed = await command(night, ['run', 'portal-orders', '--date', date], 'load.before-commit:1:kill')
  assert.equal(killed.signal, 'SIGKILL')
  assert.deepEqual(await look('2027-03-17T05:20:00Z'), [`${date} recovery`, 'succeeded'])
  assert.deepEqual(await look('2027-03-17T05:40:00Z'), [])
  assert.deepEqual(mailsOf(date), ['[CLEAN]'])
})

test('a run whose process was killed before its mail went out is finished by the next look', async () => {
  const date = '2027-03-17'
  await deliver(date, someLines(4))
  const killed = await command(night, ['run', 'portal-orders', '--date', date], 'report.after-commit:1:kill')
  assert.equal(killed.signal, 'SIGKILL')
  assert.deepEqual(mailsOf(date), [])
  assert.deepEqual(await look('2027-03-18T05:20:00Z'), [`${date} recovery`, 'succeeded'])
  assert.deepEqual(mailsOf(date), ['[CLEAN]'])
})

test('F5: a clock that is set back owes no date that was run', async () => {
  assert.deepEqual(await look('2027-03-10T05:20:00Z'), [])
  assert.deepEqual(await look('2027-03-13T12:00:00Z'), [])
})
