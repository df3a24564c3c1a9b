/**
 * Attempts of all runs in the order of their start, for people: `tallyman runs`.
 */
import type { Connection } from '../db/connection.ts'
import type { RunKey } from '../model/run.ts'
import type { AttemptRow } from './run-list.ts'

export type { AttemptRow } from './run-list.ts'

/** The latest attempts, newest first; of one job where named. */
export async function listAttempts(
  connection: Connection,
  job: string | null,
  limit: number,
): Promise<(AttemptRow & RunKey)[]> {
  const instant = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`
  const { rows } = await connection.query<AttemptRow & RunKey>(
    `SELECT a.id, r.job, r.business_date AS "businessDate", a.number, a.trigger, a.state, a.host, a.os_pid AS "osPid",
       to_char(a.started_at, ${instant}) AS "startedAt", to_char(a.ended_at, ${instant}) AS "endedAt", a.error
     FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run
     WHERE $1::text IS NULL OR r.job = $1 ORDER BY a.id DESC LIMIT $2`,
    [job, limit],
  )
  return rows
}
