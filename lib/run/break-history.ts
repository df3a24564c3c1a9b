/**
 * The breaks of a comparison against those of the one before of the same date: which are new, which
 * persist, which are gone. What lasts over nights comes with the break ledger.
 */
import { breaksOf, earlierComparison } from '../ledger/comparison.ts'
import type { Lease } from '../ledger/lease.ts'
import type { Comparison } from '../model/break.ts'
import type { BreakHistory } from '../report/night-report.ts'
import type { Engine } from './engine.ts'

/** What an earlier comparison of the same date found, null when none proved anything: tells new breaks from persisting and resolved ones. */
export async function historyOf(
  engine: Engine,
  lease: Lease,
  comparison: Comparison,
  number: number,
): Promise<BreakHistory | null> {
  if (comparison.outcome === 'INCONCLUSIVE') return null
  const { reconciliation } = comparison
  return engine.database.use(async connection => {
    const before = await earlierComparison(connection, lease.runId, reconciliation, number)
    if (before === 0) return null
    const earlier = await breaksOf(connection, lease.runId, reconciliation, before)
    const now = new Set(comparison.breaks.map(found => found.identity))
    const firstSeen = lease.key.businessDate
    return {
      open: new Map(
        earlier.map(found => [
          found.identity,
          { state: 'persisting' as const, firstSeen, businessDays: 0, owner: null },
        ]),
      ),
      resolved: earlier
        .filter(found => !now.has(found.identity))
        .map(({ kind, key }) => ({
          kind,
          key,
          firstSeen,
          cause: 'gone since the earlier comparison of this date',
        })),
    }
  })
}

/** Counts of the breaks of comparison `number` against the earlier one of the same date, for the summary. */
export async function breakChanges(
  engine: Engine,
  lease: Lease,
  reconciled: readonly { readonly comparison: Comparison }[],
  number: number,
): Promise<{ new: number; persisting: number; changed: number; resolved: number; reopened: number }> {
  const changes = { new: 0, persisting: 0, changed: 0, resolved: 0, reopened: 0 }
  for (const { comparison } of reconciled) {
    const history = await historyOf(engine, lease, comparison, number)
    const persisting = comparison.breaks.filter(found => history?.open.has(found.identity) === true).length
    changes.persisting += persisting
    changes.new += comparison.breaksTotal - persisting
    changes.resolved += history?.resolved.length ?? 0
  }
  return changes
}
