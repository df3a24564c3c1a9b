/**
 * Rejects as kept: written in T2 by the thousand, listed and counted afterwards. What a reject is
 * stands in lib/model/issue.ts; the overlay of fixes comes with replay.
 */
import type { Connection } from '../db/connection.ts'
import type { Issue, Reject } from '../model/issue.ts'
import type { Step } from '../model/steps.ts'
import type { Revision } from './revision.ts'
import { storable, storableJson } from './storable.ts'

/** `open`: still to be mended. `superseded`: its file was replaced or loaded again. */
export type RejectState = 'open' | 'superseded' | 'fixed' | 'waived'

/** A kept reject. */
export interface RejectRow {
  readonly id: string
  readonly job: string
  readonly businessDate: string
  /** The revision's number. */
  readonly revision: number
  readonly fileId: string
  readonly fileName: string
  readonly line: number
  readonly step: Step
  readonly raw: string
  readonly unit: string | null
  readonly issues: readonly Issue[]
  readonly state: RejectState
}

/** Which rejects; what is left out does not matter. */
export interface RejectFilter {
  readonly job?: string
  readonly businessDate?: string
  readonly revisionId?: string
  readonly state?: RejectState
  /** One of its issues has this code. */
  readonly code?: string
  readonly id?: string
}

/** Rejects per statement: with 200 bytes of text each a statement has 1 MB. */
const ROWS_PER_STATEMENT = 2_000

/** Longest text of one statement, in characters, for rejects with long records. */
const TEXT_PER_STATEMENT = 4_000_000

/** Stores rejects of a revision, inside the caller's transaction. `file` of a reject is its position in the revision. */
export async function storeRejects(
  connection: Connection,
  revision: Pick<Revision, 'id' | 'files'>,
  rejects: Iterable<Reject>,
): Promise<number> {
  return insertRejects(connection, 'tallyman.reject (revision', [revision.id], revision, rejects)
}

/**
 * Stores rejects of a load into another Postgres aside, by the fence of the attempt, until it is known whether the
 * load took effect there (activateRejects, dropPrepared). Nobody lists them meanwhile.
 */
export async function prepareRejects(
  connection: Connection,
  revision: Pick<Revision, 'id' | 'files'>,
  fence: string,
  rejects: Iterable<Reject>,
): Promise<number> {
  return insertRejects(
    connection,
    'tallyman.prepared_reject (revision, fence',
    [revision.id, fence],
    revision,
    rejects,
  )
}

/** Makes rejects of what the attempt with this fence prepared; gives how many. */
export async function activateRejects(
  connection: Connection,
  revisionId: string,
  fence: string,
): Promise<number> {
  const { rowCount } = await connection.query(
    `INSERT INTO tallyman.reject (revision, file, line, step, raw, unit, issues, keys)
     SELECT revision, file, line, step, raw, unit, issues, keys FROM tallyman.prepared_reject
     WHERE revision = $1 AND fence = $2 ORDER BY id`,
    [revisionId, fence],
  )
  return rowCount
}

/** Drops what any attempt prepared for a revision. */
export async function dropPrepared(connection: Connection, revisionId: string): Promise<void> {
  await connection.query('DELETE FROM tallyman.prepared_reject WHERE revision = $1', [revisionId])
}

/** `into` opens the columns, `values` are those before the reject's own. */
async function insertRejects(
  connection: Connection,
  into: string,
  values: readonly string[],
  revision: Pick<Revision, 'files'>,
  rejects: Iterable<Reject>,
): Promise<number> {
  const own = values.map((_, i) => `$${i + 1}::bigint`).join(', ')
  const types = ['bigint', 'bigint', 'text', 'text', 'text', 'jsonb', 'jsonb']
  const arrays = types.map((type, i) => `$${values.length + i + 1}::${type}[]`).join(', ')
  let stored = 0
  for (const batch of batches(rejects)) {
    const { rowCount } = await connection.query(
      `INSERT INTO ${into}, file, line, step, raw, unit, issues, keys) SELECT ${own}, * FROM unnest(${arrays})`,
      [
        ...values,
        batch.map(reject => revision.files[reject.file]!.id),
        batch.map(reject => reject.line),
        batch.map(reject => reject.step),
        batch.map(reject => storable(reject.raw)),
        batch.map(reject => (reject.unit === null ? null : storable(reject.unit))),
        batch.map(reject => storableJson(reject.issues)),
        batch.map(({ keys = [] }) => (keys.length === 0 ? null : storableJson(keys))),
      ],
    )
    stored += rowCount
  }
  return stored
}

function* batches(rejects: Iterable<Reject>): Iterable<Reject[]> {
  let batch: Reject[] = []
  let characters = 0
  for (const reject of rejects) {
    batch.push(reject)
    characters += reject.raw.length + 300 * reject.issues.length
    if (batch.length === ROWS_PER_STATEMENT || characters > TEXT_PER_STATEMENT) {
      yield batch
      batch = []
      characters = 0
    }
  }
  if (batch.length > 0) yield batch
}

const FROM = `FROM tallyman.reject j JOIN tallyman.revision v ON v.id = j.revision
  JOIN tallyman.run r ON r.id = v.run JOIN tallyman.file f ON f.id = j.file
  WHERE ($1::text IS NULL OR r.job = $1) AND ($2::date IS NULL OR r.business_date = $2)
    AND ($3::bigint IS NULL OR j.revision = $3) AND ($4::text IS NULL OR j.state = $4)
    AND ($5::text IS NULL OR j.issues @> jsonb_build_array(jsonb_build_object('code', $5::text)))
    AND ($6::bigint IS NULL OR j.id = $6)`

function filterParams(filter: RejectFilter): (string | null)[] {
  return [
    ...[filter.job ?? null, filter.businessDate ?? null, filter.revisionId ?? null],
    ...[filter.state ?? null, filter.code ?? null, filter.id ?? null],
  ]
}

/** Rejects in order of their ids, from `after` on, at most `limit`: page through with the last id. */
export async function listRejects(
  connection: Connection,
  filter: RejectFilter,
  page: { readonly limit: number; readonly after?: string } = { limit: 1_000 },
): Promise<RejectRow[]> {
  const { rows } = await connection.query<RejectRow>(
    `SELECT j.id, r.job, r.business_date AS "businessDate", v.number AS revision, f.id AS "fileId",
       f.remote_name AS "fileName", j.line::float8 AS line, j.step, j.raw, j.unit, j.issues, j.state
     ${FROM} AND j.id > $7::bigint ORDER BY j.id LIMIT $8`,
    [...filterParams(filter), page.after ?? '0', page.limit],
  )
  return rows
}

/** How many rejects there are, by the code of their first issue, most frequent first. */
export async function countRejects(
  connection: Connection,
  filter: RejectFilter,
): Promise<{ readonly code: string; readonly count: number }[]> {
  const { rows } = await connection.query<{ code: string; count: number }>(
    `SELECT j.issues -> 0 ->> 'code' AS code, count(*)::float8 AS count ${FROM} GROUP BY 1 ORDER BY 2 DESC, 1`,
    filterParams(filter),
  )
  return rows
}
