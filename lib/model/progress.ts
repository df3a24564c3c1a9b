/**
 * What a running step tells whoever watches: a terminal shows it, tests read it, a log sums it up.
 */

import type { Step } from './steps.ts'
import type { Clock } from './time/clock.ts'

/** Facts of a log line or progress event. Never a secret and never the value of a data field. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>

/** One observation. `done` and `total` are bytes or rows, as `unit` says. */
export interface Progress {
  readonly step: Step
  /** What is being worked on: a file's or table's name. */
  readonly subject: string
  readonly unit: 'bytes' | 'rows'
  readonly done: number
  /** Null when it can't be known. */
  readonly total: number | null
}

/** Structured log. Event names are `step.what-happened`. */
export interface Log {
  info(event: string, facts?: Facts): void
  warn(event: string, facts?: Facts): void
  error(event: string, facts?: Facts): void
  /** A log that adds these facts to each line. */
  with(facts: Facts): Log
}

/** What every step gets besides its own input. */
export interface StepContext {
  readonly clock: Clock
  readonly log: Log
  /** Aborted on SIGTERM, on the lease's loss or at the run's deadline; its reason is thrown. */
  readonly signal: AbortSignal
  readonly progress: (event: Progress) => void
}

/** A log that keeps nothing. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => silentLog }
