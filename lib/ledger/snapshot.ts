/**
 * Snapshots as rows: which picture of which side was taken when, and where its Parquet lies. Taking
 * and comparing them is reconcile/.
 */
import type { Connection } from '../db/connection.ts'
import { storableJson } from './storable.ts'

/** A snapshot that was written and fsynced. */
export interface SnapshotDraft {
  readonly runId: string
  /** Null for a side that no load made. */
  readonly revisionId: string | null
  /** The comparison that looked at it; null only for one of before this was written down. */
  readonly comparisonId: string | null
  readonly reconciliation: string
  readonly side: 'source' | 'target'
  /** Digest of its canonical rows, hex. */
  readonly digest: string
  readonly rows: number
  /** ISO instant. */
  readonly asOf: string
  readonly scope: string
  /** Within the environment's data folder. */
  readonly path: string
  readonly manifest: unknown
}

/** A snapshot row. */
export interface SnapshotRow extends SnapshotDraft {
  readonly id: string
}

/** Writes a snapshot down. */
export async function recordSnapshot(connection: Connection, draft: SnapshotDraft): Promise<string> {
  const { rows } = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.snapshot (run, revision, comparison, reconciliation, side, digest, rows, as_of, scope, path, manifest)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb) RETURNING id`,
    [
      ...[draft.runId, draft.revisionId, draft.comparisonId, draft.reconciliation, draft.side],
      ...[draft.digest, draft.rows, draft.asOf, draft.scope, draft.path, storableJson(draft.manifest)],
    ],
  )
  return rows[0]!.id
}

/** The latest snapshot of each side of each reconciliation of a run: what `reconcile --date` compares again. */
export async function latestSnapshots(connection: Connection, runId: string): Promise<SnapshotRow[]> {
  const { rows } = await connection.query<SnapshotRow>(
    `SELECT DISTINCT ON (reconciliation, side) id, run AS "runId", revision AS "revisionId", comparison AS "comparisonId", reconciliation, side,
       digest, rows::float8 AS rows, to_char(as_of, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "asOf", scope, path, manifest
     FROM tallyman.snapshot WHERE run = $1 ORDER BY reconciliation, side, id DESC`,
    [runId],
  )
  return rows
}

/** A snapshot as people ask for it. */
export interface ListedSnapshot extends SnapshotRow {
  readonly job: string
  readonly businessDate: string
  /** Number of the comparison that looked at it within its run; null where that was not written down. */
  readonly number: number | null
}

/** Which snapshots; absent parts do not matter. Those let go of by retention are never among them. */
export interface SnapshotFilter {
  readonly id?: string
  readonly job?: string
  readonly businessDate?: string
}

/** Snapshots that are kept, newest business date first; at most `limit`. */
export async function listSnapshots(
  connection: Connection,
  filter: SnapshotFilter,
  limit: number,
): Promise<ListedSnapshot[]> {
  const { rows } = await connection.query<ListedSnapshot>(
    `SELECT s.id, s.run AS "runId", s.revision AS "revisionId", s.comparison AS "comparisonId", s.reconciliation, s.side,
       s.digest, s.rows::float8 AS rows, to_char(s.as_of, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "asOf", s.scope, s.path,
       s.manifest, r.job, r.business_date AS "businessDate", c.number
     FROM tallyman.snapshot s JOIN tallyman.run r ON r.id = s.run LEFT JOIN tallyman.comparison c ON c.id = s.comparison
     WHERE s.purged_at IS NULL AND ($1::bigint IS NULL OR s.id = $1) AND ($2::text IS NULL OR r.job = $2)
       AND ($3::date IS NULL OR r.business_date = $3)
     ORDER BY r.business_date DESC, s.reconciliation, s.id DESC LIMIT $4`,
    [filter.id ?? null, filter.job ?? null, filter.businessDate ?? null, limit],
  )
  return rows
}
