/**
 * Compares one row of each side with the same key: which columns differ under their rules, and by
 * which rules the others are equal. Exact meaning: docs/reconciliation.md, Rules.
 */
import {
  absolute,
  add,
  compareDecimals,
  type Decimal,
  decimal,
  multiply,
  parseDecimal,
  subtract,
  toText,
  ZERO,
} from '../../lib/model/decimal.ts'
import { WHITE_SPACE } from './normalise.ts'
import { isNumeric, type PlannedColumn } from './plan.ts'

/** What two equal-keyed rows are to each other. */
export type PairKind = 'identical' | 'equal_after_rules' | 'within_tolerance' | 'value_mismatch'

/** A pair as judged: the positions of differing columns. */
export interface PairVerdict {
  readonly kind: PairKind
  readonly differing: readonly number[]
}

/** Values of one row, by position. */
export interface PairSide {
  readonly raw: readonly (string | null)[]
  readonly ruled: readonly (string | null)[]
}

interface Tolerated {
  readonly column: string
  readonly group: string
  count: number
  net: Decimal
  gross: Decimal
}

/** Counts what rules and tolerances did over a whole comparison. */
export class RuleBook {
  readonly #used = new Map<string, { rule: string; column: string; count: number }>()
  readonly #tolerated = new Map<string, Tolerated>()

  /** Equalities won by a rule. */
  won(rule: string, column: string, times = 1): void {
    const key = `${column}\n${rule}`
    const entry = this.#used.get(key) ?? { rule, column, count: 0 }
    entry.count += times
    this.#used.set(key, entry)
  }

  /** One difference let pass by a tolerance. `group`: the currency of its amount, empty where it has none. */
  tolerated(column: string, group: string, delta: Decimal): void {
    const key = `${column}\n${group}`
    const entry = this.#tolerated.get(key) ?? { column, group, count: 0, net: ZERO, gross: ZERO }
    entry.count += 1
    entry.net = add(entry.net, delta)
    entry.gross = add(entry.gross, absolute(delta))
    this.#tolerated.set(key, entry)
  }

  /** Ordered by column and rule. */
  rulesUsed(): { rule: string; column: string; count: number }[] {
    return ordered(this.#used).map(entry => ({ ...entry }))
  }

  /** Ordered by column and group; exact text. */
  toleratedSums(): { column: string; group: string; count: number; net: string; gross: string }[] {
    return ordered(this.#tolerated).map(entry => ({
      ...entry,
      net: toText(entry.net),
      gross: toText(entry.gross),
    }))
  }
}

/** Judges the first `judged` columns of a pair, or of `times` equal pairs, and books what rules did. */
export function judgePair(
  left: PairSide,
  right: PairSide,
  columns: readonly PlannedColumn[],
  judged: number,
  book: RuleBook,
  times = 1,
): PairVerdict {
  const differing: number[] = []
  let kind: PairKind = 'identical'
  for (let i = 0; i < judged; i += 1) {
    // Equal texts may still mean two things, where each side has a value map.
    if (left.raw[i] === right.raw[i] && left.ruled[i] === right.ruled[i]) continue
    const column = columns[i]!
    if (left.ruled[i] === right.ruled[i]) {
      book.won(winningRule(column, left.raw[i] ?? null, right.raw[i] ?? null), column.name, times)
      if (column.rule.precision !== undefined) kind = 'within_tolerance'
      else if (kind === 'identical') kind = 'equal_after_rules'
      continue
    }
    const delta = toleratedDelta(column, left.ruled[i] ?? null, right.ruled[i] ?? null)
    if (delta === null) {
      differing.push(i)
      continue
    }
    book.tolerated(column.name, groupOfRow(column, columns, left), delta)
    book.won(toleranceName(column), column.name)
    kind = 'within_tolerance'
  }
  return { kind: differing.length > 0 ? 'value_mismatch' : kind, differing }
}

/** The currency of a row's amount; the source's where the two rows differ in it. */
function groupOfRow(
  { groupedBy }: PlannedColumn,
  columns: readonly PlannedColumn[],
  { ruled }: PairSide,
): string {
  if (groupedBy === undefined) return ''
  return ruled[columns.findIndex(({ name }) => name === groupedBy)] ?? ''
}

