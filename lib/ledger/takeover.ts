/**
 * Decides when a run may be taken: nobody holds it, its holder's sessions are gone, or its holder was
 * silent for 30 s on our own clock and its sessions have been ended. Raising the fence is lease.ts.
 */
import type { Connection } from '../db/connection.ts'
import { RunError } from '../model/errors.ts'
import type { RunKey } from '../model/run.ts'
import type { Clock } from '../model/time/clock.ts'

/** A run that may be taken by whoever raises the fence from this number. */
export interface Succession {
  readonly runId: string
  readonly fence: string
}

/** No beat for this long on the taker's own monotonic clock: 15 beats missed, so neither a slow disk nor a long pause of the garbage collector. */
export const SILENT_AFTER_MS = 30_000

/** Between two looks at a holder: a kill -9 takes 25 ms to free its sessions. */
const LOOK_EVERY_MS = 500

/** A terminated session ends in milliseconds, unless it is in the middle of a long rollback. */
const GONE_WITHIN_MS = 60_000

/** Sessions of an attempt that are still there. */
const ALIVE = `(SELECT count(*)::int FROM tallyman.attempt_backend b JOIN pg_stat_activity s
          ON s.pid = b.pid AND s.backend_start = b.backend_start WHERE b.attempt = l.attempt)`

/** Who holds a run, as seen at one moment. */
export interface Holder extends RunKey {
  readonly fence: string
  readonly beat: string
  /** Sessions of the holder: none when its process is gone. */
  readonly alive: number
}

/** The holders of all runs of these jobs. */
export async function holders(connection: Connection, jobs: readonly string[]): Promise<Holder[]> {
  const { rows } = await connection.query<Holder>(
    `SELECT r.job, r.business_date AS "businessDate", l.fence, l.beat, ${ALIVE} AS alive
     FROM tallyman.lease l JOIN tallyman.run r ON r.id = l.run WHERE r.job = ANY($1) ORDER BY l.taken_at`,
    [jobs],
  )
  return rows
}

interface Look {
  readonly fence: string
  readonly attempt: string | null
  readonly beat: string | null
  readonly alive: number
  readonly host: string | null
  readonly osPid: number | null
  readonly since: string | null
  readonly number: number | null
}

/**
 * Returns as soon as the run may be taken, ending a silent holder's sessions first.
 * @throws RUN_HELD_ELSEWHERE when the holder beats, or when its sessions do not end.
 */
export async function untilFree(
  connection: Connection,
  clock: Clock,
  runId: string,
  key: RunKey,
  signal: AbortSignal | undefined,
): Promise<Succession> {
  let first = await look(connection, runId)
  let watchedSince = clock.monotonicMs()
  for (let now = first; ; now = await look(connection, runId)) {
    if (now.attempt === null || now.alive === 0) return { runId, fence: now.fence }
    if (now.fence !== first.fence) {
      first = now
      watchedSince = clock.monotonicMs()
    }
    if (now.beat !== first.beat) throw heldElsewhere(key, now)
    if (clock.monotonicMs() - watchedSince >= SILENT_AFTER_MS) {
      await endSessions(connection, clock, key, now, signal)
      return { runId, fence: now.fence }
    }
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}

async function look(connection: Connection, runId: string): Promise<Look> {
  const { rows } = await connection.query<Look>(
    `SELECT r.fence, l.attempt, l.beat, a.host, a.os_pid AS "osPid", to_char(l.taken_at, 'YYYY-MM-DD HH24:MI:SS') AS since, a.number,
       ${ALIVE} AS alive
     FROM tallyman.run r LEFT JOIN tallyman.lease l ON l.run = r.id LEFT JOIN tallyman.attempt a ON a.id = l.attempt
     WHERE r.id = $1`,
    [runId],
  )
  return rows[0]!
}

/** Ends a silent holder's sessions and waits: one that is paused while it holds the fence row would block every taker. */
async function endSessions(
  connection: Connection,
  clock: Clock,
  key: RunKey,
  holder: Look,
  signal: AbortSignal | undefined,
): Promise<void> {
  const until = clock.monotonicMs() + GONE_WITHIN_MS
  for (;;) {
    const { rows } = await connection.query(
      `SELECT pg_terminate_backend(s.pid) FROM tallyman.attempt_backend b JOIN pg_stat_activity s
         ON s.pid = b.pid AND s.backend_start = b.backend_start WHERE b.attempt = $1`,
      [holder.attempt],
    )
    if (rows.length === 0) return
    if (clock.monotonicMs() > until) throw heldElsewhere(key, holder)
    await clock.sleep(LOOK_EVERY_MS / 10, signal)
  }
}

function heldElsewhere(key: RunKey, holder: Look): RunError {
  return new RunError(
    'RUN_HELD_ELSEWHERE',
    `${key.job} of ${key.businessDate} is being run by process ${holder.osPid} on ${holder.host} since ${holder.since} UTC (attempt ${holder.number}). Nothing was done here; try again when it is finished.`,
    {
      retry: 'backoff',
      details: { host: holder.host, pid: holder.osPid, since: holder.since, attempt: holder.number },
    },
  )
}

/** RUN_HELD_ELSEWHERE: what was owed a moment ago has been run meanwhile. */
export function runSince({ job, businessDate }: RunKey): RunError {
  return new RunError(
    'RUN_HELD_ELSEWHERE',
    `${job} ${businessDate} has been run by another process since it was found owed. Nothing is done here; whatever is still owed is seen at the next look.`,
    { retry: 'backoff', details: { job, businessDate } },
  )
}
