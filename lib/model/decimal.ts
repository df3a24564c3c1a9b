/**
 * Exact decimals on BigInt: money is never a float. Values travel as canonical text
 * (`-1240.5`, no exponent, no plus, no trailing zeros after the point); arithmetic happens here only.
 */

/** A decimal as unscaled integer and scale: 12.50 is { unscaled: 1250n, scale: 2 }. */
export interface Decimal {
  readonly unscaled: bigint
  readonly scale: number
}

const PLAIN = /^([+-]?)(\d+)(?:\.(\d*))?$|^([+-]?)\.(\d+)$/

/** Zero. */
export const ZERO: Decimal = { unscaled: 0n, scale: 0 }

/** Reads plain decimal text (`12`, `-0.50`, `.5`); null for anything else, exponents included. */
export function parseDecimal(text: string): Decimal | null {
  const match = PLAIN.exec(text)
  if (match === null) return null
  const sign = match[1] ?? match[4] ?? ''
  const whole = match[2] ?? '0'
  const fraction = match[3] ?? match[5] ?? ''
  const digits = BigInt(whole + fraction)
  return { unscaled: sign === '-' ? -digits : digits, scale: fraction.length }
}

/** Reads decimal text that is known to be one (a driver's numeric, our own canonical text). @throws RangeError otherwise. */
export function decimal(text: string): Decimal {
  const value = parseDecimal(text)
  if (value === null) throw new RangeError(`not a decimal: ${JSON.stringify(text)}`)
  return value
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale)
  return [a.unscaled * 10n ** BigInt(scale - a.scale), b.unscaled * 10n ** BigInt(scale - b.scale), scale]
}

/** a + b, exact. */
export function add(a: Decimal, b: Decimal): Decimal {
  if (a.scale === b.scale) return { unscaled: a.unscaled + b.unscaled, scale: a.scale }
  const [x, y, scale] = aligned(a, b)
  return { unscaled: x + y, scale }
}

/** -a. */
export function negate(a: Decimal): Decimal {
  return { unscaled: -a.unscaled, scale: a.scale }
}

/** a - b, exact. */
export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b))
}

/** a x b, exact. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  return { unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale }
}

/** |a|. */
export function absolute(a: Decimal): Decimal {
  return a.unscaled < 0n ? negate(a) : a
}

/** Negative, zero or positive as a is less than, equal to or greater than b; 1.5 equals 1.50. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b)
  return x < y ? -1 : x > y ? 1 : 0
}

/** Text with exactly `scale` digits after the point. @throws RangeError when digits other than 0 would be lost. */
export function toFixed(value: Decimal, scale: number): string {
  let { unscaled } = value
  if (value.scale > scale) {
    const factor = 10n ** BigInt(value.scale - scale)
    if (unscaled % factor !== 0n) throw new RangeError(`more than ${scale} decimal places: ${toText(value)}`)
    unscaled /= factor
  } else {
    unscaled *= 10n ** BigInt(scale - value.scale)
  }
  const negative = unscaled < 0n
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return negative ? `-${text}` : text
}

/** Canonical text: no exponent, no plus, no trailing zeros after the point, never `-0`. */
export function toText(value: Decimal): string {
  let { unscaled, scale } = value
  while (scale > 0 && unscaled % 10n === 0n) {
    unscaled /= 10n
    scale -= 1
  }
  return toFixed({ unscaled, scale }, scale)
}
