/**
 * Cuts decoded text into whole records, each with its line and its text exactly as it stands in the
 * file, whatever chunks the text comes in. It never guesses where a record ends: where bad quoting
 * leaves that open, the file is refused. Cells' values are read in csv-read.ts.
 */
import { ParseError } from '../model/errors.ts'
import { RAW_LIMIT } from '../model/issue.ts'
import type { SourceRecord } from '../model/record.ts'
import {
  type CsvDialect,
  countLineBreaks,
  EndFinder,
  type EndFound,
  loneCrBreaks,
  lookahead,
  NextIndex,
} from './csv-dialect.ts'
import type { ExpressReader } from './csv-express.ts'
import { type QuoteProblem, RecordScanner } from './csv-scan.ts'

/** A record as cut out of the text. */
export interface SplitRecord {
  /** Line on which it starts, from 1. */
  readonly line: number
  /** Without its record end. */
  readonly text: string
  readonly cells: number
  /** Why it may not be read; `at` is the index in `text`. */
  readonly problem: { readonly kind: QuoteProblem['kind'] | 'too-long'; readonly at: number } | null
  /** False for a last record without a record end (B22). */
  readonly ended: boolean
}

/**
 * How much text is looked at to settle a quote that closed too early, in characters. Cells with
 * line breaks in the known real files have at most 4 KiB; more text would only cost time on every bad row.
 */
const DISPUTE_WINDOW = 65_536

/** Longest rest that is decoded a second time rather than copied in front of the next text, in characters. */
const UNREAD_LIMIT = 16_384

/** Cuts records of one dialect. Push text, take records until null, push more; finish, take the rest. */
export class RecordSplitter {
  readonly #dialect: CsvDialect
  readonly #maxLength: number
  readonly #subject: string
  readonly #ends: EndFinder
  readonly #scanner: RecordScanner | null
  readonly #nextQuote: NextIndex | null
  readonly #nextDelimiter: NextIndex
  readonly #lookahead: number
  readonly #loneCr: boolean
  #text = ''
  #at = 0
  #final = false
  /** Scanning again is useless until the text is this long: keeps a long record linear. */
  #wanted = 0
  #line = 1
  /** Start of an overlong record whose end is still to come. */
  #overlong: { line: number; text: string } | null = null

