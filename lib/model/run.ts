/**
 * The run and its results, in the words of the run ledger and of `run --json`.
 */
import type { FailedUnit, FilterCount, RecordCounts } from './mapping.ts'
import type { Step } from './steps.ts'

/** A run is a job and a business date: unique, it survives crashes. */
export interface RunKey {
  readonly job: string
  /** `yyyy-MM-dd`. */
  readonly businessDate: string
}

/** Why an attempt was made. */
export const TRIGGERS = ['schedule', 'manual', 'rerun', 'backfill', 'recovery', 'replay', 'repair'] as const
export type Trigger = (typeof TRIGGERS)[number]

/** Where a run stands. `waiting`: no file yet and its window is open. `applied`: loaded, not yet reconciled and reported. */
export const RUN_STATES = [
  'owed',
  'waiting',
  'running',
  'applied',
  'succeeded',
  'failed',
  'suspended',
] as const
export type RunState = (typeof RUN_STATES)[number]

/** Where an attempt ended. `interrupted`: its process died or was stopped. */
export const ATTEMPT_STATES = [
  'running',
  'succeeded',
  'failed',
  'interrupted',
  'nothing-to-do',
  'waiting',
] as const
export type AttemptState = (typeof ATTEMPT_STATES)[number]

/** Where a step of an attempt stands. */
export const STEP_STATES = ['running', 'done', 'failed', 'skipped'] as const
export type StepState = (typeof STEP_STATES)[number]

/** What a load did to one table; the law is mapped rows = inserted + updated + unchanged + collapsed + outdated. */
export interface TableCounts {
  /** `schema.table`, or `endpoint/path` of an API. */
  readonly table: string
  readonly mapped: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly collapsed: number
  readonly outdated: number
  /** Apart from the law. */
  readonly deleted: number
}

/** A control total as mapped and as found in the target's staging, exact text. */
export interface TotalResult {
  readonly table: string
  readonly total: string
  /** Currency or other group; empty where not grouped. */
  readonly group: string
  readonly amount: string
}

/** What a load did, as kept in the `load` row and told in the mail. */
export interface LoadResult {
  readonly counts: RecordCounts
  readonly filters: readonly FilterCount[]
  readonly tables: readonly TableCounts[]
  readonly totals: readonly TotalResult[]
  readonly failedUnits: number
  /** What the mail tells besides the counts; kept, so that an attempt that goes on after a crash tells the same. */
  readonly told?: LoadTold
}

/** What is worth telling of a load. */
export interface LoadTold {
  /** The first ones; `LoadResult.failedUnits` counts all. */
  readonly failedUnits: readonly FailedUnit[]
  /** What the files said about themselves, such as an unknown extra column. */
  readonly warnings: readonly string[]
  /** Rows that are not in the files and were kept, because an unreadable record may be one of them. */
  readonly withheldDeletes: number
}

/** Failed units that are kept with a load: a mail shows fewer, and the rejects have all of them. */
export const FAILED_UNITS_TOLD = 1_000

/** A file as a run's summary tells it. */
export interface FileResult {
  readonly id: string
  readonly name: string
  readonly contentSha256: string
  readonly bytes: number
  readonly verdict: Verdict
  /** `same content as SHIP_20261119.csv of 2026-11-19`, empty when there is nothing to say. */
  readonly note: string
  /** Absolute path of its decoded content in the archive; only a report's files have it. */
  readonly archived?: string
}

/** What a file is to its feed and date, judged at the freeze against what is currently applied. */
export const VERDICTS = ['new', 'duplicate', 'correction', 'additional'] as const
export type Verdict = (typeof VERDICTS)[number]

/** States of a file (delivery.md, Identity). */
export const FILE_STATES = [
  'expected',
  'held',
  'received',
  'quarantined',
  'applied',
  'superseded',
  'missing',
  'late',
  'waived',
] as const
export type FileState = (typeof FILE_STATES)[number]

/** How a load treats what is already in the table. */
export const LOAD_MODES = ['append', 'upsert', 'mirror', 'replace'] as const
export type LoadMode = (typeof LOAD_MODES)[number]

/** A step's time, for the summary. */
export interface StepResult {
  readonly step: Step
  readonly state: StepState
  readonly ms: number
}
