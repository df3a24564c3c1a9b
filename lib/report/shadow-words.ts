/**
 * What a mail says of a job that runs in shadow of another system: how many nights in a row are CLEAN, and
 * what tonight does to that count. Pure.
 */
import type { ShadowSpec } from '../model/job.ts'
import type { RowOfNights } from '../model/row-of-nights.ts'

/** Where a job in shadow of another system stands. */
export interface ShadowReport extends ShadowSpec, RowOfNights {}

/** `night 7 of 10 in a row CLEAN`; empty when tonight is not CLEAN. */
export function shadowCount({ inARow, nights }: ShadowReport): string {
  if (inARow === 0) return ''
  return inARow <= nights
    ? `night ${inARow} of ${nights} in a row CLEAN`
    : `night ${inARow} in a row CLEAN, ${nights} were asked for`
}

/** The count in a sentence or two. */
export function shadowSentence(shadow: ShadowReport): string {
  const { nights, of, tonight, inARow, since, before, unproved } = shadow
  const until = `until ${nights} ${nights === 1 ? 'night is' : 'nights in a row are'} CLEAN`
  const beside = `This runs beside ${of} ${until}; nothing is loaded.`
  const had = before === 0 ? '' : ` ${before} ${before === 1 ? 'night was' : 'nights were'} CLEAN before it.`
  if (tonight === 'BREAKS') return `${beside} Tonight ends the row: the next CLEAN night is night 1.${had}`
  if (tonight === null)
    return `${beside} Of tonight nothing is proved, so it is no night of the row.${had} Run the date again: proved CLEAN, it counts.`
  const counted = shadowCount(shadow)
  const done = inARow >= nights ? ` That is what was asked for: ${of} may be replaced.` : ''
  const longer =
    unproved === null || inARow >= nights
      ? ''
      : ` The row begins after ${unproved}, of which nothing is proved: run that date again, and it may be longer.`
  return `${beside} This is ${counted}, since ${since}.${done}${longer}`
}
