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
