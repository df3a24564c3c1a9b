/**
 * What a mail says that it replaces: files that a revision's corrections took the place of, and the
 * earlier report of the same run.
 */
import type { Connection } from '../db/connection.ts'
import type { Outcome } from '../model/break.ts'

/** A file that a correction replaced. */
export interface ReplacedRow {
  /** Name of the correction. */
  readonly by: string
  readonly name: string
  /** ISO instant. */
  readonly receivedAt: string
}

/** The files that corrections of this revision replaced, in order of arrival. */
export async function replacedFiles(connection: Connection, revisionId: string): Promise<ReplacedRow[]> {
  const { rows } = await connection.query<ReplacedRow>(
    `SELECT f.remote_name AS by, o.remote_name AS name,
       to_char(o.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "receivedAt"
     FROM tallyman.revision_file v JOIN tallyman.file f ON f.id = v.file JOIN tallyman.file o ON o.id = v.supersedes
     WHERE v.revision = $1 AND v.verdict = 'correction' AND v.position IS NOT NULL ORDER BY f.id`,
    [revisionId],
  )
  return rows
}

/** An earlier report of a run, by the attempt that wrote it. */
export interface EarlierReport {
  readonly attempt: number
  /** ISO instant. */
  readonly at: string
}

/** What an earlier comparison of a run came to. */
export interface EarlierResult {
  readonly reconciliation: string
  readonly outcome: Outcome
  readonly breaksTotal: number
}

/** The results of the run's latest comparison before `before`; empty when there is none. */
export async function earlierResults(
  connection: Connection,
  runId: string,
  before: number,
): Promise<EarlierResult[]> {
  const { rows } = await connection.query<EarlierResult>(
    `SELECT x.reconciliation, x.outcome, x.breaks_total::int AS "breaksTotal"
     FROM tallyman.comparison c JOIN tallyman.comparison_result x ON x.comparison = c.id
     WHERE c.run = $1 AND c.number =
       (SELECT max(number) FROM tallyman.comparison WHERE run = $1 AND number < $2) ORDER BY x.id`,
    [runId, before],
  )
  return rows
}

/** The run's latest mail that reported a result or a failure; null when there is none. Notices about repeated deliveries report nothing. */
export async function earlierReport(connection: Connection, runId: string): Promise<EarlierReport | null> {
  const { rows } = await connection.query<EarlierReport>(
    `SELECT coalesce((SELECT max(a.number) FROM tallyman.attempt a WHERE a.run = o.run AND a.started_at <= o.created_at), 1) AS attempt,
       to_char(o.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
     FROM tallyman.outbox o WHERE o.run = $1 AND o.headers ->> 'X-Tallyman-Status' <> 'NOTHING TO DO'
     ORDER BY o.id DESC LIMIT 1`,
    [runId],
  )
  return rows[0] ?? null
}
