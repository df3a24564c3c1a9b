/**
 * Fingerprints of both sides of a break: whether its values changed from night to night, and who moved
 * when it is gone. The same values give the same mark whether they come from a comparison (sighting.ts)
 * or are looked up later (look-up.ts).
 */
import { hash } from 'node:crypto'
import type { BreakKind } from '../../lib/model/break.ts'

/** A value under its rules. */
type Ruled = string | null

/**
 * The mark of a side that has a row: 64 bits of SHA-256 over names and values of the break's columns, as decimal text
 * of a signed integer. Two different pairs of values share one with a chance of 1 in 10^19.
 */
export function markOf(names: readonly string[], values: readonly Ruled[]): string {
  return digest(JSON.stringify([names, values]))
}

/** The mark of a side of which only the number of rows is compared. */
export function markOfCount(rows: number): string {
  return digest(`rows ${rows}`)
}

/** Whether a break is about how many rows a side has, not about their values: keys that are not unique, rows of a bag. */
export function isCounted(kind: BreakKind, keyed: boolean): boolean {
  return kind === 'duplicate' || !keyed
}

function digest(text: string): string {
  return hash('sha256', text, 'buffer').readBigInt64BE(0).toString()
}
