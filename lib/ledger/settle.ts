/**
 * What a freeze writes to and reads from the file rows besides its revision: refusals, repeated
 * deliveries, and the same content under other dates. The decision itself is plan.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { Verdict } from '../model/run.ts'
import type { FileRow } from './file.ts'
import type { Placing } from './revision.ts'

/** For each content of these rows, the latest file of another date of the feed that carries it and is applied. */
export async function sameContentElsewhere(
  connection: Connection,
  feed: string,
  businessDate: string,
  rows: readonly FileRow[],
): Promise<Map<string, string>> {
  const contents = rows.filter(row => row.state === 'received').map(row => row.contentSha256)
  if (contents.length === 0) return new Map()
  const found = await connection.query<{ content: string; name: string; date: string }>(
    `SELECT content_sha256 AS content, remote_name AS name, business_date AS date FROM tallyman.file
     WHERE feed = $1 AND content_sha256 = ANY($2) AND business_date <> $3::date AND state = 'applied' ORDER BY id`,
    [feed, contents, businessDate],
  )
  return new Map(found.rows.map(row => [row.content, `${row.name} of ${row.date}`]))
}

/** For each applied file, by id, the verdict of its latest revision. */
export async function earlierVerdicts(
  connection: Connection,
  rows: readonly FileRow[],
): Promise<Map<string, Verdict>> {
  const applied = rows.filter(row => row.state === 'applied').map(row => row.id)
  if (applied.length === 0) return new Map()
  const found = await connection.query<{ file: string; verdict: Verdict }>(
    'SELECT file, verdict FROM tallyman.revision_file WHERE file = ANY($1::bigint[]) AND position IS NOT NULL ORDER BY revision',
    [applied],
  )
  return new Map(found.rows.map(row => [row.file, row.verdict]))
}

/** Puts refused files into quarantine with their reasons. */
export async function quarantine(connection: Connection, refused: readonly Placing[]): Promise<void> {
  await setStates(connection, refused, 'quarantined')
}

/** Repeated deliveries of what is applied are done with. */
export async function settleDuplicates(connection: Connection, placings: readonly Placing[]): Promise<void> {
  const repeated = placings.filter(p => p.verdict === 'duplicate' && p.file.state === 'received')
  await setStates(connection, repeated, 'superseded')
}

async function setStates(
  connection: Connection,
  placings: readonly Placing[],
  state: 'quarantined' | 'superseded',
): Promise<void> {
  if (placings.length === 0) return
  await connection.query(
    `UPDATE tallyman.file f SET state = $3, reason = s.note
     FROM unnest($1::bigint[], $2::text[]) AS s (id, note) WHERE f.id = s.id AND f.state = 'received'`,
    [placings.map(placing => placing.file.id), placings.map(placing => placing.note), state],
  )
}
