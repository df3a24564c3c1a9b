/**
 * T2 of delivery.md: one transaction that makes the records of a revision take effect, or nothing.
 * READ THIS FIRST in lib/load: gate, staging, records that may not be loaded, difference, limits,
 * merge, proofs, fence, COMMIT. Each part is the file named like it. Parsing, mapping and the second
 * passes over files belong to the caller (lib/run).
 */
import { asOfMark } from '../ledger/as-of.ts'
import { type LoadBook, ledgerBook } from '../ledger/load-book.ts'
import { LoadError, type MapError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Reject } from '../model/issue.ts'
import type { RecordCounts } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { LoadResult } from '../model/run.ts'
import { targetTables } from './create-target.ts'
import { collapseRows, excludeConflicts, excludeUnits } from './exclude-records.ts'
import { assertRecordLaw } from './laws.ts'
import { judgeRejects } from './limits.ts'
import type { MapSummary, PostgresLoadInput, PostgresLoadOutcome } from './load-input.ts'
import { LOCK_WAIT_MS } from './lock-targets.ts'
import { type AcceptedInput, mergeAccepted, type ViolatorCount } from './merge-accepted.ts'
import { refusedOf, refusedRejects } from './refused-rejects.ts'
import { type Staged, stageRows } from './stage-rows.ts'
import { createStaging, type Staging } from './staging.ts'
import { checkTargets } from './target-check.ts'
import { toldOf } from './told.ts'

/** Carries a dry run's outcome out of the transaction that it rolls back. */
class DryRunEnd extends Error {
  readonly outcome: PostgresLoadOutcome
  constructor(outcome: PostgresLoadOutcome) {
    super('dry run')
    this.outcome = outcome
  }
}

/** A refusal that was written down as unpublished, to be thrown after the commit. */
interface Refused {
  readonly refusal: LoadError | MapError
}

/**
 * Loads a revision in one transaction whose commit is proved.
 * Guarantee: a crash or a lost connection anywhere leaves all of it or nothing; the same revision
 * again gives `done-before`; equal input gives equal counts, dry or not, but for records that the
 * target refuses: a dry run writes nothing there and so can't know them.
 * On failure: a breached limit or guard publishes no row; counts and rejects are kept as `unpublished`,
 * then the error is thrown. Anything else is rolled back whole.
 * @throws LOAD_TARGET_MISMATCH, LOAD_TARGET_LOCKED, LOAD_REJECT_LIMIT, LOAD_DELETE_GUARD, LOAD_EMPTY_SET,
 * LOAD_OUTSIDE_SCOPE, LOAD_MIRROR_OUTDATED, LOAD_APPEND_APPLIED, LOAD_CONSTRAINT_VIOLATED, LOAD_ROWS_SWALLOWED,
 * LOAD_TOTALS_DIFFER, LOAD_ROWS_NOT_STORED, LOAD_VALUE_UNSTORABLE, RUN_FENCED, BUG_LAW_BROKEN
 */
export async function loadIntoPostgres(
  input: PostgresLoadInput,
  context: StepContext,
): Promise<PostgresLoadOutcome> {
  const { connection, lease, revision } = input
  const book = input.book ?? ledgerBook(connection, lease, revision)
  let end: PostgresLoadOutcome | Refused
  try {
    end = await connection.transaction(() => inTransaction(input, book, context), { commit: 'proved' })
  } catch (error) {
    if (error instanceof DryRunEnd) return error.outcome
    throw error
  }
  failpoint('load.after-commit')
  await book.settle()
  if ('refusal' in end) throw end.refusal
  return end
}

async function inTransaction(
  input: PostgresLoadInput,
  book: LoadBook,
  context: StepContext,
): Promise<PostgresLoadOutcome | Refused> {
  const { connection, spec, dryRun } = input
  failpoint('load.before-gate')
  if (!dryRun) {
    const gate = await book.begin()
    if (gate !== 'new') return { kind: 'done-before', load: gate.done }
  }
  refuseAppendAgain(input)
  const checked = await checkTargets(connection, targetTables(spec))
  const staging = await createStaging(connection, checked)
  const keep = rejectKeeper(input, book)
  failpoint('load.before-copy')
  const staged = await stageRows(
    connection,
    staging.tables,
    input.blocks,
    rejects => keep.store(rejects),
    context,
  )
  failpoint('load.after-copy')
  const judged = await judgeRecords(input, staging, staged, keep)
  failpoint('load.before-merge')
  const violators = { violated: 0, along: 0 }
  const outcome = await publish(input, context, staging, staged, judged, violators)
  for await (const rejects of refusedRejects(connection, staging, input.rawOf)) await keep.store(rejects)
  const counts = less(judged.counts, violators)
  assertRecordLaw(counts, keep.kept)
  if (dryRun) {
    if ('refusal' in outcome) throw outcome.refusal
    throw new DryRunEnd({ ...outcome, kind: 'planned' })
  }
  const refused = 'refusal' in outcome
  const snapshotHash = refused ? null : await input.sourceSnapshot(await refusedOf(connection, staging))
  await staging.drop()
  await book.finish({
    state: refused ? 'unpublished' : 'published',
    result: refused ? unpublishedResult(judged, counts) : outcome.result,
    snapshotHash,
    mappingVersion: input.mappingVersion,
  })
  failpoint('load.before-fence')
  await book.assertFence()
  failpoint('load.before-commit')
  return outcome
}

