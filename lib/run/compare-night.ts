/**
 * One comparison of a night from its two pictures: what is told to the break ledger, where the file with all
 * breaks goes, and by what it was made, so that it can be made again. Taking the pictures is
 * reconcile-step.ts; comparing is reconcile/.
 */
import path from 'node:path'
import { type CompareOptions, compareSides } from '../../reconcile/compare/compare-sides.ts'
import { type ComparedSide, isPresent } from '../../reconcile/compare/gates.ts'
import type { ComparePlan } from '../../reconcile/compare/plan.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import { sha256Of } from '../../reconcile/snapshot/store.ts'
import type { Lease } from '../ledger/lease.ts'
import type { Comparison } from '../model/break.ts'
import type { StepContext } from '../model/progress.ts'
import type { Engine } from './engine.ts'

/** What decides a comparison besides pictures and plan. Plain data: it is kept as JSON. */
export type ComparisonRules = Omit<
  CompareOptions,
  'run' | 'workFolder' | 'breaksFile' | 'limits' | 'breaksInMemory' | 'sightingsFile'
>

/** What a comparison was made by. Kept with it in the run ledger. */
export interface MadeBy {
  readonly plan: ComparePlan
  readonly rules: ComparisonRules
  /** SHA-256 of the file with all breaks as it was written; null where there is none. */
  readonly breaksSha256: string | null
}

/** A comparison with the pictures that it was made of. */
export interface Reconciled {
  readonly comparison: Comparison
  readonly left: Snapshot | null
  readonly right: Snapshot | null
  readonly madeBy: MadeBy
  /** What the run ledger knows of the causes of its breaks, a file as well; absent where nobody asked. */
  readonly explanations?: string
  /** What it tells the break ledger, a file that is removed once the ledger has it; not there when nothing was proved. */
  readonly sightings: string
}

/** Whose night it is. */
export interface ComparedNight {
  readonly engine: Engine
  readonly lease: Lease
  /** Number of the comparison, part of the file names. */
  readonly number: number
}

/** Compares. @throws as compareSides */
export async function compareNight(
  { engine, lease, number }: ComparedNight,
  plan: ComparePlan,
  sides: { readonly left: ComparedSide; readonly right: ComparedSide },
  rules: ComparisonRules,
  context: StepContext,
): Promise<Reconciled> {
  const name = plan.name.slice(lease.key.job.length + 1)
  const sightings = path.join(engine.folders.work, `sightings-${lease.runId}-${number}-${name}.copy`)
  const { left, right } = sides
  const comparison = await compareSides(
    left,
    right,
    plan,
    {
      ...rules,
      run: lease.key,
      workFolder: engine.folders.work,
      breaksFile: path.join(engine.folders.snapshots, `breaks-${lease.runId}-${number}-${name}.csv`),
      sightingsFile: sightings,
    },
    context,
  )
  const breaksSha256 = comparison.breaksFile === null ? null : await sha256Of(comparison.breaksFile)
  return {
    comparison,
    left: isPresent(left) ? left : null,
    right: isPresent(right) ? right : null,
    madeBy: { plan, rules, breaksSha256 },
    sightings,
  }
}
