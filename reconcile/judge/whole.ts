/**
 * What is judged of a comparison as a whole, beside its single rows: control totals, budgets, limits,
 * and what many breaks have in common. compare-sides.ts calls it; the rows are judged in compare/.
 */
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import type { Break, Comparison, ControlResult, Gate, Outcome, Patterns } from '../../lib/model/break.ts'
import type { RunKey } from '../../lib/model/run.ts'
import { sightOf } from '../breaks/cause.ts'
import type { ComparePlan } from '../compare/plan.ts'
import type { SideName } from '../compare/side-rows.ts'
import type { Snapshot } from '../snapshot/manifest.ts'
import { judgeControlTotals } from './control-totals.ts'
import { judgeKinds, KindCounter, type KindWorth, outcomeOf, worstOf } from './limits.ts'
import { budgetBreaks } from './net-budget.ts'
import { PatternBook } from './patterns.ts'
import { findRekeyed } from './re-keyed.ts'

/** What rows came to, for the judgement of the whole. */
export interface ComparedRows {
  readonly counts: Comparison['counts']
  readonly proof: Comparison['proof']
  readonly worth: readonly KindWorth[]
}

/** The whole as judged. */
export type WholeResult = Required<Pick<Comparison, 'severity' | 'verdicts' | 'controls' | 'patterns'>> & {
  readonly outcome: Outcome
}

/** Judges one comparison as a whole. Give it every break; ask for the result at the end. */
export class WholeJudge {
  readonly #plan: ComparePlan
  readonly #sides: Readonly<Record<SideName, Snapshot>>
  readonly #date: string | null
  readonly #kinds = new KindCounter()
  readonly #patterns = new PatternBook()
  #controls: readonly ControlResult[] = []

  constructor(plan: ComparePlan, sides: Readonly<Record<SideName, Snapshot>>, run: RunKey | null) {
    this.#plan = plan
    this.#sides = sides
    // A night that sees its own date only has a total of its own, which is not the total of the next night.
    const own = sightOf(sides.left.manifest, sides.right.manifest).sees !== 'all'
    this.#date = own ? (run?.businessDate ?? null) : null
  }

  /** Takes a break of any kind. */
  add(found: Break): void {
    this.#kinds.add(found)
    this.#patterns.add(found)
  }

  /** Breaks of the declared control totals, before any row is judged. */
  async controlBreaks(db: DuckDb): Promise<readonly Break[]> {
    const totals = this.#plan.whole?.controlTotals ?? {}
    const { results, breaks } = await judgeControlTotals(db, this.#plan, totals, this.#date)
    this.#controls = results
    return breaks
  }

  /** Breaks of budgets, once all rows are judged. */
  budgetBreaks(tolerated: NonNullable<Comparison['tolerated']>): readonly Break[] {
    return budgetBreaks(this.#plan, tolerated, this.#date)
  }

  /** What all of it comes to. */
  async result(db: DuckDb, { counts, proof, worth }: ComparedRows): Promise<WholeResult> {
    const rows = Math.max(this.#sides.left.manifest.rows, this.#sides.right.manifest.rows)
    const verdicts = judgeKinds(this.#kinds.counts, this.#plan.whole?.limits ?? {}, { rows, worth, proof })
    const severity = worstOf(verdicts)
    return {
      outcome: outcomeOf(severity),
      severity,
      verdicts,
      controls: this.#controls,
      patterns: {
        mappingVersion: this.#sides.left.manifest.mappingVersion,
        ...this.#patterns.result(this.#sides.left.manifest.files.length, proof, this.#singleTotals()),
        rekeyed: await this.#rekeyed(db, counts),
      },
    }
  }

  async #rekeyed(db: DuckDb, counts: Comparison['counts']): Promise<Patterns['rekeyed']> {
    const both = (counts.missing_in_target ?? 0) > 0 && (counts.missing_in_source ?? 0) > 0
    return both ? findRekeyed(db, this.#plan) : { count: 0, pairs: [] }
  }

  /** The column of each total that adds up one. */
  #singleTotals(): ReadonlyMap<string, string> {
    return new Map(
      Object.entries(this.#plan.totals).flatMap(([name, { sum }]) =>
        sum.length === 1 ? [[name, sum[0]] as const] : [],
      ),
    )
  }
}

/** The gates that need the rows counted: how many can't be read. */
export function judgeCounted(
  plan: ComparePlan,
  counts: Readonly<Record<SideName, { readonly unreadable: number }>>,
): Gate[] {
  const most = plan.whole?.gates.maxUnreadable
  if (most === undefined) return []
  return (['left', 'right'] as const).map(side => {
    const { unreadable } = counts[side]
    const name = `${side} unreadable rows`
    return unreadable <= most
      ? { name, state: 'passed', message: `${unreadable}, at most ${most} are allowed` }
      : {
          name,
          state: 'failed',
          message: `${unreadable} rows can't be read, more than the ${most} that are allowed.`,
        }
  })
}
