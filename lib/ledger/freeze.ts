/**
 * The freeze: fixes, in one fenced transaction, which files a run loads now and what each of them is.
 * Files that arrive later make the run owed again. Verdicts are verdict.ts, rows are revision.ts.
 */
import type { Connection } from '../db/connection.ts'
import { RunError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { FileResult, RunKey } from '../model/run.ts'
import { assertFence, type Holding } from './fence.ts'
import { type FileRow, filesOfDate } from './file.ts'
import { type LoadRow, loadOf } from './load.ts'
import { alreadyApplied, type FreezeRules, type Plan, planned } from './plan.ts'
import {
  fileResult,
  inputDigest,
  insertPlacings,
  insertRevision,
  latestRevision,
  type Revision,
  type RevisionDraft,
  revisionById,
} from './revision.ts'
import { earlierVerdicts, quarantine, sameContentElsewhere, settleDuplicates } from './settle.ts'

/** What a freeze says besides what there is to do: no file of the date is passed over in silence. */
export interface Refusals {
  /** Files that this freeze refused, with the reason in their note. */
  readonly quarantined: readonly FileResult[]
  /** Files quarantined before, with no later delivery in their place: they stay out, the reason is in the row. */
  readonly leftOut: readonly FileRow[]
}

/** What there is to do. */
export type Freeze = Refusals &
  (
    | { readonly kind: 'load'; readonly revision: Revision; readonly reused: boolean }
    /** Loaded before, but not yet reconciled and reported: go on there. */
    | { readonly kind: 'resume'; readonly revision: Revision; readonly load: LoadRow }
    /** The same files are applied and finished; they are listed as duplicates. */
    | { readonly kind: 'nothing-to-do'; readonly files: readonly FileResult[] }
    /** Nothing that could be loaded has come. */
    | { readonly kind: 'no-files' }
    /** A mirror, and files of its set are missing, held or quarantined: publishing would delete their rows. */
    | { readonly kind: 'blocked'; readonly files: readonly FileRow[] }
  )

/**
 * Freezes what the run loads now, in a transaction of its own.
 * Guarantee: a retry of an interrupted attempt with the same files gets the same revision.
 * @throws RUN_FORCE_REFUSED for `force` on an append without a scope column; RUN_FENCED.
 */
export async function freeze(
  connection: Connection,
  lease: Holding & { readonly key: RunKey },
  rules: FreezeRules,
): Promise<Freeze> {
  if (rules.force && rules.mode === 'append' && !rules.scoped) {
    throw new RunError(
      'RUN_FORCE_REFUSED',
      `${lease.key.job} appends to a table without a column for the business date, so loading ${lease.key.businessDate} again would double its rows. Nothing was done.`,
    )
  }
  failpoint('run.before-freeze')
  const frozen = await connection.transaction(
    async () => {
      const result = await decide(connection, lease, rules)
      if (result.kind !== 'blocked') {
        await connection.query('UPDATE tallyman.run SET owed = false WHERE id = $1 AND owed', [lease.runId])
      }
      await assertFence(connection, lease)
      return result
    },
    { commit: 'proved' },
  )
  failpoint('run.after-freeze')
  return frozen
}

/** The decision itself, inside the caller's transaction: for freeze and for a preview that is rolled back. */
export async function decide(
  connection: Connection,
  lease: Holding & { readonly key: RunKey },
  rules: FreezeRules,
): Promise<Freeze> {
  const rows = await filesOfDate(connection, rules.feed, lease.key.businessDate)
  const latest = await latestRevision(connection, lease.runId)
  // What a forced attempt froze before it was interrupted is still wanted.
  const force = rules.force || (latest?.state === 'frozen' && latest.forced)
  const known = {
    elsewhere: await sameContentElsewhere(connection, rules.feed, lease.key.businessDate, rows),
    verdicts: await earlierVerdicts(connection, rows),
  }
  const plan = planned(rows, { ...rules, force }, known)
  await quarantine(connection, plan.quarantined)
  const refusals: Refusals = {
    quarantined: plan.quarantined.map(fileResult),
    leftOut: plan.blocking.filter(row => row.state === 'quarantined'),
  }
  if (plan.set.length === 0) return { kind: 'no-files', ...refusals }
  if (rules.mode === 'mirror' && plan.blocking.length > 0) {
    return { kind: 'blocked', files: plan.blocking, ...refusals }
  }
  const draft = draftOf(lease, { ...rules, force }, plan)
  if (latest !== null && isStillWanted(latest, draft)) {
    await insertPlacings(connection, latest.id, plan.placings)
    return { kind: 'load', revision: await revisionById(connection, latest.id), reused: true, ...refusals }
  }
  if (plan.changes || force) {
    if (!plan.changes && latest?.state === 'published') return resume(connection, latest, plan, refusals)
    const id = await insertRevision(connection, draft)
    return { kind: 'load', revision: await revisionById(connection, id), reused: false, ...refusals }
  }
  if (latest?.state === 'published') return resume(connection, latest, plan, refusals)
  await settleDuplicates(connection, plan.placings)
  return { kind: 'nothing-to-do', files: alreadyApplied(plan).map(fileResult), ...refusals }
}

/**
 * Whether a frozen revision that was not loaded is what would be frozen now: the same contents of the
 * same deliveries. A refused file that came once more under another name is another delivery.
 */
function isStillWanted(latest: Revision, draft: RevisionDraft): boolean {
  if (latest.state !== 'frozen' || latest.inputDigest !== inputDigest(draft)) return false
  const wanted = draft.placings.filter(({ position }) => position !== null).map(({ file }) => file.id)
  return latest.files.every(({ id }) => wanted.includes(id))
}

async function resume(
  connection: Connection,
  latest: Revision,
  plan: Plan,
  refusals: Refusals,
): Promise<Freeze> {
  await settleDuplicates(connection, plan.placings)
  const load = await loadOf(connection, latest.id)
  return { kind: 'resume', revision: latest, load: load!, ...refusals }
}

function draftOf(lease: Holding, rules: FreezeRules, plan: Plan): RevisionDraft {
  return {
    runId: lease.runId,
    attemptId: lease.attemptId,
    feed: rules.feed,
    perDate: rules.perDate,
    mode: rules.mode,
    overlayVersion: rules.overlayVersion ?? 0,
    wholeSet: plan.wholeSet,
    mayDelete: plan.mayDelete,
    forced: rules.force,
    placings: plan.placings,
  }
}
