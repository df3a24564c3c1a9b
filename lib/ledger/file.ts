/**
 * Files as delivered (T1): written down on arrival, found again by name, size and mtime so that they
 * are not fetched twice. What a file is to its date is judged at the freeze (verdict.ts, freeze.ts).
 */
import type { Connection } from '../db/connection.ts'
import type { FileState } from '../model/run.ts'

/** A file that was downloaded, verified and archived. */
export interface ReceivedFile {
  readonly feed: string
  readonly businessDate: string
  /** The job that this file makes owed; null for a feed that only a reconciliation reads. */
  readonly job: string | null
  readonly remoteName: string
  /** As listed by the remote side. */
  readonly size: number
  /** Epoch milliseconds as listed by the remote side. */
  readonly mtimeMs: number
  readonly rawSha256: string
  readonly contentSha256: string
  readonly contentBytes: number
  /** Path within the archive: a name of ours. */
  readonly archive: string
  /** `quarantined` for a file that is whole but must not be loaded; default `received`. */
  readonly state?: 'received' | 'quarantined'
  /** Of a quarantined one: what is wrong, with fetch's code in brackets at its end. */
  readonly reason?: string
  /** Whether the file itself told its business date; then it is a file of no other date. */
  readonly statesItsDate?: boolean
}

/** A file row. */
export interface FileRow {
  /** Order of arrival. */
  readonly id: string
  readonly feed: string
  readonly businessDate: string
  readonly remoteName: string
  readonly size: number | null
  readonly mtimeMs: number | null
  readonly rawSha256: string | null
  readonly contentSha256: string | null
  readonly contentBytes: number | null
  readonly archive: string | null
  readonly state: FileState
  readonly reason: string
  /** `there`: T3 is still to be done where the feed asks for it. `changed`: the remote file was not the one loaded and was left. */
  readonly remoteState: 'there' | 'done' | 'changed'
  /** ISO instant. */
  readonly receivedAt: string
}

/** Columns of a FileRow; sizes below 2^53 and so exact as float8. Alias of the table: f. */
export const FILE_COLUMNS = `f.id, f.feed, f.business_date AS "businessDate", f.remote_name AS "remoteName",
  f.size::float8 AS size, (extract(epoch FROM f.mtime) * 1000)::float8 AS "mtimeMs", f.raw_sha256 AS "rawSha256",
  f.content_sha256 AS "contentSha256", f.content_bytes::float8 AS "contentBytes", f.archive, f.state, f.reason,
  f.remote_state AS "remoteState", to_char(f.received_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "receivedAt"`

/** States of placeholders: a file of that name is known of, but there is nothing to load. */
const PLACEHOLDERS = `('expected', 'held', 'missing', 'late')`

/**
 * How the reason of a file ends that was put into quarantine at fetch. What is before it may hold the
 * partner's names, so only the end counts. Such a file is judged anew whenever it is fetched again.
 */
const QUARANTINED_AT_FETCH = String.raw`\[FETCH_[A-Z_]+\]$`

/** Whether fetch, and not parse or the freeze, put this file into quarantine. */
export function isQuarantinedAtFetch(file: Pick<FileRow, 'state' | 'reason'>): boolean {
  return file.state === 'quarantined' && new RegExp(QUARANTINED_AT_FETCH).test(file.reason)
}

/**
 * Writes a delivery down, and that its date is owed a run. The same delivery (name, size, mtime, hash) again gives the
 * row that is there; where only fetch had refused it, today's judgement holds: it leaves quarantine and
 * is owed, or keeps today's reason. What parse or the freeze refused stays: the bytes are the same.
 * Guarantee: idempotent, so a lost answer is repeated.
 */
export async function recordFile(connection: Connection, file: ReceivedFile): Promise<FileRow> {
  return inTransaction(connection, async () => {
    await connection.query(
      `DELETE FROM tallyman.file WHERE feed = $1 AND business_date = $2::date AND remote_name = $3
         AND state IN ${PLACEHOLDERS}`,
      [file.feed, file.businessDate, file.remoteName],
    )
    if (file.statesItsDate === true) await forgetOtherDates(connection, file)
    const written = await connection.query<{ fresh: boolean; state: FileState }>(
      `INSERT INTO tallyman.file AS f (feed, business_date, remote_name, size, mtime, raw_sha256, content_sha256,
         content_bytes, archive, state, reason)
       VALUES ($1, $2::date, $3, $4, to_timestamp($5::float8 / 1000), $6, $7, $8, $9, $10, $11)
       ON CONFLICT (feed, business_date, remote_name, size, mtime, raw_sha256) DO UPDATE
         SET content_sha256 = EXCLUDED.content_sha256, content_bytes = EXCLUDED.content_bytes,
           archive = EXCLUDED.archive, state = EXCLUDED.state, reason = EXCLUDED.reason
         WHERE (f.state = 'quarantined' AND f.reason ~ $12)
           OR (f.state = 'received' AND EXCLUDED.state = 'quarantined')
       RETURNING xmax = 0 AS fresh, state`,
      [
        ...[file.feed, file.businessDate, file.remoteName, file.size, file.mtimeMs, file.rawSha256],
        ...[file.contentSha256, file.contentBytes, file.archive, file.state ?? 'received', file.reason ?? ''],
        QUARANTINED_AT_FETCH,
      ],
    )
    const [row] = written.rows
    // A file that is as bad as before owes no run: else it would be fetched and refused without end.
    if (row !== undefined && (row.fresh || row.state === 'received') && file.job !== null) {
      await oweRun(connection, file.job, file.businessDate)
    }
    const { rows } = await connection.query<FileRow>(
      `SELECT ${FILE_COLUMNS} FROM tallyman.file f WHERE feed = $1 AND business_date = $2::date
         AND remote_name = $3 AND size = $4 AND mtime = to_timestamp($5::float8 / 1000) AND raw_sha256 = $6`,
      [file.feed, file.businessDate, file.remoteName, file.size, file.mtimeMs, file.rawSha256],
    )
    return rows[0]!
  })
}

