/**
 * Which files a revision's corrections took the place of: what the mail says that it replaces.
 */
import type { Connection } from '../db/connection.ts'

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
