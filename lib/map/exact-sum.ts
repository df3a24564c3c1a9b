/**
 * Exact sums of many values of one scale. Numbers are used while they are exact, BigInt beyond, so
 * that a control total over millions of rows costs no BigInt per row.
 */
import { codeAt } from '../model/code-at.ts'
import type { Decimal } from '../model/decimal.ts'

/** Digits that a double holds exactly, whatever they are. */
const SAFE_DIGITS = 15

const POWERS = Array.from({ length: SAFE_DIGITS + 1 }, (_, zeros) => 10 ** zeros)

/** A value as a whole number of units of 10^-scale: exact, as number where it is safe. */
export function scaled(value: string | number, scale: number): number | bigint {
  if (typeof value === 'number') return scale === 0 ? value : scaled(String(value), scale)
  const { length } = value
  const start = codeAt(value, 0) === 45 ? 1 : 0
  let units = 0
  let point = length
  for (let at = start; at < length; at += 1) {
    const code = codeAt(value, at)
    if (code === 46) point = at
    else units = units * 10 + (code - 48)
  }
  const places = Math.max(0, length - point - 1)
  // Digits with those to come, without sign and point: no step above was inexact while they are few.
  if (length - start + scale <= SAFE_DIGITS) {
    const whole = units * POWERS[scale - places]!
    return start === 0 ? whole : 0 - whole
  }
  return BigInt(value.slice(0, point) + value.slice(point + 1) + '0'.repeat(scale - places))
}

/** A sum that never rounds. */
export class ExactSum {
  readonly #scale: number
  #small = 0
  #large = 0n

  /** `scale` is that of all values added: for products, the sum of both scales. */
  constructor(scale: number) {
    this.#scale = scale
  }

  /** Adds a scaled value. */
  add(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#large += value
      return
    }
    const sum = this.#small + value
    if (Number.isSafeInteger(sum) && Number.isSafeInteger(value)) {
      this.#small = sum
    } else {
      this.#large += BigInt(this.#small) + BigInt(value)
      this.#small = 0
    }
  }

  /** Adds a product of two scaled values. */
  addProduct(a: number | bigint, b: number | bigint): void {
    if (typeof a === 'number' && typeof b === 'number') {
      const product = a * b
      // A product within the safe range is exact; beyond it the double may have been rounded.
      if (Number.isSafeInteger(product)) this.add(product)
      else this.#large += BigInt(a) * BigInt(b)
    } else {
      this.#large += BigInt(a) * BigInt(b)
    }
  }

  /** Adds another sum of the same scale. */
  addSum(other: ExactSum): void {
    this.#large += other.#large
    this.add(other.#small)
  }

  /** The sum. */
  value(): Decimal {
    return { unscaled: this.#large + BigInt(this.#small), scale: this.#scale }
  }
}
