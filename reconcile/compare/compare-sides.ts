/**
 * READ THIS FIRST: compares two snapshots under a plan. Gates, then differing rows (SQL, bounded memory),
 * then their meaning (key-fold.ts), then the proofs. Same inputs and rules give the same result, byte for byte.
 * Exact meaning of every word: docs/reconciliation.md.
 */
import { randomUUID } from 'node:crypto'
import { access, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { type DuckDb, type DuckDbLimits, openDuckDb } from '../../lib/format/duckdb/session.ts'
import { BREAKS_IN_MEMORY, type Comparison, type Gate, type SideResult } from '../../lib/model/break.ts'
import type { StepContext } from '../../lib/model/progress.ts'
import type { RunKey } from '../../lib/model/run.ts'
import { judgeCounted, WholeJudge, type WholeResult } from '../judge/whole.ts'
import { type Snapshot, snapshotMissing } from '../snapshot/manifest.ts'
import { sumTotals, totalExpressions } from '../snapshot/totals.ts'
import { BreakSinks } from './break-sinks.ts'
import { BreakSink } from './breaks-file.ts'
import {
  countSide,
  differingRows,
  findDiffering,
  type SideCounts,
  type SideRow,
  unusableRows,
} from './differing-rows.ts'
import { type ComparedSide, isPresent, judgeGates, type StatedTotal } from './gates.ts'
import { KeyFold } from './key-fold.ts'
import { BreakMaker } from './make-break.ts'
import { MACROS } from './normalise.ts'
import { RuleBook } from './pair.ts'
import { PendingBook } from './pending.ts'
import { type ComparePlan, columnsOf, type Grace } from './plan.ts'
import { ProofBook } from './proof.ts'
import { keyColumns, ofSide, ruledValue, SIDES, type SideName, sideView, totalValue } from './side-rows.ts'
import { noRows, Tally } from './tally.ts'

/** How a comparison is made; nothing here changes what is a break, but for `pending` and the gates. */
export interface CompareOptions {
  readonly run: RunKey | null
  /** For what spills; emptied afterwards. */
  readonly workFolder: string
  /** Where the CSV with every break goes; null keeps the first ones in memory only. */
  readonly breaksFile: string | null
  readonly limits?: DuckDbLimits
  /** Gates judged before, such as completeness of files. */
  readonly gates?: readonly Gate[]
  readonly stated?: readonly StatedTotal[]
  /** A side without rows is a fact, not a reason to doubt. */
  readonly allowEmpty?: boolean
  /** Instead of what the plan declares. */
  readonly pending?: Grace
  readonly breaksInMemory?: number
  /** Where every break is written for the break ledger (../breaks/sighting.ts); the caller removes the file. */
  readonly sightingsFile?: string
}

/**
 * The comparison of two sides, left = source, right = target.
 * Guarantee: each row is in exactly one kind and every total is explained to the last digit, proved on each call.
 * On failure: no breaks file is left behind. Cost: about one second per million rows a side, within the memory limit.
 * @throws BUG_RECONCILE_ROWS, BUG_RECONCILE_UNEXPLAINED when a proof fails
 * @throws RECONCILE_SNAPSHOT_MISSING, RECONCILE_OUT_OF_MEMORY, RECONCILE_DISK_FULL
 */
export async function compareSides(
  left: ComparedSide,
  right: ComparedSide,
  plan: ComparePlan,
  options: CompareOptions,
  context: Pick<StepContext, 'signal' | 'progress' | 'log'>,
): Promise<Comparison> {
  const gates = [
    ...(options.gates ?? []),
    ...judgeGates({ left, right }, plan, {
      allowEmpty: options.allowEmpty ?? plan.whole?.gates.allowEmpty ?? false,
      stated: options.stated ?? [],
    }),
  ]
  if (!isPresent(left) || !isPresent(right) || gates.some(({ state }) => state === 'failed')) {
    return inconclusive(plan, options, gates, left, right)
  }
  for (const { path: file } of [left, right]) {
    await access(file).catch(cause => {
      throw snapshotMissing(file, cause)
    })
  }
  await mkdir(options.workFolder, { recursive: true })
  const db = await openDuckDb({
    spillFolder: path.join(options.workFolder, `compare-${randomUUID()}.spill`),
    folders: [],
    files: [left.path, right.path],
    signal: context.signal,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  const keys = keyColumns(plan).map(column => column.name)
  const sink = new BreakSink(options.breaksFile, keys, options.breaksInMemory ?? BREAKS_IN_MEMORY)
  const sinks = new BreakSinks(sink, plan, options.sightingsFile ?? null)
  try {
    const counts = await openViews(db, plan, { left, right })
    gates.push(...judgeCounted(plan, counts))
    if (gates.some(({ state }) => state === 'failed')) return inconclusive(plan, options, gates, left, right)
    const found = await compareRows(db, plan, { left, right }, counts, sinks, options, context)
    const breaksFile = await sink.finish()
    await sinks.finish()
    return {
      reconciliation: plan.name,
      run: options.run,
      gates,
      left: sideResult(left),
      right: sideResult(right),
      ...found,
      breaks: sink.first,
      breaksTotal: sink.total,
      breaksFile,
    }
  } finally {
    await sinks.close()
    await db.close()
  }
}

async function compareRows(
  db: DuckDb,
  plan: ComparePlan,
  sides: Readonly<Record<SideName, Snapshot>>,
  counts: Readonly<Record<SideName, SideCounts>>,
  sink: BreakSinks,
  options: CompareOptions,
  context: Pick<StepContext, 'progress' | 'log'>,
): Promise<ComparedWhole> {
  const [tally, proof, rules] = [new Tally(), new ProofBook(plan), new RuleBook()]
  const whole = new WholeJudge(plan, sides, options.run)
  sink.judge = whole
  for (const found of await whole.controlBreaks(db)) sink.add(found, { left: null, right: null })
  await setUnusableAside(db, plan, counts, sink, tally, proof)
  const differing = await findDiffering(db, plan, counts)
  const pending = new PendingBook(
    plan,
    options.pending ?? plan.whole?.pending ?? null,
    sides.right.manifest.asOf,
  )
  const fold = new KeyFold(plan, {
    tally,
    proof,
    rules,
    found: (found, behind) => sink.add(found, behind),
    pending: row => pending.awaits(row),
    awaits: (missing, row) => {
      pending.add(missing, row)
      sink.awaits(missing)
    },
  })
  let done = 0
  if (differing.left + differing.right > 0) {
    for await (const rows of differingRows(db, plan, counts)) {
      for (const row of rows) fold.add(row)
      await sink.drain()
      done += rows.length
      context.progress({
        step: 'reconcile',
        subject: plan.name,
        unit: 'rows',
        done,
        total: differing.left + differing.right,
      })
    }
    fold.end()
  }
  tally.close(counts, differing)
  const tolerated = rules.toleratedSums()
  for (const found of whole.budgetBreaks(tolerated)) sink.add(found, { left: null, right: null })
  const totals = proof.lines(await sideTotals(db, plan, 'left'), await sideTotals(db, plan, 'right'))
  context.log.info('reconcile.compared', {
    reconciliation: plan.name,
    left: counts.left.rows,
    right: counts.right.rows,
    breaks: sink.total,
  })
  return {
    rows: tally.rows,
    counts: tally.counts(),
    rulesUsed: rules.rulesUsed(),
    tolerated,
    proof: totals,
    pending: pending.result(),
    ...(await whole.result(db, { counts: tally.counts(), proof: totals, worth: proof.worth() })),
  }
}

/** What a comparison gives besides its sides, gates and breaks. */
type ComparedWhole = WholeResult &
  Pick<Comparison, 'rows' | 'counts' | 'rulesUsed' | 'tolerated' | 'proof' | 'pending'>

/** Opens both sides as views and counts their rows. */
async function openViews(
  db: DuckDb,
  plan: ComparePlan,
  sides: Readonly<Record<SideName, Snapshot>>,
): Promise<Readonly<Record<SideName, SideCounts>>> {
  for (const macro of MACROS) await db.run(macro)
  for (const name of SIDES) await db.run(sideView(name, plan, sides[name]))
  return { left: await countSide(db, 'left'), right: await countSide(db, 'right') }
}

/** Books rows that can't be read, then rows without a valid key; equal ones of a side are one break. */
async function setUnusableAside(
  db: DuckDb,
  plan: ComparePlan,
  counts: Readonly<Record<SideName, SideCounts>>,
  sink: BreakSinks,
  tally: Tally,
  proof: ProofBook,
): Promise<void> {
  const maker = new BreakMaker(plan)
  for (const kind of ['unreadable', 'key_invalid'] as const) {
    for (const side of SIDES) {
      if (counts[side][kind === 'unreadable' ? 'unreadable' : 'keyInvalid'] === 0) continue
      let last: { row: SideRow; mark: string; times: number } | null = null
      const close = (): void => {
        if (last === null) return
        const { row, times } = last
        tally.key(kind, side === 'left' ? times : 0, side === 'right' ? times : 0)
        const found = maker.unusable(kind, row, times, row.unread ?? 'a key part is null or blank')
        sink.add(found, { left: null, right: null })
      }
      for await (const rows of unusableRows(db, plan, side, kind)) {
        for (const row of rows) {
          const amounts = new Map()
          proof.gather(amounts, side, row.ruled)
          proof.explain(kind, amounts)
          const mark = JSON.stringify([row.raw, row.unread, row.rawText])
          if (last !== null && last.mark === mark) last.times += 1
          else {
            close()
            last = { row, mark, times: 1 }
          }
        }
        await sink.drain()
      }
      close()
    }
  }
}

function sideTotals(db: DuckDb, plan: ComparePlan, side: SideName): ReturnType<typeof sumTotals> {
  const columns = columnsOf(plan).map(column => ofSide(column, side))
  const of = (field: string, as: 'factor' | 'group'): string => {
    const position = columns.findIndex(column => column.name === field)
    return (as === 'factor' ? totalValue : ruledValue)(columns[position]!, `v${position}`)
  }
  return sumTotals(
    db,
    `${side}_rows`,
    Object.entries(plan.totals).map(([total, rule]) => totalExpressions(total, rule, of)),
  )
}

function inconclusive(
  plan: ComparePlan,
  options: CompareOptions,
  gates: readonly Gate[],
  left: ComparedSide,
  right: ComparedSide,
): Comparison {
  return {
    reconciliation: plan.name,
    run: options.run,
    outcome: 'INCONCLUSIVE',
    gates,
    left: sideResult(left),
    right: sideResult(right),
    rows: { left: noRows(), right: noRows() },
    counts: {},
    rulesUsed: [],
    proof: [],
    severity: 'fail',
    verdicts: [],
    breaks: [],
    breaksTotal: 0,
    breaksFile: null,
  }
}

function sideResult(side: ComparedSide): SideResult {
  if (!isPresent(side)) return { name: side.name, rows: 0, asOf: '', scope: '', digest: '', files: [] }
  const { name, rows, asOf, scope, digest, files } = side.manifest
  return { name, rows, asOf, scope, digest, files }
}
