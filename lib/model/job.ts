/**
 * What a job is: plain data made by the builders `sftp`, `folder`, `csv`, `xml`, `postgres`, `api`,
 * `snapshots`, `mail`. Nothing here does anything; `check` reads it, lib/run runs it.
 */
import type { BreakLimits, CompareRule, ControlTotal, GateRules, PendingRule } from './comparison-rules.ts'
import type { Mapping } from './mapping.ts'
import type { ResolveRule } from './resolution.ts'
import type { LoadMode } from './run.ts'
import type { TableDefinition } from './table.ts'

/** When a remote file is whole. */
export type Completeness =
  /** Size and mtime unchanged between two listings that lie `forMs` apart. */
  | { readonly kind: 'settled'; readonly forMs: number }
  /** A marker file exists; `{name}` stands for the file's name. Markers are never loaded. */
  | { readonly kind: 'marker'; readonly file: string }
  /** A sidecar holds its checksum in hex (sha256 or md5 by length); `{name}` stands for the file's name. */
  | { readonly kind: 'checksum'; readonly file: string }

/** Where a file's business date is read. */
export type DateFrom =
  /** From the date token in `files`. */
  | 'name'
  /** Whatever lies there belongs to the date of the run. */
  | 'calendar'
  /** First match of `pattern` (one group) in the first 64 KiB of decoded text, read by `format`. */
  | { readonly content: string; readonly format: string }

/** What happens to the remote file after the load (T3). */
export type AfterLoad = 'leave' | 'delete' | { readonly move: string }

/** How bytes are decoded between download and parse, in this order. */
export type Decoding = 'gunzip' | 'unzip'

/** What all sources have in common. */
export interface SourceRules {
  /** Name of the stream of files, unique over all jobs. */
  readonly feed: string
  readonly folder: string
  /** Glob over names (`*`, `?`, `[ab]`), with luxon date tokens in braces: `SHIP_{yyyyMMdd}_*.csv`. */
  readonly files: string
  readonly dateFrom: DateFrom
  readonly perDate: 'one' | 'many'
  readonly completeWhen: Completeness
  readonly decode: readonly Decoding[]
  readonly after: AfterLoad
  /** The same content under another date is refused rather than loaded and said. */
  readonly refuseSameContent: boolean
  readonly limits: {
    readonly maxBytes: number
    readonly maxFiles: number
    readonly stallMs: number
    readonly maxRatio: number
  }
}

/** A source over SFTP; `endpoint` is a name of the environment. */
export interface SftpSource extends SourceRules {
  readonly kind: 'sftp'
  readonly endpoint: string
}

/** A local (or mounted) folder; relative paths are taken from the environment's data folder. */
export interface FolderSource extends SourceRules {
  readonly kind: 'folder'
}

/** fetch */
export type FetchSpec = SftpSource | FolderSource

/** A last line that states what came before it. Cells count from 1 in the file's own dialect. */
export interface TrailerSpec {
  /** The line starts with this text. */
  readonly starts: string
  /** Cell that holds the number of records. */
  readonly count?: number
  /** Cells that hold sums: cell -> source column; plain decimals, or as `decimal` says. */
  readonly sums?: Readonly<Record<number, string>>
  readonly decimal?: 'point' | 'comma'
}

/** parse, for delimited text. */
export interface CsvSpec {
  readonly format: 'csv'
  /** One or more characters. */
  readonly delimiter: string
  /** Null: the file has no quoting. */
  readonly quote: string | null
  readonly escape: string
  /** Null: CRLF, LF and CR, also mixed. */
  readonly recordEnds: readonly string[] | null
  readonly charset: string
  /** `first`: names stand in the first record after the preamble. A list: the file has none, these are its columns. */
  readonly header: 'first' | readonly string[]
  /** Columns that must be there, null: those the mapping needs. Order is free, extra ones warn. */
  readonly columns: readonly string[] | null
  /** Lines before the header: a number, or all lines before the one that starts with this text. */
  readonly preamble: number | { readonly until: string }
  /** Lines that start with one of these end the data; they and what follows are no records. */
  readonly footer: readonly string[]
  readonly trailer: TrailerSpec | null
  /** A header without records is a valid, empty file (B12). */
  readonly allowEmpty: boolean
  readonly maxRecordBytes: number
}

/** A kind of XML record. Columns are paths relative to the record: `Amt`, `Amt/@Ccy`, `@time`, `../Id`, `Rmt/Ustrd[]` (list), `.` (own text). */
export interface XmlRecordSpec {
  /** From the root, by local names or `prefix:name`: `Envelope/Cube/Cube/Cube`. */
  readonly path: string
  readonly columns: readonly string[]
}

/** parse, for XML. */
export interface XmlSpec {
  readonly format: 'xml'
  readonly records: Readonly<Record<string, XmlRecordSpec>>
  /** Prefix -> URI for prefixed steps in paths; unprefixed steps match any namespace. */
  readonly namespaces: Readonly<Record<string, string>>
  /** Named control values by path from the root. */
  readonly controls: Readonly<Record<string, string>>
  /** The control that must equal the number of records read. */
  readonly countControl: string | null
  /** Absent: what the byte order mark or the XML declaration says. Given: those must agree with it. */
  readonly charset?: string
  readonly allowEmpty: boolean
  readonly maxRecordBytes: number
  readonly maxDepth: number
}

/** parse */
export type ParseSpec = CsvSpec | XmlSpec

export type { CompareRule } from './comparison-rules.ts'

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


/** Which rows of a side take part. */
export type Scope = 'all' | { readonly businessDate: string } | 'keysOfOther'

/** One side of a reconciliation. */
export type Side =
  /** The mapped records of the run. */
  | { readonly kind: 'mapped' }
  /** The target table as it is after the load. */
  | { readonly kind: 'target'; readonly scope: Scope }
  /** Another feed with its own parsing and mapping, into the same row type. */
  | {
      readonly kind: 'files'
      readonly fetch: FetchSpec
      readonly parse: ParseSpec
      readonly map: Mapping
      readonly scope: Scope
    }
  /** A query that gives the table's columns by their database names. */
  | { readonly kind: 'query'; readonly sql: string; readonly scope: Scope }

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

/** An integration, as written in jobs/. Tables ties what the mapping makes to what the load takes. */
export interface JobDefinition {
  readonly name: string
  readonly purpose: string
  readonly owner: string
  /** What happens when it is late, for the person paged at night. */
  readonly ifLate: string
  readonly tags: readonly string[]
  readonly fetch: FetchSpec
  readonly parse: ParseSpec
  readonly map: Mapping
  readonly load: LoadSpec
  readonly reconcile: ReconcileSpec
  readonly report: ReportSpec
}

/** A job with its place in the timetable: what the engine runs. */
export interface ScheduledJob {
  readonly job: JobDefinition
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
  readonly jobs: readonly ScheduledJob[]
}
