/**
 * Import this before anything that loads ssh2, where a test moves hundreds of megabytes over SSH.
 * ssh2 makes a cipher object per packet from the same key bytes; Node 24.21 takes 65 microseconds for
 * that, and 6 when the key is a KeyObject. Nothing but speed differs: 40 instead of 70 ms of CPU per MiB.
 */
import crypto, { type CipherKey, type KeyObject } from 'node:crypto'

const known = new WeakMap<object, KeyObject>()

function keyObject(key: CipherKey): CipherKey {
  if (!Buffer.isBuffer(key)) return key
  let made = known.get(key)
  if (made === undefined) {
    made = crypto.createSecretKey(key)
    known.set(key, made)
  }
  return made
}

type Make = (algorithm: string, key: CipherKey, iv: crypto.BinaryLike | null, options?: object) => unknown

for (const name of ['createCipheriv', 'createDecipheriv'] as const) {
  const make = crypto[name] as Make
  Object.assign(crypto, {
    [name]: (...[algorithm, key, iv, options]: Parameters<Make>) =>
      make(algorithm, keyObject(key), iv, options),
  })
}
