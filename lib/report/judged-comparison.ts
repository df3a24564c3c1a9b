/**
 * What a report tells of a comparison as a whole: outcome, gates, limits, control totals, rows that are not
 * due yet, and what many breaks have in common. Filled in by assemble-judgement.ts.
 */
import type { Comparison, ControlResult, Gate, KindVerdict, Outcome } from '../model/break.ts'
import type { Severity } from '../model/comparison-rules.ts'

/** The judgement of one comparison, masked. */
export interface JudgedComparison {
  readonly outcome: Outcome
  readonly gates: readonly Gate[]
  /** How much its breaks count; null for comparisons of earlier versions. */
  readonly severity: Severity | null
  /** Kinds that have breaks, against their limits. */
  readonly verdicts: readonly KindVerdict[]
  readonly controls: readonly ControlResult[]
  /** Rows that may still arrive, the first ones; null for none. */
  readonly pending: {
    readonly count: number
    readonly firstDue: string
    readonly lastDue: string
    readonly rows: readonly {
      readonly key: readonly { readonly name: string; readonly value: string | null }[]
      readonly due: string
    }[]
  } | null
  /** Concentrations and likely causes, each a sentence. */
  readonly hints: readonly string[]
  readonly rulesUsed: Comparison['rulesUsed']
}
