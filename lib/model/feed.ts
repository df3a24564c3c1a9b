/**
 * Where a job's files come from and how they are read: the words of fetch and parse. Plain data, made by
 * the builders `sftp`, `folder`, `csv`, `xml`; a job names them in job.ts, a side of a comparison in side.ts.
 */

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
  /** The kinds that it counts: an entry, but not the addresses within it. Absent: all. */
  readonly countedKinds?: readonly string[]
  /** Absent: what the byte order mark or the XML declaration says. Given: those must agree with it. */
  readonly charset?: string
  readonly allowEmpty: boolean
  readonly maxRecordBytes: number
  readonly maxDepth: number
}

/** parse */
export type ParseSpec = CsvSpec | XmlSpec
