/**
 * The reconcile step of a run: takes a picture of each side of each comparison and compares them.
 * Nothing is written to the run ledger here; that is one transaction with the mail (report-step.ts).
 */
import type { ComparedSide } from '../../reconcile/compare/gates.ts'
import { type ComparePlan, planOf, tableOf } from '../../reconcile/compare/plan.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import type { Gate } from '../model/break.ts'
import type { Reconciliation, Side } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import { compareNight, type Reconciled } from './compare-night.ts'
import { judgeSideGates } from './side-gates.ts'
import type { ReconcileRequest } from './side-input.ts'
import { takeSide } from './take-side.ts'

/** Makes all comparisons of a job, one after another. @throws RECONCILE_*, BUG_RECONCILE_* */
export async function reconcileRun(request: ReconcileRequest, context: StepContext): Promise<Reconciled[]> {
  const done: Reconciled[] = []
  for (const reconciliation of request.scheduled.job.reconcile.comparisons) {
    done.push(await reconcileOne(request, reconciliation, context))
  }
  return done
}

async function reconcileOne(
  request: ReconcileRequest,
  reconciliation: Reconciliation,
  context: StepContext,
): Promise<Reconciled> {
  const { scheduled } = request
  const table = tableOf(reconciliation, scheduled.job.map)
  const plan = planOf(reconciliation, scheduled.job.name, table)
  const { source, target } = reconciliation
  // A side that is limited to the keys of the other one is taken second.
  const sourceSecond = scopeOf(source) === 'keysOfOther'
  const take = (which: 'source' | 'target', other: ComparedSide | null): Promise<ComparedSide> =>
    takeSide(
      which === 'source' ? source : target,
      { request, plan, table, which },
      presentOrNull(other),
      context,
    )
  const first = await take(sourceSecond ? 'target' : 'source', null)
  const second = await take(sourceSecond ? 'source' : 'target', first)
  const [left, right] = sourceSecond ? [second, first] : [first, second]
  const pictures = { left: presentOrNull(left), right: presentOrNull(right) }
  const gates = await sideGates(request, reconciliation, plan, pictures)
  return compareNight(request, plan, { left, right }, { gates }, context)
}

/** The gates that need the run ledger, of the sides that are there. */
export function sideGates(
  { engine, scheduled, businessDate }: Pick<ReconcileRequest, 'engine' | 'scheduled' | 'businessDate'>,
  reconciliation: Reconciliation,
  plan: ComparePlan,
  sides: { readonly left: Snapshot | null; readonly right: Snapshot | null },
): Promise<Gate[]> {
  const { job, zone } = scheduled
  return engine.database.use(connection =>
    judgeSideGates(connection, { job, zone, businessDate, reconciliation, plan, ...sides }),
  )
}

function scopeOf(side: Side): unknown {
  return side.kind === 'mapped' ? 'all' : side.scope
}

function presentOrNull(side: ComparedSide | null): Snapshot | null {
  return side === null || 'absent' in side ? null : side
}
