/**
 * How much breaks count: their number and worth by kind against the limits of the comparison. Nothing
 * above a limit is CLEAN, anything above one is BREAKS. Ages are judged once the break ledger has them
 * (ages.ts). Exact meaning: docs/reconciliation.md, Limits.
 */
import type { Break, KindVerdict, Outcome, ProofLine } from '../../lib/model/break.ts'
import {
  type AmountLimit,
  type BreakLimits,
  LIMITED_KINDS,
  type Limit,
  type LimitedKind,
  SEVERITIES,
  type Severity,
} from '../../lib/model/comparison-rules.ts'
import { absolute, compareDecimals, type Decimal, decimal, multiply } from '../../lib/model/decimal.ts'

/** What the breaks of one kind are worth in one total and group: their amounts added up without signs, exact text. */
export interface KindWorth {
  readonly kind: string
  readonly total: string
  readonly group: string
  readonly amount: string
}

/** What breaks are held against. */
export interface Yardstick {
  /** Of the larger side. */
  readonly rows: number
  readonly worth: readonly KindWorth[]
  readonly proof: readonly Pick<ProofLine, 'total' | 'group' | 'left' | 'right'>[]
}

/** Counts of breaks by the kinds that have limits. */
export type KindCounts = ReadonlyMap<LimitedKind, number>

const NONE: Limit = { count: 0 }

/** Kinds of which one is enough to fail: nobody can say which of two equal keys is right, or add up two currencies. */
const FAILING: readonly LimitedKind[] = ['duplicate', 'currency']

/** Counts breaks while they are found. */
export class KindCounter {
  readonly counts = new Map<LimitedKind, number>()

  /** Takes a break; one of two currencies counts as a value mismatch and as one of currency. */
  add({ kind, columns }: Pick<Break, 'kind' | 'columns'>): void {
    if (!(LIMITED_KINDS as readonly string[]).includes(kind)) return
    this.#count(kind as LimitedKind)
    if (kind === 'value_mismatch' && columns.some(({ nature }) => nature === 'currency'))
      this.#count('currency')
  }

  #count(kind: LimitedKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }
}

/** What each kind that has breaks counts for, in the order of kinds. */
export function judgeKinds(counts: KindCounts, limits: BreakLimits, by: Yardstick): KindVerdict[] {
  return LIMITED_KINDS.filter(kind => (counts.get(kind) ?? 0) > 0).map(kind => {
    const count = counts.get(kind)!
    const failed = excess(kind, count, limitOf(limits, kind, 'fail'), by)
    if (failed !== null) return { kind, count, severity: 'fail', why: failed }
    const warned = excess(kind, count, limitOf(limits, kind, 'warn'), by)
    if (warned !== null) return { kind, count, severity: 'warn', why: warned }
    return { kind, count, severity: 'within', why: 'within its limits' }
  })
}

/** The worst severity of some verdicts. */
export function worstOf(verdicts: readonly Pick<KindVerdict, 'severity'>[]): Severity {
  const worst = Math.max(0, ...verdicts.map(({ severity }) => SEVERITIES.indexOf(severity)))
  return SEVERITIES[worst]!
}

/** The outcome of a comparison whose gates passed. */
export function outcomeOf(severity: Severity): Outcome {
  return severity === 'within' ? 'CLEAN' : 'BREAKS'
}

/** The limit of a kind, its default where none is declared; null: never above it. */
export function limitOf(limits: BreakLimits, kind: LimitedKind, level: 'warn' | 'fail'): Limit | null {
  const declared = limits[kind]?.[level]
  if (declared !== undefined) return declared
  return level === 'warn' || FAILING.includes(kind) ? NONE : null
}

/** What is above the limit, in a few words; null when nothing is. */
function excess(kind: LimitedKind, count: number, limit: Limit | null, by: Yardstick): string | null {
  if (limit === null) return null
  if (limit.count !== undefined && count > limit.count)
    return limit.count === 0 ? `${count}, and any one counts` : `${count}, more than ${limit.count}`
  if (limit.percent !== undefined && exceedsShare(whole(count), limit.percent, whole(by.rows)))
    return `${count} of ${by.rows} rows, more than ${limit.percent} %`
  for (const { total, group, amount } of by.worth.filter(worth => worth.kind === kind)) {
    const name = [total, group].filter(part => part !== '').join(' ')
    if (limit.amount !== undefined) {
      const allowed = amountFor(limit.amount, group)
      if (compareDecimals(decimal(amount), decimal(allowed)) > 0)
        return `${name} ${amount}, more than ${allowed}`
    }
    if (limit.amountPercent === undefined) continue
    const line = by.proof.find(one => one.total === total && one.group === group)
    const larger = largerOf(line?.left ?? '0', line?.right ?? '0')
    if (exceedsShare(decimal(amount), limit.amountPercent, larger))
      return `${name} ${amount}, more than ${limit.amountPercent} % of the total`
  }
  return null
}

/** The limit of a currency; one that is not named among others has 0. */
export function amountFor(limit: AmountLimit, group: string): string {
  return typeof limit === 'string' ? limit : (limit[group] ?? '0')
}

/** Whether a part is more than so many percent of a whole, exactly. */
function exceedsShare(part: Decimal, percent: number, of: Decimal): boolean {
  return compareDecimals(multiply(part, whole(100)), multiply(of, decimal(String(percent)))) > 0
}

function largerOf(left: string, right: string): Decimal {
  const [a, b] = [absolute(decimal(left)), absolute(decimal(right))]
  return compareDecimals(a, b) >= 0 ? a : b
}

function whole(value: number): Decimal {
  return { unscaled: BigInt(value), scale: 0 }
}
