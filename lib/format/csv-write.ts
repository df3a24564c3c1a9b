/**
 * Writes delimited text through csv-stringify: the only importer of that package. Used for rejects,
 * attachments, breaks and outbound files. Null is written as an empty cell, empty text as a quoted
 * one. What is written here is read back equal by csv-split.ts and csv-read.ts.
 */
import { stringify } from 'csv-stringify/sync'
import type { CsvDialect } from './csv-dialect.ts'

/** How cells are written. */
export interface CsvWriteOptions extends Pick<CsvDialect, 'delimiter' | 'escape'> {
  /** Null writes no quotes; cells that would need them are refused. */
  readonly quote: string | null
  readonly recordEnd: string
  /**
   * Positions of text cells that a spreadsheet might take for a formula (they begin with = + - @ TAB CR): a `'` is put
   * before them. Never name a decimal column here: `-12.50` would no longer be a number. Empty for files read by programs.
   */
  readonly neutralise: readonly number[]
}

/** RFC 4180 with CRLF and comma, nothing neutralised. */
export const RFC_4180: CsvWriteOptions = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  recordEnd: '\r\n',
  neutralise: [],
}

const FORMULA = /^[=+\-@\t\r\uff0b\uff0d\uff1d\uff20]/

/** Ctrl-Z, with which DOS programs end a file. */
const END_OF_FILE_MARK = '\u001a'

/** The text so that no spreadsheet takes it for a formula: a `'` is put before one that begins like it. */
export function neutralised(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}

/**
 * The text of some records, each with its record end.
 * @throws RangeError for a cell that can't be written without quotes in a dialect that has none.
 */
export function writeCsv(
  rows: readonly (readonly (string | null)[])[],
  options: CsvWriteOptions = RFC_4180,
): string {
  const { delimiter, quote, recordEnd } = options
  if (quote === null) for (const row of rows) refuseUnwritable(row, delimiter, recordEnd)
  const texts = new Set(options.neutralise)
  const written = rows.map(row =>
    row.map((cell, index) => (cell !== null && texts.has(index) ? neutralised(cell) : cell)),
  )
  return stringify(written, {
    delimiter,
    quote: quote ?? false,
    escape: options.escape,
    record_delimiter: recordEnd,
    // Quoted besides what must be: empty text, so that it differs from null; a line break of another kind than the
    // record's own, where readers that take any line end (spreadsheets) would cut; and what a reader would take at the
    // start of a file for a byte order mark, or at its end for the DOS end-of-file mark.
    quoted_match: quote === null ? null : [/^$|^\ufeff|[\r\n]/, END_OF_FILE_MARK],
  })
}

function refuseUnwritable(row: readonly (string | null)[], delimiter: string, recordEnd: string): void {
  for (const cell of row) {
    // The start of a longer delimiter at a cell's end would merge with the one that follows.
    const merges = (end: string) => cell !== null && (cell + end).indexOf(end) < cell.length
    if (cell !== null && (merges(delimiter) || merges(recordEnd) || /[\r\n]/.test(cell))) {
      throw new RangeError(
        `a cell holds the delimiter or a line end, and the dialect has no quotes: ${JSON.stringify(cell.slice(0, 80))}`,
      )
    }
  }
}
