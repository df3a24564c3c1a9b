/**
 * Turns what the packages say into FetchErrors with a stable code each: first those of making a
 * connection, then those of an answer to a request.
 */
import { FetchError } from '../model/errors.ts'
import { printableName } from '../model/source.ts'
import type { OfferedHostKey } from './host-key.ts'
import { STATUS } from './ssh2.ts'

/** What was going on when it failed. */
export interface Subject {
  /** The source's name for messages. */
  readonly source: string
  /** The folder or file it was about, null for the connection itself. */
  readonly path: string | null
}

/** Why no connection came about. `error` is from ssh2: its `level` says how far it came. */
export function connectError(error: Error, source: string, username: string): FetchError {
  const { level, code } = error as Error & { level?: string; code?: string }
  const reason = reasonOf(error)
  const details = { source, reason }
  if (level === 'client-authentication') {
    return new FetchError(
      'FETCH_AUTH_REFUSED',
      `${source} refused the login of user ${username}. It is not tried again, so that the account is not locked; check the secret, the user and the kind of authentication.`,
      { details, cause: error },
    )
  }
  if (level === 'handshake' && code === undefined) {
    return new FetchError(
      'FETCH_HANDSHAKE_FAILED',
      `${source} and Tallyman could not agree on how to encrypt: ${reason}. It is not tried again; ask the partner which algorithms the server offers.`,
      { details, cause: error },
    )
  }
  return new FetchError('FETCH_UNREACHABLE', `${source} can't be reached: ${reason}. It is tried again.`, {
    retry: 'backoff',
    details,
    cause: error,
  })
}

/** The server showed a key that is not pinned. */
export function hostKeyError(
  source: string,
  offered: OfferedHostKey,
  expected: readonly string[],
): FetchError {
  return new FetchError(
    'FETCH_HOST_KEY_CHANGED',
    `${source} showed the host key ${offered.fingerprint} (${offered.type}), but pinned is ${expected.join(' or ')}. Somebody may be between us and the partner: nothing was sent and nothing is tried again. Ask the partner by telephone; only if the new key is confirmed, add it to hostKeys of this endpoint.`,
    { details: { source, offered: offered.fingerprint, keyType: offered.type, expected } },
  )
}

/** A private key that can't be used. */
export function keyError(source: string, reason: string): FetchError {
  return new FetchError(
    'FETCH_KEY_UNREADABLE',
    `The private key for ${source} can't be used: ${reason}. Nothing was sent; check the key's file and its passphrase.`,
    { details: { source } },
  )
}

/** Silence for longer than allowed. */
export function stallError(subject: Subject, stallMs: number): FetchError {
  return new FetchError(
    'FETCH_STALLED',
    `${subject.source} sent nothing for ${stallMs / 1000} s${about(subject)}. The connection was dropped; it is tried again.`,
    { retry: 'backoff', details: { source: subject.source, stallMs } },
  )
}

/** Why a request failed. `error.code` is an SFTP status where the server answered. */
export function requestError(error: Error, subject: Subject, what: 'folder' | 'file'): FetchError {
  const code = (error as Error & { code?: unknown }).code
  const reason = reasonOf(error)
  const details = { source: subject.source, reason }
  const options = { details, cause: error }
  if (code === STATUS.noSuchFile && what === 'folder') {
    return new FetchError(
      'FETCH_FOLDER_MISSING',
      `The folder${named(subject)} does not exist on ${subject.source}. It is not tried again; check the path with the partner.`,
      options,
    )
  }
  if (code === STATUS.noSuchFile) {
    return new FetchError(
      'FETCH_FILE_GONE',
      `The file${named(subject)} is no longer on ${subject.source}. What is there now is listed again.`,
      { ...options, retry: 'backoff' },
    )
  }
  if (code === STATUS.permissionDenied) {
    return new FetchError(
      'FETCH_PERMISSION_DENIED',
      `${subject.source} does not permit this user to use the ${what}${named(subject)}. It is not tried again; ask the partner for the right.`,
      options,
    )
  }
  if (typeof code === 'number') {
    return new FetchError(
      'FETCH_SERVER_FAILED',
      `${subject.source} answered with a failure${about(subject)}: ${reason}. It is tried again.`,
      { ...options, retry: 'backoff' },
    )
  }
  return lostError(subject, error)
}

/** The connection ended while an answer was awaited. */
export function lostError(subject: Subject, cause?: Error): FetchError {
  return new FetchError(
    'FETCH_CONNECTION_LOST',
    `The connection to ${subject.source} was lost${about(subject)}. It is tried again.`,
    {
      retry: 'backoff',
      details: {
        source: subject.source,
        reason: cause === undefined ? 'connection closed' : reasonOf(cause),
      },
      cause,
    },
  )
}

/** An error's text, escaped: the server's words and the package's with remote names in them are data. */
function reasonOf(error: Error): string {
  // Of a host with several addresses Node says nothing but the code.
  const text = error.message === '' ? String((error as NodeJS.ErrnoException).code) : error.message
  return printableName(text).slice(1, -1)
}

function named(subject: Subject): string {
  return subject.path === null ? '' : ` ${printableName(subject.path)}`
}

function about(subject: Subject): string {
  return subject.path === null ? '' : ` while ${printableName(subject.path)} was read`
}
