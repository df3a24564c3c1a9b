/**
 * What the run ledger knows on the way of a record: its breaks, its rejects, and the load and files of a revision.
 * Found by key, in sets. Reads only; the rows themselves are in snapshots (lib/run/trace.ts).
 */
import type { Connection } from '../db/connection.ts'
import type { Issue } from '../model/issue.ts'
import type { ShownState } from '../model/lasting-break.ts'
import type { RecordCounts } from '../model/mapping.ts'
import type { TableCounts, Verdict } from '../model/run.ts'

/** A break that has the values. */
export interface TracedBreak {
  readonly id: string
  readonly kind: string
  readonly state: ShownState
  readonly key: Readonly<Record<string, string | null>>
  readonly firstSeen: string
  readonly lastSeen: string
  readonly hint: string
}

/** The values of a key by field: as given, and as they are compared. */
export interface TracedKey {
  readonly given: Readonly<Record<string, string>>
  readonly ruled: Readonly<Record<string, string | null>>
}

/** Breaks of a reconciliation that have these values, the oldest first, resolved ones too; at most `limit`. */
export async function breaksWith(
  connection: Connection,
  reconciliation: string,
  { given, ruled }: TracedKey,
  limit: number,
): Promise<TracedBreak[]> {
  const { rows } = await connection.query<TracedBreak>(
    `SELECT replace(l.identity::text, '-', '') AS id, l.kind, l.key, l.hint,
       CASE WHEN l.acknowledgement IS NULL THEN l.state ELSE 'acknowledged' END AS state,
       l.first_seen AS "firstSeen", l.last_seen AS "lastSeen"
     FROM tallyman.lasting_break l JOIN tallyman.break_ledger b ON b.id = l.ledger
     WHERE b.reconciliation = $1 AND (l.key @> $2::jsonb OR l.key @> $3::jsonb) ORDER BY l.first_seen, l.identity LIMIT $4`,
    [reconciliation, JSON.stringify(given), JSON.stringify(ruled), limit],
  )
  return rows
}

/** A reject of the key. */
export interface TracedReject {
  readonly id: string
  readonly businessDate: string
  readonly revision: number
  readonly fileName: string
  readonly contentSha256: string | null
  readonly line: number
  readonly step: string
  readonly state: string
  readonly issues: readonly Issue[]
  readonly raw: string
  /** False: its key could not be read, but its text holds every value that was asked for. */
  readonly certain: boolean
}

/** Rejects of a job for a row of this table, by the key they would have had, or else by their text; newest first. */
export async function rejectsWith(
  connection: Connection,
  job: string,
  businessDate: string | null,
  table: string,
  { given, ruled }: TracedKey,
  limit: number,
): Promise<TracedReject[]> {
  const { rows } = await connection.query<TracedReject>(
    `SELECT j.id, r.business_date AS "businessDate", v.number AS revision, f.remote_name AS "fileName",
       f.content_sha256 AS "contentSha256", j.line::float8 AS line, j.step, j.state, j.issues, j.raw,
       j.keys IS NOT NULL AS certain
     FROM tallyman.reject j JOIN tallyman.revision v ON v.id = j.revision JOIN tallyman.run r ON r.id = v.run
       JOIN tallyman.file f ON f.id = j.file
     WHERE r.job = $1 AND ($2::date IS NULL OR r.business_date = $2)
       AND (j.keys @> $3::jsonb OR j.keys @> $4::jsonb OR j.keys IS NULL
         AND (SELECT bool_and(position(part IN j.raw) > 0) FROM unnest($5::text[]) part))
     ORDER BY r.business_date DESC, j.id DESC LIMIT $6`,
    [
      ...[
        job,
        businessDate,
        JSON.stringify([{ table, key: given }]),
        JSON.stringify([{ table, key: ruled }]),
      ],
      ...[Object.values(given), limit],
    ],
  )
  return rows
}

/** A revision as it was loaded. */
export interface TracedLoad {
  readonly revisionId: string
  readonly revision: number
  /** ISO instant. */
  readonly loadedAt: string
  readonly counts: RecordCounts
  readonly tables: readonly TableCounts[]
  /** Ids are those of `tallyman files`. */
  readonly files: readonly {
    readonly id: string
    readonly name: string
    readonly contentSha256: string
    readonly verdict: Verdict
    /** In the order of loading; null: not loaded. */
    readonly position: number | null
  }[]
}

/** The loads of some revisions. */
export async function loadsOf(
  connection: Connection,
  revisionIds: readonly string[],
): Promise<ReadonlyMap<string, TracedLoad>> {
  const { rows } = await connection.query<TracedLoad>(
    `SELECT v.id AS "revisionId", v.number AS revision, to_char(l.loaded_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "loadedAt",
       l.result -> 'counts' AS counts, l.result -> 'tables' AS tables,
       (SELECT jsonb_agg(jsonb_build_object('id', f.id::text, 'name', f.remote_name, 'contentSha256', f.content_sha256,
           'verdict', p.verdict, 'position', p.position) ORDER BY p.position NULLS LAST, f.id)
         FROM tallyman.revision_file p JOIN tallyman.file f ON f.id = p.file WHERE p.revision = v.id) AS files
     FROM tallyman.revision v JOIN tallyman.load l ON l.revision = v.id
     WHERE v.id = ANY($1::bigint[]) AND l.state = 'published'`,
    [revisionIds],
  )
  return new Map(rows.map(row => [row.revisionId, row]))
}
