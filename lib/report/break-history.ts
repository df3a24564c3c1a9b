/**
 * What the run ledger gives a report beside the night itself: states and ages of the breaks, how many were
 * open on the nights before, what an earlier report of the same date told. Read in lib/run, told in document/.
 */
import type { BreakKind, Outcome } from '../model/break.ts'

/** What a break is compared with the nights before. */
export type BreakState = 'new' | 'persisting' | 'changed' | 'reopened' | 'acknowledged'

/** What the break ledger knows of the breaks of one comparison. */
export interface BreakHistory {
  /** By identity; what is not in it is new. */
  readonly open: ReadonlyMap<
    string,
    {
      readonly state: BreakState
      readonly firstSeen: string
      readonly businessDays: number
      readonly owner: string | null
      readonly acknowledgement?: Standing
    }
  >
  /** The first ones. */
  readonly resolved: readonly ResolvedBreak[]
  /** Of all breaks, also those that are not held in memory; absent: counted from what is here. */
  readonly counts?: Readonly<Record<BreakState | 'resolved', number>>
  /** The last nights that proved something, oldest first, tonight last. */
  readonly trend?: readonly TrendNight[]
}

/** How many breaks a night left open, without acknowledged ones. */
export interface TrendNight {
  readonly date: string
  readonly open: number
}

/** What was said when a break was acknowledged. */
export interface Standing {
  readonly reason: string
  /** Business date, the last night on which it holds. */
  readonly until: string
}

/** A break of earlier nights that is gone. */
export interface ResolvedBreak {
  readonly kind: BreakKind
  readonly key: Readonly<Record<string, string | null>>
  readonly firstSeen: string
  /** `source moved`, `target moved`, `both`, `gone from both`. */
  readonly cause: string
}

/** What the report before this one, of the same run, told of a comparison. */
export interface EarlierFinding {
  readonly reconciliation: string
  readonly outcome: Outcome
  readonly breaksTotal: number
}

/** An earlier report of the same run, which this one replaces. */
export interface EarlierReport {
  readonly attempt: number
  /** Instant, ISO. */
  readonly at: string
  /** Empty when that attempt compared nothing. */
  readonly found: readonly EarlierFinding[]
}
