/**
 * What a job is: plain data made by the builders `sftp`, `folder`, `csv`, `xml`, `postgres`, `api`,
 * `snapshots`, `mail`. Nothing here does anything; `check` reads it, lib/run runs it.
 */
import type { BreakLimits, CompareRule, ControlTotal, GateRules, PendingRule } from './comparison-rules.ts'
import type { FetchSpec, ParseSpec } from './feed.ts'
import type { Mapping } from './mapping.ts'
import type { ResolveRule } from './resolution.ts'
import type { LoadMode } from './run.ts'
import type { Side } from './side.ts'
import type { TableDefinition } from './table.ts'

export type { CompareRule } from './comparison-rules.ts'
export type {
  AfterLoad,
  Completeness,
  CsvSpec,
  DateFrom,
  Decoding,
  FetchSpec,
  FolderSource,
  ParseSpec,
  SftpSource,
  SourceRules,
  TrailerSpec,
  XmlRecordSpec,
  XmlSpec,
} from './feed.ts'
export type { HttpPages, HttpSide, Scope, Side, StoredSide } from './side.ts'

/** When rejects are too many and nothing is published. */
export interface RejectLimit {
  readonly maxCount: number
  readonly maxPercent: number
  /** Percent applies from this many records on. */
  readonly minRecords: number
}

/** The tables of a load, by the mapping's table names (`rows` where a mapping has one table). */
export type LoadTables = Readonly<Record<string, TableDefinition>>

/** load, into Postgres. `Tables` keeps the row types, so that defineJob can tie them to the mapping's. */
export interface PostgresLoad<Tables extends LoadTables = LoadTables> {
  readonly kind: 'postgres'
  readonly mode: LoadMode
  readonly tables: Tables
  /** For replace: the field of each table that holds the business date. */
  readonly scope: string | null
  readonly rejects: RejectLimit
  /** A mirror or replace may not delete more than this share of the rows in scope. */
  readonly maxDeletePercent: number
  /** Name of one of the environment's `targets`; absent: the run ledger's own Postgres. */
  readonly database?: string
}

/** load, into a bulk API: JSON array in, per-row results out. */
export interface ApiLoad<Tables extends LoadTables = LoadTables> {
  readonly kind: 'api'
  readonly endpoint: string
  readonly path: string
  readonly tables: Tables
  readonly maxItems: number
  readonly maxBytes: number
  readonly rejects: RejectLimit
}

/** load */
export type LoadSpec<Tables extends LoadTables = LoadTables> = PostgresLoad<Tables> | ApiLoad<Tables>

/** One comparison of a job: left = source, right = target. */
export interface Reconciliation {
  /** Unique within the job; with the job's name it is the reconciliation's name for ever. */
  readonly name: string
  /** Name of the mapping's table that is compared: gives columns, key and totals. */
  readonly table: string
  readonly source: Side
  readonly target: Side
  readonly rules: Readonly<Record<string, CompareRule>>
  readonly ignore: readonly string[]
  /** Figures that both sides must have in common, by name. */
  readonly totals?: Readonly<Record<string, ControlTotal>>
  /** Absent: what only the source has is missing. */
  readonly pending?: PendingRule
  readonly gates?: GateRules
  readonly limits?: BreakLimits
  /** Absent: one person may acknowledge any break. */
  readonly acknowledge?: AcknowledgeRule
  /** Absent: nothing is ever proposed for its breaks. */
  readonly resolve?: ResolveRule
  /** The table itself: a job without a mapping has it from here. */
  readonly definition?: TableDefinition
}

/** Who may acknowledge a break. */
export interface AcknowledgeRule {
  /** Above this amount, decimal text whatever the currency, another person has to confirm; so where no amount can be told. */
  readonly fourEyesAbove: string
}

/** reconcile */
export interface ReconcileSpec {
  readonly comparisons: readonly Reconciliation[]
}

/** report */
export interface ReportSpec {
  /** Name of a recipients list of the environment. */
  readonly to: string
}

/** What every job has: who it is, what it compares and who is told. */
export interface JobWords {
  readonly name: string
  readonly purpose: string
  readonly owner: string
  /** What happens when it is late, for the person paged at night. */
  readonly ifLate: string
  readonly tags: readonly string[]
  readonly reconcile: ReconcileSpec
  readonly report: ReportSpec
}

/** An integration, as written in jobs/: it moves records. Tables ties what the mapping makes to what the load takes. */
export interface JobDefinition extends JobWords {
  readonly fetch: FetchSpec
  readonly parse: ParseSpec
  readonly map: Mapping
  readonly load: LoadSpec
}

/** A job that only compares: it moves nothing, so it has no fetch, parse and load of its own. Made by defineComparisonJob. */
export interface ComparingJob extends JobWords {
  /** In the place of a mapping: the tables that its comparisons are about. */
  readonly map: Pick<Mapping, 'name' | 'version' | 'tables' | 'lineage' | 'unit'>
  /** Null: it does not stand in for anything. */
  readonly shadow: ShadowSpec | null
}

/** Running beside a system that is to be replaced: how many proofs in a row it takes until that may be done. */
export interface ShadowSpec {
  /** Nights in a row that have to be CLEAN. */
  readonly nights: number
  /** The system that is to be replaced, for the mail: `the old portal import`. */
  readonly of: string
}

/** Any job of a timetable. */
export type AnyJob = JobDefinition | ComparingJob

/** A job with its place in the timetable: what the engine runs. */
export interface ScheduledJob<Job extends AnyJob = JobDefinition> {
  readonly job: Job
  /** Five-field cron expression; null for jobs that only run by hand. */
  readonly cron: string | null
  /** IANA zone of cron and business date. */
  readonly zone: string
  readonly calendar: Calendar
  /** The business date that an occurrence is about. */
  readonly businessDate: 'same-day' | 'previous-day' | 'previous-business-day'
  readonly catchUp: 'all' | 'latest' | 'none'
  /** Local time until which a missing file means waiting, `HH:mm` on the day of the occurrence. */
  readonly fileUntil: string | null
}

/** Days without deliveries. */
export interface Calendar {
  readonly name: string
  /** ISO weekdays that are no business days, 1 = Monday. */
  readonly weekend: readonly number[]
  /** `yyyy-MM-dd`. */
  readonly holidays: readonly string[]
}

/** The timetable: what jobs.config.ts exports. */
export interface Timetable {
  readonly jobs: readonly ScheduledJob<AnyJob>[]
}

/** Whether a job moves records, rather than only comparing. */
export function movesRecords(job: AnyJob): job is JobDefinition {
  return 'load' in job
}

/** Whether a job of the timetable moves records. */
export function isMoving(scheduled: ScheduledJob<AnyJob>): scheduled is ScheduledJob {
  return movesRecords(scheduled.job)
}
