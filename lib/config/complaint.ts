/**
 * One mistake in the configuration, as `tallyman check` lists it: where, what, how to mend it.
 */

/** A mistake. All of them are collected before anything is said. */
export interface Complaint {
  /** `job fx-rates, fetch.endpoint`. */
  readonly where: string
  readonly problem: string
  /** What to write instead. */
  readonly fix: string
}

/** Collects complaints about one thing. */
export type Complain = (part: string, problem: string, fix: string) => void

/** A collector that puts `subject, part` in front. */
export function complainAbout(subject: string, complaints: Complaint[]): Complain {
  return (part, problem, fix) =>
    void complaints.push({ where: part === '' ? subject : `${subject}, ${part}`, problem, fix })
}

/** Names of jobs, feeds and reconciliations: they stand in file names, mails and SQL values. */
export const NAME = /^[a-z][a-z0-9_-]{0,62}$/
