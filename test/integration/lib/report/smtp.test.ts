/** Mails over a real SMTP server with its faults (T5, E1, E2, E3). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Secret } from '../../../../lib/model/secret.ts'
import { OutboxSample, serverOf } from '../../../support/outbox-sample.ts'
import { type SmtpPeer, type SmtpPeerOptions, startSmtpPeer } from '../../../support/smtp-peer.ts'

const outbox = await OutboxSample.open()
const peers: SmtpPeer[] = []
after(() => Promise.all(peers.map(peer => peer.close())))

async function peerOf(options: SmtpPeerOptions = {}): Promise<SmtpPeer> {
  const peer = await startSmtpPeer(options)
  peers.push(peer)
  return peer
}

test('a mail arrives with both parts, its attachment and its own Message-ID', async () => {
  const peer = await peerOf()
  const messageId = await outbox.put({ subject: 'Täglich – [CLEAN]' })
  const [delivery] = await outbox.deliver(serverOf(peer))
  assert.equal(delivery?.state, 'delivered')
  const [{ mail, to } = assert.fail('nothing arrived')] = peer.received
  assert.deepEqual(to, ['cfo@example.com', 'desk@example.com'])
  assert.equal(mail.messageId, `<${messageId}>`)
  assert.equal(mail.subject, 'Täglich – [CLEAN]')
  assert.match(mail.text ?? '', /All records are loaded/)
  assert.match(String(mail.html), /<h1>All records are loaded/)
  assert.deepEqual(
    mail.attachments.map(({ filename }) => filename),
    ['breaks-1.csv'],
  )
  assert.equal(mail.headers.get('auto-submitted'), 'auto-generated')
  assert.equal(mail.date?.toISOString(), '2026-11-20T23:10:12.000Z')
  assert.deepEqual((await outbox.stateOf(messageId)).recipients, {
    'cfo@example.com': 'delivered',
    'desk@example.com': 'delivered',
  })
})

test('E1: while the mail server is down mails wait, and all go out once it is up', async () => {
  const peer = await peerOf()
  await peer.down()
  const ids = [await outbox.put(), await outbox.put()]
  const down = await outbox.deliver(serverOf(peer))
  assert.deepEqual(
    down.map(({ state, error }) => [state, error?.code]),
    [
      ['waiting', 'REPORT_SMTP_UNREACHABLE'],
      ['waiting', 'REPORT_SMTP_UNREACHABLE'],
    ],
  )
  assert.match((await outbox.stateOf(ids[0]!)).error, /run is not affected.*\[REPORT_SMTP_UNREACHABLE\]/)
  await peer.up()
  const up = await outbox.deliver(serverOf(peer))
  assert.deepEqual(
    up.map(({ state }) => state),
    ['delivered', 'delivered'],
  )
  assert.equal(peer.received.length, 2)
})

test('E2: a refused recipient is told and not tried again, the others have the mail', async () => {
  const peer = await peerOf()
  peer.faults.refuse = address => address === 'desk@example.com'
  const messageId = await outbox.put()
  const [delivery] = await outbox.deliver(serverOf(peer))
  assert.equal(delivery?.state, 'partly')
  assert.equal(delivery?.error?.code, 'REPORT_RECIPIENT_REFUSED')
  assert.match(delivery?.error?.message ?? '', /refused desk@example\.com/)
  const { state, recipients } = await outbox.stateOf(messageId)
  assert.deepEqual(
    { state, recipients },
    {
      state: 'partly',
      recipients: { 'cfo@example.com': 'delivered', 'desk@example.com': 'refused' },
    },
  )
  assert.deepEqual(await outbox.deliver(serverOf(peer)), [])
  assert.equal(peer.received.length, 1)
})

test('E2: a recipient that is put off waits, and alone gets the mail later, under the same Message-ID', async () => {
  const peer = await peerOf()
  peer.faults.putOff = address => address === 'desk@example.com'
  const messageId = await outbox.put()
  const [delivery] = await outbox.deliver(serverOf(peer), { random: () => 0 })
  assert.deepEqual([delivery?.state, delivery?.error?.code], ['waiting', 'REPORT_MAIL_DEFERRED'])
  assert.match(delivery?.error?.message ?? '', /for desk@example\.com now/)
  peer.faults.putOff = () => false
  await outbox.deliver(serverOf(peer))
  const { state, recipients } = await outbox.stateOf(messageId)
  assert.deepEqual([state, Object.values(recipients)], ['delivered', ['delivered', 'delivered']])
  assert.deepEqual(
    peer.received.map(({ to, mail }) => [to, mail.messageId]),
    [
      [['cfo@example.com'], `<${messageId}>`],
      [['desk@example.com'], `<${messageId}>`],
    ],
  )
})

test('a mail whose recipients are all refused stands as failed with the answer to each', async () => {
  const peer = await peerOf()
  peer.faults.refuse = () => true
  const messageId = await outbox.put()
  const [delivery] = await outbox.deliver(serverOf(peer))
  assert.equal(delivery?.state, 'failed')
  const { state, recipients } = await outbox.stateOf(messageId)
  assert.equal(state, 'failed')
  assert.deepEqual(Object.values(recipients), ['refused', 'refused'])
})

test('a mail that the server takes and does not confirm is sent again with the same Message-ID', async () => {
  const peer = await peerOf()
  peer.faults.cutAfterData = 1
  const messageId = await outbox.put()
  const deliveries = await outbox.deliver(serverOf(peer))
  assert.deepEqual(
    deliveries.map(({ state, error }) => [state, error?.code ?? null]),
    [
      ['waiting', 'REPORT_OUTCOME_UNKNOWN'],
      ['delivered', null],
    ],
  )
  assert.equal(peer.received.length, 2)
  const [first, second] = peer.received
  assert.equal(first?.mail.messageId, `<${messageId}>`)
  assert.equal(second?.raw, first?.raw)
  assert.equal((await outbox.stateOf(messageId)).tries, 2)
})

test('a temporary refusal is tried again after a pause that grows with each try', async () => {
  const peer = await peerOf()
  peer.faults.temporary = 1
  const messageId = await outbox.put()
  const [delivery] = await outbox.deliver(serverOf(peer), { random: () => 1 })
  assert.equal(delivery?.error?.code, 'REPORT_MAIL_DEFERRED')
  assert.deepEqual(await outbox.deliver(serverOf(peer)), [])
  await outbox.database.use(async connection => {
    const { rows } = await connection.query<{ seconds: number }>(
      'SELECT extract(epoch FROM send_after - now())::int AS seconds FROM tallyman.outbox WHERE message_id = $1',
      [messageId],
    )
    assert.ok(Number(rows[0]!.seconds) > 20 && Number(rows[0]!.seconds) <= 30)
    await connection.query('UPDATE tallyman.outbox SET send_after = now() WHERE message_id = $1', [messageId])
  })
  assert.deepEqual(
    (await outbox.deliver(serverOf(peer))).map(({ state }) => state),
    ['delivered'],
  )
})

test('E3: a mail that is too big goes out without attachments and says where they are', async () => {
  const peer = await peerOf()
  peer.faults.maxBytes = 20_000
  await outbox.put({
    messageId: 'too-big@example.com',
    attachments: [{ name: 'breaks-1.csv', contentType: 'text/csv', content: Buffer.alloc(50_000, 'x\n') }],
  })
  const [delivery] = await outbox.deliver(serverOf(peer))
  assert.equal(delivery?.state, 'delivered')
  const [{ mail } = assert.fail('nothing arrived')] = peer.received
  assert.equal(mail.attachments.length, 0)
  for (const part of [mail.text, String(mail.html)]) {
    assert.match(part ?? '', /did not take the 1 attachment \(50\.0 kB\)[\s\S]*too-big\.eml/)
  }
})

for (const tls of ['implicit', 'starttls'] as const) {
  test(`a mail goes out over TLS (${tls}) with a login, and an untrusted certificate is refused`, async () => {
    const peer = await peerOf({ tls, login: { user: 'tallyman', password: 'canary-night-shift' } })
    const messageId = await outbox.put()
    const login = { tls, user: 'tallyman', password: { literal: 'canary-night-shift' } }
    const [untrusted] = await outbox.deliver(serverOf(peer, login))
    assert.equal(untrusted?.error?.code, 'REPORT_SMTP_UNREACHABLE')
    const [delivery] = await outbox.deliver(serverOf(peer, { ...login, ca: peer.certificate }))
    assert.equal(delivery?.state, 'delivered')
    assert.equal(peer.received[0]?.mail.messageId, `<${messageId}>`)
  })
}

test('a server that offers no TLS gets no mail and no password where TLS is demanded', async () => {
  const peer = await peerOf({ tls: 'none', login: { user: 'tallyman', password: 'canary-night-shift' } })
  await outbox.put()
  const server = serverOf(peer, {
    tls: 'starttls',
    user: 'tallyman',
    password: { literal: 'canary-night-shift' },
  })
  const [delivery] = await outbox.deliver(server)
  assert.equal(delivery?.error?.code, 'REPORT_SMTP_UNREACHABLE')
  await outbox.deliver({ ...server, tls: 'none' })
  assert.equal(peer.received.length, 1)
})

test('after a refused login the password is read once more, so that a rotated one is found', async () => {
  const peer = await peerOf({ login: { user: 'tallyman', password: 'canary-the-new-one' } })
  await outbox.put()
  const values = ['canary-the-old-one', 'canary-the-new-one']
  const server = serverOf(peer, { user: 'tallyman', password: { env: 'SMTP_PASSWORD' } })
  const [delivery] = await outbox.deliver(server, { secrets: async () => new Secret(values.shift() ?? '') })
  assert.equal(delivery?.state, 'delivered')
})

test('mails wait while the login stays refused, and the error does not hold the password', async () => {
  const peer = await peerOf({ login: { user: 'tallyman', password: 'canary-the-new-one' } })
  const messageId = await outbox.put()
  const server = serverOf(peer, { user: 'tallyman', password: { literal: 'canary-mistyped-9' } })
  const [delivery] = await outbox.deliver(server)
  assert.equal(delivery?.error?.code, 'REPORT_SMTP_LOGIN')
  const { state, error } = await outbox.stateOf(messageId)
  assert.equal(state, 'waiting')
  assert.doesNotMatch(error, /mistyped|bWlzdHlwZWQ|canary/)
  await outbox.deliver({ ...server, password: { literal: 'canary-the-new-one' } })
  assert.equal(peer.received.length, 1)
})

test('a mail without a usable recipient stands as failed and holds up no other', async () => {
  const peer = await peerOf()
  const poison = await outbox.put({ to: ['nobody at all'] })
  const sound = await outbox.put()
  const deliveries = await outbox.deliver(serverOf(peer))
  assert.deepEqual(
    deliveries.map(({ messageId, state }) => [messageId, state]),
    [
      [poison, 'failed'],
      [sound, 'delivered'],
    ],
  )
})

test('no mail leaves this machine without TLS', async () => {
  const messageId = await outbox.put()
  const [delivery] = await outbox.deliver({ host: 'mail.example.com', port: 25, tls: 'none' })
  assert.equal(delivery?.error?.code, 'REPORT_SMTP_UNENCRYPTED')
  assert.equal((await outbox.stateOf(messageId)).state, 'waiting')
  await outbox.database.use(connection =>
    connection.query("UPDATE tallyman.outbox SET state = 'held' WHERE message_id = $1", [messageId]),
  )
})

test('a mail in flight when the run is stopped is not taken for delivered', async () => {
  const peer = await peerOf()
  const stop = new AbortController()
  peer.faults.beforeAnswer = async () => {
    stop.abort(new Error('told to stop'))
    await new Promise(() => {})
  }
  const messageId = await outbox.put()
  await assert.rejects(outbox.deliver(serverOf(peer), { signal: stop.signal }), /told to stop/)
  assert.equal((await outbox.stateOf(messageId)).state, 'waiting')
  peer.faults.beforeAnswer = async () => {}
  const again = await outbox.deliver(serverOf(peer))
  assert.deepEqual(
    again.map(delivery => [delivery.messageId, delivery.state]),
    [[messageId, 'delivered']],
  )
})
