/**
 * Revisions: the frozen input of one load, with its files in order and what each of them is. Rows and
 * their reading only; which files belong in is decided by freeze.ts, the load's gate is load.ts.
 */
import { createHash } from 'node:crypto'
import type { Connection } from '../db/connection.ts'
import type { FileResult, LoadMode, Verdict } from '../model/run.ts'
import { FILE_COLUMNS, type FileRow } from './file.ts'

/** `frozen`: not loaded yet. `published`: loaded. `unpublished`: judged and refused. `finished`: published, reconciled and reported. */
export type RevisionState = 'frozen' | 'published' | 'unpublished' | 'finished'

/** The frozen input of one load. */
export interface Revision {
  readonly id: string
  readonly runId: string
  /** From 1 within the run. */
  readonly number: number
  readonly feed: string
  readonly mode: LoadMode
  /** Digest of mode, overlay version and ordered contents. */
  readonly inputDigest: string
  /** The files are all of the date's: the load replaces what the date had. False: they are added to it. */
  readonly wholeSet: boolean
  /** False when a file of the date was waived: nothing may be deleted on the ground of absence. */
  readonly mayDelete: boolean
  readonly forced: boolean
  readonly state: RevisionState
  /** To be loaded, in this order: the index is the position that records and rejects name. */
  readonly files: readonly FileRow[]
  /** Every judged file, also those not loaded, for summary and mail. */
  readonly results: readonly FileResult[]
}

/** A file's place in a revision. */
export interface Placing {
  readonly file: FileRow
  /** Null: judged, but not loaded. */
  readonly position: number | null
  readonly verdict: Verdict
  readonly supersedes: string | null
  readonly supersededBy: string | null
  readonly note: string
}

/** What a revision is made of. */
export interface RevisionDraft {
  readonly runId: string
  readonly attemptId: string
  readonly feed: string
  readonly perDate: 'one' | 'many'
  readonly mode: LoadMode
  readonly overlayVersion: number
  readonly wholeSet: boolean
  readonly mayDelete: boolean
  readonly forced: boolean
  readonly placings: readonly Placing[]
}

/** The identity of an input: equal digests are the same load. Names and mapping version are not part of it. */
export function inputDigest(
  draft: Pick<RevisionDraft, 'mode' | 'overlayVersion' | 'wholeSet' | 'placings'>,
): string {
  const contents = draft.placings
    .filter(placing => placing.position !== null)
    .toSorted((a, b) => a.position! - b.position!)
    .map(placing => placing.file.contentSha256)
  const identity = JSON.stringify([draft.mode, draft.overlayVersion, draft.wholeSet, contents])
  return createHash('sha256').update(identity).digest('hex')
}

/** A file as summaries tell it. */
export function fileResult(placing: Pick<Placing, 'file' | 'verdict' | 'note'>): FileResult {
  return {
    id: placing.file.id,
    name: placing.file.remoteName,
    contentSha256: placing.file.contentSha256 ?? '',
    bytes: placing.file.contentBytes ?? 0,
    verdict: placing.verdict,
    note: placing.note,
  }
}

/** Writes the next revision of the run and gives its id. */
export async function insertRevision(connection: Connection, draft: RevisionDraft): Promise<string> {
  const { rows } = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.revision (run, number, attempt, feed, per_date, mode, input_digest, overlay_version,
       whole_set, may_delete, forced)
     SELECT $1::bigint, coalesce(max(number), 0) + 1, $2::bigint, $3, $4, $5, $6, $7, $8, $9, $10
       FROM tallyman.revision WHERE run = $1::bigint
     RETURNING id`,
    [
      ...[draft.runId, draft.attemptId, draft.feed, draft.perDate, draft.mode, inputDigest(draft)],
      ...[draft.overlayVersion, draft.wholeSet, draft.mayDelete, draft.forced],
    ],
  )
  await insertPlacings(connection, rows[0]!.id, draft.placings)
  return rows[0]!.id
}

/** Adds files to a revision; those that are in it already stay as they are. */
export async function insertPlacings(
  connection: Connection,
  revisionId: string,
  placings: readonly Placing[],
): Promise<void> {
  await connection.query(
    `INSERT INTO tallyman.revision_file (revision, file, position, verdict, supersedes, superseded_by, note)
     SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
     ON CONFLICT DO NOTHING`,
    [
      revisionId,
      placings.map(placing => placing.file.id),
      placings.map(placing => placing.position),
      placings.map(placing => placing.verdict),
      placings.map(placing => placing.supersedes),
      placings.map(placing => placing.supersededBy),
      placings.map(placing => placing.note),
    ],
  )
}

/** The run's latest revision, null when nothing was frozen yet. */
export async function latestRevision(connection: Connection, runId: string): Promise<Revision | null> {
  const { rows } = await connection.query<{ id: string }>(
    'SELECT id FROM tallyman.revision WHERE run = $1 ORDER BY number DESC LIMIT 1',
    [runId],
  )
  return rows[0] === undefined ? null : revisionById(connection, rows[0].id)
}

/** A revision with its files. */
export async function revisionById(connection: Connection, revisionId: string): Promise<Revision> {
  const revision = await connection.query<Omit<Revision, 'files' | 'results'>>(
    `SELECT id, run AS "runId", number, feed, mode, input_digest AS "inputDigest", whole_set AS "wholeSet",
       may_delete AS "mayDelete", forced, state FROM tallyman.revision WHERE id = $1`,
    [revisionId],
  )
  const files = await connection.query<FileRow & { position: number | null; verdict: Verdict; note: string }>(
    `SELECT ${FILE_COLUMNS}, v.position, v.verdict, v.note
     FROM tallyman.revision_file v JOIN tallyman.file f ON f.id = v.file WHERE v.revision = $1 ORDER BY f.id`,
    [revisionId],
  )
  const placed = files.rows.map(({ position, verdict, note, ...file }) => ({ position, verdict, note, file }))
  return {
    ...revision.rows[0]!,
    files: placed
      .filter(row => row.position !== null)
      .toSorted((a, b) => a.position! - b.position!)
      .map(row => row.file),
    results: placed.map(fileResult),
  }
}

/** Marks a published revision as reconciled and reported: from now on the same files are nothing to do. Part of T6. */
export async function finishRevision(connection: Connection, revisionId: string): Promise<void> {
  await connection.query(
    `UPDATE tallyman.revision SET state = 'finished' WHERE id = $1 AND state = 'published'`,
    [revisionId],
  )
}
