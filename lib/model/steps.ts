/**
 * The six steps that name everything: folders, properties of a job, the `step` of an error,
 * a log field, a column of the run ledger, headings of a job's page.
 * What each step does is told by its folder's README line in ARCHITECTURE.md.
 */

/** The six steps of a run, in the order in which they happen. */
export const STEPS = ['fetch', 'parse', 'map', 'load', 'reconcile', 'report'] as const

/** One of the six steps. "Step" is the word for these; "staging" only ever means staging tables. */
export type Step = (typeof STEPS)[number]
