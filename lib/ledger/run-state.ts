/**
 * A run's state as part of a fenced transaction: what lease.ts writes at an attempt's end, written
 * earlier where other facts must become true with it (T6).
 */
import type { Connection } from '../db/connection.ts'
import type { RunState } from '../model/run.ts'
import type { Holding } from './fence.ts'

/** Sets the state of the held run. The caller's transaction ends with assertFence. */
export async function setRunState(connection: Connection, holding: Holding, state: RunState): Promise<void> {
  await connection.query('UPDATE tallyman.run SET state = $2, changed_at = now() WHERE id = $1', [
    holding.runId,
    state,
  ])
}
