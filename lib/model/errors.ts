/**
 * Exceptions of a broken world: one class per step, one stable code per situation.
 * Bad data never comes here: it is a value (see issue.ts). An error states a fact and how a
 * retry would relate to it; only lib/run/retry.ts decides. Every code stands in docs/errors.md.
 */
import type { Step } from './steps.ts'

/**
 * What a retry of the same thing would meet.
 * `never`: the same again. `backoff`: maybe better soon. `afterMs`: told by the peer, a duration.
 * `at`: told by the peer, an instant in epoch milliseconds. `verify-first`: it may already have
 * happened, so look before doing it again.
 */
export type Retry =
  | 'never'
  | 'backoff'
  | 'verify-first'
  | { readonly afterMs: number }
  | { readonly at: number }

/** Named facts of an error: they go to the log and to `--json`. Never a secret, never a field's value of PII. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/** What an error is made of besides code and text. */
export interface ErrorOptionsOf {
  readonly retry?: Retry
  readonly details?: ErrorDetails
  readonly cause?: unknown
}

/**
 * The root of all errors that Tallyman throws on purpose.
 * `message` says what happened, to what, and what happens next, in full sentences and without the code.
 */
export class TallymanError extends Error {
  readonly code: string
  readonly step: Step | 'config' | 'run' | 'bug'
  readonly retry: Retry
  readonly details: ErrorDetails

  constructor(step: TallymanError['step'], code: string, message: string, options: ErrorOptionsOf = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.step = step
    this.code = code
    this.retry = options.retry ?? 'never'
    this.details = options.details ?? {}
  }
}

/** A remote or local source could not be read, or what it gave is not a whole file. Codes `FETCH_*`. */
export class FetchError extends TallymanError {
  constructor(code: `FETCH_${string}`, message: string, options?: ErrorOptionsOf) {
    super('fetch', code, message, options)
  }
}

/** A file as a whole can't be read as what it was declared to be. Codes `PARSE_*`. */
export class ParseError extends TallymanError {
  constructor(code: `PARSE_${string}`, message: string, options?: ErrorOptionsOf) {
    super('parse', code, message, options)
  }
}

/** The mapped records of a file as a whole break a declared limit or total. Codes `MAP_*`. */
export class MapError extends TallymanError {
  constructor(code: `MAP_${string}`, message: string, options?: ErrorOptionsOf) {
    super('map', code, message, options)
  }
}

/** The target can't take the load, or took it differently than was sent. Codes `LOAD_*`. */
export class LoadError extends TallymanError {
  constructor(code: `LOAD_${string}`, message: string, options?: ErrorOptionsOf) {
    super('load', code, message, options)
  }
}

/** A comparison can't be made or can't be proved. Codes `RECONCILE_*`. */
export class ReconcileError extends TallymanError {
  constructor(code: `RECONCILE_${string}`, message: string, options?: ErrorOptionsOf) {
    super('reconcile', code, message, options)
  }
}

/** A report can't be made or delivered. Codes `REPORT_*`. */
export class ReportError extends TallymanError {
  constructor(code: `REPORT_${string}`, message: string, options?: ErrorOptionsOf) {
    super('report', code, message, options)
  }
}

/** Configuration, arguments or environment are wrong: exit code 2. Codes `CONFIG_*`. */
export class ConfigError extends TallymanError {
  constructor(code: `CONFIG_${string}`, message: string, options?: ErrorOptionsOf) {
    super('config', code, message, options)
  }
}

/** A run can't be taken, kept or finished. Codes `RUN_*`. */
export class RunError extends TallymanError {
  constructor(code: `RUN_${string}`, message: string, options?: ErrorOptionsOf) {
    super('run', code, message, options)
  }
}

/** A promise of Tallyman itself is broken: a law does not balance, a gate contradicts. Codes `BUG_*`. */
export class BugError extends TallymanError {
  constructor(code: `BUG_${string}`, message: string, options?: ErrorOptionsOf) {
    super('bug', code, message, options)
  }
}

/** The one-line text of any error: `What happened. What is next. [CODE]`; foreign errors keep their message. */
export function describeError(error: unknown): string {
  if (error instanceof TallymanError) return `${error.message} [${error.code}]`
  return error instanceof Error ? error.message : String(error)
}
