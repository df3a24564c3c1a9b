/**
 * The result of one run as commands print it (`run --json`) and tests read it. Field names are part
 * of the public schema: docs/commands.md.
 */
import type { Comparison, Outcome } from '../model/break.ts'
import { SEVERITIES, type Severity } from '../model/comparison-rules.ts'
import { absolute, add, decimal, toText, ZERO } from '../model/decimal.ts'
import type { RecordCounts } from '../model/mapping.ts'
import type { FileResult, LoadResult, RunKey, RunState, StepResult, TableCounts } from '../model/run.ts'

/** How tonight's breaks stand to the nights before (docs/breaks.md). */
export interface BreakChanges {
  readonly new: number
  readonly persisting: number
  readonly changed: number
  readonly resolved: number
  readonly reopened: number
  /** Open, and somebody stands for them: they call for nobody. */
  readonly acknowledged: number
}

/** No break, and none resolved. */
export const NO_CHANGES: BreakChanges = {
  ...{ new: 0, persisting: 0, changed: 0, resolved: 0, reopened: 0, acknowledged: 0 },
}

/** Breaks that call for somebody: open and not acknowledged. */
export function breaksToActOn(breaks: BreakChanges): number {
  return breaks.new + breaks.persisting + breaks.changed + breaks.reopened
}

/** What the comparisons of a run found, together. */
export interface ReconcileSummary {
  readonly outcome: Outcome
  /** How much the breaks count, the worst of all comparisons; a failed gate fails. */
  readonly severity: Severity
  readonly breaks: BreakChanges
  /** Sum over all proofs; anything but zero is a bug and fails the run. */
  readonly unexplained: string
}

/** One run's result. */
export interface RunSummary extends RunKey {
  readonly attempt: number
  readonly revision: number | null
  readonly state: RunState | 'nothing-to-do' | 'dry-run'
  readonly files: readonly FileResult[]
  readonly counts: RecordCounts
  readonly tables: readonly Omit<TableCounts, 'mapped'>[]
  readonly reconcile: ReconcileSummary | null
  readonly steps: readonly StepResult[]
  readonly report: {
    readonly messageId: string
    readonly state: 'waiting' | 'delivered' | 'partly' | 'kept' | 'failed'
  } | null
  /** What this run replaces: a correction's earlier file, with the rows deleted. Empty when nothing. */
  readonly replaces: readonly string[]
  /** What is worth knowing of an otherwise good run: deliveries kept out, unknown columns, files not put away. */
  readonly warnings: readonly string[]
  readonly laws: readonly string[]
}

/** Counts of a run that loaded nothing. */
export const NO_RECORDS: RecordCounts = { read: 0, mapped: 0, rejected: 0, filtered: 0 }

const plain = (value: number): string => value.toLocaleString('en-US')

/** The laws as equations with their numbers, one line for the records and one for each table. */
export function lawLines(result: LoadResult): string[] {
  const { read, mapped, rejected, filtered } = result.counts
  return [
    `read ${plain(read)} = mapped ${plain(mapped)} + rejected ${plain(rejected)} + filtered ${plain(filtered)}`,
    ...result.tables.map(table => {
      const parts = (['inserted', 'updated', 'unchanged', 'collapsed', 'outdated'] as const).map(
        part => `${part} ${plain(table[part])}`,
      )
      return `${table.table}: mapped rows ${plain(table.mapped)} = ${parts.join(' + ')}; deleted ${plain(table.deleted)}`
    }),
  ]
}

/** What a summary needs besides the night's facts. */
export interface Ending {
  readonly state: RunSummary['state']
  readonly reconciled: readonly { readonly comparison: Comparison }[]
  readonly changes: ReconcileSummary['breaks'] | null
  readonly report: RunSummary['report']
  readonly replaces: readonly { readonly by: string; readonly name: string }[]
}

/** The summary of an attempt that ended without an error. */
export function summaryOf(
  lease: { readonly key: RunKey; readonly attempt: number },
  facts: {
    readonly revision: { readonly number: number } | null
    readonly files: readonly FileResult[]
    readonly load: LoadResult | null
    readonly steps: readonly StepResult[]
    readonly warnings: readonly string[]
  },
  ending: Ending,
): RunSummary {
  return {
    ...lease.key,
    attempt: lease.attempt,
    revision: facts.revision?.number ?? null,
    state: ending.state,
    files: facts.files,
    counts: facts.load?.counts ?? NO_RECORDS,
    tables: facts.load?.tables ?? [],
    reconcile: ending.changes === null ? null : reconcileSummary(ending.reconciled, ending.changes),
    steps: facts.steps,
    report: ending.report,
    replaces: ending.replaces.map(({ by, name }) => `${by} replaces ${name}`),
    warnings: facts.warnings,
    laws: facts.load === null ? [] : lawLines(facts.load),
  }
}

/** Comparisons of earlier versions had no limits: any break of them warned. */
function severityOf({ severity, outcome }: Comparison): Severity {
  return severity ?? (outcome === 'CLEAN' ? 'within' : outcome === 'BREAKS' ? 'warn' : 'fail')
}

function reconcileSummary(
  reconciled: readonly { readonly comparison: Comparison }[],
  breaks: ReconcileSummary['breaks'],
): ReconcileSummary | null {
  if (reconciled.length === 0) return null
  const outcomes = reconciled.map(({ comparison }) => comparison.outcome)
  const outcome = (['INCONCLUSIVE', 'BREAKS', 'CLEAN'] as const).find(one => outcomes.includes(one))!
  const proofs = reconciled.flatMap(({ comparison }) => comparison.proof)
  const unexplained = proofs
    .map(line => decimal(line.unexplained))
    .reduce((sum, one) => add(sum, absolute(one)), ZERO)
  const severities = reconciled.map(({ comparison }) => severityOf(comparison))
  const severity = SEVERITIES.findLast(one => severities.includes(one))!
  return { outcome, severity, breaks, unexplained: toText(unexplained) }
}
