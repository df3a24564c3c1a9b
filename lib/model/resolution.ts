/**
 * Words of resolving breaks: a plan of conditional changes to a target, and what became of each. Proposing
 * is reconcile/resolve, writing is lib/load/repair.ts. Exact meaning: docs/breaks.md.
 */

/** Which side of a comparison is right. */
export type Authority = 'source' | 'target'

/** What a plan may propose for the breaks of a comparison, and how much of it. */
export interface ResolveRule {
  /** Which side is right, by compared column. For a column that is not named nothing is proposed. */
  readonly authority: Readonly<Record<string, Authority>>
  /** Which side is right about which rows there are. Absent: nothing is proposed for rows that one side lacks. */
  readonly rows?: Authority
  /** A plan with more changes is refused whole. */
  readonly maxRows: number
  /** So is one whose changes add up to more, decimal text: differences without their signs, whatever the currency. */
  readonly maxAmount: string
}

/** One column of a change. Values are canonical text; null is null. */
export interface ChangedColumn {
  readonly name: string
  /** What the target had when it was compared; the change is made only where it still has it. */
  readonly old: string | null
  /** What the source has. */
  readonly new: string | null
}

/** One change of a plan: all of its columns take effect, or none. */
export interface PlannedChange {
  /** The break that it is to resolve. */
  readonly identity: string
  readonly reconciliation: string
  /** `schema.table`. */
  readonly table: string
  /** `reload`: rows that the target lacks, made anew from their file by the job's mapping. */
  readonly operation: 'update' | 'reload'
  /** By field; of a table without a key the whole row. */
  readonly key: Readonly<Record<string, string | null>>
  /** Of an update those that change; of a reload all that are compared. */
  readonly columns: readonly ChangedColumn[]
  /** Rows that it changes or adds. */
  readonly rows: number
  /** Where the source row came from. */
  readonly origin: { readonly file: string; readonly line: number } | null
  /** What it is worth, as the cap counts it: decimal text without a sign. */
  readonly amount: string
  readonly reason: string
}

/** A plan as it is written to a file. */
export interface ResolutionPlan {
  readonly schemaVersion: 1
  readonly kind: 'tallyman.resolution-plan'
  readonly job: string
  readonly businessDate: string
  /** Number of the comparison that found the breaks. */
  readonly comparison: number
  /** The pictures that it compared, by digest: a plan is about these and no others. */
  readonly snapshots: readonly {
    readonly reconciliation: string
    readonly source: string
    readonly target: string
  }[]
  readonly madeBy: string
  /** ISO instant. */
  readonly madeAt: string
  readonly changes: readonly PlannedChange[]
  /** Sum of the changes' amounts. */
  readonly amount: string
  /** SHA-256 over everything else; the run ledger knows it. */
  readonly digest: string
}

/**
 * What became of a change. `applied`: written. `unchanged`: the target has it already. `refused`: the target is no
 * longer what was compared. `outdated`: a later load has written the row since.
 */
export const CHANGE_OUTCOMES = ['applied', 'unchanged', 'refused', 'outdated'] as const
export type ChangeOutcome = (typeof CHANGE_OUTCOMES)[number]

/** A change after a plan was applied. */
export interface AppliedChange {
  /** Its place in the plan, from 0. */
  readonly position: number
  readonly outcome: ChangeOutcome
  /** What was found in the target instead, by field; null where there was no row, or nothing to tell. */
  readonly found: Readonly<Record<string, string | null>> | null
}
