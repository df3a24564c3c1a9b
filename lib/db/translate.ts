/**
 * Turns what pg throws into RunErrors with one stable code per situation, in one place.
 * States facts only: whether something is tried again is decided by lib/run/retry.ts.
 */
import pg from 'pg'
import { type ErrorDetails, RunError, TallymanError } from '../model/errors.ts'

/** SQLSTATEs after which the session is gone: shutdowns, terminations, idle timeouts, protocol failures. */
const SESSION_GONE = /^(57P0[1245]|25P03|08...)$/

/** The server's detail, unless it repeats a whole row: `Key (ref)=(A-1) already exists.` names the row, the other form spreads it. */
function safeDetail(error: pg.DatabaseError): string | null {
  const detail = error.detail ?? null
  return detail === null || error.code === '23502' || error.code === '23514' ? null : detail
}

/** What a database error is about. */
function detailsOf(error: pg.DatabaseError): ErrorDetails {
  return {
    sqlstate: error.code ?? null,
    schema: error.schema ?? null,
    table: error.table ?? null,
    column: error.column ?? null,
    constraint: error.constraint ?? null,
    detail: safeDetail(error),
  }
}

/** A session that ended while it was needed. What it last sent may have taken effect. */
export function lostError(cause: unknown): RunError {
  return new RunError(
    'RUN_DATABASE_LOST',
    `The connection to the database was lost (${messageOf(cause)}). An open transaction is rolled back by the server; whatever was being committed is verified before anything is done again.`,
    { retry: 'verify-first', cause },
  )
}

/** A database that can't be reached. */
function unreachable(cause: unknown): RunError {
  return new RunError(
    'RUN_DATABASE_UNREACHABLE',
    `The database can't be reached (${messageOf(cause)}). Nothing was sent; it is tried again.`,
    { retry: 'backoff', cause },
  )
}

/** Translates an error met while connecting. TallymanErrors pass unchanged. */
export function translateConnectError(error: unknown): Error {
  if (error instanceof TallymanError) return error
  if (error instanceof pg.DatabaseError) {
    if (error.code === '57P03' || (error.code !== undefined && SESSION_GONE.test(error.code))) {
      return unreachable(error)
    }
    return translateServerError(error)
  }
  return unreachable(error)
}

/** Translates an error met while a session was in use. TallymanErrors pass unchanged. */
export function translateError(error: unknown): Error {
  if (error instanceof TallymanError) return error
  if (error instanceof pg.DatabaseError) return translateServerError(error)
  if (isClientBug(error)) return error
  return lostError(error)
}

/** Errors that pg raises for a misuse of its own interface: they are ours to mend, not a lost connection. */
function isClientBug(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError
}

function translateServerError(error: pg.DatabaseError): RunError {
  const state = error.code ?? ''
  const details = detailsOf(error)
  const cause = error
  if (SESSION_GONE.test(state) || state === '57P03') return lostError(error)
  if (state === '40P01' || state === '40001') {
    return new RunError(
      'RUN_DATABASE_DEADLOCK',
      `The database broke a deadlock by rolling this transaction back (${error.message}). Nothing of it took effect; it is tried again.`,
      { retry: 'backoff', details, cause },
    )
  }
  if (state === '55P03') {
    return new RunError(
      'RUN_DATABASE_LOCK_TIMEOUT',
      `A lock was not granted in time (${error.message}). The transaction is rolled back and tried again.`,
      { retry: 'backoff', details, cause },
    )
  }
  if (state === '57014') {
    return new RunError(
      'RUN_DATABASE_STATEMENT_TIMEOUT',
      `A statement was cancelled by the database (${error.message}). The transaction is rolled back.`,
      { retry: 'backoff', details, cause },
    )
  }
  if (state === '53300') {
    return new RunError(
      'RUN_DATABASE_TOO_MANY',
      `The database has no free connection (${error.message}). It is tried again.`,
      { retry: 'backoff', details, cause },
    )
  }
  if (state.startsWith('53')) {
    return new RunError(
      'RUN_DATABASE_FULL',
      `The database is out of disk or memory (${error.message}). The transaction is rolled back; free space is needed before it can pass.`,
      { retry: 'backoff', details, cause },
    )
  }
  if (state.startsWith('23')) return constraintError(error, details)
  return new RunError(
    'RUN_DATABASE_REFUSED',
    `The database refused a statement: ${error.message} (SQLSTATE ${state || 'unknown'}). The transaction is rolled back.`,
    { retry: 'never', details, cause },
  )
}

function constraintError(error: pg.DatabaseError, details: ErrorDetails): RunError {
  const at = [error.schema, error.table].filter(part => part !== undefined).join('.')
  const detail = safeDetail(error) === null ? '' : ` ${safeDetail(error)}`
  return new RunError(
    'RUN_DATABASE_CONSTRAINT',
    `A row violates a rule of ${at || 'the database'}: ${error.message}.${detail} The transaction is rolled back.`,
    { retry: 'never', details, cause: error },
  )
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