/**
 * A file that could not be read at first was filed under the date of the run that met it. Now that it
 * tells its own date, it is no file of the others; their runs have told of it.
 */
async function forgetOtherDates(connection: Connection, file: ReceivedFile): Promise<void> {
  await connection.query(
    `DELETE FROM tallyman.file f WHERE feed = $1 AND business_date <> $2::date AND remote_name = $3 AND size = $4
       AND mtime = to_timestamp($5::float8 / 1000) AND raw_sha256 = $6 AND state = 'quarantined' AND reason ~ $7
       AND NOT EXISTS (SELECT FROM tallyman.revision_file p WHERE p.file = f.id)`,
    [
      ...[file.feed, file.businessDate, file.remoteName, file.size, file.mtimeMs, file.rawSha256],
      QUARANTINED_AT_FETCH,
    ],
  )
}

/** Marks a date's run as owed, making it when there is none. */
async function oweRun(connection: Connection, job: string, businessDate: string): Promise<void> {
  await connection.query(
    `INSERT INTO tallyman.run (job, business_date, state, owed) VALUES ($1, $2::date, 'owed', true)
     ON CONFLICT (job, business_date) DO UPDATE SET owed = true`,
    [job, businessDate],
  )
}

/**
 * Notes a file that is known of but not here: still growing, expected, missing, late. One note per
 * feed, date and name; a delivery of that name replaces it.
 */
export async function noteFile(
  connection: Connection,
  note: {
    readonly feed: string
    readonly businessDate: string
    readonly remoteName: string
    readonly state: 'expected' | 'held' | 'missing' | 'late'
    readonly reason: string
  },
): Promise<void> {
  await inTransaction(connection, async () => {
    const at = [note.feed, note.businessDate, note.remoteName]
    const updated = await connection.query(
      `UPDATE tallyman.file SET state = $4, reason = $5 WHERE feed = $1 AND business_date = $2::date
         AND remote_name = $3 AND state IN ${PLACEHOLDERS}`,
      [...at, note.state, note.reason],
    )
    if (updated.rowCount > 0) return
    await connection.query(
      `INSERT INTO tallyman.file (feed, business_date, remote_name, state, reason) VALUES ($1, $2::date, $3, $4, $5)`,
      [...at, note.state, note.reason],
    )
  })
}

/** Changes a file's state, with the reason in words. Applied files stay what they are: only a load changes them. Gives whether it changed. */
export async function setFileState(
  connection: Connection,
  fileId: string,
  state: Exclude<FileState, 'applied' | 'superseded'>,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await connection.query(
    `UPDATE tallyman.file SET state = $2, reason = $3 WHERE id = $1 AND state NOT IN ('applied', 'superseded')`,
    [fileId, state, reason],
  )
  return rowCount === 1
}

/** T3's outcome: the remote file was archived or deleted as asked, or had changed and was left alone. */
export async function setRemoteState(
  connection: Connection,
  fileId: string,
  state: 'done' | 'changed',
): Promise<void> {
  await connection.query('UPDATE tallyman.file SET remote_state = $2 WHERE id = $1', [fileId, state])
}

/** Files of these ids, in order of arrival. */
export async function filesById(connection: Connection, ids: readonly string[]): Promise<FileRow[]> {
  const { rows } = await connection.query<FileRow>(
    `SELECT ${FILE_COLUMNS} FROM tallyman.file f WHERE id = ANY($1::bigint[]) ORDER BY id`,
    [ids],
  )
  return rows
}

/** All deliveries of a feed that were received, newest first: what the listing need not fetch again. Placeholders are not among them. */
export async function knownFiles(
  connection: Connection,
  feed: string,
  names?: readonly string[],
): Promise<FileRow[]> {
  const { rows } = await connection.query<FileRow>(
    `SELECT ${FILE_COLUMNS} FROM tallyman.file f WHERE feed = $1 AND state NOT IN ${PLACEHOLDERS}
       AND ($2::text[] IS NULL OR remote_name = ANY($2)) ORDER BY id DESC`,
    [feed, names ?? null],
  )
  return rows
}

/** Every file row of a feed and date, placeholders included, in order of arrival. */
export async function filesOfDate(
  connection: Connection,
  feed: string,
  businessDate: string,
): Promise<FileRow[]> {
  const { rows } = await connection.query<FileRow>(
    `SELECT ${FILE_COLUMNS} FROM tallyman.file f WHERE feed = $1 AND business_date = $2::date ORDER BY id`,
    [feed, businessDate],
  )
  return rows
}

/** The files that are applied to a date, in order of arrival. */
export async function appliedFiles(
  connection: Connection,
  feed: string,
  businessDate: string,
): Promise<FileRow[]> {
  return (await filesOfDate(connection, feed, businessDate)).filter(file => file.state === 'applied')
}

/** Files whose load took effect and whose remote original still waits for T3, oldest first. */
export async function filesAwaitingArchive(connection: Connection, feed: string): Promise<FileRow[]> {
  const { rows } = await connection.query<FileRow>(
    `SELECT ${FILE_COLUMNS} FROM tallyman.file f WHERE feed = $1 AND state IN ('applied', 'superseded')
       AND remote_state = 'there' ORDER BY id`,
    [feed],
  )
  return rows
}

/** Joins the open transaction or makes one. */
function inTransaction<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  return connection.inTransaction ? work() : connection.transaction(work, { commit: 'proved' })
}
