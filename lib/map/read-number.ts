/**
 * Readers that give whole numbers, exact decimals, and true or false.
 * Notations of decimals stand in decimal-notation.ts.
 */
import { codeAt } from '../model/code-at.ts'
import type { DecimalText } from '../model/table.ts'
import { type DecimalNotation, decimalReader, notationInWords } from './decimal-notation.ts'
import type { Field, Refusal } from './field.ts'
import { type From, fitted, type Given, type ReadOptions, scalar } from './scalar.ts'

const WHOLE = /^[+-]?\d+$/
const NOT_WHOLE: Refusal = { code: 'MAP_NOT_AN_INTEGER', message: 'must be a whole number such as 12 or -3' }
const NOT_SAFE: Refusal = {
  code: 'MAP_OUT_OF_RANGE',
  message: `must lie between -${Number.MAX_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}`,
}

/** Digits that surely stay within the safe range. */
const SHORT_DIGITS = 15

/** The number of a short text of digits only, -1 for any other text. */
function shortWhole(text: string): number {
  const { length } = text
  if (length > SHORT_DIGITS) return -1
  let number = 0
  for (let at = 0; at < length; at += 1) {
    const digit = codeAt(text, at) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    number = number * 10 + digit
  }
  return number
}

/** A whole number, sign in front allowed. `12.0` is none; beyond 2^53 is an issue. */
export function integer<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: ReadOptions<number, N>,
): Field<Given<number, N>, C> {
  return scalar(from, options, {
    rule: 'whole number',
    compile: setting =>
      fitted(
        value => {
          const short = shortWhole(value)
          if (short >= 0) return short
          if (!WHOLE.test(value)) return NOT_WHOLE
          const number = Number(value)
          // -0 is 0: a row must not differ from itself after a round trip.
          return Number.isSafeInteger(number) ? number + 0 : NOT_SAFE
        },
        setting,
        'integer',
      ),
  })
}

/** Options of `read.decimal`: the notation of the partner. Precision and scale are the target column's. */
export interface DecimalOptions<N extends boolean> extends ReadOptions<DecimalText, N>, DecimalNotation {}

/**
 * An exact decimal as canonical text, in the declared notation only.
 * Guarantee: never a float, never rounded unless `round`; what the column can't hold is an issue.
 */
export function decimal<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: DecimalOptions<N>,
): Field<Given<DecimalText, N>, C> {
  return scalar(from, options, {
    rule: `decimal, ${notationInWords(options)}`,
    compile: setting => {
      const { type } = setting.target
      if (type.kind !== 'decimal') return fitted(asDecimalText(decimalReader(options, 1000, 500)), setting)
      // The reader holds precision and scale itself: no second pass on the hot path.
      return asDecimalText(decimalReader(options, type.precision, type.scale))
    },
  })
}

/** The reader's text is canonical: the brand says so to the compiler. */
function asDecimalText(reader: (text: string) => string | Refusal): (text: string) => DecimalText | Refusal {
  return reader as (text: string) => DecimalText | Refusal
}

/** Options of `read.boolean`: the texts that mean true and false. */
export interface BooleanOptions<N extends boolean> extends ReadOptions<boolean, N> {
  readonly yes: readonly [string, ...string[]]
  readonly no: readonly [string, ...string[]]
}

/** True or false by declared tokens, exactly as written; any other text is an issue. */
export function boolean<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: BooleanOptions<N>,
): Field<Given<boolean, N>, C> {
  const tokens = new Map<string, boolean>([
    ...options.no.map(token => [token, false] as const),
    ...options.yes.map(token => [token, true] as const),
  ])
  const refusal: Refusal = {
    code: 'MAP_NOT_A_BOOLEAN',
    message: `must be one of ${[...options.yes, ...options.no].join(', ')}`,
  }
  return scalar(from, options, {
    rule: `${options.yes.join(' or ')} is true, ${options.no.join(' or ')} is false`,
    compile: setting => fitted(value => tokens.get(value) ?? refusal, setting, 'boolean'),
  })
}
