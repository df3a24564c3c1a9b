/**
 * Decides what became of a COMMIT whose answer was lost, by asking the server for the transaction's
 * fate. Used by connection.ts; the rule is delivery.md's "Lost answer to COMMIT".
 */
import { RunError } from '../model/errors.ts'
import type { Home } from './connection.ts'

/** Pause between two questions. A commit in progress ends in milliseconds, a restarting server in seconds. */
const ASK_EVERY_MS = 200

/** How often it is asked: two minutes, more than a crash recovery of a server with default checkpoints takes. */
const ASK_TIMES = 600

/**
 * Returns when transaction `xid` did commit.
 * @throws RUN_DATABASE_LOST (retry backoff) when it is proved not to have; RUN_COMMIT_UNDECIDED when nobody can tell.
 */
export async function proveCommit(home: Home, xid: string, lost: Error): Promise<void> {
  let last: unknown = lost
  for (let asked = 0; asked < ASK_TIMES; asked += 1) {
    const status = await ask(home, xid).catch(error => {
      last = error
      return 'unreachable' as const
    })
    if (status === 'committed') return
    if (status === 'aborted') {
      throw new RunError(
        'RUN_DATABASE_LOST',
        'The connection to the database was lost during COMMIT, and the server says that the transaction was rolled back. Nothing of it took effect; it is tried again.',
        { retry: 'backoff', details: { xid }, cause: lost },
      )
    }
    if (status === null) break
    await home.sleep(ASK_EVERY_MS)
  }
  throw new RunError(
    'RUN_COMMIT_UNDECIDED',
    `The connection to the database was lost during COMMIT, and the fate of transaction ${xid} can't be learned. The load's gate decides it at the next attempt.`,
    { retry: 'verify-first', details: { xid }, cause: last },
  )
}

/** The server's word: `committed`, `aborted`, `in progress`, or null when it no longer knows. */
async function ask(home: Home, xid: string): Promise<string | null> {
  const connection = await home.connect()
  try {
    const { rows } = await connection.query<{ status: string | null }>(
      'SELECT pg_xact_status($1::text::xid8) AS status',
      [xid],
    )
    return rows[0]!.status
  } finally {
    await connection.close()
  }
}
