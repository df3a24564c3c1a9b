/**
 * Where a load is written down: its gate, its rejects, its end and the fence. In the run ledger's own Postgres all
 * of it is part of the load's transaction; for a target in another one the gate and the fence are the target's, and
 * the run ledger follows what the target decided. What a load does in between is lib/load.
 */
import type { Connection } from '../db/connection.ts'
import type { Database } from '../db/database.ts'
import { BugError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Reject } from '../model/issue.ts'
import { assertFence, type Holding } from './fence.ts'
import { closeLoad, finishLoad, insertLoad, type LoadOutcome, type LoadRow, loadOf } from './load.ts'
import { activateRejects, dropPrepared, prepareRejects, storeRejects } from './reject.ts'
import type { Revision } from './revision.ts'
import { assertTargetFence } from './target-fence.ts'

/** The gate of one load and what it keeps. */
export interface LoadBook {
  /** First in the load's transaction: `new`, or what was done before. @throws BUG_LOAD_GATE */
  begin(): Promise<'new' | { readonly done: LoadRow }>
  /** Keeps rejects; gives how many. */
  keep(rejects: readonly Reject[]): Promise<number>
  /** Near the end of the load's transaction. */
  finish(outcome: LoadOutcome): Promise<void>
  /** The last statement of the load's transaction. @throws RUN_FENCED */
  assertFence(): Promise<void>
  /** After the COMMIT, whatever was decided: the run ledger says so, too. */
  settle(): Promise<void>
}

/** The book of a load into the run ledger's own Postgres: all of it over the load's session. */
export function ledgerBook(connection: Connection, holding: Holding, revision: Revision): LoadBook {
  return {
    begin: () => insertLoad(connection, holding, revision),
    keep: rejects => storeRejects(connection, revision, rejects),
    finish: outcome => finishLoad(connection, revision, outcome),
    assertFence: () => assertFence(connection, holding),
    settle: async () => {},
  }
}

/** The two databases of a load into another Postgres. */
export interface TwoDatabases {
  readonly ledger: Database
  readonly target: Database
}

/** The book of a load into another Postgres; `connection` is the load's session there. */
export function targetBook(
  databases: TwoDatabases,
  connection: Connection,
  holding: Holding,
  revision: Revision,
): LoadBook {
  return {
    begin: () => insertLoad(connection, holding, revision),
    // Committed at once: before the target's COMMIT the run ledger has all that is to be activated after it.
    keep: rejects => databases.ledger.use(ledger => prepareRejects(ledger, revision, holding.fence, rejects)),
    finish: outcome => closeLoad(connection, revision, outcome),
    assertFence: () => assertTargetFence(connection, holding),
    settle: async () => void (await settleFromTarget(databases, holding, revision)),
  }
}

/**
 * Brings the run ledger to what the target decided about a revision: its load row with the rejects that were
 * prepared for it, or nothing, where the target has no such load. Gives what was decided.
 * Guarantee: call it under the run's lease and after raiseTargetFence, and nothing undecided is left.
 */
export async function settleFromTarget(
  { ledger, target }: TwoDatabases,
  holding: Holding,
  revision: Revision,
): Promise<LoadRow | null> {
  const done = await target.use(connection => loadOf(connection, revision.id))
  failpoint('target.before-settle')
  await ledger.use(connection =>
    connection.transaction(
      async () => {
        if (done !== null) await follow(connection, holding, revision, done)
        await dropPrepared(connection, revision.id)
        failpoint('target.mid-settle')
        await assertFence(connection, holding)
      },
      { commit: 'proved' },
    ),
  )
  failpoint('target.after-settle')
  return done
}

async function follow(
  connection: Connection,
  holding: Holding,
  revision: Revision,
  done: LoadRow,
): Promise<void> {
  if ((await insertLoad(connection, holding, revision)) !== 'new') return
  if (done.inputDigest !== revision.inputDigest) {
    throw new BugError(
      'BUG_LOAD_GATE',
      `Revision ${revision.id} was loaded into its target from other contents than it is frozen with. Nothing more is done; keep the run ledger and the target as they are for the investigation.`,
      { details: { revision: revision.id, frozen: revision.inputDigest, loaded: done.inputDigest } },
    )
  }
  const activated = await activateRejects(connection, revision.id, done.fence)
  if (activated !== done.result.counts.rejected) {
    throw new BugError(
      'BUG_LAW_BROKEN',
      `The target took a load with ${done.result.counts.rejected} rejected records, and the run ledger has ${activated} of their rejects. It is not settled; keep both databases as they are for the investigation.`,
      { details: { revision: revision.id, rejected: done.result.counts.rejected, activated } },
    )
  }
  await finishLoad(connection, revision, done)
}
