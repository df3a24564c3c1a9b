/**
 * The fence: what makes a holder that lost its lease unable to commit. Taken and raised by lease.ts.
 */
import type { Connection } from '../db/connection.ts'
import { RunError } from '../model/errors.ts'

/** What identifies a holding of a run. */
export interface Holding {
  readonly runId: string
  readonly attemptId: string
  /** Grows at every take. */
  readonly fence: string
}

/**
 * Locks the run's fence and compares it. The last statement of every fenced transaction: whoever
 * takes the run over waits until this transaction ended, or this one fails.
 * @throws RUN_FENCED when the run was taken over; the transaction must be rolled back.
 */
export async function assertFence(connection: Connection, holding: Holding): Promise<void> {
  const { rows } = await connection.query<{ fence: string }>(
    'SELECT fence FROM tallyman.run WHERE id = $1 FOR NO KEY UPDATE',
    [holding.runId],
  )
  if (rows[0]?.fence !== holding.fence) throw fenced(holding, rows[0]?.fence ?? null)
}

/** What a holder is told whose run was taken over; null where the number of the other one is not known. */
export function fenced(holding: Holding, current: string | null): RunError {
  return new RunError(
    'RUN_FENCED',
    'This attempt was silent for too long and the run was taken over by another one. What it was about to commit is rolled back; the other attempt does the work.',
    { retry: 'verify-first', details: { fence: holding.fence, current } },
  )
}
