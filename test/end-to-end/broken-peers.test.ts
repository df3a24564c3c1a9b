/**
 * Peers that misbehave, through all six steps: a wrong host key, a target that does not fit, a mail
 * server that is down, an API that throttles, breaks or answers half. Nothing is lost or doubled.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendMails } from '../../lib/run/report-step.ts'
import { openNight } from '../support/night.ts'
import { hours, orders, ratesXml, someLines, statements } from '../support/night-deliveries.ts'

const night = await openNight({ changes: { 'bank-statements': { after: { move: 'done' } } } })

const compact = (date: string): string => date.replaceAll('-', '')
const lastMail = () => night.smtp.received.at(-1)!.mail

test('an unknown host key ends the run before the password is sent, and the partner is to be telephoned', async () => {
  const date = '2026-11-02'
  await night.deliver('ecb', `eurofxref-hist-90d_${compact(date)}.xml`, ratesXml(date, { USD: '1.1' }))
  const peer = night.sftp.ecb!
  peer.changeHostKey()
  const error = await night.fails('fx-rates', date)
  assert.equal(error.code, 'FETCH_HOST_KEY_CHANGED')
  assert.ok(error.message.includes(peer.hostKey), error.message)
  assert.deepEqual(
    peer.seen.filter(what => what.startsWith('LOGIN')),
    [],
  )
  assert.match(lastMail().subject!, /^\[FAILED\] fx-rates 2026-11-02/)
})

test('a target without a needed column gets no row, and the DDL of the message lets the next run pass', async () => {
  const [before, date] = ['2026-11-02', '2026-11-03']
  await night.deliver('portal', `orders_${compact(before)}.csv`, orders(before, someLines(2)))
  await night.run('portal-orders', before)
  await night.database.use(connection =>
    connection.query('ALTER TABLE sales.order_line DROP COLUMN country, DROP COLUMN quantity'),
  )
  await night.deliver('portal', `orders_${compact(date)}.csv`, orders(date, someLines(3)))
  const error = await night.fails('portal-orders', date, { createTarget: false })
  assert.equal(error.code, 'LOAD_TARGET_MISMATCH')
  assert.match(error.message, /country/)
  assert.match(error.message, /quantity/)
  const statements = error.details.ddl as readonly string[]
  assert.ok(statements.length > 0)
  for (const ddl of statements) {
    assert.ok(error.message.includes(ddl), `${ddl} is not in the message`)
    // The table has rows, so that a person has to say what they get; here they go.
    await night.database.use(connection => connection.query(`DELETE FROM sales.order_line; ${ddl}`))
  }
  const mended = await night.run('portal-orders', date, { createTarget: false })
  assert.equal(mended.tables[0]!.inserted, 3)
})

test('while the mail server is down runs succeed, and their mails go out later under the same Message-ID', async () => {
  const date = '2026-11-04'
  await night.deliver('portal', `orders_${compact(date)}.csv`, orders(date, someLines(2)))
  await night.smtp.down()
  const summary = await night.run('portal-orders', date)
  assert.equal(summary.state, 'succeeded')
  assert.equal(summary.report?.state, 'waiting')
  await night.smtp.up()
  // The pause before the next try is over.
  await night.rows('UPDATE tallyman.outbox SET send_after = now()')
  await sendMails(night.engine, null, null)
  const mails = night.smtp.received.filter(({ mail }) => mail.subject?.includes(date))
  assert.equal(mails.length, 1)
  assert.equal(mails[0]!.mail.messageId, `<${summary.report.messageId}>`)
})

test('an API that answers 429, 500, half and nothing still takes each row once, with one key per request', async () => {
  const date = '2026-11-05'
  const people = Array.from({ length: 4 }, (_, index) => `0000000${index + 1}`)
  await night.deliver('payroll', `hours_${compact(date)}.csv`, hours(date, people))
  night.api.faults.push(
    { kind: 'throttle', retryAfter: '1' },
    { kind: 'error', status: 500 },
    { kind: 'half' },
    { kind: 'drop-after-commit' },
  )
  const summary = await night.run('payroll-hours', date)
  assert.equal(summary.tables[0]!.inserted, 4)
  assert.deepEqual(
    [...night.store.effects.values()],
    people.map(() => 1),
  )
  assert.equal(new Set(night.api.requests.map(({ key }) => key)).size, 1)
  assert.ok(night.api.requests.length > 4)
})

test('an API that stays broken fails the run, and a later run sends the same request and finishes it', async () => {
  const date = '2026-11-06'
  const people = ['00000011', '00000012']
  await night.deliver('payroll', `hours_${compact(date)}.csv`, hours(date, people))
  const from = night.api.requests.length
  for (let count = 0; count < 40; count += 1) night.api.faults.push({ kind: 'error', status: 503 })
  const error = await night.fails('payroll-hours', date)
  assert.equal(error.step, 'load')
  assert.equal(error.retry === 'never', false)
  night.api.faults.length = 0
  const summary = await night.run('payroll-hours', date)
  assert.equal(summary.tables[0]!.inserted, 2)
  const sent = night.api.requests.slice(from)
  assert.equal(new Set(sent.map(({ key, bodyHash }) => `${key} ${bodyHash}`)).size, 1)
})

test('a remote file that could not be moved is told, stays loaded, and is moved by the next run', async () => {
  const date = '2026-11-09'
  const name = `camt053_${compact(date)}_a.xml`
  await night.deliver('bank', name, statements(date, [{ id: 'S1', opening: 1, entries: [2], closing: 3 }]))
  night.sftp.bank!.faults.refuseRename = true
  const first = await night.run('bank-statements', date)
  assert.equal(first.state, 'succeeded')
  assert.match(first.warnings.join(), /could not be put away/)
  assert.deepEqual(await night.lies('bank'), [name])
  night.sftp.bank!.faults.refuseRename = false
  const second = await night.run('bank-statements', date)
  assert.equal(second.state, 'nothing-to-do')
  const lying = await night.lies('bank')
  assert.equal(lying.length, 1)
  assert.ok(lying[0]!.startsWith(`done/${name}`), lying[0])
})
