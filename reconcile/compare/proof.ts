/**
 * The proof in money: per total and group, target - source is explained by kinds of breaks to the last
 * digit. Sums come from all rows (snapshot/totals.ts), explanations from the rows that were looked at:
 * two ways to one number, so a lost or doubled row can't hide.
 */
import { type ProofLine, ROW_KINDS, type RowKind } from '../../lib/model/break.ts'
import {
  absolute,
  add,
  type Decimal,
  decimal,
  multiply,
  parseDecimal,
  subtract,
  toText,
  ZERO,
} from '../../lib/model/decimal.ts'
import { BugError } from '../../lib/model/errors.ts'
import type { KindWorth } from '../judge/limits.ts'
import type { SnapshotTotal } from '../snapshot/manifest.ts'
import { type ComparePlan, columnsOf } from './plan.ts'
import type { SideName } from './side-rows.ts'

interface Total {
  readonly name: string
  readonly factors: readonly number[]
  /** Of each factor: whether a fraction would make it unreadable. */
  readonly whole: readonly boolean[]
  readonly group: number | null
}

/** Amounts by total and group, waiting for the kind that they explain. */
export type Amounts = Map<string, Decimal>

/** Books what each looked-at row explains. */
export class ProofBook {
  readonly #totals: readonly Total[]
  readonly #explained = new Map<string, Map<RowKind, Decimal>>()
  readonly #worth = new Map<RowKind, Amounts>()
  /** Totals that are no money. */
  readonly #quantities: ReadonlySet<string>
  /** Key of each total and group: there are few, and each is asked for once per row. */
  readonly #keys = new Map<Total, Map<string, string>>()

  constructor(plan: ComparePlan) {
    const totals = Object.entries(plan.totals)
    this.#quantities = new Set(totals.flatMap(([name, rule]) => (rule.of === 'quantity' ? [name] : [])))
    const columns = columnsOf(plan)
    const names = columns.map(column => column.name)
    this.#totals = Object.entries(plan.totals).map(([name, rule]) => ({
      name,
      factors: rule.sum.map(field => names.indexOf(field)),
      whole: rule.sum.map(field => columns[names.indexOf(field)]!.kind === 'integer'),
      group: rule.per === undefined ? null : names.indexOf(rule.per),
    }))
  }

  /** Adds a row `times` times to `into`: what is in the target counts up, what is in the source down. */
  gather(into: Amounts, side: SideName, ruled: readonly (string | null)[], times = 1): void {
    for (const total of this.#totals) {
      const amount = amountOf(total, ruled, side === 'left' ? -times : times)
      if (amount.unscaled === 0n) continue
      const key = this.#keyOf(total, total.group === null ? '' : (ruled[total.group] ?? ''))
      into.set(key, add(into.get(key) ?? ZERO, amount))
    }
  }

  /** Says what the gathered amounts of one break, or of some equal pairs, were. */
  explain(kind: RowKind, amounts: Amounts): void {
    for (const [key, amount] of amounts) {
      if (amount.unscaled === 0n) continue
      this.#addWorth(kind, key, amount)
      const kinds = this.#explained.get(key) ?? new Map<RowKind, Decimal>()
      kinds.set(kind, add(kinds.get(kind) ?? ZERO, amount))
      this.#explained.set(key, kinds)
    }
  }

  /** What the breaks of each kind are worth in money: their amounts added up without signs. */
  worth(): KindWorth[] {
    return [...this.#worth].flatMap(([kind, amounts]) =>
      [...amounts].flatMap(([key, amount]) => {
        const [total, group] = JSON.parse(key) as [string, string]
        return this.#quantities.has(total) ? [] : [{ kind, total, group, amount: toText(amount) }]
      }),
    )
  }

  #addWorth(kind: RowKind, key: string, amount: Decimal): void {
    const amounts = this.#worth.get(kind) ?? new Map<string, Decimal>()
    amounts.set(key, add(amounts.get(key) ?? ZERO, absolute(amount)))
    this.#worth.set(kind, amounts)
  }

  /**
   * The proof, ordered by total and group.
   * @throws BUG_RECONCILE_UNEXPLAINED when anything is left unexplained.
   */
  lines(left: readonly SnapshotTotal[], right: readonly SnapshotTotal[]): ProofLine[] {
    const [leftSums, rightSums] = [sumsOf(left), sumsOf(right)]
    const keys = new Set([...leftSums.keys(), ...rightSums.keys(), ...this.#explained.keys()])
    const lines = [...keys]
      .sort()
      .map(key => this.#line(key, leftSums.get(key) ?? ZERO, rightSums.get(key) ?? ZERO))
    const open = lines.filter(({ unexplained }) => unexplained !== '0')
    if (open.length === 0) return lines
    const told = open.map(line => `${line.total} ${line.group}: ${line.unexplained}`).join('; ')
    throw new BugError(
      'BUG_RECONCILE_UNEXPLAINED',
      `The difference of the two sides is not explained by the breaks that were found (${told}). The comparison is not to be trusted and nothing of it was kept.`,
    )
  }

  #keyOf(total: Total, group: string): string {
    const keys = this.#keys.get(total) ?? new Map<string, string>()
    const known = keys.get(group)
    if (known !== undefined) return known
    const key = keyOf(total.name, group)
    this.#keys.set(total, keys.set(group, key))
    return key
  }

  #line(key: string, left: Decimal, right: Decimal): ProofLine {
    const [total, group] = JSON.parse(key) as [string, string]
    const difference = subtract(right, left)
    const explained: Record<string, string> = {}
    let rest = difference
    const kinds = this.#explained.get(key)
    for (const kind of ROW_KINDS) {
      const amount = kinds?.get(kind) ?? ZERO
      if (amount.unscaled === 0n) continue
      explained[kind] = toText(amount)
      rest = subtract(rest, amount)
    }
    return {
      total,
      group,
      left: toText(left),
      right: toText(right),
      difference: toText(difference),
      explained,
      unexplained: toText(rest),
    }
  }
}

function amountOf({ factors, whole }: Total, ruled: readonly (string | null)[], times: number): Decimal {
  let amount: Decimal = { unscaled: BigInt(times), scale: 0 }
  for (let i = 0; i < factors.length; i += 1) {
    const text = ruled[factors[i]!] ?? ''
    const value = parseDecimal(text)
    if (value === null || (whole[i] === true && text.includes('.'))) return ZERO
    amount = multiply(amount, value)
  }
  return amount
}

function sumsOf(totals: readonly SnapshotTotal[]): Map<string, Decimal> {
  return new Map(totals.map(({ total, group, amount }) => [keyOf(total, group), decimal(amount)]))
}

function keyOf(total: string, group: string): string {
  return JSON.stringify([total, group])
}
