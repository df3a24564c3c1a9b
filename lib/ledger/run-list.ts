/**
 * Runs as people and the scheduler ask for them: lists, one run in detail, the states of many dates.
 * Reads only; who changes a run is lease.ts, load.ts and comparison.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { Retry } from '../model/errors.ts'
import type { AttemptState, LoadResult, RunKey, RunState, StepResult, Trigger } from '../model/run.ts'
import { latestComparison, type StoredComparison } from './comparison.ts'
import { type FileRow, filesById } from './file.ts'
import { type LoadRow, loadOf } from './load.ts'
import { latestRevision, type Revision } from './revision.ts'
import { stepsOf } from './step.ts'

/** An attempt. */
export interface AttemptRow {
  readonly id: string
  readonly number: number
  readonly trigger: Trigger
  readonly state: AttemptState
  readonly host: string
  readonly osPid: number
  /** ISO instants. */
  readonly startedAt: string
  readonly endedAt: string | null
  readonly error: {
    readonly code: string | null
    readonly step: string | null
    readonly message: string
    readonly details: Readonly<Record<string, unknown>>
    /** What a retry would meet (lib/model/errors.ts); attempts of earlier versions did not say. */
    readonly retry?: Retry
  } | null
}

/** A run with its latest attempt. */
export interface RunRow extends RunKey {
  readonly id: string
  readonly state: RunState
  /** A file came after the last freeze. */
  readonly owed: boolean
  /** Whether somebody holds its lease; a dead holder counts until somebody takes over. */
  readonly held: boolean
  readonly changedAt: string
  /** Null before the first. */
  readonly attempt: AttemptRow | null
  /** What its latest load did; null before the first. */
  readonly load: {
    readonly revision: number
    readonly state: 'published' | 'unpublished'
    readonly result: LoadResult
  } | null
  readonly openRejects: number
}

/** Which runs; what is left out does not matter. */
export interface RunFilter {
  readonly jobs?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly states?: readonly RunState[]
}