  /** `maxLength` bounds a record in characters; `subject` is the file's name for errors. */
  constructor(dialect: CsvDialect, maxLength: number, subject: string) {
    this.#dialect = dialect
    this.#maxLength = maxLength
    this.#subject = subject
    this.#ends = new EndFinder(dialect)
    this.#scanner =
      dialect.quote === null ? null : new RecordScanner({ ...dialect, quote: dialect.quote }, this.#ends)
    this.#nextQuote = dialect.quote === null ? null : new NextIndex(dialect.quote)
    this.#nextDelimiter = new NextIndex(dialect.delimiter)
    this.#lookahead = lookahead(dialect)
    this.#loneCr = loneCrBreaks(dialect)
  }

  /** Adds text. */
  push(text: string): void {
    if (text !== '') this.#use(this.#text.slice(this.#at) + text, false)
  }

  /** Says that nothing more will come. */
  finish(): void {
    this.#use(this.#text.slice(this.#at), true)
  }

  /** Line of the next record, from 1. */
  get line(): number {
    return this.#line
  }

  /** Line on which the text pushed so far ends. */
  get lastLine(): number {
    return this.#line + countLineBreaks(this.#text.slice(this.#at), this.#loneCr)
  }

  /** Gives back the text after the last record, when it is short: it must be pushed again before the next. */
  unread(): string {
    if (this.#text.length - this.#at > UNREAD_LIMIT || this.#overlong !== null) return ''
    const rest = this.#text.slice(this.#at)
    this.#use('', false)
    return rest
  }

  /** Lets the express lane read the records in front into `into`, at most `most`; false when the next is for `next`. */
  express(reader: ExpressReader, most: number, into: SourceRecord[]): boolean {
    if (this.#overlong !== null || this.#text.length - this.#at < this.#wanted) return true
    reader.read(this.#text, this.#at, this.#line, most, into)
    if (reader.at > this.#at) this.#wanted = 0
    this.#at = reader.at
    this.#line = reader.line
    return reader.stopped !== 'record'
  }

  /** Whether the next record starts with `prefix`; null when more text is needed to tell. */
  startsWith(prefix: string): boolean | null {
    if (this.#text.length - this.#at >= prefix.length || this.#final)
      return this.#text.startsWith(prefix, this.#at)
    return prefix.startsWith(this.#text.slice(this.#at)) ? null : false
  }

  /** The next line without regard to quotes, for preambles and footers; null when there is none yet. */
  nextLine(): SplitRecord | null {
    if (this.#at >= this.#text.length) return null
    const end = this.#endOrFinal()
    if (end !== null) return this.#take(end, 1, null)
    if (this.#text.length - this.#at > this.#maxLength + this.#lookahead) throw this.#tooLong()
    return null
  }

  /**
   * The next record; null when there is none yet. `expectedCells` helps to settle a quote that closed
   * too early, -1 when it is not known.
   * @throws PARSE_QUOTE_UNCLOSED for a quote open at the file's end or beyond the bound, naming its line.
   * @throws PARSE_QUOTE_DISPUTED when bad quoting leaves open where a record ends.
   * @throws PARSE_RECORD_TOO_LONG for an overlong record with quotes, whose end can't be trusted.
   */
  next(expectedCells: number): SplitRecord | null {
    if (this.#at >= this.#text.length) return null
    if (this.#overlong !== null) return this.#restOfOverlong(this.#overlong)
    if (this.#text.length - this.#at < this.#wanted && !this.#final) return null
    const end = this.#endOrFinal()
    if (this.#scanner === null || !this.#hasQuote(end)) {
      return end === null ? this.#wait(-1) : this.#take(end, this.#countCells(end.at), null)
    }
    const scan = this.#scanner.scan(this.#at, 'strict')
    if (scan.state === 'more') return this.#wait(scan.openedAt)
    const reached = scan.state === 'whole' ? scan.end.at : scan.at
    if (reached - this.#at > this.#maxLength) throw this.#refuseLong()
    if (scan.state === 'whole') return this.#take(scan.end, scan.cells, scan.problem)
    return this.#settle(this.#scanner, scan.at, expectedCells)
  }

  #endOrFinal(): EndFound | null {
    return this.#ends.find(this.#at) ?? (this.#final ? { at: this.#text.length, length: 0 } : null)
  }

  #use(text: string, final: boolean): void {
    this.#text = text
    this.#at = 0
    this.#final = final
    this.#ends.use(text, final)
    this.#scanner?.use(text, final)
    this.#nextQuote?.use(text)
    this.#nextDelimiter.use(text)
  }

  #hasQuote(end: EndFound | null): boolean {
    const at = this.#nextQuote?.after(this.#at) ?? Number.POSITIVE_INFINITY
    return at < (end?.at ?? this.#text.length)
  }

  #countCells(to: number): number {
    const { length } = this.#dialect.delimiter
    let cells = 1
    let at = this.#nextDelimiter.after(this.#at)
    while (at < to) {
      cells += 1
      at = this.#nextDelimiter.after(at + length)
    }
    return cells
  }

  #take(end: EndFound, cells: number, problem: QuoteProblem | null): SplitRecord {
    const text = this.#text.slice(this.#at, end.at)
    const relative = problem === null ? null : { kind: problem.kind, at: problem.at - this.#at }
    const record: SplitRecord = {
      line: this.#line,
      text,
      cells,
      problem: text.length > this.#maxLength ? { kind: 'too-long', at: this.#maxLength } : relative,
      ended: end.length > 0,
    }
    this.#line += countLineBreaks(this.#text.slice(this.#at, end.at + end.length), this.#loneCr)
    this.#at = end.at + end.length
    this.#wanted = 0
    return record
  }

  /** Waits for more text, or refuses to when the record is already too long or the file is over. */
  #wait(openedAt: number): null {
    const length = this.#text.length - this.#at
    if (openedAt >= 0 && this.#final)
      throw length > this.#maxLength ? this.#refuseLong() : this.#unclosed(openedAt)
    if (length <= this.#maxLength + this.#lookahead) {
      this.#wanted = Math.min(length * 2, this.#maxLength + this.#lookahead + 1)
      return null
    }
    if (this.#hasQuote(null)) throw this.#refuseLong()
    this.#overlong = { line: this.#line, text: this.#text.slice(this.#at, this.#at + RAW_LIMIT + 1) }
    this.#dropAllBut(this.#lookahead)
    return null
  }

  /** Skips an overlong record up to its end, keeping only its start. */
  #restOfOverlong({ line, text }: { line: number; text: string }): SplitRecord | null {
    const end = this.#endOrFinal()
    if (this.#hasQuote(end)) throw this.#tooLong()
    if (end === null) {
      this.#dropAllBut(this.#lookahead)
      return null
    }
    this.#overlong = null
    return { ...this.#take(end, 1, null), line, text, problem: { kind: 'too-long', at: this.#maxLength } }
  }

  #dropAllBut(kept: number): void {
    const to = Math.max(this.#at, this.#text.length - kept)
    this.#line += countLineBreaks(this.#text.slice(this.#at, to), this.#loneCr)
    this.#at = to
  }

  /**
   * Settles `"a"b`. The record's end is beyond doubt when it is the same whether the quote is taken as a
   * character or as the end of the cell, or when only one of the two gives the expected number of cells.
   */
  #settle(scanner: RecordScanner, quoteAt: number, expectedCells: number): SplitRecord | null {
    const window = Math.min(DISPUTE_WINDOW, this.#maxLength)
    const enough = this.#final || this.#text.length - this.#at > window + this.#lookahead
    const [closed, content] = (['closed', 'content'] as const).map(reading => {
      const scan = scanner.scan(this.#at, reading)
      return scan.state === 'whole' && scan.end.at - this.#at <= window ? scan : null
    })
    if ((closed == null || content == null) && !enough) return null
    const problem: QuoteProblem = { kind: 'closed-early', at: quoteAt }
    if (closed != null && closed.end.at === content?.end.at)
      return this.#take(closed.end, closed.cells, problem)
    const fits = [closed, content].filter(scan => scan != null && scan.cells === expectedCells)
    if (fits.length === 1) return this.#take(fits[0]!.end, expectedCells, problem)
    throw new ParseError(
      'PARSE_QUOTE_DISPUTED',
      `${this.#subject}, line ${this.#lineAt(quoteAt)}: a quoted cell is closed and followed by other text, and where this record (from line ${this.#line}) ends can't be told from it. Nothing of this file is loaded; ask the sender to double quotes within quoted cells.`,
      { details: { line: this.#line, quoteLine: this.#lineAt(quoteAt) } },
    )
  }

  #lineAt(index: number): number {
    return this.#line + countLineBreaks(this.#text.slice(this.#at, index), this.#loneCr)
  }

  #unclosed(openedAt: number): ParseError {
    const line = this.#lineAt(openedAt)
    const long = this.#text.length - this.#at > this.#maxLength
    const until = long ? `within ${this.#maxLength} characters` : 'up to the end of the file'
    return new ParseError(
      'PARSE_QUOTE_UNCLOSED',
      `${this.#subject}: the quote opened on line ${line} is not closed ${until}, so what follows it can't be read. Nothing of this file is loaded.`,
      { details: { line, recordLine: this.#line } },
    )
  }

  /** An overlong record with quotes: told as an unclosed quote when one is open where the bound lies. */
  #refuseLong(): ParseError {
    const ends = new EndFinder(this.#dialect)
    const scanner = new RecordScanner({ ...this.#dialect, quote: this.#dialect.quote! }, ends)
    const head = this.#text.slice(this.#at, this.#at + this.#maxLength)
    ends.use(head, false)
    scanner.use(head, false)
    const scan = scanner.scan(0, 'content')
    return scan.state === 'more' && scan.openedAt >= 0
      ? this.#unclosed(this.#at + scan.openedAt)
      : this.#tooLong()
  }

  #tooLong(): ParseError {
    const line = this.#overlong?.line ?? this.#line
    return new ParseError(
      'PARSE_RECORD_TOO_LONG',
      `${this.#subject}: the record on line ${line} is longer than ${this.#maxLength} characters and contains quotes, so its end can't be told. Nothing of this file is loaded.`,
      { details: { line } },
    )
  }
}
