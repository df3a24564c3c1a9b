/**
 * Host keys: their fingerprints, and what a server offers when it is only asked for that.
 * There is no trust on first use: `doctor` prints what is offered, a person compares and pastes it.
 */
import { createHash } from 'node:crypto'
import { loadSsh2 } from './ssh2.ts'

/** Families of host keys, strongest first, by the names under which SSH negotiates them. */
const FAMILIES = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
] as const

/** A probe is a person waiting at `doctor`: a server that says nothing for 10 s is reported as such. */
const PROBE_TIMEOUT_MS = 10_000

/** A key that a server offered. */
export interface OfferedHostKey {
  /** `ssh-ed25519` and so on, as it stands in the key. */
  readonly type: string
  /** As `ssh-keygen -l` prints it: `SHA256:` and base64 without padding. */
  readonly fingerprint: string
}

/** The fingerprint of a host key in SSH wire format. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type named in a host key in SSH wire format. */
export function keyTypeOf(key: Buffer): string {
  return key.toString('latin1', 4, 4 + Math.min(key.readUInt32BE(0), 64))
}

/**
 * The host keys that a server offers, one per family it has. Nothing is sent that could log in.
 * On failure: a server that can't be reached or speaks no SSH gives an empty list and the reason.
 */
export async function probeHostKeys(
  host: string,
  port: number,
): Promise<{ readonly keys: readonly OfferedHostKey[]; readonly failure: string | null }> {
  const keys: OfferedHostKey[] = []
  let failure: string | null = null
  for (const family of FAMILIES) {
    const answer = await probeFamily(host, port, [...family])
    if (typeof answer === 'string') failure = answer
    else keys.push(answer)
  }
  return { keys, failure: keys.length > 0 ? null : failure }
}

async function probeFamily(host: string, port: number, family: string[]): Promise<OfferedHostKey | string> {
  const { Client } = loadSsh2()
  return new Promise(resolve => {
    const client = new Client()
    client.on('error', error => resolve(error.message))
    client.on('close', () => resolve('the server closed the connection before it showed its host key'))
    client.connect({
      host,
      port,
      username: 'tallyman-doctor',
      readyTimeout: PROBE_TIMEOUT_MS,
      // The key algorithms are a closed list in the package's declarations; ours are among them.
      algorithms: { serverHostKey: family as never },
      hostVerifier: (key: Buffer) => {
        resolve({ type: keyTypeOf(key), fingerprint: fingerprintOf(key) })
        return false
      },
    })
  })
}
