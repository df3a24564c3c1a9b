/**
 * What parse gives and map takes: records in blocks. Blocks (not single records) travel through
 * the pipeline so that no promise is made per row.
 */
import type { Reject } from './issue.ts'

/** A source value: the text as received, null when absent or empty by the dialect, a list for a repeated XML path. */
export type SourceValue = string | null | readonly string[]

/** One source row or XML element. */
export interface SourceRecord {
  /** Which of the declared record kinds this is; the only kind of a plain file is `record`. */
  readonly kind: string
  /** Line on which the record starts in the decoded file, from 1. */
  readonly line: number
  /** Values by position of `RecordShape.columns` of its kind. */
  readonly values: readonly SourceValue[]
  /** No value holds a NUL or half of a character: parse has seen to it, and nobody behind it has to look. */
  readonly storable?: true
  /** The record's text as received; computed on demand because only rejects need it. */
  raw(): string
}

/** The columns of each record kind, known once the header was read. */
export type RecordShapes = ReadonlyMap<string, readonly string[]>

/** Some consecutive records of one file. */
export interface RecordBlock {
  /** Position of the file in the frozen revision, from 0. */
  readonly file: number
  readonly records: readonly SourceRecord[]
  /** Records that could not even be read as such (ragged, NUL, too long): already with line and raw text. */
  readonly rejects: readonly Reject[]
}

/** What is known of a file once all its records were read. */
export interface ParsedFile {
  readonly file: number
  /** Records read, rejects included. */
  readonly read: number
  readonly rejected: number
  readonly charset: string
  /** Control totals the file states about itself (header, trailer, elements), by name, as exact text. */
  readonly controls: Readonly<Record<string, string>>
  /** Things worth a line in the mail: unknown extra columns, a missing final newline. */
  readonly warnings: readonly string[]
}

/**
 * A file being parsed: iterate `blocks` to the end, then `summary()` is there.
 * On failure: iterating throws ParseError; nothing after it can be trusted.
 */
export interface ParsedStream {
  readonly shapes: () => RecordShapes
  readonly blocks: AsyncIterable<RecordBlock>
  readonly summary: () => ParsedFile
}
