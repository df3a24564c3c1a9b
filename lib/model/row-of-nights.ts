/**
 * How many nights in a row are proved CLEAN: what a job in shadow of another system waits for. Pure; the
 * nights come from lib/ledger/proved-nights.ts.
 */

/** A date and what it came to; null: nothing is proved of it. */
export interface ProvedNight {
  readonly date: string
  readonly outcome: 'CLEAN' | 'BREAKS' | null
}

/** Where the row stands on its newest night. */
export interface RowOfNights {
  /** What the newest night came to. */
  readonly tonight: ProvedNight['outcome']
  /** CLEAN nights in a row that end with the newest; 0 when that one is not CLEAN. */
  readonly inARow: number
  /** First of them; null when there is none. */
  readonly since: string | null
  /** Those before the newest night, where that one is not CLEAN. */
  readonly before: number
  /** The night that nothing is proved of and that the row begins after: proved CLEAN, it would make the row longer. */
  readonly unproved: string | null
}

/**
 * Counts. A night with breaks ends the row, acknowledged ones too: the row begins anew after it. So does a night
 * of which nothing is proved, as long as that is so. A date that was never run is no night.
 */
export function rowOfNights(newestFirst: readonly ProvedNight[]): RowOfNights {
  const [newest, ...earlier] = newestFirst
  if (newest === undefined) return { tonight: null, inARow: 0, since: null, before: 0, unproved: null }
  const clean = newest.outcome === 'CLEAN'
  const nights = clean ? newestFirst : earlier
  const end = nights.findIndex(({ outcome }) => outcome !== 'CLEAN')
  const row = end === -1 ? nights : nights.slice(0, end)
  const stop = nights[end]
  return {
    tonight: newest.outcome,
    inARow: clean ? row.length : 0,
    since: clean ? row.at(-1)!.date : null,
    before: clean ? 0 : row.length,
    unproved: clean && stop?.outcome === null ? stop.date : null,
  }
}
