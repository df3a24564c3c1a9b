/**
 * The one door to the packages ssh2-sftp-client (the session) and ssh2 (keys, the probe, the declarations).
 * They take 60 ms to load, so they are loaded at the first connection and a run that needs no SFTP
 * never pays for them.
 */
import { createRequire } from 'node:module'
import type ssh2 from 'ssh2'
import type SftpClient from 'ssh2-sftp-client'
import { withQuickCiphers } from './quick-ciphers.ts'

const require = createRequire(import.meta.url)
let loaded: typeof ssh2 | null = null

/** The package ssh2, loaded once, with quick ciphers: whoever loads it before, by `import`, has it without them. */
export function loadSsh2(): typeof ssh2 {
  loaded ??= withQuickCiphers(() => require('ssh2') as typeof ssh2)
  return loaded
}

/** A client of ssh2-sftp-client, not connected. Its own listeners would write to the console: it gets silent ones. */
export async function newSftpClient(): Promise<SftpClient> {
  loadSsh2()
  const { default: Client } = await import('ssh2-sftp-client')
  return new Client('tallyman', { error: () => {}, end: () => {}, close: () => {} })
}

/** Status codes of SFTP version 3 that have a meaning of their own here. */
export const STATUS = { noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 } as const
