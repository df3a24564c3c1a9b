/**
 * The peers themselves: a test that trusts a peer which never fails proves nothing.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { type ApiPeer, MemoryStore, startApiPeer } from '../../../support/api-peer.ts'
import { type SmtpPeer, startSmtpPeer } from '../../../support/smtp-peer.ts'

const mail = {
  from: 'a@example.org',
  to: ['b@example.org', 'c@example.org'],
  subject: 'Grüße',
  text: 'hello',
  messageId: '<1@x>',
}
const login = { user: 'tallyman', password: 'canary-mail-password' }

let store: MemoryStore
let api: ApiPeer
let smtp: SmtpPeer
before(async () => {
  store = new MemoryStore(['id'])
  api = await startApiPeer({ store, token: 'canary-right' })
  smtp = await startSmtpPeer()
})
after(() => Promise.all([api.close(), smtp.close()]))

async function post(
  key: string,
  items: unknown,
  token = 'canary-right',
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${api.baseUrl}/hours`, {
    method: 'POST',
    headers: { 'idempotency-key': key, authorization: `Bearer ${token}` },
    body: JSON.stringify(items),
  })
  return { status: response.status, body: await response.json() }
}

function plain(): ReturnType<typeof createTransport> {
  return createTransport({ host: smtp.host, port: smtp.port, ignoreTLS: true })
}

test('the mail peer keeps a mail parsed, with its envelope', async () => {
  await plain().sendMail(mail)
  const { mail: parsed, from, to } = smtp.received.at(-1)!
  assert.deepEqual(
    [parsed.subject, parsed.messageId, parsed.text?.trim(), from, to],
    ['Grüße', '<1@x>', 'hello', mail.from, mail.to],
  )
})

for (const tls of ['implicit', 'starttls'] as const) {
  test(`the mail peer asks for login over ${tls} TLS with a certificate that can be verified`, async () => {
    const peer = await startSmtpPeer({ tls, login })
    const transport = (password: string) =>
      createTransport({
        host: peer.host,
        port: peer.port,
        secure: tls === 'implicit',
        requireTLS: true,
        tls: { ca: peer.certificate },
        auth: { user: login.user, pass: password },
      })
    await transport(login.password).sendMail(mail)
    assert.equal(peer.received.length, 1)
    await assert.rejects(transport('wrong').sendMail(mail), { code: 'EAUTH' })
    await assert.rejects(
      createTransport({
        host: peer.host,
        port: peer.port,
        secure: tls === 'implicit',
        requireTLS: true,
      }).sendMail(mail),
      /self-signed/,
    )
    await peer.close()
  })
}

test('the mail peer refuses one recipient and takes the mail for the other', async () => {
  smtp.faults.refuse = address => address.startsWith('b@')
  const info = await plain().sendMail(mail)
  smtp.faults.refuse = () => false
  assert.deepEqual(info.rejected, ['b@example.org'])
  assert.deepEqual(smtp.received.at(-1)!.to, ['c@example.org'])
})

test('the mail peer is busy once, too small once, hangs up after taking a mail, goes down and comes back', async () => {
  const before = smtp.received.length
  smtp.faults.temporary = 1
  await assert.rejects(plain().sendMail(mail), { responseCode: 451 })
  smtp.faults.maxBytes = 10
  await assert.rejects(plain().sendMail(mail), { responseCode: 552 })
  smtp.faults.maxBytes = Number.POSITIVE_INFINITY
  assert.equal(smtp.received.length, before)
  smtp.faults.cutAfterData = 1
  await assert.rejects(plain().sendMail(mail))
  assert.equal(smtp.received.length, before + 1)
  await smtp.down()
  await assert.rejects(plain().sendMail(mail), { code: 'ESOCKET' })
  await smtp.up()
  await plain().sendMail(mail)
  assert.equal(smtp.received.length, before + 2)
})

test('the API peer applies rows once per key and answers row by row', async () => {
  api.rules.reject = item => (item.n === -1 ? { code: 'NEGATIVE', message: 'n is negative' } : null)
  const items = [
    { id: 'a', n: 1 },
    { id: 'b', n: -1 },
  ]
  const first = await post('k1', items)
  assert.deepEqual(first.body, {
    results: [
      { index: 0, status: 'created' },
      { index: 1, status: 'rejected', error: { code: 'NEGATIVE', message: 'n is negative' } },
    ],
  })
  assert.deepEqual(await post('k1', items), first)
  assert.equal((await post('k1', [{ id: 'a', n: 2 }])).status, 422)
  assert.deepEqual((await post('k2', items.slice(0, 1))).body, {
    results: [{ index: 0, status: 'unchanged' }],
  })
  assert.deepEqual([...store.effects], [['["a"]', 1]])
  assert.equal((await post('k3', items, 'wrong')).status, 401)
})

test('the API peer drops an answer after it applied the rows, and gives it when asked again', async () => {
  api.faults.push(
    { kind: 'drop-after-commit' },
    { kind: 'drop-before' },
    { kind: 'throttle', retryAfter: '7' },
  )
  const items = [{ id: 'dropped', n: 1 }]
  await assert.rejects(post('k4', items))
  assert.equal(store.effects.get('["dropped"]'), 1)
  await assert.rejects(post('k4', items))
  assert.equal((await post('k4', items)).status, 429)
  assert.deepEqual((await post('k4', items)).body, { results: [{ index: 0, status: 'created' }] })
  assert.equal(store.effects.get('["dropped"]'), 1)
})
