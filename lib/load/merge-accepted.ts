/**
 * Merges what the target accepts: once as a whole and, when it refuses records, again without them
 * until it takes all that is left. How many were refused is counted as it happens, so that a load
 * that ends here can still say it. One merge: merge.ts; taking records out: refuse-violators.ts.
 */
import type { Connection } from '../db/connection.ts'
import { failpoint } from '../model/failpoint.ts'
import type { StepContext } from '../model/progress.ts'
import { judgeRejects } from './limits.ts'
import { lockedBy } from './lock-holders.ts'
import { lockTargets } from './lock-targets.ts'
import { judgeSet, type Merged, type MergeInput, mergeStaging, RowsRefused } from './merge.ts'
import { refuseViolators } from './refuse-violators.ts'
import type { Staging } from './staging.ts'

/** Records refused by the target so far. */
export interface ViolatorCount {
  violated: number
  /** Went along because their unit lost one. */
  along: number
}

/** What merging what is accepted needs besides one merge. */
export interface AcceptedInput extends MergeInput {
  /** The rank of each file by position: of one key, the row of the higher rank wins. */
  readonly fileOrder: readonly number[]
  /** Records read, and those rejected so far that count toward the limit. */
  readonly read: number
  readonly rejected: number
  readonly lockWaitMs: number
}

/**
 * Merges under the targets' locks, which the transaction then keeps; `count` grows with every record refused.
 * @throws LOAD_REJECT_LIMIT, LOAD_TARGET_LOCKED and the LOAD codes of load-into-postgres.ts; what was
 * written is undone then, and the refused records are out of staging.
 */
export async function mergeAccepted(
  connection: Connection,
  staging: Staging,
  input: AcceptedInput,
  count: ViolatorCount,
  context: StepContext,
): Promise<Merged> {
  const { read, spec, lockWaitMs } = input
  const tables = staging.tables.map(({ table }) => table)
  await lockTargets(connection, tables, lockWaitMs)
  failpoint('load.after-lock')
  await judgeSet(connection, staging, input)
  const judge = (records: number): void =>
    judgeRejects(input.rejected + count.violated + records, read, spec.rejects)
  for (;;) {
    try {
      return await lockedBy(connection, tables, lockWaitMs, () =>
        mergeStaging(connection, staging, input, leastBreach(judge, spec.rejects.maxCount)),
      )
    } catch (error) {
      if (!(error instanceof RowsRefused)) throw error
      const refused = await refuseViolators(connection, staging, error.rows, input.fileOrder)
      count.violated += refused.violated
      count.along += refused.along
      const { violated, along } = refused
      context.log.warn('load.records-refused', { violated, along, tries: error.tries })
      failpoint('load.after-refusal')
      judge(0)
    }
  }
}

/** The least number of further rejects that breaches the limit. */
function leastBreach(judge: (records: number) => void, maxCount: number): number {
  const breaches = (records: number): boolean => {
    try {
      judge(records)
      return false
    } catch {
      return true
    }
  }
  let [below, breach] = [0, maxCount + 1]
  while (breach - below > 1) {
    const middle = Math.floor((below + breach) / 2)
    if (breaches(middle)) breach = middle
    else below = middle
  }
  return breach
}
