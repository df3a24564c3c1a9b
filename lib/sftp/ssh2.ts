/**
 * The one door to the packages ssh2-sftp-client (the session) and ssh2 (keys, the probe, the declarations).
 * They take 60 ms to load, so they are loaded at the first connection and a run that needs no SFTP
 * never pays for them.
 */
import type ssh2 from 'ssh2'
import type SftpClient from 'ssh2-sftp-client'

/** The package ssh2, loaded once. */
export async function loadSsh2(): Promise<typeof ssh2> {
  return (await import('ssh2')).default
}

/** A client of ssh2-sftp-client, not connected. Its own listeners would write to the console: it gets silent ones. */
export async function newSftpClient(): Promise<SftpClient> {
  const { default: Client } = await import('ssh2-sftp-client')
  return new Client('tallyman', { error: () => {}, end: () => {}, close: () => {} })
}

/** Status codes of SFTP version 3 that have a meaning of their own here. */
export const STATUS = { noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 } as const
