/**
 * The fence of a run in a target that lies in another Postgres: raised by the taker after the run ledger's own and
 * before anything is read there, compared by the last statement of a load. The ledger's fence is fence.ts.
 */
import type { Connection } from '../db/connection.ts'
import { RunError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Clock } from '../model/time/clock.ts'
import { fenced, type Holding } from './fence.ts'

/** Between two looks whether a session that was ended is gone: it takes milliseconds, unless it rolls much back. */
const LOOK_EVERY_MS = 50

/** As long as a taker waits for sessions at the run ledger. */
const GONE_WITHIN_MS = 60_000

const EARLIER = `tallyman.session b JOIN pg_stat_activity s ON s.pid = b.pid AND s.backend_start = b.backend_start
  WHERE b.run = $1 AND b.fence < $2`

/**
 * Raises the target's fence to the holding's, first ending the sessions of earlier holders: one that is paused in
 * its COMMIT would keep the fence locked.
 * Guarantee: afterwards no load of an earlier holder can commit here.
 * @throws RUN_FENCED when somebody raised it further.
 */
export async function raiseTargetFence(
  connection: Connection,
  clock: Clock,
  holding: Holding,
  signal: AbortSignal,
): Promise<void> {
  const earlier = [holding.runId, holding.fence]
  const until = clock.monotonicMs() + GONE_WITHIN_MS
  for (;;) {
    const { rowCount } = await connection.query(`SELECT pg_terminate_backend(s.pid) FROM ${EARLIER}`, earlier)
    if (rowCount === 0) break
    if (clock.monotonicMs() > until) {
      throw new RunError(
        'RUN_TARGET_HELD',
        'A session of an earlier attempt is still at work in the target database and does not end. Nothing was done; it is tried again.',
        { retry: 'backoff' },
      )
    }
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
  failpoint('target.before-fence')
  await connection.transaction(async () => {
    const { rowCount } = await connection.query(
      `INSERT INTO tallyman.fence AS f (run, fence) VALUES ($1, $2)
       ON CONFLICT (run) DO UPDATE SET fence = excluded.fence WHERE f.fence <= excluded.fence`,
      earlier,
    )
    if (rowCount === 0) throw fenced(holding, null)
    await connection.query('DELETE FROM tallyman.session WHERE run = $1 AND fence < $2', earlier)
  })
  failpoint('target.after-fence')
}

/** Records a session of the attempt at the target, so that a successor can end it. */
export async function registerTargetSession(holding: Holding, connection: Connection): Promise<void> {
  await connection.query(
    'INSERT INTO tallyman.session (run, fence, pid, backend_start) VALUES ($1, $2, $3, $4::timestamptz) ON CONFLICT DO NOTHING',
    [holding.runId, holding.fence, connection.pid, connection.backendStart],
  )
}

/** Locks the target's fence and compares it. @throws RUN_FENCED */
export async function assertTargetFence(connection: Connection, holding: Holding): Promise<void> {
  const { rows } = await connection.query<{ fence: string }>(
    'SELECT fence FROM tallyman.fence WHERE run = $1 FOR NO KEY UPDATE',
    [holding.runId],
  )
  if (rows[0]?.fence !== holding.fence) throw fenced(holding, rows[0]?.fence ?? null)
}
