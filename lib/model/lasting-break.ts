/**
 * Words of the break ledger: what a break is over many nights. A break of one night is break.ts; how
 * nights become states is reconcile/breaks/fold.ts; where they are kept is lib/ledger/break-ledger.ts.
 */

/**
 * Where a break stands as of a night, acknowledgements aside. `out_of_scope`: still open, but that night's
 * comparison could not have seen it.
 */
export const BREAK_STATES = ['new', 'persisting', 'changed', 'reopened', 'resolved', 'out_of_scope'] as const
export type BreakState = (typeof BREAK_STATES)[number]

/** What people are shown: an open break that somebody stands for is acknowledged. */
export const SHOWN_STATES = [...BREAK_STATES, 'acknowledged'] as const
export type ShownState = (typeof SHOWN_STATES)[number]

/**
 * Why a break is gone. `source`, `target`, `both`: who moved. `gone`: neither side has the row any more. `rules`:
 * neither moved, so the comparison's rules did. `unknown`: nobody looked.
 */
export const RESOLUTION_CAUSES = ['source', 'target', 'both', 'gone', 'rules', 'unknown'] as const
export type ResolutionCause = (typeof RESOLUTION_CAUSES)[number]

/**
 * Which breaks of other nights a comparison could have seen: `all` of them; those of its own business `date`;
 * those whose `keys` the side has that limits the other one.
 */
export type Sees = 'all' | 'date' | 'keys'

/** Fingerprints of both sides of a break; null where the side has no row. Decimal text of 64 bits. */
export interface Marks {
  readonly source: string | null
  readonly target: string | null
}

/** A night as the ledger keeps it: the latest comparison of its date that proved anything. */
export interface LedgerNight {
  /** `yyyy-MM-dd`. */
  readonly date: string
  readonly sees: Sees
}

/**
 * What one night's comparison says about one break. `seen`: it found it. `withdrawn`: an earlier comparison of the
 * same date found it, the latest does not. `gone`: open before, looked up, and no break any more.
 */
export interface Sighting {
  readonly sight: 'seen' | 'withdrawn' | 'gone'
  /** As seen; for `gone` those that were compared with. */
  readonly marks: Marks
  /** Which columns the marks are of, by the ledger's number. */
  readonly columns: number | null
  /** Who moved, where that was looked up. */
  readonly cause: ResolutionCause | null
  /** From when on the row was awaited, up to the night before; null or absent: it was not. */
  readonly awaitedSince?: string | null
}

/** A break as of a night. All dates are business dates. */
export interface Course {
  readonly state: BreakState
  /** Never resets. */
  readonly firstSeen: string
  readonly lastSeen: string
  /** Since when it is in this state. */
  readonly stateSince: string
  /** Since when both sides have these values. */
  readonly valuesSince: string
  /** Nights that saw it. */
  readonly runs: number
  readonly reopened: number
  /** Only of resolved ones. */
  readonly cause: ResolutionCause | null
  readonly marks: Marks
  readonly columns: number | null
}

/** Somebody stands for a break until a date. */
export interface Acknowledgement {
  readonly id: string
  /** The night whose break was acknowledged. */
  readonly on: string
  /** Last night on which it holds. */
  readonly until: string
  /** The values that were acknowledged. */
  readonly marks: Marks
  readonly owner: string
  readonly by: string
  readonly reason: string
  /** Four eyes: it holds only once another person confirmed it. */
  readonly needsConfirmation: boolean
  readonly confirmedBy: string | null
  /** The night from which it was taken back; null while it was not. */
  readonly endedOn: string | null
}

/** How many breaks are in which state as of a night; `resolved` counts those of this night. */
export type StateCounts = Readonly<Record<ShownState, number>>

/** How old a break is as of a night. */
export interface Ages {
  readonly calendarDays: number
  readonly businessDays: number
  /** Nights that saw it. */
  readonly runs: number
}

/** The rules by which nights become states: pure functions, given to the ledger by reconcile/breaks. */
export interface FoldRules {
  /** The break after a night, from what it was before and what the night says; null while it was never seen. */
  readonly step: (before: Course | null, night: LedgerNight, sighting: Sighting | null) => Course | null
  /** The acknowledgement that holds as of a date, null for none. */
  readonly acknowledged: (
    course: Course,
    acknowledgements: readonly Acknowledgement[],
    date: string,
  ) => Acknowledgement | null
}
