/**
 * Getting in: pinned host keys, three kinds of authentication, rotated secrets, and the errors of
 * everything that does not fit.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { SftpEndpoint } from '../../../../lib/model/environment.ts'
import { silentLog } from '../../../../lib/model/progress.ts'
import { type ResolveSecret, Secret } from '../../../../lib/model/secret.ts'
import { systemClock } from '../../../../lib/model/time/clock.ts'
import { probeHostKeys } from '../../../../lib/sftp/host-key.ts'
import { sftpConnection } from '../../../../lib/sftp/sftp-connection.ts'
import { endpointOf } from '../../../support/fetch-feed.ts'
import { type SftpPeer, type SftpUser, startSftpPeer, userKeyPair } from '../../../support/sftp-peer.ts'

const literal: ResolveSecret = async source => new Secret('literal' in source ? source.literal : '')

async function serve(t: TestContext, ...users: SftpUser[]): Promise<SftpPeer> {
  const root = mkdtempSync(join(tmpdir(), 'tallyman-login-'))
  const peer = await startSftpPeer({ root, users })
  t.after(async () => {
    await peer.close()
    rmSync(root, { recursive: true, force: true })
  })
  return peer
}

/** Lists the root as this endpoint and ends the connection. */
async function enter(endpoint: SftpEndpoint, readSecret: ResolveSecret = literal) {
  const signal = new AbortController().signal
  const context = { clock: systemClock, log: silentLog, signal }
  const source = sftpConnection({ name: 'carrier', endpoint, readSecret, stallMs: 10_000, context })
  try {
    return await source.list('/')
  } finally {
    await source.close()
  }
}

test('a password, an answer to keyboard-interactive and a key each let in', async t => {
  const plain = userKeyPair()
  const locked = userKeyPair('canary-open-sesame')
  const peer = await serve(
    t,
    { name: 'with-password', password: 'canary-correct-horse' },
    { name: 'with-answer', answer: 'canary-battery-staple' },
    { name: 'with-key', publicKey: plain.public },
    { name: 'with-locked-key', publicKey: locked.public },
  )
  const base = endpointOf(peer)
  const ways: [string, SftpEndpoint['auth']][] = [
    ['with-password', { kind: 'password', password: { literal: 'canary-correct-horse' } }],
    ['with-answer', { kind: 'keyboard-interactive', password: { literal: 'canary-battery-staple' } }],
    ['with-key', { kind: 'key', key: { literal: plain.private } }],
    [
      'with-locked-key',
      { kind: 'key', key: { literal: locked.private }, passphrase: { literal: 'canary-open-sesame' } },
    ],
  ]
  for (const [username, auth] of ways) {
    assert.deepEqual(await enter({ ...base, username, auth }), { entries: [], unusable: [] }, username)
  }
})

test('only the declared kind of authentication is ever sent', async t => {
  const peer = await serve(t, { name: 'tallyman', answer: 'canary-correct-horse' })
  await assert.rejects(enter(endpointOf(peer)), { code: 'FETCH_AUTH_REFUSED' })
  assert.deepEqual(peer.seen, ['LOGIN password tallyman'])
})

test('a server that asks again and again gets the password three times and no more', async t => {
  const peer = await serve(t, { name: 'tallyman', answer: 'canary-correct-horse', questions: 6 })
  const auth = { kind: 'keyboard-interactive' as const, password: { literal: 'canary-correct-horse' } }
  await assert.rejects(enter({ ...endpointOf(peer), auth }), { code: 'FETCH_AUTH_REFUSED' })
  const answers = peer.seen.filter(what => what.startsWith('ANSWER'))
  assert.deepEqual(answers.slice(0, 6), [
    ...Array.from({ length: 3 }, () => 'ANSWER right'),
    ...Array.from({ length: 3 }, () => 'ANSWER empty'),
  ])
})

