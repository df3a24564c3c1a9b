/**
 * Sessions at the target of a job, wherever it lies; and, where it is another Postgres than the run ledger's, the
 * first thing that an attempt does there. What is kept in such a target: lib/ledger/load-book.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { Holding } from '../ledger/fence.ts'
import { registerBackend } from '../ledger/lease.ts'
import { settleFromTarget } from '../ledger/load-book.ts'
import { latestRevision } from '../ledger/revision.ts'
import { raiseTargetFence, registerTargetSession } from '../ledger/target-fence.ts'
import { type AnyJob, movesRecords } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { Engine } from './engine.ts'

/** The name of the other Postgres that a job loads into; null where the target is the run ledger's own. */
export function otherTarget(job: AnyJob): string | null {
  return movesRecords(job) && job.load.kind === 'postgres' ? (job.load.database ?? null) : null
}

/** Lends a session of the run's own at the run ledger's Postgres, registered so that a successor can end it. */
export async function withSession<T>(
  engine: Engine,
  lease: Holding | null,
  context: StepContext,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await engine.database.connect({ name: 'tallyman run', signal: context.signal })
  try {
    if (lease !== null) await registerBackend(lease, connection)
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/** The same at the target of a job. @throws what opening the target throws (target-open.ts) */
export async function withTargetSession<T>(
  engine: Engine,
  job: AnyJob,
  lease: Holding | null,
  context: Pick<StepContext, 'signal'>,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const other = otherTarget(job)
  const database = other === null ? engine.database : await engine.target(other)
  const connection = await database.connect({ name: 'tallyman run', signal: context.signal })
  try {
    if (lease !== null) await (other === null ? registerBackend : registerTargetSession)(lease, connection)
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/**
 * Raises the fence of the run at its target, if that is another Postgres, and brings the run ledger to what an
 * attempt before this one decided there. Call it first under a lease: what is frozen next depends on it.
 * @throws RUN_FENCED, RUN_TARGET_HELD, and what opening the target throws
 */
export async function takeTarget(
  engine: Engine,
  job: AnyJob,
  lease: Holding,
  context: Pick<StepContext, 'signal'>,
): Promise<void> {
  const other = otherTarget(job)
  if (other === null) return
  const target = await engine.target(other)
  await target.use(connection => raiseTargetFence(connection, engine.clock, lease, context.signal))
  const latest = await engine.database.use(connection => latestRevision(connection, lease.runId))
  if (latest?.state !== 'frozen') return
  await settleFromTarget({ ledger: engine.database, target }, lease, latest)
}
