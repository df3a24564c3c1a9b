/**
 * All that is kept of a date's comparisons so that they can be made again: result, what it was made by, where its two
 * snapshots lie. Proving with it is lib/run/prove-night.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { StoredComparison } from './comparison.ts'

/** The latest comparison of one reconciliation and date. */
export interface NightEvidence {
  readonly runId: string
  readonly job: string
  readonly reconciliation: string
  readonly number: number
  readonly result: StoredComparison
  /** As lib/run/compare-night.ts gave it; null for comparisons of before it was kept. */
  readonly madeBy: unknown
  /** Version of the code that made it. */
  readonly codeVersion: string | null
  readonly snapshots: readonly {
    readonly side: 'source' | 'target'
    readonly path: string
    /** The day on which retention let go of it, null while it is kept. */
    readonly purgedOn: string | null
  }[]
}

/** What is kept of a date, by reconciliation; empty when nothing was compared. */
export async function evidenceOf(
  connection: Connection,
  businessDate: string,
  job: string | null,
): Promise<NightEvidence[]> {
  const { rows } = await connection.query<NightEvidence>(
    `SELECT DISTINCT ON (x.reconciliation) r.id AS "runId", r.job, x.reconciliation, c.number, x.result, x.made_by AS "madeBy",
       a.code_version AS "codeVersion",
       (SELECT coalesce(jsonb_agg(jsonb_build_object('side', s.side, 'path', s.path,
            'purgedOn', to_char(s.purged_at, 'YYYY-MM-DD')) ORDER BY s.id), '[]')
          FROM tallyman.snapshot s WHERE s.comparison = c.id AND s.reconciliation = x.reconciliation) AS snapshots
     FROM tallyman.run r JOIN tallyman.comparison c ON c.run = r.id JOIN tallyman.attempt a ON a.id = c.attempt
       JOIN tallyman.comparison_result x ON x.comparison = c.id
     WHERE r.business_date = $1::date AND ($2::text IS NULL OR r.job = $2)
     ORDER BY x.reconciliation, c.number DESC`,
    [businessDate, job],
  )
  return rows
}
