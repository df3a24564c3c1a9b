/** ssh2 with ciphers that take their key once: the same bytes, and only for ssh2. */
import assert from 'node:assert/strict'
import crypto, { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { silentLog } from '../../../../lib/model/progress.ts'
import { Secret } from '../../../../lib/model/secret.ts'
import { systemClock } from '../../../../lib/model/time/clock.ts'
import { withQuickCiphers } from '../../../../lib/sftp/quick-ciphers.ts'
import { sftpConnection } from '../../../../lib/sftp/sftp-connection.ts'
import { endpointOf } from '../../../support/fetch-feed.ts'
import { startSftpPeer } from '../../../support/sftp-peer.ts'

type Ciphers = Pick<typeof crypto, 'createCipheriv' | 'createDecipheriv'>

/** Seals texts one after the other under the same key bytes, each with a cipher and an iv of its own. */
function seal({ createCipheriv }: Ciphers, key: Buffer, texts: readonly Buffer[]): Buffer[] {
  return texts.map((text, at) => {
    const cipher = createCipheriv('aes-128-gcm', key, Buffer.alloc(12, at))
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
  })
}

test('quick ciphers give the bytes of the plain ones, for every key and after a change of keys', () => {
  const quick = withQuickCiphers((): Ciphers => ({ ...crypto }))
  assert.notEqual(quick.createCipheriv, crypto.createCipheriv)
  const texts = [0, 1, 16, 35_000].map(size => randomBytes(size))
  for (const key of [randomBytes(16), randomBytes(16)]) {
    const sealed = seal(quick, key, texts)
    assert.deepEqual(sealed, seal(crypto, key, texts))
    for (const [at, text] of texts.entries()) {
      const decipher = quick.createDecipheriv('aes-128-gcm', key, Buffer.alloc(12, at))
      decipher.setAuthTag(sealed[at]!.subarray(-16))
      assert.deepEqual(Buffer.concat([decipher.update(sealed[at]!.subarray(0, -16)), decipher.final()]), text)
    }
  }
})

test('a package that fails to load leaves the ciphers of everybody else as they were', () => {
  const before = { ...crypto }
  assert.throws(() =>
    withQuickCiphers(() => {
      throw new Error('not installed')
    }),
  )
  assert.equal(crypto.createCipheriv, before.createCipheriv)
  assert.equal(crypto.createDecipheriv, before.createDecipheriv)
})

test('a download of many packets turns each key into an object once, and its bytes are those that were sent', async t => {
  const root = mkdtempSync(join(tmpdir(), 'tallyman-ciphers-'))
  const content = randomBytes(2_000_000)
  writeFileSync(join(root, 'a.bin'), content)
  const peer = await startSftpPeer({ root, users: [{ name: 'tallyman', password: 'canary-correct-horse' }] })
  const made = t.mock.method(crypto, 'createSecretKey')
  const source = sftpConnection({
    ...{ name: 'carrier', stallMs: 10_000, endpoint: endpointOf(peer) },
    readSecret: async () => new Secret('canary-correct-horse'),
    context: { clock: systemClock, log: silentLog, signal: new AbortController().signal },
  })
  t.after(async () => {
    await source.close()
    await peer.close()
    rmSync(root, { recursive: true, force: true })
  })
  const pieces: Buffer[] = []
  for await (const piece of source.read('/', 'a.bin')) pieces.push(Buffer.from(piece))
  assert.ok(Buffer.concat(pieces).equals(content))
  // Both ends are in this process: a key for each direction at each end, over some 120 packets.
  assert.equal(made.mock.callCount(), 4)
})