/** right - left when a tolerance lets it pass; bounds are inclusive, either bound is enough. Of instants in seconds. */
function toleratedDelta(
  { kind, rule }: PlannedColumn,
  left: string | null,
  right: string | null,
): Decimal | null {
  if (left === null || right === null) return null
  if (rule.withinSeconds !== undefined) {
    const apart = subtract(sinceEpoch(right), sinceEpoch(left))
    const allowed: Decimal = { unscaled: BigInt(rule.withinSeconds), scale: 0 }
    return compareDecimals(absolute(apart), allowed) <= 0 ? apart : null
  }
  if (!isNumeric(kind)) return null
  if (rule.within === undefined && rule.relative === undefined) return null
  const [a, b] = [parseDecimal(left), parseDecimal(right)]
  if (a === null || b === null) return null
  const delta = subtract(b, a)
  const size = absolute(delta)
  if (rule.within !== undefined && compareDecimals(size, decimal(rule.within)) <= 0) return delta
  if (rule.relative === undefined) return null
  const [x, y] = [absolute(a), absolute(b)]
  const larger = compareDecimals(x, y) >= 0 ? x : y
  return compareDecimals(size, multiply(decimal(rule.relative), larger)) <= 0 ? delta : null
}

/** Seconds since 1970 of `2026-11-20T10:05:59.25Z`, exact to the ninth place. */
function sinceEpoch(instant: string): Decimal {
  const [whole = '', fraction = ''] = instant.replace('Z', '').split('.')
  const seconds = BigInt(Date.parse(`${whole}Z`) / 1000)
  return { unscaled: seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')), scale: 9 }
}

function toleranceName({ rule }: PlannedColumn): string {
  if (rule.withinSeconds !== undefined) return `within ${rule.withinSeconds} s`
  const parts = [
    rule.within === undefined ? '' : `within ${rule.within}`,
    rule.relative === undefined ? '' : `relative ${rule.relative}`,
  ]
  return parts.filter(part => part !== '').join(' or ')
}

const EDGE_SPACE = new RegExp(`^[${WHITE_SPACE}]+|[${WHITE_SPACE}]+$`, 'gu')
const RUN_OF_SPACE = new RegExp(`[${WHITE_SPACE}]+`, 'gu')

/**
 * The rules that made two different values equal, in the order in which they work: those that changed
 * either value until both were the same. DuckDB decided that they are equal; this only names why.
 */
function winningRule({ kind, rule }: PlannedColumn, left: string | null, right: string | null): string {
  if (rule.precision !== undefined) return `precision ${rule.precision}`
  const steps: [string, (text: string | null) => string | null][] = []
  const step = (name: string, on: boolean, change: (text: string) => string | null): void => {
    if (on) steps.push([name, text => (text === null ? null : change(text))])
  }
  step('nfc', kind === 'text', text => text.normalize('NFC'))
  step('trim', rule.trim === true, text => text.replace(EDGE_SPACE, ''))
  step('collapse', rule.collapse === true, text => text.replace(RUN_OF_SPACE, ' '))
  step('null token', rule.nullTokens !== undefined, text =>
    rule.nullTokens?.includes(text) === true ? null : text,
  )
  step('strip accents', kind === 'text' && rule.stripAccents === true, text =>
    text.normalize('NFD').replace(/\p{M}/gu, ''),
  )
  step('fold case', kind === 'text' && rule.foldCase === true, text => text.toLowerCase())
  const helped: string[] = []
  let [a, b] = [left, right]
  for (const [name, change] of steps) {
    const [x, y] = [change(a), change(b)]
    if (x !== a || y !== b) helped.push(name)
    ;[a, b] = [x, y]
    if (a === b) return helped.join(' + ')
  }
  return [
    ...helped,
    isNumeric(kind)
      ? 'same number'
      : kind === 'timestamp'
        ? 'same instant'
        : rule.values === undefined
          ? 'text rules'
          : 'value map',
  ].join(' + ')
}

function ordered<T>(entries: ReadonlyMap<string, T>): T[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, entry]) => entry)
}
