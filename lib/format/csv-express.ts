/**
 * The express lane for plain delimited text: one-character delimiter, double quotes doubled within
 * (or no quotes), CRLF, LF or CR. Cuts and reads sound records in one walk, 1.2 us for 12 cells. It
 * decides nothing: at the first record that is not beyond doubt it stops, and csv-split.ts with
 * csv-read.ts read that one. Both give the same, which properties prove.
 */
import type { SourceRecord, SourceValue } from '../model/record.ts'
import { TextUnits } from '../model/text-units.ts'
import { type CsvDialect, loneCrBreaks } from './csv-dialect.ts'

/** One row. It keeps a piece of text that it is a part of, because only rejects need its own. */
export class CsvRecord implements SourceRecord {
  readonly kind = 'record'
  readonly storable = true
  readonly line: number
  readonly values: readonly SourceValue[]
  readonly #text: string
  readonly #from: number
  readonly #to: number

  constructor(line: number, values: readonly SourceValue[], text: string, from = 0, to = text.length) {
    this.line = line
    this.values = values
    this.#text = text
    this.#from = from
    this.#to = to
  }

  raw(): string {
    return this.#text.slice(this.#from, this.#to)
  }
}

/** What a plain record is, besides the dialect. */
export interface PlainRules {
  /** Cells of a record, at least two: of one cell, a blank line or an end mark could be a record. */
  readonly width: number
  /** Longest record, in characters. */
  readonly maxLength: number
  /** A record that is exactly this text is left to the others: the header. */
  readonly header: string | null
  /** So are records that start with one of these: trailers and footers. */
  readonly starts: readonly string[]
}

const LF = 10
const CR = 13
const QUOTE = 34
/** Every character that means something has a code up to this, but for the delimiter: one comparison passes most text. */
const LAST_SPECIAL = 44

/** The reader for a dialect, null for one that is not plain. */
export function expressReader(dialect: CsvDialect, rules: PlainRules): ExpressReader | null {
  const { delimiter, quote, recordEnds } = dialect
  const plainQuote = quote === null || (quote === '"' && dialect.escape === '"')
  const plainEnds = recordEnds === null || recordEnds.every(end => ['\r\n', '\n', '\r'].includes(end))
  if (delimiter.length !== 1 || !plainQuote || !plainEnds || rules.width < 2) return null
  return new ExpressReader(dialect, rules)
}

/** Reads plain records; made by expressReader for one file. */
export class ExpressReader {
  readonly #delimiter: number
  /** Whether a quote has a meaning. */
  readonly #quotes: boolean
  readonly #lf: boolean
  readonly #crlf: boolean
  readonly #cr: boolean
  readonly #loneCr: boolean
  readonly #rules: PlainRules
  /** Where the text not yet read begins, and on which line. */
  at = 0
  line = 1
  /** Why reading stopped: the text is over, possibly within a record, or a record is not plain. */
  stopped: 'text' | 'record' | 'enough' = 'enough'
  #cell: SourceValue = null
  /** The text last read from, and its characters' codes. */
  #text = ''
  readonly #codes = new TextUnits()
  #units: Uint16Array = new Uint16Array(1)
  /** The last LF of the text: every walk ends there at the latest, so that none has to look out for the text's end. */
  #stop = 0
  /** Of the record being read: line breaks so far, and where it ends without its record end. */
  #breaks = 0
  #end = 0

  constructor(dialect: CsvDialect, rules: PlainRules) {
    const ends = dialect.recordEnds ?? ['\r\n', '\n', '\r']
    this.#delimiter = dialect.delimiter.charCodeAt(0)
    this.#quotes = dialect.quote !== null
    this.#lf = ends.includes('\n')
    this.#crlf = ends.includes('\r\n')
    this.#cr = ends.includes('\r')
    this.#loneCr = loneCrBreaks(dialect)
    this.#rules = rules
  }

  /** Reads records from `at` on into `into`, at most `most`; afterwards `at`, `line` and `stopped` tell how far. */
  read(text: string, at: number, line: number, most: number, into: SourceRecord[]): void {
    const { header, maxLength, starts } = this.#rules
    this.at = at
    this.line = line
    if (text !== this.#text) {
      this.#text = text
      this.#units = this.#codes.of(text)
      this.#stop = text.lastIndexOf('\n')
    }
    const units = this.#units
    for (let taken = 0; taken < most; taken += 1) {
      const start = this.at
      this.stopped = start > this.#stop ? 'text' : 'record'
      if (start > this.#stop) return
      for (const prefix of starts)
        if (text.startsWith(prefix, start) || text.length - start < prefix.length) return
      const values = this.#record(text, units, start)
      if (values === null) return
      const end = this.#end
      const length = end - start
      if (length > maxLength) return
      if (header !== null && length === header.length && text.startsWith(header, start)) return
      into.push(new CsvRecord(this.line, values, text, start, end))
      this.at = end + (units[end] === CR && units[end + 1] === LF ? 2 : 1)
      this.line += this.#breaks
    }
    this.stopped = 'enough'
  }

  /** The values of the record at `start`; null for one that is not plain or not whole. */
  #record(text: string, units: Uint16Array, start: number): SourceValue[] | null {
    const delimiter = this.#delimiter
    const { width } = this.#rules
    const values: SourceValue[] = new Array(width)
    this.#breaks = 1
    let from = start
    for (let cell = 0; cell < width; cell += 1) {
      let at = from
      let code = units[at]!
      if (code === QUOTE && this.#quotes) {
        at = this.#quoted(text, units, at + 1)
        if (at < 0) return null
        code = units[at]!
        values[cell] = this.#cell
      } else {
        while (code !== delimiter && (code > LAST_SPECIAL || this.#isContent(code))) code = units[++at]!
        values[cell] = at === from ? null : text.slice(from, at)
      }
      if (code === delimiter) {
        from = at + 1
        continue
      }
      return cell === width - 1 && this.#isEnd(units, at, code) ? values : null
    }
    return null
  }

  /** Characters up to LAST_SPECIAL that are nothing but themselves. */
  #isContent(code: number): boolean {
    return code !== LF && code !== CR && code !== 0 && (code !== QUOTE || !this.#quotes)
  }

  /** Whether the record ends at `at`. */
  #isEnd(units: Uint16Array, at: number, code: number): boolean {
    this.#end = at
    if (code === LF) return this.#lf
    if (code !== CR) return false
    return units[at + 1] === LF ? this.#crlf : this.#cr
  }

  /** Reads a quoted cell whose content starts at `from`; gives the index behind its closing quote, -1 for none. */
  #quoted(text: string, units: Uint16Array, from: number): number {
    let doubled = false
    for (let at = from; ; at += 1) {
      const code = units[at]!
      if (code > QUOTE) continue
      if (code === QUOTE) {
        if (units[at + 1] === QUOTE) {
          doubled = true
          at += 1
          continue
        }
        const content = text.slice(from, at)
        this.#cell = at === from ? null : doubled ? content.replaceAll('""', '"') : content
        return at + 1
      }
      if (code === LF) {
        if (at === this.#stop) {
          this.stopped = 'text'
          return -1
        }
        this.#breaks += 1
      } else if (code === CR) {
        if (this.#loneCr && units[at + 1] !== LF) this.#breaks += 1
      } else if (code === 0) return -1
    }
  }
}