/** Rows appended twice can't be told from rows that are there twice. */
function refuseAppendAgain({ spec, revision }: PostgresLoadInput): void {
  if (spec.mode !== 'append' || spec.scope !== null) return
  const applied = revision.files.filter(file => file.state === 'applied')
  if (applied.length === 0) return
  const names = applied.map(file => file.remoteName)
  throw new LoadError(
    'LOAD_APPEND_APPLIED',
    `${names.join(', ')} is applied already, and mode append without a scope would add its rows a second time. Nothing was loaded.`,
    { details: { files: names } },
  )
}

/** Keeps rejects as they come, and counts them; a dry run only counts. */
function rejectKeeper({ dryRun }: PostgresLoadInput, book: LoadBook): RejectKeeper {
  const keeper = {
    kept: 0,
    store: async (rejects: readonly Reject[]): Promise<void> => {
      keeper.kept += dryRun ? rejects.length : await book.keep(rejects)
    },
  }
  return keeper
}

interface RejectKeeper {
  kept: number
  store(rejects: readonly Reject[]): Promise<void>
}

/** The records after units and conflicts were judged. */
interface Judged {
  readonly counts: RecordCounts
  /** Rejected for a conflict. */
  readonly conflicts: number
  readonly mapped: MapSummary | null
  readonly warnings: readonly string[]
  readonly refusal: LoadError | MapError | null
}

/** Takes out of staging what may not be loaded, keeps the rejects of units, and judges how many there are. */
async function judgeRecords(
  input: PostgresLoadInput,
  staging: Staging,
  staged: Staged,
  keep: RejectKeeper,
): Promise<Judged> {
  const { connection, spec } = input
  if (staged.breach !== null) {
    return { counts: staged.counts, conflicts: 0, mapped: null, warnings: [], refusal: staged.breach }
  }
  assertRecordLaw(staged.counts, staged.rejects)
  const { mapped, warnings = [] } = await input.afterStream()
  await excludeUnits(connection, staging, mapped.failedUnits)
  if (mapped.failedUnits.length > 0) {
    for await (const rejects of input.unitRejects(mapped.failedUnits)) await keep.store(rejects)
  }
  assertRecordLaw(mapped.counts, keep.kept)
  const { conflicts, along } = await excludeConflicts(connection, staging)
  const counts = less(mapped.counts, { violated: conflicts, along })
  await collapseRows(connection, staging, fileOrder(input))
  let refusal: LoadError | MapError | null = mapped.breach
  if (refusal === null)
    refusal = refusalOf(() => judgeRejects(mapped.rejectedAlone + conflicts, counts.read, spec.rejects))
  return { counts, conflicts, mapped, warnings, refusal }
}

/** The counts when some mapped records were refused after all. */
function less(counts: RecordCounts, { violated, along }: ViolatorCount): RecordCounts {
  const refused = violated + along
  return { ...counts, mapped: counts.mapped - refused, rejected: counts.rejected + refused }
}

function refusalOf(judge: () => void): LoadError | null {
  try {
    judge()
    return null
  } catch (error) {
    if (error instanceof LoadError) return error
    throw error
  }
}

/** The rank of each file by position: of one key, the row of the higher rank wins. */
function fileOrder({ revision }: PostgresLoadInput): number[] {
  return revision.files.map(file => Number(file.id))
}

/** Merges what the target accepts; a judgement that refuses all of it leaves no row, and the transaction goes on to say so. */
async function publish(
  input: PostgresLoadInput,
  context: StepContext,
  staging: Staging,
  staged: Staged,
  judged: Judged,
  violators: ViolatorCount,
): Promise<Exclude<PostgresLoadOutcome, { kind: 'done-before' }> | Refused> {
  if (judged.refusal !== null || judged.mapped === null) return { refusal: judged.refusal! }
  const { connection, revision, businessDate } = input
  const merge: AcceptedInput = {
    spec: input.spec,
    wholeSet: revision.wholeSet,
    forced: revision.forced,
    mayDelete: revision.mayDelete,
    businessDate,
    versions: revision.files.map(file => asOfMark(businessDate, file.id)),
    fileNames: revision.files.map(file => file.remoteName),
    unreadableKeys: judged.mapped.rejectedAlone > 0,
    sent: staged.rows,
    mapped: judged.mapped,
    dryRun: input.dryRun,
    fileOrder: fileOrder(input),
    read: judged.counts.read,
    rejected: judged.mapped.rejectedAlone + judged.conflicts,
    lockWaitMs: input.lockWaitMs ?? LOCK_WAIT_MS,
  }
  try {
    const { tables, totals, withheld } = await mergeAccepted(connection, staging, merge, violators, context)
    if (withheld > 0) context.log.warn('load.deletes-withheld', { rows: withheld })
    const { filters, failedUnits } = judged.mapped
    const told = toldOf(judged.mapped, judged.warnings, withheld)
    const counts = less(judged.counts, violators)
    const result = { counts, filters, tables, totals, failedUnits: failedUnits.length, told }
    return { kind: 'loaded', result, withheldDeletes: withheld }
  } catch (error) {
    // what a retry can help is no judgement of these files
    if (error instanceof LoadError && error.retry === 'never') return { refusal: error }
    throw error
  }
}

function unpublishedResult({ mapped }: Judged, counts: RecordCounts): LoadResult {
  return {
    counts,
    filters: mapped?.filters ?? [],
    tables: [],
    totals: [],
    failedUnits: mapped?.failedUnits.length ?? 0,
  }
}
