/**
 * The gate and the record of T2: one `load` row per revision, there exactly when the load took effect
 * or was judged and refused. All of it happens inside the caller's transaction, which ends with assertFence.
 */
import type { Connection } from '../db/connection.ts'
import { BugError } from '../model/errors.ts'
import type { LoadResult } from '../model/run.ts'
import type { Holding } from './fence.ts'
import type { Revision } from './revision.ts'

/** What is known of a revision's load. */
export interface LoadRow {
  readonly revisionId: string
  readonly inputDigest: string
  readonly state: 'published' | 'unpublished'
  readonly result: LoadResult
  /** Digest of the source snapshot, which addresses it; null when there is none. */
  readonly snapshotHash: string | null
  readonly mappingVersion: number | null
  /** Of the attempt that loaded. */
  readonly fence: string
  /** The transaction, for pg_xact_status. */
  readonly xactId: string
  /** ISO instant. */
  readonly loadedAt: string
}

const COLUMNS = `revision AS "revisionId", input_digest AS "inputDigest", state, result,
  snapshot_hash AS "snapshotHash", mapping_version AS "mappingVersion", fence, xact_id::text AS "xactId",
  to_char(loaded_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "loadedAt"`

/**
 * The gate, as first statement of T2: `new` when this load is still to be done, else what was done.
 * Guarantee: of two transactions that come at once, the second waits for the first to end.
 * @throws BUG_LOAD_GATE when the revision was loaded from other contents.
 */
export async function insertLoad(
  connection: Connection,
  holding: Holding,
  revision: Pick<Revision, 'id' | 'inputDigest'>,
): Promise<'new' | { readonly done: LoadRow }> {
  const inserted = await connection.query(
    `INSERT INTO tallyman.load (revision, input_digest, attempt, fence, state) VALUES ($1, $2, $3, $4, 'open')
     ON CONFLICT (revision) DO NOTHING`,
    [revision.id, revision.inputDigest, holding.attemptId, holding.fence],
  )
  if (inserted.rowCount === 1) return 'new'
  const done = await loadOf(connection, revision.id)
  if (done === null || done.inputDigest !== revision.inputDigest) {
    throw new BugError(
      'BUG_LOAD_GATE',
      `Revision ${revision.id} was loaded before from other contents than it is frozen with. Nothing is loaded; keep the run ledger as it is for the investigation.`,
      { details: { revision: revision.id, frozen: revision.inputDigest, loaded: done?.inputDigest ?? null } },
    )
  }
  return { done }
}

/** What the load did, to be kept. */
export interface LoadOutcome {
  readonly state: 'published' | 'unpublished'
  readonly result: LoadResult
  readonly snapshotHash: string | null
  readonly mappingVersion: number | null
}

/** Completes the gate's row near the end of the transaction that inserted it, and nothing else. */
export async function closeLoad(
  connection: Connection,
  revision: Pick<Revision, 'id'>,
  outcome: LoadOutcome,
): Promise<void> {
  const updated = await connection.query(
    `UPDATE tallyman.load SET state = $2, result = $3::jsonb, snapshot_hash = $4, mapping_version = $5
     WHERE revision = $1 AND state = 'open'`,
    [
      ...[revision.id, outcome.state, JSON.stringify(outcome.result)],
      ...[outcome.snapshotHash, outcome.mappingVersion],
    ],
  )
  if (updated.rowCount !== 1) {
    throw new BugError(
      'BUG_LOAD_NOT_OPEN',
      `The load of revision ${revision.id} was to be finished without having been begun in this transaction. It is rolled back.`,
    )
  }
}

/**
 * Completes the gate's row near the end of T2. Published: the revision's files become applied, those they
 * replace and repeat superseded, and the run `applied`. Unpublished: only the row and the revision say so.
 */
export async function finishLoad(
  connection: Connection,
  revision: Pick<Revision, 'id' | 'runId'>,
  outcome: LoadOutcome,
): Promise<void> {
  await closeLoad(connection, revision, outcome)
  await connection.query('UPDATE tallyman.revision SET state = $2 WHERE id = $1', [
    revision.id,
    outcome.state,
  ])
  if (outcome.state === 'unpublished') return
  await settleFiles(connection, revision.id)
  await connection.query(`UPDATE tallyman.run SET state = 'applied', changed_at = now() WHERE id = $1`, [
    revision.runId,
  ])
}

/** A revision's load; null when there is none. */
export async function loadOf(connection: Connection, revisionId: string): Promise<LoadRow | null> {
  const { rows } = await connection.query<LoadRow>(
    `SELECT ${COLUMNS} FROM tallyman.load WHERE revision = $1 AND state <> 'open'`,
    [revisionId],
  )
  return rows[0] ?? null
}

/** Gives every file of the revision the state that its load gave it. */
async function settleFiles(connection: Connection, revisionId: string): Promise<void> {
  await connection.query(
    `UPDATE tallyman.file f SET state = 'superseded', reason = 'replaced by ' || by_file.remote_name
     FROM tallyman.revision_file v JOIN tallyman.file by_file ON by_file.id = v.file
     WHERE v.revision = $1 AND v.verdict = 'correction' AND f.id = v.supersedes`,
    [revisionId],
  )
  await connection.query(
    `UPDATE tallyman.file f SET state = 'superseded', reason = v.note
     FROM tallyman.revision_file v WHERE v.revision = $1 AND v.verdict = 'duplicate' AND v.position IS NULL AND f.id = v.file`,
    [revisionId],
  )
  await connection.query(
    `UPDATE tallyman.file f SET state = 'applied', reason = ''
     FROM tallyman.revision_file v WHERE v.revision = $1 AND v.position IS NOT NULL AND f.id = v.file`,
    [revisionId],
  )
  await connection.query(
    `UPDATE tallyman.file q SET state = 'superseded', reason = 'a later delivery was loaded in its place'
     FROM tallyman.revision r JOIN tallyman.revision_file v ON v.revision = r.id AND v.position IS NOT NULL
       JOIN tallyman.file f ON f.id = v.file
     WHERE r.id = $1 AND q.feed = f.feed AND q.business_date = f.business_date AND q.state = 'quarantined'
       AND q.id < f.id AND (r.per_date = 'one' OR q.remote_name = f.remote_name)`,
    [revisionId],
  )
  // A reject of contents that were replaced or loaded again is told anew by this load, or is no more.
  await connection.query(
    `UPDATE tallyman.reject j SET state = 'superseded'
     FROM tallyman.revision_file v WHERE v.revision = $1 AND j.revision <> $1 AND j.state = 'open'
       AND j.file IN (CASE WHEN v.position IS NOT NULL THEN v.file END,
         CASE WHEN v.verdict = 'correction' THEN v.supersedes END)`,
    [revisionId],
  )
}
