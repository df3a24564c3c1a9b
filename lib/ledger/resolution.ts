/**
 * Plans that were made and revisions that apply them. A plan becomes one revision, however often it is
 * tried: its digest is the revision's input. Proposing is reconcile/resolve, writing is lib/load/repair.ts.
 */
import type { Connection } from '../db/connection.ts'
import { failpoint } from '../model/failpoint.ts'
import type { AppliedChange, ChangeOutcome, PlannedChange, ResolutionPlan } from '../model/resolution.ts'
import type { Person } from './break-ledger-acks.ts'
import { assertFence, type Holding } from './fence.ts'
import { type Revision, revisionById } from './revision.ts'
import { storable, storableJson } from './storable.ts'

/** Writes down that a plan was made, so that an edited one is known as such. The same plan again changes nothing. */
export async function recordPlan(
  connection: Connection,
  plan: ResolutionPlan,
  runId: string,
  by: Person,
): Promise<void> {
  await connection.query(
    `INSERT INTO tallyman.resolution_plan (digest, run, comparison, changes, amount, by_person, account)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
    [
      ...[plan.digest, runId, plan.comparison, plan.changes.length, plan.amount],
      ...[storable(by.name), storable(by.account)],
    ],
  )
}

/** Whether a plan of this digest was made for a run. */
export async function isKnownPlan(connection: Connection, digest: string, runId: string): Promise<boolean> {
  const { rowCount } = await connection.query(
    'SELECT FROM tallyman.resolution_plan WHERE digest = $1 AND run = $2',
    [digest, runId],
  )
  return rowCount === 1
}

/** The revision that applies a plan, null when nobody has tried yet. */
export async function resolutionOf(connection: Connection, digest: string): Promise<Revision | null> {
  const { rows } = await connection.query<{ revision: string }>(
    'SELECT revision FROM tallyman.resolution WHERE plan = $1',
    [digest],
  )
  return rows[0] === undefined ? null : revisionById(connection, rows[0].revision)
}

/** Whether a revision applies a plan rather than files. */
export async function isResolution(connection: Connection, revisionId: string): Promise<boolean> {
  const { rowCount } = await connection.query('SELECT FROM tallyman.resolution WHERE revision = $1', [
    revisionId,
  ])
  return rowCount === 1
}

/** The run's latest load of files, whose records its source pictures show; null when nothing was loaded. */
export async function loadedRevision(connection: Connection, runId: string): Promise<Revision | null> {
  const { rows } = await connection.query<{ id: string }>(
    `SELECT v.id FROM tallyman.revision v WHERE v.run = $1 AND v.state IN ('published', 'finished')
       AND NOT EXISTS (SELECT FROM tallyman.resolution x WHERE x.revision = v.id)
     ORDER BY v.number DESC LIMIT 1`,
    [runId],
  )
  return rows[0] === undefined ? null : revisionById(connection, rows[0].id)
}

/** Whether files of the run are frozen and not loaded: then the target is about to change. */
export async function hasFrozenFiles(connection: Connection, runId: string): Promise<boolean> {
  const { rowCount } = await connection.query(
    `SELECT FROM tallyman.run r JOIN tallyman.revision v ON v.run = r.id
     WHERE r.id = $1 AND v.number = (SELECT max(number) FROM tallyman.revision WHERE run = $1)
       AND v.state = 'frozen' AND NOT EXISTS (SELECT FROM tallyman.resolution x WHERE x.revision = v.id)`,
    [runId],
  )
  return rowCount > 0
}

/**
 * The revision that applies a plan, made in a fenced transaction where there is none yet.
 * Guarantee: one per plan, whatever is killed and tried again. @throws RUN_FENCED
 */
export async function freezeResolution(
  connection: Connection,
  holding: Holding,
  plan: Pick<ResolutionPlan, 'digest'>,
  base: Revision,
  by: Person,
): Promise<Revision> {
  failpoint('resolve.before-freeze')
  const revision = await connection.transaction(
    async () => {
      const known = await resolutionOf(connection, plan.digest)
      const made = known ?? (await insertResolution(connection, holding, plan, base, by))
      await assertFence(connection, holding)
      return made
    },
    { commit: 'proved' },
  )
  failpoint('resolve.after-freeze')
  return revision
}

async function insertResolution(
  connection: Connection,
  { runId, attemptId }: Holding,
  { digest }: Pick<ResolutionPlan, 'digest'>,
  base: Revision,
  by: Person,
): Promise<Revision> {
  const { rows } = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.revision (run, number, attempt, feed, per_date, mode, input_digest, overlay_version,
       whole_set, may_delete, forced)
     SELECT $1, (SELECT max(number) + 1 FROM tallyman.revision WHERE run = $1), $2, feed, per_date, mode, $3,
       overlay_version, false, false, false
     FROM tallyman.revision WHERE id = $4 RETURNING id`,
    [runId, attemptId, digest, base.id],
  )
  const revisionId = rows[0]!.id
  await connection.query(
    'INSERT INTO tallyman.resolution (revision, plan, base, by_person, account) VALUES ($1, $2, $3, $4, $5)',
    [revisionId, digest, base.id, storable(by.name), storable(by.account)],
  )
  return revisionById(connection, revisionId)
}

/** Keeps what became of each change, inside the load's transaction. */
export async function storeChanges(
  connection: Connection,
  revisionId: string,
  changes: readonly PlannedChange[],
  applied: readonly AppliedChange[],
): Promise<void> {
  const of = <T>(pick: (change: PlannedChange) => T): T[] =>
    applied.map(({ position }) => pick(changes[position]!))
  await connection.query(
    `INSERT INTO tallyman.resolution_change (revision, position, identity, operation, target, key, columns, outcome, found)
     SELECT $1, * FROM unnest($2::int[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::text[], $9::jsonb[])`,
    [
      revisionId,
      applied.map(({ position }) => position),
      of(change => change.identity),
      of(change => change.operation),
      of(change => change.table),
      of(change => storableJson(change.key)),
      of(change => storableJson(change.columns)),
      applied.map(({ outcome }) => outcome),
      applied.map(({ found }) => (found === null ? null : storableJson(found))),
    ],
  )
}

/** What became of the changes of a plan, in its order; empty while it took no effect. */
export async function changesOf(connection: Connection, revisionId: string): Promise<AppliedChange[]> {
  const { rows } = await connection.query<{
    position: number
    outcome: ChangeOutcome
    found: AppliedChange['found']
  }>(
    'SELECT position, outcome, found FROM tallyman.resolution_change WHERE revision = $1 ORDER BY position',
    [revisionId],
  )
  return rows
}