test('a wrong password is sent once, told, and holds no secret in its text', async t => {
  const peer = await serve(t, { name: 'tallyman', password: 'canary-another-one' })
  await assert.rejects(enter(endpointOf(peer)), (error: Error & { code: string; retry: string }) => {
    assert.equal(error.code, 'FETCH_AUTH_REFUSED')
    assert.equal(error.retry, 'never')
    assert.doesNotMatch(JSON.stringify([error.message, error, String(error.cause)]), /canary/)
    return true
  })
  assert.equal(peer.seen.length, 1)
})

test('a secret that was rotated meanwhile is read again and let in', async t => {
  const peer = await serve(t, { name: 'tallyman', password: 'canary-new-password' })
  const values = ['canary-old-password', 'canary-new-password']
  await enter(endpointOf(peer), async () => new Secret(values.shift() ?? ''))
  assert.equal(peer.seen.filter(what => what.startsWith('LOGIN')).length, 2)
})

test('an unusable key or a wrong passphrase is told before anything is sent', async t => {
  const locked = userKeyPair('canary-open-sesame')
  const peer = await serve(t, { name: 'tallyman', publicKey: locked.public })
  const base = endpointOf(peer)
  for (const auth of [
    { kind: 'key', key: { literal: locked.private }, passphrase: { literal: 'canary-wrong-one' } },
    { kind: 'key', key: { literal: locked.private } },
    { kind: 'key', key: { literal: 'no key at all' } },
  ] as const) {
    await assert.rejects(enter({ ...base, auth }), { code: 'FETCH_KEY_UNREADABLE', retry: 'never' })
  }
  assert.deepEqual(peer.seen, [])
})

test('B30: a changed host key is a hard stop: no login is sent and both fingerprints are told', async t => {
  const peer = await serve(t, { name: 'tallyman', password: 'canary-correct-horse' })
  const endpoint = endpointOf(peer)
  await enter(endpoint)
  const sent = peer.seen.length
  peer.changeHostKey()
  await assert.rejects(enter(endpoint), (error: Error & { code: string; retry: string }) => {
    assert.equal(error.code, 'FETCH_HOST_KEY_CHANGED')
    assert.equal(error.retry, 'never')
    assert.ok(error.message.includes(peer.hostKey) && error.message.includes(endpoint.hostKeys[0]))
    return true
  })
  assert.equal(peer.seen.length, sent)
  await enter({ ...endpoint, hostKeys: [endpoint.hostKeys[0], peer.hostKey] })
})

test('B30: an endpoint without a matching pin never gets in, not even with an empty one', async t => {
  const peer = await serve(t, { name: 'tallyman', password: 'canary-correct-horse' })
  for (const pin of ['', 'SHA256:', peer.hostKey.slice(0, -1)]) {
    await assert.rejects(enter({ ...endpointOf(peer), hostKeys: [pin] }), { code: 'FETCH_HOST_KEY_CHANGED' })
  }
  assert.deepEqual(peer.seen, [])
})

test('the probe tells the fingerprint to be pinned and logs in nowhere', async t => {
  const peer = await serve(t, { name: 'tallyman', password: 'canary-correct-horse' })
  const { keys, failure } = await probeHostKeys(peer.host, peer.port)
  assert.deepEqual(keys, [{ type: 'ssh-ed25519', fingerprint: peer.hostKey }])
  assert.equal(failure, null)
  assert.deepEqual(peer.seen, [])
})

test('a server that is not there is unreachable, and may be there later', async t => {
  const peer = await serve(t)
  await peer.close()
  await assert.rejects(enter(endpointOf(peer)), { code: 'FETCH_UNREACHABLE', retry: 'backoff' })
  const { keys, failure } = await probeHostKeys(peer.host, peer.port)
  assert.deepEqual(keys, [])
  assert.match(failure ?? '', /ECONNREFUSED/)
})

test('something that speaks no SSH is unreachable and crashes nothing', async t => {
  const web = createServer(socket => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>(resolve => web.listen(0, '127.0.0.1', resolve))
  t.after(() => web.close())
  const { port } = web.address() as { port: number }
  const endpoint = { ...endpointOf(await serve(t)), port }
  await assert.rejects(enter(endpoint), { code: 'FETCH_UNREACHABLE' })
})
