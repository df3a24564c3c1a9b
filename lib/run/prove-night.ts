/**
 * Proves a past night again: its stored snapshots are checked, its comparisons are made again from them by the rules
 * they were made by, and must come out as they were mailed, to the last byte. Writes nothing to the run ledger.
 */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { compareSides } from '../../reconcile/compare/compare-sides.ts'
import { SnapshotChecker } from '../../reconcile/snapshot/check.ts'
import { readSnapshot } from '../../reconcile/snapshot/manifest.ts'
import { sha256Of } from '../../reconcile/snapshot/store.ts'
import { breaksOf } from '../ledger/comparison.ts'
import { evidenceOf, type NightEvidence } from '../ledger/night-evidence.ts'
import { storableJson } from '../ledger/storable.ts'
import type { Break, Comparison, Outcome } from '../model/break.ts'
import { describeError, ReconcileError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'
import type { MadeBy } from './compare-night.ts'
import type { Engine } from './engine.ts'

/** What came of proving one reconciliation of a date. */
export interface ProvedComparison {
  readonly job: string
  readonly reconciliation: string
  readonly businessDate: string
  /** Of the comparison, within its run. */
  readonly number: number
  /**
   * `proved`: came out the same. `different`: did not. `damaged`: a snapshot is not what it was, or gone.
   * `unprovable`: nothing is kept to prove it with.
   */
  readonly verdict: 'proved' | 'different' | 'damaged' | 'unprovable'
  /** What is different, damaged or not kept; empty when proved. */
  readonly what: string
  readonly outcome: Outcome
  readonly rows: { readonly left: number; readonly right: number }
  readonly breaks: number
}

/** Parts of a result that must come out the same; the rest is where files lie and what the break ledger adds. */
const PARTS = [
  'outcome',
  'gates',
  'left',
  'right',
  'rows',
  'counts',
  'rulesUsed',
  'tolerated',
  'proof',
  'breaksTotal',
] as const satisfies readonly (keyof Comparison)[]

/** Parts of a break that come from the comparison alone. */
const BREAK_PARTS = ['identity', 'kind', 'key', 'columns', 'leftRows', 'rightRows', 'origin'] as const

/** Proves the latest comparison of each reconciliation of a date, of one job or of all. @throws RECONCILE_NOTHING_STORED */
export async function proveNight(
  engine: Engine,
  businessDate: string,
  job: string | null,
  context: StepContext,
): Promise<ProvedComparison[]> {
  const nights = await engine.database.use(connection => evidenceOf(connection, businessDate, job))
  if (nights.length === 0) {
    throw new ReconcileError(
      'RECONCILE_NOTHING_STORED',
      `Nothing of ${job === null ? '' : `${job} of `}${businessDate} was ever compared, so there is nothing to prove. Nothing was done; run the date first.`,
    )
  }
  const { snapshots, work } = engine.folders
  const checker = await SnapshotChecker.open(
    snapshots,
    path.join(work, `check-${randomUUID()}.spill`),
    context.signal,
  )
  try {
    const proved: ProvedComparison[] = []
    for (const night of nights) {
      const { verdict, what } = await prove(engine, night, businessDate, checker, context)
      const { outcome, left, right, breaksTotal } = night.result
      proved.push({
        ...{ job: night.job, reconciliation: night.reconciliation, businessDate, number: night.number },
        ...{ verdict, what, outcome, rows: { left: left.rows, right: right.rows }, breaks: breaksTotal },
      })
    }
    return proved
  } finally {
    await checker.close()
  }
}

type Verdict = Pick<ProvedComparison, 'verdict' | 'what'>

async function prove(
  engine: Engine,
  night: NightEvidence,
  businessDate: string,
  checker: SnapshotChecker,
  context: StepContext,
): Promise<Verdict> {
  const paths: string[] = []
  for (const side of ['source', 'target'] as const) {
    const kept = night.snapshots.find(one => one.side === side)
    if (kept === undefined || night.madeBy === null)
      return { verdict: 'unprovable', what: notKept(night, side) }
    if (kept.purgedOn !== null)
      return { verdict: 'unprovable', what: `retention let go of its snapshots on ${kept.purgedOn}` }
    // By name in today's folder: the data folder may have been moved since.
    const manifest = path.join(engine.folders.snapshots, path.basename(kept.path))
    const { state, what } = await checker.check(manifest)
    if (state !== 'whole') return { verdict: 'damaged', what: `the ${side}'s snapshot: ${what}` }
    paths.push(manifest)
  }
  const [left, right] = paths as [string, string]
  const differences = await compareAgain(engine, night, businessDate, { left, right }, context)
  if (differences.length === 0) return { verdict: 'proved', what: '' }
  return { verdict: 'different', what: `other ${differences.join(', ')}` }
}

function notKept({ result, madeBy }: NightEvidence, side: 'source' | 'target'): string {
  const failed = result.gates.find(({ state }) => state === 'failed')
  if (failed !== undefined) return `nothing was proved then: ${failed.message}`
  return madeBy === null ? 'by which rules it was made is not kept' : `the ${side}'s snapshot was not kept`
}

/** Makes the comparison again; gives the names of what came out otherwise. */
async function compareAgain(
  engine: Engine,
  { runId, job, reconciliation, number, result, madeBy }: NightEvidence,
  businessDate: string,
  manifests: { readonly left: string; readonly right: string },
  context: StepContext,
): Promise<string[]> {
  const { plan, rules, breaksSha256 } = madeBy as MadeBy
  const { work } = engine.folders
  const breaksFile = path.join(work, `prove-${randomUUID()}.csv`)
  try {
    const again = await compareSides(
      await readSnapshot(manifests.left),
      await readSnapshot(manifests.right),
      plan,
      { ...rules, run: { job, businessDate }, workFolder: work, breaksFile },
      context,
    )
    const stored = await engine.database.use(connection =>
      breaksOf(connection, runId, reconciliation, number),
    )
    const sha256 = again.breaksFile === null ? null : await sha256Of(again.breaksFile)
    // Ages are the break ledger's: the comparison alone comes to what it came to before them.
    const alone = { ...result, outcome: result.outcomeBeforeAges ?? result.outcome }
    return [
      ...PARTS.filter(part => !isDeepStrictEqual(asKept(again[part]), asKept(alone[part]))),
      ...(isDeepStrictEqual(asKept(again.breaks.map(partsOf)), stored.map(partsOf)) ? [] : ['breaks']),
      ...(sha256 === breaksSha256 ? [] : ['file of all breaks']),
    ]
  } catch (error) {
    if (error instanceof ReconcileError) return [`end: ${describeError(error)}`]
    throw error
  } finally {
    await rm(breaksFile, { force: true })
  }
}

/** A value as the run ledger gives it back. */
function asKept(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(storableJson(value))
}

function partsOf(found: Break): object {
  return Object.fromEntries(BREAK_PARTS.map(part => [part, found[part]]))
}
