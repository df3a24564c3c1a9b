/**
 * Dates that are owed a run because something new of theirs was seen, though nothing was fetched yet.
 * A delivery that was received owes its date by itself (file.ts).
 */
import type { Connection } from '../db/connection.ts'

/**
 * Marks dates of a job as owed, and gives how many. Dates before the job's first run are left alone:
 * what lay on the partner's server before Tallyman came is nobody's arrears. So are dates that are being
 * run: that run lists the folder itself, and what it misses is seen by the next night.
 */
export async function oweDates(
  connection: Connection,
  job: string,
  dates: readonly string[],
): Promise<number> {
  const { rowCount } = await connection.query(
    `INSERT INTO tallyman.run AS r (job, business_date, state, owed)
     SELECT $1, d, 'owed', true FROM unnest($2::date[]) AS t (d)
     WHERE d >= (SELECT min(business_date) FROM tallyman.run WHERE job = $1)
       AND NOT EXISTS (SELECT FROM tallyman.run h JOIN tallyman.lease l ON l.run = h.id
         WHERE h.job = $1 AND h.business_date = d)
     ON CONFLICT (job, business_date) DO UPDATE SET owed = true WHERE NOT r.owed`,
    [job, dates],
  )
  return rowCount
}

/** A run takes now what its date was owed for; part of the caller's fenced transaction. A freeze does the same for what it loads. */
export async function settleOwed(connection: Connection, runId: string): Promise<void> {
  await connection.query('UPDATE tallyman.run SET owed = false WHERE id = $1 AND owed', [runId])
}
