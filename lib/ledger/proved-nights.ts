/**
 * The nights of a job as far as they were proved: what its dates came to, newest first. Counting them in a row
 * is lib/model/row-of-nights.ts; what single breaks are over many nights is break-ledger.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { ProvedNight } from '../model/row-of-nights.ts'

/**
 * The dates of a job up to `until`, newest first, at most `limit`. A date's outcome is that of its latest comparison
 * that proved something, in the caller's transaction; null when there is none.
 */
export async function provedNights(
  connection: Connection,
  job: string,
  until: string,
  limit: number,
): Promise<ProvedNight[]> {
  const { rows } = await connection.query<ProvedNight>(
    `SELECT to_char(r.business_date, 'YYYY-MM-DD') AS date,
       (SELECT CASE WHEN bool_or(x.outcome = 'BREAKS') THEN 'BREAKS' ELSE 'CLEAN' END
        FROM tallyman.comparison c JOIN tallyman.comparison_result x ON x.comparison = c.id
        WHERE c.run = r.id GROUP BY c.number HAVING NOT bool_or(x.outcome = 'INCONCLUSIVE')
        ORDER BY c.number DESC LIMIT 1) AS outcome
     FROM tallyman.run r WHERE r.job = $1 AND r.business_date <= $2::date
     ORDER BY r.business_date DESC LIMIT $3`,
    [job, until, limit],
  )
  return rows
}
