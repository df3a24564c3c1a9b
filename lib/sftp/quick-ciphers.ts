/**
 * Loads ssh2 with ciphers that take their key once. ssh2 makes a cipher object per packet from the
 * same key bytes; Node 24.21 takes 65 microseconds for that, and 6 when the key is a KeyObject: a
 * downloaded MiB costs 40 instead of 70 ms of processor time. Nothing but speed differs.
 */
import crypto, { type CipherKey, type KeyObject } from 'node:crypto'

type Make = (algorithm: string, key: CipherKey, iv: crypto.BinaryLike | null, options?: object) => unknown

const NAMES = ['createCipheriv', 'createDecipheriv'] as const

/** Keys as objects, as long as the session that has their bytes lives. */
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

/**
 * What `load` gives, a synchronous `require` of a package that takes its functions from node:crypto
 * while it is loaded: it gets the quick ones, and nobody else does.
 * Guarantee: the bytes are those of the plain functions. A key's bytes may not change after its first use.
 */
export function withQuickCiphers<T>(load: () => T): T {
  const plain = NAMES.map(name => [name, crypto[name] as Make] as const)
  for (const [name, make] of plain) {
    const quick: Make = (algorithm, key, iv, options) => make(algorithm, keyObject(key), iv, options)
    Object.assign(crypto, { [name]: quick })
  }
  try {
    return load()
  } finally {
    for (const [name, make] of plain) Object.assign(crypto, { [name]: make })
  }
}
