/**
 * Which dates of a reconciliation keep their snapshots by their age alone. What else keeps one (open breaks,
 * acknowledgements, loads that are not finished) is lib/ledger/snapshot-needs.ts; removing is lib/run/purge.ts.
 */

/** Newest dates that keep theirs: seven weeks of working days, so that a month can still be closed late. */
export const DAILY = 35

/** Month-ends that keep theirs: the same month of last year can be looked at beside this one. */
export const MONTH_ENDS = 13

/** Snapshots taken less than this long ago stay whatever their date: somebody may just have rerun an old one. */
export const JUST_TAKEN_DAYS = 7

/** Why a date keeps its snapshots. */
export type KeptByAge = 'daily' | 'month-end'

/**
 * The dates that keep their snapshots. Counted in dates that were compared and from the newest of them, so that a job
 * that pauses loses nothing; a month ends with its last compared date, once a later month was compared.
 */
export function keptByAge(dates: readonly string[]): ReadonlyMap<string, KeptByAge> {
  const newestFirst = [...new Set(dates)].sort().reverse()
  const kept = new Map<string, KeptByAge>()
  const months = new Set<string>()
  const current = newestFirst[0]?.slice(0, 7)
  for (const [index, date] of newestFirst.entries()) {
    const month = date.slice(0, 7)
    if (index < DAILY) kept.set(date, 'daily')
    if (month === current || months.has(month) || months.size === MONTH_ENDS) continue
    months.add(month)
    if (!kept.has(date)) kept.set(date, 'month-end')
  }
  return kept
}