const INSTANT = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`

const ATTEMPT = `jsonb_build_object('id', a.id::text, 'number', a.number, 'trigger', a.trigger, 'state', a.state,
  'host', a.host, 'osPid', a.os_pid, 'startedAt', to_char(a.started_at, ${INSTANT}),
  'endedAt', to_char(a.ended_at, ${INSTANT}), 'error', a.error)`

/** Runs, newest business date first, then by job; at most `limit`. */
export async function listRuns(
  connection: Connection,
  filter: RunFilter = {},
  limit = 1_000,
): Promise<RunRow[]> {
  const { rows } = await connection.query<RunRow>(
    `SELECT r.id, r.job, r.business_date AS "businessDate", r.state, r.owed, to_char(r.changed_at, ${INSTANT}) AS "changedAt",
       EXISTS (SELECT FROM tallyman.lease l WHERE l.run = r.id) AS held,
       (SELECT ${ATTEMPT} FROM tallyman.attempt a WHERE a.run = r.id ORDER BY a.number DESC LIMIT 1) AS attempt,
       (SELECT jsonb_build_object('revision', v.number, 'state', l.state, 'result', l.result)
          FROM tallyman.load l JOIN tallyman.revision v ON v.id = l.revision
          WHERE v.run = r.id AND l.state <> 'open' ORDER BY v.number DESC LIMIT 1) AS load,
       (SELECT count(*)::float8 FROM tallyman.reject j JOIN tallyman.revision v ON v.id = j.revision
          WHERE v.run = r.id AND j.state = 'open') AS "openRejects"
     FROM tallyman.run r
     WHERE ($1::text[] IS NULL OR r.job = ANY($1)) AND ($2::date IS NULL OR r.business_date >= $2)
       AND ($3::date IS NULL OR r.business_date <= $3) AND ($4::text[] IS NULL OR r.state = ANY($4))
     ORDER BY r.business_date DESC, r.job LIMIT $5`,
    [filter.jobs ?? null, filter.from ?? null, filter.to ?? null, filter.states ?? null, limit],
  )
  return rows
}

/** A run in detail. */
export interface RunDetails {
  readonly run: RunRow
  /** Newest first. */
  readonly attempts: readonly AttemptRow[]
  /** Steps of the newest attempt. */
  readonly steps: readonly StepResult[]
  readonly revision: Revision | null
  readonly load: LoadRow | null
  readonly comparison: { readonly number: number; readonly results: readonly StoredComparison[] }
}

/** Everything that is told about a run; null when there is none of that date. */
export async function runDetails(connection: Connection, key: RunKey): Promise<RunDetails | null> {
  const [run] = await listRuns(connection, { jobs: [key.job], from: key.businessDate, to: key.businessDate })
  if (run === undefined) return null
  const attempts = await connection.query<{ attempt: AttemptRow }>(
    `SELECT ${ATTEMPT} AS attempt FROM tallyman.attempt a WHERE a.run = $1 ORDER BY a.number DESC`,
    [run.id],
  )
  const revision = await latestRevision(connection, run.id)
  return {
    run,
    attempts: attempts.rows.map(row => row.attempt),
    steps: run.attempt === null ? [] : await stepsOf(connection, run.attempt.id),
    revision,
    load: revision === null ? null : await loadOf(connection, revision.id),
    comparison: await latestComparison(connection, run.id),
  }
}

/** Which files; what is left out does not matter. */
export interface FileFilter {
  readonly feeds?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly states?: readonly string[]
}

/** Files, newest first; at most `limit`. */
export async function listFiles(
  connection: Connection,
  filter: FileFilter = {},
  limit = 1_000,
): Promise<FileRow[]> {
  const { rows } = await connection.query<{ id: string }>(
    `SELECT id FROM tallyman.file
     WHERE ($1::text[] IS NULL OR feed = ANY($1)) AND ($2::date IS NULL OR business_date >= $2)
       AND ($3::date IS NULL OR business_date <= $3) AND ($4::text[] IS NULL OR state = ANY($4))
     ORDER BY id DESC LIMIT $5`,
    [filter.feeds ?? null, filter.from ?? null, filter.to ?? null, filter.states ?? null, limit],
  )
  return (
    await filesById(
      connection,
      rows.map(row => row.id),
    )
  ).reverse()
}

/** What the scheduler knows of a date when it computes what is owed. */
export interface RunStanding extends RunKey {
  readonly state: RunState
  readonly owed: boolean
  readonly held: boolean
  readonly attempts: number
  readonly lastAttempt: AttemptState | null
  /** The last attempt's error, null when it had none. */
  readonly lastError: AttemptRow['error']
  /** Every different error of its attempts, in no order. */
  readonly errors: readonly NonNullable<AttemptRow['error']>[]
  /** Epoch milliseconds; null while it runs or before the first. */
  readonly lastEndedAtMs: number | null
}

/** The standing of every run of these jobs from a date on, oldest first. */
export async function standings(
  connection: Connection,
  jobs: readonly string[],
  from: string,
): Promise<RunStanding[]> {
  const { rows } = await connection.query<RunStanding>(
    `SELECT r.job, r.business_date AS "businessDate", r.state, r.owed,
       EXISTS (SELECT FROM tallyman.lease l WHERE l.run = r.id) AS held, coalesce(a.number, 0) AS attempts,
       a.state AS "lastAttempt", a.error AS "lastError",
       coalesce((SELECT jsonb_agg(DISTINCT e.error) FROM tallyman.attempt e WHERE e.run = r.id AND e.error IS NOT NULL), '[]') AS errors,
       (extract(epoch FROM a.ended_at) * 1000)::float8 AS "lastEndedAtMs"
     FROM tallyman.run r LEFT JOIN LATERAL (
       SELECT * FROM tallyman.attempt x WHERE x.run = r.id ORDER BY x.number DESC LIMIT 1) a ON true
     WHERE r.job = ANY($1) AND r.business_date >= $2::date ORDER BY r.business_date, r.job`,
    [jobs, from],
  )
  return rows
}
