/**
 * What the run ledger knows of the cause of a break. Found by reconcile/explain and lib/run/explain-night.ts; exact
 * meaning: docs/breaks.md. Texts name files, columns and codes, never a value: mails show them.
 */

/**
 * `rejected`: its record was refused by parse or map. `refused`: by the target or the load. `later_load`: a later load
 * wrote the row. `superseded`: it came from a file that a correction replaced. `earlier_load`: it came from an earlier
 * load, and tonight's files do not have it. `in_flight`: calls or loads were on their way when it was compared.
 * `changed_after_load`: the target is not what this job's load wrote.
 */
export const EXPLANATION_CAUSES = [
  'rejected',
  'refused',
  'later_load',
  'superseded',
  'earlier_load',
  'in_flight',
  'changed_after_load',
] as const
export type ExplanationCause = (typeof EXPLANATION_CAUSES)[number]

/** The cause of one break. */
export interface Explanation {
  readonly cause: ExplanationCause
  /** In a clause, for people. */
  readonly text: string
  /** Where the record is that it is about, null where that is not known. */
  readonly file: string | null
  readonly line: number | null
}

/** The key that a rejected record's row would have had. */
export interface RejectKey {
  /** `schema.table`. */
  readonly table: string
  /** Canonical text by field. */
  readonly key: Readonly<Record<string, string>>
}
