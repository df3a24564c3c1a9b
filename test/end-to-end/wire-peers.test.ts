/**
 * Broken wires to SFTP, mail server and API under whole runs: whatever byte they break at, the date is
 * loaded once, its file lies where it belongs, and each mail is delivered or waits. The database's
 * wire is wire-postgres.test.ts, single downloads are download-cuts.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendMails } from '../../lib/run/report-step.ts'
import { openNight } from '../support/night.ts'
import { hours, orders, someLines } from '../support/night-deliveries.ts'
import { watchNight } from '../support/run-check.ts'
import type { WireProxy } from '../support/wire-proxy.ts'
import { wireNight } from '../support/wired-night.ts'

const night = await openNight({ changes: { 'portal-orders': { after: { move: 'done' } } } })
const watched = await watchNight(night)
/** An API that is silent for its 90 s is given up when the test says so. */
let silence = Promise.withResolvers<void>()
const clock = {
  ...night.clock,
  sleep: (ms: number, signal?: AbortSignal) =>
    ms === 90_000 ? silence.promise : night.clock.sleep(ms, signal),
}
const wired = await wireNight(night, { clock })
const { database, sftp, smtp, api } = wired.wires

let days = 0
function nextDate(): string {
  days += 1
  return new Date(Date.UTC(2026, 0, days)).toISOString().slice(0, 10)
}

async function ordersOfNextDate(): Promise<string> {
  const date = nextDate()
  const lines = orders(date, [...someLines(4), ['BAD', 'x']])
  await watched.deliver('portal', `orders_${date.replaceAll('-', '')}.csv`, lines)
  return date
}

async function hoursOfNextDate(): Promise<string> {
  const date = nextDate()
  const people = Array.from({ length: 5 }, (_, index) => `${10_000_000 + days * 100 + index}`)
  await watched.deliver('payroll', `hours_${date.replaceAll('-', '')}.csv`, hours(date, people))
  return date
}

/** Second copies of mails that are right so far. */
let lostMailAnswers = 0
async function assertNothingFound(): Promise<void> {
  assert.deepEqual(await watched.findings({ mails: wired.smtp.received, lostMailAnswers }), [])
}

/** Mails that wait are due now. */
async function sendWaiting(): Promise<void> {
  await night.rows('UPDATE tallyman.outbox SET send_after = now()')
  await sendMails(wired.engine, null, null)
}

const waiting = () =>
  night.rows<{ error: string }>(`SELECT last_error AS error FROM tallyman.outbox WHERE state = 'waiting'`)

/** Bytes of one direction that an undisturbed run moves over a wire. */
async function bytesOf(wire: WireProxy, direction: 'to-client' | 'to-server', run: () => Promise<unknown>) {
  const before = wire.counts[direction]
  await run()
  return wire.counts[direction] - before
}

/** Cuts of a run's SFTP connections lie this far apart: a listing, a read, a rename are each about as many bytes. */
const SFTP_STEP = 250

for (const which of ['fetches', 'moves the file away']) {
  test(`a run whose connection that ${which} is cut anywhere loads its file once and moves it`, async () => {
    const [before, connections] = [sftp.counts['to-client'], sftp.counts.connections]
    await wired.run('portal-orders', await ordersOfNextDate())
    assert.equal(sftp.counts.connections - connections, 2)
    const bytes = (sftp.counts['to-client'] - before) / 2
    let count = 0
    for (let after = 0; after < bytes; after += SFTP_STEP, count += 1) {
      const date = await ordersOfNextDate()
      const cut = {
        kind: 'cut',
        direction: 'to-client',
        after,
        how: count % 2 === 0 ? 'fin' : 'rst',
      } as const
      const set = (): void => {
        sftp.fault = cut
      }
      if (which === 'fetches') set()
      else void database.nextSent('INSERT INTO tallyman.load (').then(set)
      const fired = sftp.counts.fired
      await wired.runUntilDone('portal-orders', date)
      if (sftp.counts.fired === fired) break
    }
    sftp.fault = null
    assert.ok(count >= 7, `${count} cuts in ${bytes} bytes`)
    await assertNothingFound()
  })
}

test('the answer to DATA that is lost sends the mail again under the same Message-ID, and nothing else twice', async () => {
  for (const when of ['sent', 'answered'] as const) {
    const date = await ordersOfNextDate()
    smtp.fault = { kind: 'lose-answer', to: ['DATA\r\n', '\r\n.\r\n'], when }
    const summary = await wired.run('portal-orders', date)
    assert.equal(summary.state, 'succeeded')
    assert.equal(summary.report?.state, 'waiting')
    assert.match((await waiting())[0]!.error, /\[REPORT_OUTCOME_UNKNOWN\]$/)
    await sendWaiting()
    const copies = wired.smtp.received.filter(
      ({ mail }) => mail.messageId === `<${summary.report?.messageId}>`,
    )
    assert.equal(copies.length, 2)
    lostMailAnswers += 1
    assert.deepEqual(await waiting(), [])
  }
  await assertNothingFound()
})

