/**
 * The one door to the package ssh2. It takes 60 ms to load, so it is loaded at the first connection
 * and a run that needs no SFTP never pays for it.
 */
import type ssh2 from 'ssh2'

/** The package, loaded once. */
export async function loadSsh2(): Promise<typeof ssh2> {
  return (await import('ssh2')).default
}

/** Status codes of SFTP version 3 that have a meaning of their own here. */
export const STATUS = { eof: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 } as const
