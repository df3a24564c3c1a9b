/**
 * Secrets of tests that can be found wherever they turn up: each begins with one mark. The places where
 * a secret could be written down look for it when they are closed: databases (postgres.ts), mail servers
 * (smtp-peer.ts), nights with all their files (night.ts), and the output of the whole suite (run-tests.ts).
 */
import { randomBytes } from 'node:crypto'

/** How every secret of a test begins. */
export const MARK = 'canary-'

/** A secret. */
export function canary(name: string): string {
  return `${MARK}${name}-${randomBytes(9).toString('hex')}`
}

/**
 * The mark as a pattern that JavaScript and Postgres read alike: plain, in hex (as Postgres shows bytes), and in
 * base64 at each of its three offsets, by the characters that no neighbour touches.
 */
export const CANARY = [
  MARK,
  Buffer.from(MARK).toString('hex'),
  ...[0, 1, 2].map(offset => {
    const text = Buffer.from(`${'.'.repeat(offset)}${MARK}`).toString('base64')
    return text.slice(offset === 0 ? 0 : offset + 1, Math.floor(((offset + MARK.length) * 8) / 6))
  }),
].join('|')

/** The first secret in a text, with a little of what stands around it; null when there is none. */
export function canaryIn(text: string): string | null {
  const at = text.search(new RegExp(CANARY))
  return at < 0 ? null : text.slice(Math.max(0, at - 40), at + 60)
}

/** Makes the run fail because a secret was written down. Not thrown: the hooks after this one stop the servers. */
export function tellLeak(where: string, what: string): void {
  process.stderr.write(`secrets were written down: ${where}: ${what}\n`)
  process.exitCode = 1
}