test('a mail whose conversation is cut at any byte before its end is delivered once in the end', async () => {
  const date = await ordersOfNextDate()
  const bytes = await bytesOf(smtp, 'to-server', () => wired.run('portal-orders', date))
  let count = 0
  for (let after = 0; after < bytes - 8; after += 2_048, count += 1) {
    // The mail of the date once more, and the wire is cut in it.
    await night.rows(
      `UPDATE tallyman.outbox SET state = 'waiting', settled_at = NULL WHERE id = (SELECT max(id) FROM tallyman.outbox)`,
    )
    await night.rows(
      `UPDATE tallyman.outbox_recipient SET state = 'waiting' WHERE mail = (SELECT max(id) FROM tallyman.outbox)`,
    )
    const before = wired.smtp.received.length
    smtp.fault = { kind: 'cut', direction: 'to-server', after, how: count % 2 === 0 ? 'fin' : 'rst' }
    await sendMails(wired.engine, null, null)
    assert.equal(smtp.fault, null, `no byte ${after}`)
    assert.equal(wired.smtp.received.length, before, `delivered, though cut after ${after} bytes`)
    await sendWaiting()
    assert.equal(wired.smtp.received.length, before + 1)
  }
  assert.ok(count >= 8, `${count} cuts in ${bytes} bytes`)
  // Each of them was asked for.
  lostMailAnswers += count
  await assertNothingFound()
})

test('a mail whose answer is late is not sent by anybody else meanwhile, and is delivered once', async () => {
  const date = await ordersOfNextDate()
  const held = Promise.withResolvers<void>()
  const answered = smtp.nextSent('\r\n.\r\n')
  let asked = false
  void answered.then(() => {
    smtp.fault = { kind: 'delay', direction: 'to-client', until: () => held.promise }
    asked = true
  })
  const running = wired.run('portal-orders', date)
  await answered
  assert.equal(asked, true)
  await sendMails(night.engine, null, null)
  assert.equal((await waiting()).length, 1)
  held.resolve()
  const summary = await running
  smtp.fault = null
  assert.equal(summary.report?.state, 'delivered')
  await assertNothingFound()
})

test('an API whose answer is lost, late or cut anywhere takes each row once, by the same key and bytes', async () => {
  const whole = await hoursOfNextDate()
  const answer = await bytesOf(api, 'to-client', () => wired.run('payroll-hours', whole))
  const faults = [
    { kind: 'lose-answer', to: ['POST ', '}]'] },
    { kind: 'lose-answer', to: ['POST ', '}]'], when: 'sent' },
    { kind: 'lose-answer', to: ['POST ', '}]'], how: 'rst' },
    { kind: 'lose-answer', to: ['POST ', '}]'], reaches: false },
    ...Array.from({ length: 4 }, (_, index) => {
      return {
        kind: 'cut',
        direction: 'to-client',
        after: Math.floor((answer * (index + 1)) / 5),
        how: 'fin',
      } as const
    }),
    ...[0, 200, 500].map(after => ({ kind: 'cut', direction: 'to-server', after, how: 'rst' }) as const),
  ] as const
  for (const fault of faults) {
    const date = await hoursOfNextDate()
    const [from, fired] = [night.api.requests.length, api.counts.fired]
    api.fault = fault
    const summary = await wired.run('payroll-hours', date)
    assert.equal(api.counts.fired, fired + 1, JSON.stringify(fault))
    assert.equal(summary.tables[0]!.inserted, 5)
    const sent = night.api.requests.slice(from)
    assert.equal(
      new Set(sent.map(({ key, bodyHash }) => `${key} ${bodyHash}`)).size,
      1,
      JSON.stringify(fault),
    )
    assert.deepEqual(await night.rows(`SELECT 1 FROM tallyman.call WHERE state <> 'answered'`), [])
  }
  await assertNothingFound()
})

test('an API that is silent is given up after its time, and asked again by the same key', async () => {
  const date = await hoursOfNextDate()
  const from = night.api.requests.length
  api.fault = { kind: 'swallow', direction: 'to-client', after: 0 }
  const swallowed = api.nextFired()
  const running = wired.run('payroll-hours', date)
  await swallowed
  api.fault = null
  const given = silence
  silence = Promise.withResolvers()
  given.resolve()
  assert.equal((await running).tables[0]!.inserted, 5)
  const sent = night.api.requests.slice(from)
  assert.equal(sent.length, 2)
  assert.equal(new Set(sent.map(({ key, bodyHash }) => `${key} ${bodyHash}`)).size, 1)
  await assertNothingFound()
})
