/**
 * The search for secrets of tests sees them in the encodings in which they may be quoted.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canary, canaryIn } from '../../../support/canary.ts'

test('a secret of a test is found plain, in hex and in base64 at every offset, and nothing else is', () => {
  const secret = canary('token')
  assert.match(secret, /^canary-token-[0-9a-f]{18}$/)
  for (const before of ['', 'a', 'ab', 'user:']) {
    const text = `${before}${secret}`
    const forms = [text, Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64')]
    for (const form of forms) assert.notEqual(canaryIn(`Authorization: ${form} end`), null, form)
  }
  assert.equal(canaryIn('the canary sang; canaries, Y2Fu, 63616e'), null)
})
