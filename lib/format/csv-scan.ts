/**
 * Walks through one record of a dialect with quotes: where it ends, how many cells it has, whether
 * its quoting is sound. Cells' values are read in csv-read.ts; who decides what a broken record
 * means is csv-split.ts.
 */
import { type CsvDialect, type EndFinder, type EndFound, lookahead, NextIndex } from './csv-dialect.ts'

/** What is wrong with a record whose end is known all the same. */
export interface QuoteProblem {
  readonly kind: 'stray-quote' | 'closed-early' | 'unknown-escape'
  /** Index in the scanned text. */
  readonly at: number
}

/** A record, or why there is none. */
export type Scan =
  | {
      readonly state: 'whole'
      readonly end: EndFound
      readonly cells: number
      readonly problem: QuoteProblem | null
    }
  /** More text is needed. `openedAt` is the index of the quote that is still open, -1 for none. */
  | { readonly state: 'more'; readonly openedAt: number }
  /** A quote closed and something other than a delimiter or record end followed: strict reading only. */
  | { readonly state: 'disputed'; readonly at: number }

/**
 * How a quote is read that closes and is followed by other text, as in `"a"b`.
 * `strict`: not at all. `content`: it was a character of the cell. `closed`: it closed, and the text after it is rubbish.
 */
export type Reading = 'strict' | 'content' | 'closed'

/** Scans records of one dialect in a text that csv-split.ts keeps. */
export class RecordScanner {
  readonly #delimiter: string
  readonly #quote: string
  readonly #escape: string
  readonly #ends: EndFinder
  readonly #lookahead: number
  readonly #nextDelimiter: NextIndex
  readonly #nextQuote: NextIndex
  #text = ''
  #final = false
  #problem: QuoteProblem | null = null

  constructor(dialect: CsvDialect & { readonly quote: string }, ends: EndFinder) {
    this.#delimiter = dialect.delimiter
    this.#quote = dialect.quote
    this.#escape = dialect.escape
    this.#ends = ends
    this.#lookahead = lookahead(dialect)
    this.#nextDelimiter = new NextIndex(dialect.delimiter)
    this.#nextQuote = new NextIndex(dialect.quote)
  }

  /** Looks in `text` from now on; the end finder must be given the same. */
  use(text: string, final: boolean): void {
    this.#text = text
    this.#final = final
    this.#nextDelimiter.use(text)
    this.#nextQuote.use(text)
  }

  /** The record that starts at `start`. */
  scan(start: number, reading: Reading): Scan {
    this.#problem = null
    let at = start
    for (let cells = 1; ; cells++) {
      if (!this.#final && this.#text.length - at < this.#lookahead) return { state: 'more', openedAt: -1 }
      if (this.#text.startsWith(this.#quote, at)) {
        const closed = this.#closing(at + this.#quote.length, reading)
        if (closed === null) return { state: 'more', openedAt: at }
        if (closed < 0) return { state: 'disputed', at: -closed }
        at = closed
      }
      const end = this.#ends.find(at)
      const cellEnd = Math.min(end?.at ?? Number.POSITIVE_INFINITY, this.#nextDelimiter.after(at))
      if (cellEnd === Number.POSITIVE_INFINITY) {
        if (!this.#final) return { state: 'more', openedAt: -1 }
        this.#noteStray(at, this.#text.length)
        return { state: 'whole', end: { at: this.#text.length, length: 0 }, cells, problem: this.#problem }
      }
      this.#noteStray(at, cellEnd)
      if (end !== null && end.at === cellEnd) return { state: 'whole', end, cells, problem: this.#problem }
      at = cellEnd + this.#delimiter.length
    }
  }

  #note(kind: QuoteProblem['kind'], at: number): void {
    this.#problem ??= { kind, at }
  }

  #noteStray(from: number, to: number): void {
    if (this.#problem !== null) return
    const at = this.#nextQuote.after(from)
    if (at < to) this.#note('stray-quote', at)
  }

  /**
   * Index after the closing quote of a cell whose content starts at `from`; null when it is still open,
   * the negated index of the quote when strict reading can't accept what follows it.
   */
  #closing(from: number, reading: Reading): number | null {
    let at = from
    for (;;) {
      const quote = this.#text.indexOf(this.#quote, at)
      const escaped = this.#skipEscape(at, quote)
      if (escaped === null) return null
      if (escaped >= 0) {
        at = escaped
        continue
      }
      if (quote === -1) return null
      const after = quote + this.#quote.length
      if (!this.#final && this.#text.length - after < this.#lookahead) return null
      if (this.#escape === this.#quote && this.#text.startsWith(this.#quote, after)) {
        at = after + this.#quote.length
        continue
      }
      if (this.#endsCell(after)) return after
      if (reading === 'strict') return -quote
      this.#note('closed-early', quote)
      if (reading === 'closed') return after
      at = after
    }
  }

  /** Index after an escape that comes before `quote`; -1 when there is none, null when more text is needed. */
  #skipEscape(from: number, quote: number): number | null {
    if (this.#escape === this.#quote) return -1
    const at = this.#text.indexOf(this.#escape, from)
    if (at === -1 || (quote !== -1 && quote < at)) return -1
    const after = at + this.#escape.length
    if (!this.#final && this.#text.length - after < this.#lookahead) return null
    if (this.#text.startsWith(this.#quote, after)) return after + this.#quote.length
    if (this.#text.startsWith(this.#escape, after)) return after + this.#escape.length
    // An escape before anything else would be swallowed by the cell reader: `C:\temp` would become `C:temp`.
    this.#note('unknown-escape', at)
    return after
  }

  #endsCell(at: number): boolean {
    if (at >= this.#text.length) return this.#final
    return this.#text.startsWith(this.#delimiter, at) || this.#ends.find(at)?.at === at
  }
}
