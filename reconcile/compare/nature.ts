/**
 * What sort of difference a column shows, its exact delta, and the likely cause. For display only:
 * nothing here decides whether values are equal (pair.ts does).
 */
import {
  absolute,
  compareDecimals,
  type Decimal,
  multiply,
  negate,
  parseDecimal,
  subtract,
  toText,
} from '../../lib/model/decimal.ts'
import { isNumeric, type PlannedColumn } from './plan.ts'

/** Sorts of differences, as a break's column carries them. */
export const NATURES = [
  'amount',
  'currency',
  'date_time',
  'status',
  'reference',
  'text',
  'null_vs_value',
] as const
export type Nature = (typeof NATURES)[number]

/** Without leading zeros: `008` is a code, no amount. */
const PLAIN_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/

const CURRENCY_NAME = /(^|[^a-z])(ccy|currency|curr)([^a-z]|$)/i
const STATUS_NAME = /status|state$|flag/i
const REFERENCE_NAME = /(id|ref|reference|no|nr|number|code|iban|bic|account)$/i
const CURRENCY_CODE = /^[A-Z]{3}$/

/** The sort of a difference. `groups`: columns that totals are grouped by, normally currencies. */
export function natureOf(
  column: PlannedColumn,
  left: string | null,
  right: string | null,
  groups: ReadonlySet<string>,
): Nature {
  if (left === null || right === null) return 'null_vs_value'
  if (isNumeric(column.kind)) return 'amount'
  if (column.kind === 'date' || column.kind === 'timestamp') return 'date_time'
  if (column.kind === 'boolean') return 'status'
  const words = column.name.replace(/([a-z])([A-Z])/g, '$1 $2')
  if (
    groups.has(column.name) ||
    (CURRENCY_NAME.test(words) && CURRENCY_CODE.test(left) && CURRENCY_CODE.test(right))
  )
    return 'currency'
  if (REFERENCE_NAME.test(column.name)) return 'reference'
  if (PLAIN_NUMBER.test(left) && PLAIN_NUMBER.test(right)) return 'amount'
  return STATUS_NAME.test(column.name) ? 'status' : 'text'
}

/** right - left, exact; null where these are no numbers. */
export function deltaOf(left: string, right: string): string | null {
  const [a, b] = [parseDecimal(left), parseDecimal(right)]
  return a === null || b === null ? null : toText(subtract(b, a))
}

/** The likely cause of one difference in a few words; empty when nothing fits. */
export function hintOf(nature: Nature, left: string | null, right: string | null): string {
  if (left === null || right === null) return ''
  if (nature === 'date_time') return timeHint(left, right)
  if (nature !== 'amount') return ''
  const [a, b] = [parseDecimal(left), parseDecimal(right)]
  return a === null || b === null ? '' : amountHint(a, b)
}

function amountHint(a: Decimal, b: Decimal): string {
  if (compareDecimals(a, b) === 0) return 'the same number, written differently'
  if (a.unscaled === 0n || b.unscaled === 0n) return ''
  if (compareDecimals(a, negate(b)) === 0) return 'opposite sign'
  const two: Decimal = { unscaled: 2n, scale: 0 }
  if (compareDecimals(multiply(a, two), b) === 0) return 'the target is exactly double'
  if (compareDecimals(multiply(b, two), a) === 0) return 'the target is exactly half'
  for (const power of [10n, 100n, 1000n]) {
    const factor: Decimal = { unscaled: power, scale: 0 }
    if (compareDecimals(multiply(a, factor), b) === 0) return `the target is ${power} times the source`
    if (compareDecimals(multiply(b, factor), a) === 0) return `the source is ${power} times the target`
  }
  return transposed(a, b) ? 'transposed digits' : ''
}

/** The same digits in another order; their difference is then divisible by 9, which book-keepers look for. */
function transposed(a: Decimal, b: Decimal): boolean {
  const scale = Math.max(a.scale, b.scale)
  const whole = (value: Decimal): bigint => absolute(value).unscaled * 10n ** BigInt(scale - value.scale)
  const [x, y] = [whole(a), whole(b)]
  if ((x - y) % 9n !== 0n || a.unscaled < 0n !== b.unscaled < 0n) return false
  const sorted = (value: bigint): string => value.toString().split('').sort().join('')
  return sorted(x) === sorted(y)
}

const HOUR_MS = 3_600_000

/** Further than a zone can lie from UTC, a shift by whole hours is no zone. */
const WIDEST_ZONE_HOURS = 14

function timeHint(left: string, right: string): string {
  const apart = Date.parse(right) - Date.parse(left)
  if (Number.isNaN(apart)) return ''
  const [day, month] = [left.slice(8, 10), left.slice(5, 7)]
  if (left.length === 10) {
    if (right === `${left.slice(0, 4)}-${day}-${month}`) return 'day and month swapped'
    return Math.abs(apart) === 24 * HOUR_MS ? 'one day apart' : ''
  }
  const hours = apart / HOUR_MS
  return Number.isInteger(hours) && hours !== 0 && Math.abs(hours) <= WIDEST_ZONE_HOURS
    ? `whole-hour shift (${hours > 0 ? '+' : ''}${hours} h)`
    : ''
}
