/**
 * What the run ledger knows that explains breaks of a run: rejected records by their keys, who is still at
 * work, what files became; and keeping what was found with the breaks. Deciding is reconcile/explain.
 */
import type { Connection } from '../db/connection.ts'
import type { FileState } from '../model/run.ts'
import { storableJson } from './storable.ts'

/** A record that was rejected. */
export interface RejectedRecord {
  readonly step: string
  /** Of its first issue. */
  readonly code: string
  readonly column: string | null
  readonly file: string
  readonly line: number
}

/**
 * Sets the open rejects of a run aside by the keys that they would have had in a table, in a temporary table of the
 * session; gives whether there are any.
 */
export async function prepareRejected(
  connection: Connection,
  runId: string,
  table: string,
): Promise<boolean> {
  await connection.query('DROP TABLE IF EXISTS pg_temp.rejected')
  await connection.query(
    'CREATE TEMP TABLE rejected (key jsonb, step text, code text, "column" text, file text, line float8, id bigint)',
  )
  const { rowCount } = await connection.query(
    `INSERT INTO pg_temp.rejected
     SELECT k -> 'key', j.step, j.issues -> 0 ->> 'code', j.issues -> 0 ->> 'column', f.remote_name, j.line, j.id
     FROM tallyman.reject j JOIN tallyman.revision v ON v.id = j.revision JOIN tallyman.file f ON f.id = j.file
       CROSS JOIN LATERAL jsonb_array_elements(j.keys) k
     WHERE v.run = $1 AND j.state = 'open' AND k ->> 'table' = $2`,
    [runId, table],
  )
  await connection.query('ANALYZE pg_temp.rejected')
  return rowCount > 0
}

/** Which of some keys rejected records would have had (prepareRejected), by their place; the first reject of each. */
export async function rejectedAmong(
  connection: Connection,
  keys: readonly Readonly<Record<string, string | null>>[],
): Promise<Map<number, RejectedRecord>> {
  const { rows } = await connection.query<RejectedRecord & { readonly position: number }>(
    `SELECT DISTINCT ON (a.position) a.position, r.step, r.code, r."column", r.file, r.line
     FROM unnest($1::int[], $2::jsonb[]) AS a (position, key) JOIN pg_temp.rejected r ON r.key = a.key
     ORDER BY a.position, r.id`,
    [keys.map((_, position) => position), keys.map(key => storableJson(key))],
  )
  return new Map(rows.map(({ position, ...rejected }) => [position, rejected]))
}

/** Work that was not finished when a run compared. */
export interface InFlight {
  /** Calls of the run without an answer. */
  readonly calls: number
  /** Other dates of the job that somebody holds. */
  readonly runs: readonly string[]
}

/** What is under way beside a run. */
export async function inFlightBeside(connection: Connection, runId: string): Promise<InFlight> {
  const { rows } = await connection.query<InFlight>(
    `SELECT (SELECT count(*)::int FROM tallyman.call c JOIN tallyman.revision v ON v.id = c.revision
         WHERE v.run = $1 AND c.state IN ('sent', 'unknown')) AS calls,
       ARRAY(SELECT o.business_date::text FROM tallyman.lease l JOIN tallyman.run o ON o.id = l.run
         JOIN tallyman.run r ON r.id = $1 WHERE o.job = r.job AND o.id <> r.id AND o.state = 'running'
         ORDER BY 1) AS runs`,
    [runId],
  )
  return rows[0]!
}

/** A file as an explanation names it. */
export interface ExplainingFile {
  readonly id: string
  readonly name: string
  readonly state: FileState
  /** By what it was replaced, in words; empty where it was not. */
  readonly reason: string
}

/** Files by id. */
export async function explainingFiles(
  connection: Connection,
  ids: readonly string[],
): Promise<Map<string, ExplainingFile>> {
  const { rows } = await connection.query<ExplainingFile>(
    'SELECT id, remote_name AS name, state, reason FROM tallyman.file WHERE id = ANY($1::bigint[])',
    [ids],
  )
  return new Map(rows.map(row => [row.id, row]))
}

/** Source pictures of earlier loads of a run, the latest first: what `load` rows keep of them. */
export async function earlierPictures(
  connection: Connection,
  runId: string,
  current: string | null,
): Promise<string[]> {
  const { rows } = await connection.query<{ kept: string }>(
    `SELECT l.snapshot_hash AS kept FROM tallyman.load l JOIN tallyman.revision v ON v.id = l.revision
     WHERE v.run = $1 AND l.state = 'published' AND l.snapshot_hash IS DISTINCT FROM $2 AND l.snapshot_hash IS NOT NULL
     GROUP BY 1 ORDER BY max(v.number) DESC`,
    [runId, current],
  )
  return rows.map(({ kept }) => kept)
}

/**
 * Keeps the explanations of a night with its breaks, inside the transaction that recorded it (recordNight): lines of
 * identity and JSON as COPY takes them. A break that is not among them is not explained any more.
 */
export async function storeExplanations(
  connection: Connection,
  ledger: number,
  date: string,
  lines: AsyncIterable<Buffer | string>,
): Promise<void> {
  await connection.query('DROP TABLE IF EXISTS pg_temp.explained')
  await connection.query('CREATE TEMP TABLE explained (identity uuid, explanation jsonb) ON COMMIT DROP')
  await connection.copyIn('COPY pg_temp.explained FROM STDIN', lines)
  await connection.query('ANALYZE pg_temp.explained')
  await connection.query(
    `UPDATE tallyman.lasting_break l SET explanation = n.explanation
     FROM (SELECT t.identity, e.explanation FROM pg_temp.tonight t LEFT JOIN pg_temp.explained e ON e.identity = t.identity) n
     WHERE l.ledger = $1 AND l.identity = n.identity AND l.last_seen = $2
       AND l.explanation IS DISTINCT FROM n.explanation`,
    [ledger, date],
  )
}
