/**
 * What the target says when it refuses a row: told apart from a broken world, in words that repeat no
 * value. Which rows it is about: write-by-halves.ts; what becomes of them: refuse-violators.ts.
 */
import { LoadError, RunError } from '../model/errors.ts'
import { REFUSES_A_ROW } from './halves-program.ts'

/** The rule and the database's own words about it. */
export interface Violation {
  readonly sqlstate: string
  /** Name of the constraint, else of the column, else a general phrase. */
  readonly rule: string
  /** Postgres's sentence; empty where it could repeat a value. */
  readonly words: string
}

/** Data exceptions whose sentence never repeats a value: too long, out of range; and all integrity violations. */
const WORDS_WITHOUT_VALUES = /^(23|22001|22003|54000)/

const REFUSING = new RegExp(REFUSES_A_ROW)

/** What a database error says about a row it refused; null for anything else. */
export function violationOf(error: unknown): Violation | null {
  if (!(error instanceof RunError)) return null
  const { sqlstate, constraint, column } = error.details
  if (!REFUSING.test(String(sqlstate ?? ''))) return null
  return violationFrom({
    sqlstate: String(sqlstate),
    constraint: String(constraint ?? ''),
    column: String(column ?? ''),
    message: error.cause instanceof Error ? error.cause.message : '',
  })
}

/** The violation from what the database told of it; empty texts tell nothing. */
export function violationFrom(facts: {
  readonly sqlstate: string
  readonly constraint?: string
  readonly column?: string
  readonly message?: string
}): Violation {
  const { sqlstate, constraint = '', column = '', message = '' } = facts
  return {
    sqlstate,
    rule: constraint || column || 'a rule of the table',
    words: WORDS_WITHOUT_VALUES.test(sqlstate) ? message : '',
  }
}

/** The violation in a clause: `violates no_refunds (new row for relation ...)`. */
export function clauseOf({ rule, words }: Pick<Violation, 'rule' | 'words'>): string {
  return `violates ${rule}${words === '' ? '' : ` (${words})`}`
}

/** The error for a violation that no record can be blamed for; `who` is the subject of its sentence. */
export function violated(
  violation: Violation,
  who: string,
  details: Readonly<Record<string, string | number>>,
): LoadError {
  const { sqlstate, rule } = violation
  return new LoadError(
    'LOAD_CONSTRAINT_VIOLATED',
    `${who} ${clauseOf(violation)} of the target. Nothing of this load was published; the rows or the rule have to be corrected.`,
    { details: { ...details, constraint: rule, sqlstate } },
  )
}
