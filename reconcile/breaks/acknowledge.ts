/**
 * When an acknowledgement holds, and when it needs a second person. Pure; they are written down by
 * lib/ledger/break-ledger-acks.ts.
 */
import type { Break } from '../../lib/model/break.ts'
import {
  absolute,
  compareDecimals,
  type Decimal,
  decimal,
  parseDecimal,
  ZERO,
} from '../../lib/model/decimal.ts'
import type { Acknowledgement, Course } from '../../lib/model/lasting-break.ts'

/**
 * The acknowledgement that holds as of a night, null for none. It ends with its date, with any change of the
 * values it was given for, when the break is resolved, and when it is taken back; once ended it stays so.
 */
export function holding(
  course: Course,
  acknowledgements: readonly Acknowledgement[],
  date: string,
): Acknowledgement | null {
  if (course.state === 'resolved') return null
  return (
    acknowledgements.findLast(
      ({ on, until, marks, needsConfirmation, confirmedBy, endedOn }) =>
        on <= date &&
        date <= until &&
        (endedOn === null || date < endedOn) &&
        (!needsConfirmation || confirmedBy !== null) &&
        on >= course.valuesSince &&
        marks.source === course.marks.source &&
        marks.target === course.marks.target,
    ) ?? null
  )
}

/** What a break is about, as far as money can be read from it. */
type Amounted = Pick<Break, 'kind' | 'columns'>

/**
 * The largest amount of a break without its sign, whatever its currency: a difference, or the whole value where one
 * side has no row. Null where what is at stake can't be told: rows that can't be read, duplicates, other currencies.
 */
export function amountOf({ kind, columns }: Amounted): Decimal | null {
  if (kind !== 'value_mismatch' && kind !== 'missing_in_target' && kind !== 'missing_in_source') return null
  const pair = kind === 'value_mismatch'
  if (pair && columns.some(({ nature }) => nature === 'currency')) return null
  let largest = ZERO
  for (const { nature, delta, left, right } of columns) {
    if (nature !== 'amount' && nature !== 'null_vs_value') continue
    for (const text of pair && delta !== null ? [delta] : [left, right]) {
      const value = text === null ? null : parseDecimal(text)
      if (value !== null && compareDecimals(absolute(value), largest) > 0) largest = absolute(value)
    }
  }
  return largest
}

/** Whether acknowledging it takes two people; what can't be told takes two. */
export function needsFourEyes(found: Amounted, above: string | null): boolean {
  if (above === null) return false
  const amount = amountOf(found)
  return amount === null || compareDecimals(amount, decimal(above)) > 0
}
