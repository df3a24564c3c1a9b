/**
 * What snapshots are still needed for, as the run ledger knows it, and letting go of the others. What their age alone
 * keeps is reconcile/snapshot/retention.ts; the files themselves are removed by lib/run/purge.ts.
 */
import type { Connection } from '../db/connection.ts'

/** Snapshots of one reconciliation and date that were not let go of. */
export interface SnapshotDate {
  readonly runId: string
  readonly job: string
  readonly reconciliation: string
  readonly businessDate: string
  /** Ids of its rows. */
  readonly ids: readonly string[]
  /** Paths of their manifests. */
  readonly paths: readonly string[]
  /** When the last of them was taken, epoch milliseconds. */
  readonly takenAtMs: number
}

/** All of them, oldest date first. */
export async function snapshotDates(connection: Connection): Promise<SnapshotDate[]> {
  const { rows } = await connection.query<SnapshotDate>(
    `SELECT s.run AS "runId", r.job, s.reconciliation, r.business_date AS "businessDate",
       array_agg(s.id::text ORDER BY s.id) AS ids, array_agg(s.path ORDER BY s.id) AS paths,
       (extract(epoch FROM max(s.created_at)) * 1000)::float8 AS "takenAtMs"
     FROM tallyman.snapshot s JOIN tallyman.run r ON r.id = s.run WHERE s.purged_at IS NULL
     GROUP BY s.run, r.job, s.reconciliation, r.business_date ORDER BY r.business_date, s.reconciliation`,
  )
  return rows
}

/** A date that open breaks refer to. */
export interface NeededDate {
  readonly reconciliation: string
  readonly businessDate: string
  /** What happened there, in words: `first seen`. */
  readonly as: string
  readonly breaks: number
}

/** The dates on which open breaks were first and last seen, got their values, or were acknowledged. Cost: one pass over the open ones. */
export async function datesOfOpenBreaks(connection: Connection): Promise<NeededDate[]> {
  const { rows } = await connection.query<NeededDate>(
    `SELECT b.reconciliation, d.date AS "businessDate", d.why AS "as", count(*)::float8 AS breaks
     FROM tallyman.lasting_break l JOIN tallyman.break_ledger b ON b.id = l.ledger
       CROSS JOIN LATERAL (
         VALUES (l.first_seen, 'first seen'), (l.last_seen, 'last seen'), (l.values_since, 'with these values since')
         UNION SELECT a.on_date, 'acknowledged' FROM tallyman.break_ack a
           WHERE a.ledger = l.ledger AND a.identity = l.identity AND a.ended_on IS NULL) d(date, why)
     WHERE l.state <> 'resolved' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  )
  return rows
}

/** Runs whose latest revision is frozen or loaded, but not reconciled and reported: an attempt goes on from its snapshots. */
export async function unfinishedRuns(connection: Connection): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query<{ run: string }>(
    `SELECT v.run FROM tallyman.revision v WHERE v.state IN ('frozen', 'published')
       AND NOT EXISTS (SELECT FROM tallyman.revision n WHERE n.run = v.run AND n.number > v.number)`,
  )
  return new Set(rows.map(({ run }) => run))
}

/** The manifests that loads of these runs name, by file name. */
export async function manifestsOfLoads(
  connection: Connection,
  runIds: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await connection.query<{ kept: string }>(
    `SELECT l.snapshot_hash AS kept FROM tallyman.load l JOIN tallyman.revision v ON v.id = l.revision
     WHERE v.run = ANY($1::bigint[]) AND l.snapshot_hash IS NOT NULL`,
    [runIds],
  )
  return rows.flatMap(({ kept }) => kept.split(' ').map(entry => entry.slice(entry.indexOf('=') + 1)))
}

/** Lets go of snapshots: from now on nothing names their files. */
export async function letGo(connection: Connection, ids: readonly string[]): Promise<void> {
  await connection.query(
    'UPDATE tallyman.snapshot SET purged_at = now() WHERE id = ANY($1::bigint[]) AND purged_at IS NULL',
    [ids],
  )
}
