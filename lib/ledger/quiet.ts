/**
 * Work that may only be done while no attempt is at work: what an attempt has stored is named by no row before it
 * commits, so nobody else could tell it from rubbish. Taking a run waits meanwhile (lease.ts).
 */
import type { Database } from '../db/database.ts'
import { TallymanError } from '../model/errors.ts'
import type { Holding } from './fence.ts'
import { registerBackend } from './lease.ts'

/** Beats take milliseconds; whoever holds the leases for longer is at work. */
const LOCK_WITHIN_MS = 3_000

/** One that is stopped in the middle may not keep runs from being taken for longer: its session is ended. */
const IDLE_MS = 10_000

/** What came of it. */
export type Quiet<T> = { readonly done: T } | { readonly busy: string }

/**
 * Does the work while no lease is held by a living session, but for `own`, and none can be taken. `still` fails when
 * that is over, because this process was stopped for too long: ask it before each thing that can't be undone.
 */
export async function whileNobodyWorks<T>(
  database: Database,
  own: Holding | null,
  work: (still: () => Promise<void>) => Promise<T>,
): Promise<Quiet<T>> {
  const connection = await database.connect({
    name: 'tallyman quiet',
    lockTimeoutMs: LOCK_WITHIN_MS,
    idleInTransactionTimeoutMs: IDLE_MS,
  })
  try {
    if (own !== null) await registerBackend(own, connection)
    return await connection.transaction(async () => {
      await connection.query('LOCK TABLE tallyman.lease IN SHARE MODE')
      const { rows } = await connection.query<{ job: string; date: string }>(
        `SELECT r.job, r.business_date AS date FROM tallyman.lease l JOIN tallyman.run r ON r.id = l.run
         WHERE EXISTS (SELECT FROM tallyman.attempt_backend b JOIN pg_stat_activity s
           ON s.pid = b.pid AND s.backend_start = b.backend_start WHERE b.attempt = l.attempt)
           AND l.run IS DISTINCT FROM $1::bigint
         ORDER BY l.taken_at LIMIT 1`,
        [own?.runId ?? null],
      )
      if (rows[0] !== undefined) return { busy: `${rows[0].job} of ${rows[0].date} is being run` }
      const still = async (): Promise<void> => void (await connection.query('SELECT 1'))
      return { done: await work(still) }
    })
  } catch (error) {
    if (error instanceof TallymanError && error.code === 'RUN_DATABASE_LOCK_TIMEOUT')
      return { busy: 'a run is being taken or given free' }
    throw error
  } finally {
    await connection.close()
  }
}
