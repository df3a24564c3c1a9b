/**
 * Numbers as partners write them, to canonical exact decimal text: decimal comma, thousands
 * separators, trailing minus, parentheses. Nothing is guessed: only the declared notation is read,
 * and digits that the column can't hold are an issue unless rounding is declared.
 */
import { codeAt } from '../model/code-at.ts'
import type { Refusal } from './field.ts'

/** How a number is written. Default: point, no thousands separator, sign in front (`-` or `+`). */
export interface DecimalNotation {
  /** The decimal separator is a comma. */
  readonly comma?: boolean
  /** Between groups of three digits; `space` is any of space, no-break and narrow no-break space, `apostrophe` is ' or ’. */
  readonly thousands?: 'point' | 'comma' | 'space' | 'apostrophe'
  /** Where a minus stands: in front (default), behind, or as parentheses around the number. */
  readonly negative?: 'leading' | 'trailing' | 'parentheses'
  /** How digits beyond the column's scale are rounded; without it they are an issue. */
  readonly round?: Rounding
}

/** half-up goes away from zero, half-even to the even digit. */
export type Rounding = 'half-up' | 'half-even'

const GROUPS: Readonly<Record<NonNullable<DecimalNotation['thousands']>, string>> = {
  point: '\\.',
  comma: ',',
  space: '[ \u00a0\u202f]',
  apostrophe: "['\u2019]",
}

const NOT_A_DECIMAL = 'MAP_NOT_A_DECIMAL'
const MINUS = 45
const PLUS = 43

/** The notation in words, for the page and for issues. */
export function notationInWords(notation: DecimalNotation): string {
  const words = [notation.comma === true ? 'decimal comma' : 'decimal point']
  if (notation.thousands !== undefined) words.push(`thousands by ${notation.thousands}`)
  if (notation.negative === 'trailing') words.push('minus behind')
  if (notation.negative === 'parentheses') words.push('negative in parentheses')
  if (notation.round !== undefined) words.push(`rounded ${notation.round}`)
  return words.join(', ')
}

/** Adds one unit in the last place to a run of digits: `099` is `100`, `999` is `1000`. */
function increment(digits: string): string {
  return (BigInt(digits === '' ? '0' : digits) + 1n).toString().padStart(digits.length, '0')
}

function roundsUp(kept: string, dropped: string, rounding: Rounding): boolean {
  const first = dropped.charCodeAt(0) - 48
  if (first !== 5 || /[1-9]/.test(dropped.slice(1))) return first >= 5
  return rounding === 'half-up' || (kept.charCodeAt(kept.length - 1) - 48) % 2 === 1
}

/**
 * A reader of plain decimals (`-0012.50`, `+1`, `.5`, `5.`) to canonical text (`-12.5`) that fits numeric(precision, scale).
 * Cost: no allocation for text that is canonical already.
 */
export function canonicalDecimal(
  precision: number,
  scale: number,
  rounding: Rounding | null,
): (text: string) => string | Refusal {
  const notADecimal: Refusal = { code: NOT_A_DECIMAL, message: 'must be a plain decimal such as -1234.56' }
  const tooFine: Refusal = {
    code: 'MAP_TOO_MANY_DECIMALS',
    message: `must have at most ${scale} decimal places; it is not rounded silently`,
  }
  const tooBig: Refusal = {
    code: 'MAP_OUT_OF_RANGE',
    message: `must have at most ${precision - scale} digits before the decimal separator`,
  }
  /** Puts the number together from its digits: `start` to `whole`, and behind the point up to `end`. */
  const anew = (text: string, start: number, whole: number, end: number): string | Refusal => {
    let integer = text.slice(start, whole)
    let fraction = text.slice(whole + 1, end)
    if (fraction.length > scale) {
      if (rounding === null) return tooFine
      const kept = fraction.slice(0, scale)
      const up = roundsUp(`0${integer}${kept}`, fraction.slice(scale), rounding)
      const digits = up ? increment(`0${integer}${kept}`) : `0${integer}${kept}`
      integer = digits.slice(0, digits.length - scale).replace(/^0+/, '')
      fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
    }
    if (integer.length > precision - scale) return tooBig
    if (integer === '' && fraction === '') return '0'
    const magnitude = fraction === '' ? integer : `${integer === '' ? '0' : integer}.${fraction}`
    return codeAt(text, 0) === MINUS ? `-${magnitude}` : magnitude
  }
  return text => {
    const { length } = text
    if (length === 0) return notADecimal
    const sign = codeAt(text, 0)
    let start = sign === MINUS || sign === PLUS ? 1 : 0
    let point = -1
    for (let at = start; at < length; at += 1) {
      const code = codeAt(text, at)
      if (code >= 48 && code <= 57) continue
      if (code !== 46 || point >= 0) return notADecimal
      point = at
    }
    const whole = point < 0 ? length : point
    const digitCount = length - start - (point < 0 ? 0 : 1)
    if (digitCount === 0) return notADecimal
    while (start < whole && codeAt(text, start) === 48) start += 1
    let end = length
    if (point >= 0) while (end > point + 1 && codeAt(text, end - 1) === 48) end -= 1
    if (end === point + 1) end = whole
    if (end - whole - 1 > scale || whole - start > precision - scale || sign === PLUS)
      return anew(text, start, whole, end)
    // A single zero before the point stays; then the text, or its front, is canonical already.
    const first = (whole > start ? start : start - 1) - (sign === MINUS ? 1 : 0)
    if (first !== 0 || (whole === start && end === whole)) return anew(text, start, whole, end)
    return end === length ? text : text.slice(0, end)
  }
}

/** Turns a text of a notation into plain decimal text; null when it is not of that notation. */
function plainReader(notation: DecimalNotation): (text: string) => string | null {
  const point = notation.comma === true ? ',' : '\\.'
  const group = notation.thousands === undefined ? null : GROUPS[notation.thousands]
  const whole = group === null ? '\\d*' : `(?:\\d{1,3}(?:${group}\\d{3})+|\\d*)`
  const number = `(${whole})(?:${point}(\\d*))?`
  const shape = {
    leading: new RegExp(`^([+-]?)${number}$`),
    trailing: new RegExp(`^()${number}([+-]?)$`),
    parentheses: new RegExp(`^(\\(?)${number}(\\)?)$`),
  }[notation.negative ?? 'leading']
  const groups = group === null ? null : new RegExp(group, 'g')
  return text => {
    const match = shape.exec(text)
    if (match === null) return null
    const before = match[1] ?? ''
    const after = match[4] ?? ''
    if ((before === '(') !== (after === ')')) return null
    const integer = groups === null ? match[2]! : match[2]!.replace(groups, '')
    const negative = before === '-' || before === '(' || after === '-'
    return `${negative ? '-' : ''}${integer}.${match[3] ?? ''}`
  }
}

/** A reader of one notation to canonical text that fits numeric(precision, scale). */
export function decimalReader(
  notation: DecimalNotation,
  precision: number,
  scale: number,
): (text: string) => string | Refusal {
  const canonical = canonicalDecimal(precision, scale, notation.round ?? null)
  const { comma = false, thousands, negative = 'leading' } = notation
  if (!comma && thousands === undefined && negative === 'leading') return canonical
  const plain = plainReader(notation)
  const refusal: Refusal = {
    code: NOT_A_DECIMAL,
    message: `must be a number written with ${notationInWords(notation)}`,
  }
  return text => {
    const found = plain(text)
    const value = found === null ? refusal : canonical(found)
    return typeof value === 'object' && value.code === NOT_A_DECIMAL ? refusal : value
  }
}
