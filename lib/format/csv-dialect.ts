/**
 * What makes one delimited text different from another, and where its lines end. Records are cut in
 * csv-split.ts, cells are read in csv-read.ts.
 */
import type { CsvSpec } from '../model/job.ts'

/** The part of a CsvSpec that says how characters are read. */
export type CsvDialect = Pick<CsvSpec, 'delimiter' | 'quote' | 'escape' | 'recordEnds'>

/** CRLF, LF and CR, also mixed in one file (B20). */
export const ANY_LINE_END: readonly string[] = ['\r\n', '\n', '\r']

/** The record ends of a dialect, longest first, so that CRLF is never taken for CR. */
export function recordEnds(dialect: Pick<CsvDialect, 'recordEnds'>): readonly string[] {
  return [...(dialect.recordEnds ?? ANY_LINE_END)].sort((a, b) => b.length - a.length)
}

/** Where a record ends. */
export interface EndFound {
  readonly at: number
  readonly length: number
}

/** Finds a text again and again in one long text, without looking twice through what holds none. */
export class NextIndex {
  readonly #needle: string
  #text = ''
  /** What is known: the first occurrence at or after `from` is `at`. */
  #from = 0
  #at = -1

  constructor(needle: string) {
    this.#needle = needle
  }

  /** Looks in `text` from now on. */
  use(text: string): void {
    this.#text = text
    this.#from = 0
    this.#at = -1
  }

  /** Index of the first occurrence at or after `from`, Infinity for none. */
  after(from: number): number {
    if (from >= this.#from && from <= this.#at) return this.#at
    const found = this.#text.indexOf(this.#needle, from)
    this.#from = from
    this.#at = found === -1 ? Number.POSITIVE_INFINITY : found
    return this.#at
  }
}

/** Finds the next record end in a growing text. */
export class EndFinder {
  readonly #ends: readonly { readonly text: string; readonly next: NextIndex }[]
  #text = ''
  #final = false

  constructor(dialect: Pick<CsvDialect, 'recordEnds'>) {
    this.#ends = recordEnds(dialect).map(text => ({ text, next: new NextIndex(text) }))
  }

  /** Looks in `text` from now on; `final` when nothing will be added to it. */
  use(text: string, final: boolean): void {
    this.#text = text
    this.#final = final
    for (const end of this.#ends) end.next.use(text)
  }

  /** The first end at or after `from`; null when there is none yet, or when more text could make it a longer one. */
  find(from: number): EndFound | null {
    let at = Number.POSITIVE_INFINITY
    let length = 0
    for (const end of this.#ends) {
      const next = end.next.after(from)
      if (next < at) {
        at = next
        length = end.text.length
      }
    }
    if (length === 0 || (!this.#final && this.#mayGrow(at, length))) return null
    return { at, length }
  }

  #mayGrow(at: number, length: number): boolean {
    if (at + length < this.#text.length) return false
    const end = this.#text.slice(at)
    return this.#ends.some(({ text }) => text.length > end.length && text.startsWith(end))
  }
}

/** Counts physical lines begun by `text`: LF and CRLF always, a lone CR only where it may end a record. */
export function countLineBreaks(text: string, loneCr: boolean): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1
  if (!loneCr) return count
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 1)) {
    if (text.charCodeAt(at + 1) !== 10) count += 1
  }
  return count
}

/** Whether a lone CR begins a new physical line in this dialect. */
export function loneCrBreaks(dialect: Pick<CsvDialect, 'recordEnds'>): boolean {
  return dialect.recordEnds === null || dialect.recordEnds.includes('\r')
}

/** Most characters that may be needed to tell what stands at a place: longest delimiter, quote, escape or record end. */
export function lookahead(dialect: CsvDialect): number {
  const parts = [dialect.delimiter, dialect.escape, dialect.quote ?? '', ...recordEnds(dialect)]
  return Math.max(2, ...parts.map(part => part.length))
}
