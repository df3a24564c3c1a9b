/**
 * Decides what became of a COMMIT whose answer was lost, by asking the server for the transaction's
 * fate. Used by connection.ts; the rule is delivery.md's "Lost answer to COMMIT".
 */
import { RunError } from '../model/errors.ts'
import type { Clock } from '../model/time/clock.ts'

/** Who can be asked about transactions: the database, over a session other than the lost one. */
export interface Witness {
  /** `committed`, `aborted`, `in progress`, or null when the server no longer knows. */
  transactionStatus(xid: string): Promise<string | null>
  readonly clock: Clock
}

/** Pause between two questions. A commit in progress ends in milliseconds, a restarting server in seconds. */
const ASK_EVERY_MS = 200

/** How long it is asked: more than a crash recovery of a server with default checkpoints takes. */
const ASK_FOR_MS = 120_000

/**
 * Returns when transaction `xid` did commit.
 * @throws RUN_DATABASE_LOST (retry backoff) when it is proved not to have; RUN_COMMIT_UNDECIDED when nobody can tell.
 */
export async function proveCommit(witness: Witness, xid: string, lost: Error): Promise<void> {
  let last: unknown = lost
  const until = witness.clock.monotonicMs() + ASK_FOR_MS
  while (witness.clock.monotonicMs() < until) {
    const status = await witness.transactionStatus(xid).catch(error => {
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
    await witness.clock.sleep(ASK_EVERY_MS)
  }
  throw new RunError(
    'RUN_COMMIT_UNDECIDED',
    `The connection to the database was lost during COMMIT, and the fate of transaction ${xid} can't be learned. The load's gate decides it at the next attempt.`,
    { retry: 'verify-first', details: { xid }, cause: last },
  )
}
