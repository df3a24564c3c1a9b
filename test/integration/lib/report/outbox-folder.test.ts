/** Mails as files: what happens to them outside production, and under which names. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { simpleParser } from 'mailparser'
import { latestMail, requeueMail } from '../../../../lib/ledger/outbox.ts'
import { armFailpoint, disarmFailpoint } from '../../../../lib/model/failpoint.ts'
import { OutboxSample, serverOf } from '../../../support/outbox-sample.ts'
import { startSmtpPeer } from '../../../support/smtp-peer.ts'

const outbox = await OutboxSample.open()
const peer = await startSmtpPeer()
after(() => peer.close())
const elsewhere = { production: false, releaseMail: false, smtp: serverOf(peer) }

test('outside production a mail becomes files and is kept, nothing is sent', async () => {
  const messageId = await outbox.put({ messageId: 'fx-rates.2026-11-20.abc@example.com' })
  const [delivery] = await outbox.deliver(serverOf(peer), { environment: elsewhere })
  assert.equal(delivery?.state, 'kept')
  assert.equal(delivery?.file, join(outbox.folder, 'fx-rates.2026-11-20.abc.html'))
  const eml = await simpleParser(await readFile(join(outbox.folder, 'fx-rates.2026-11-20.abc.eml')))
  assert.equal(eml.messageId, `<${messageId}>`)
  assert.equal((await outbox.stateOf(messageId)).state, 'held')
  assert.equal(peer.connections(), 0)
})

test('a kill between the files and the note that they were written leaves one mail, kept', async () => {
  const messageId = await outbox.put({ messageId: 'crashed@example.com' })
  armFailpoint('report.before-hold:1:throw')
  await assert.rejects(outbox.deliver(serverOf(peer), { environment: elsewhere }), /failpoint/)
  disarmFailpoint()
  await outbox.database.use(connection => connection.query('UPDATE tallyman.outbox SET leased_until = NULL'))
  const deliveries = await outbox.deliver(serverOf(peer), { environment: elsewhere })
  assert.deepEqual(
    deliveries.map(delivery => [delivery.messageId, delivery.state]),
    [[messageId, 'kept']],
  )
  const names = (await readdir(outbox.folder)).filter(name => name.startsWith('crashed'))
  assert.deepEqual(names.sort(), ['crashed.eml', 'crashed.html', 'crashed.txt'])
})

test('a released environment sends, and writes the files as well when asked to', async () => {
  await outbox.put({ messageId: 'released@example.com' })
  const [delivery] = await outbox.deliver(serverOf(peer), {
    environment: { ...elsewhere, releaseMail: true },
    files: 'always',
  })
  assert.deepEqual([delivery?.state, delivery?.file], ['delivered', join(outbox.folder, 'released.html')])
  assert.equal(peer.received.length, 1)
  assert.equal(
    peer.received[0]?.raw.trimEnd(),
    (await readFile(join(outbox.folder, 'released.eml'), 'utf8')).trimEnd(),
  )
})

test('A15: a crash after the server took the mail sends it once more under the same Message-ID', async () => {
  const before = peer.received.length
  const messageId = await outbox.put()
  armFailpoint('report.after-send:1:throw')
  await assert.rejects(outbox.deliver(serverOf(peer)), /failpoint/)
  disarmFailpoint()
  assert.equal((await outbox.stateOf(messageId)).state, 'waiting')
  assert.deepEqual(await outbox.deliver(serverOf(peer)), [], 'leased by the one that crashed')
  await outbox.database.use(connection => connection.query('UPDATE tallyman.outbox SET leased_until = NULL'))
  assert.deepEqual(
    (await outbox.deliver(serverOf(peer))).map(({ state }) => state),
    ['delivered'],
  )
  const sent = peer.received.slice(before).map(({ mail }) => mail.messageId)
  assert.deepEqual(sent, [`<${messageId}>`, `<${messageId}>`])
})

test('a mail asked for again goes to all its recipients under its own Message-ID', async () => {
  const before = peer.received.length
  const run = await outbox.database.use(async connection => {
    const { rows } = await connection.query<{ id: string }>(
      "INSERT INTO tallyman.run (job, business_date, state) VALUES ('fx-rates', '2026-11-20', 'succeeded') RETURNING id",
    )
    return rows[0]!.id
  })
  const messageId = await outbox.put({ runId: run })
  await outbox.deliver(serverOf(peer))
  const mail = await outbox.database.use(connection => latestMail(connection, run))
  assert.deepEqual([mail?.messageId, mail?.to.length, mail?.attachments.length], [messageId, 2, 1])
  await outbox.database.use(connection => requeueMail(connection, mail!.id))
  await outbox.deliver(serverOf(peer), { runId: run })
  const sent = peer.received.slice(before)
  assert.deepEqual(
    sent.map(received => received.mail.messageId),
    [`<${messageId}>`, `<${messageId}>`],
  )
  assert.deepEqual(
    sent.map(received => received.to.length),
    [2, 2],
  )
})

test('a folder that can not be written keeps the mail waiting, and stops no mail that is sent', async () => {
  const blocked = { folder: join(outbox.folder, 'released.eml', 'no-folder') }
  const messageId = await outbox.put()
  const [kept] = await outbox.deliver(serverOf(peer), { environment: elsewhere, ...blocked })
  assert.deepEqual([kept?.state, kept?.error?.code], ['waiting', 'REPORT_FOLDER_UNWRITABLE'])
  const [sent] = await outbox.deliver(serverOf(peer), { ...blocked, files: 'always' })
  assert.deepEqual([sent?.messageId, sent?.state, sent?.file], [messageId, 'delivered', null])
})

test('no Message-ID can name a file outside the outbox folder', async () => {
  await outbox.put({ messageId: '../../../etc/cron.d/x@example.com' })
  const [delivery] = await outbox.deliver(serverOf(peer), { environment: elsewhere })
  assert.equal(delivery?.file, join(outbox.folder, 'etc-cron.d-x.html'))
})

test('headers of a mail lose line breaks, whatever was put into the outbox', async () => {
  const before = peer.received.length
  await outbox.put({
    subject: 'paid\r\nBcc: thief@evil.example',
    headers: { 'X-Tallyman-Status': 'CLEAN\r\nBcc: thief@evil.example' },
  })
  await outbox.deliver(serverOf(peer))
  const sent = peer.received[before]!
  assert.equal(sent.mail.bcc, undefined)
  assert.match(sent.mail.subject ?? '', /^paid\\r\\nBcc: thief/)
  assert.match(sent.raw, /^X-Tallyman-Status: CLEAN\\r\\nBcc: thief/m)
  assert.doesNotMatch(sent.raw.slice(0, sent.raw.indexOf('\r\n\r\n')), /^Bcc:/m)
})
