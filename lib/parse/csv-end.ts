/**
 * The end of a delimited file: lines that may turn out to be its trailer or a DOS end-of-file mark,
 * footer lines, blank lines, a missing final line end. A line is only held back until another record
 * follows it; then it was a record.
 */
import type { RecordSplitter, SplitRecord } from '../format/csv-split.ts'
import { ParseError } from '../model/errors.ts'
import type { CsvSpec } from '../model/job.ts'

/** Ctrl-Z, with which DOS programs still end their files. */
const END_OF_FILE_MARK = '\u001a'

/** Keeps account of a file's last lines. */
export class CsvEnd {
  readonly #spec: CsvSpec
  readonly #subject: string
  #held: SplitRecord[] = []
  #footerLine = 0
  #footerLines = 0
  #footerRecords = 0
  #blank = 0
  #firstBlank = 0
  #last: Pick<SplitRecord, 'line' | 'text' | 'ended'> | null = null
  sawRecord = false

  constructor(spec: CsvSpec, subject: string) {
    this.#spec = spec
    this.#subject = subject
  }

  get inFooter(): boolean {
    return this.#footerLine > 0
  }

  /** Whether the next line begins the footer; null when more text is needed. */
  startsFooter(splitter: RecordSplitter): boolean | null {
    let open = false
    for (const start of this.#spec.footer) {
      const found = splitter.startsWith(start)
      if (found === true) return true
      if (found === null) open = true
    }
    return open ? null : false
  }

  /** Whether a line is held back that may be the trailer or the end mark. */
  get holds(): boolean {
    return this.#held.length > 0
  }

  enterFooter(line: number): void {
    this.#footerLine = line
  }

  /** Counts a line of the footer; false for null. */
  takeFooterLine(line: SplitRecord | null): boolean {
    if (line === null) return false
    this.sawRecord = true
    this.#last = line
    this.#footerLines += 1
    if (this.#footerLines > 1 && line.text.split(this.#spec.delimiter).length > 2) this.#footerRecords += 1
    return true
  }

  noteLast(record: SplitRecord): void {
    this.#last = record
    if (record.text !== '') this.sawRecord = true
  }

  /** As noteLast, for a record of the express lane: it is not empty and has its record end. */
  notePlain(line: number): void {
    this.#last = { line, text: ' ', ended: true }
    this.sawRecord = true
  }

  noteBlank(record: SplitRecord): void {
    this.#blank += 1
    if (this.#firstBlank === 0) this.#firstBlank = record.line
  }

  /** Holds a line that may be the trailer or the end mark, and gives the lines that are now known to be records. */
  hold(record: SplitRecord): readonly SplitRecord[] {
    const isMark = record.text === END_OF_FILE_MARK
    const isTrailer = this.#spec.trailer !== null && record.text.startsWith(this.#spec.trailer.starts)
    if (!isMark && !isTrailer) {
      if (this.#held.length === 0) return [record]
      const settled = [...this.#held, record]
      this.#held = []
      return settled
    }
    const trailerThenMark = isMark && this.#held.length === 1 && this.#held[0]!.text !== END_OF_FILE_MARK
    const settled = trailerThenMark ? [] : this.#held
    this.#held = trailerThenMark ? [...this.#held, record] : [record]
    return settled
  }

  /** The trailer line, null where none is declared. @throws PARSE_TRAILER_MISSING */
  trailer(): SplitRecord | null {
    if (this.#spec.trailer === null) return null
    const trailer = this.#held.find(record => record.text !== END_OF_FILE_MARK)
    if (trailer !== undefined) return trailer
    const lines = this.#last?.line ?? 0
    throw new ParseError(
      'PARSE_TRAILER_MISSING',
      `${this.#subject} ended without its trailer line, which starts with ${JSON.stringify(this.#spec.trailer.starts)} (${lines} lines read). It is incomplete, so nothing of it is loaded; it has to be sent again.`,
      { details: { lines } },
    )
  }

  /** What is worth a line in the mail. */
  warnings(): string[] {
    const warnings: string[] = []
    if (this.#blank > 0) {
      warnings.push(
        this.#blank === 1
          ? `line ${this.#firstBlank} is blank`
          : `${this.#blank} lines are blank, the first is line ${this.#firstBlank}`,
      )
    }
    const mark = this.#held.find(record => record.text === END_OF_FILE_MARK)
    if (mark !== undefined)
      warnings.push(`line ${mark.line} is a lone Ctrl-Z (DOS end of file) and no record`)
    if (this.#footerRecords > 0) {
      warnings.push(
        `${this.#footerLines} lines from the footer on line ${this.#footerLine} on are no records, but ${this.#footerRecords} of them look like some`,
      )
    }
    if (this.#last !== null && !this.#last.ended && mark === undefined && this.#last.text !== '') {
      warnings.push(`the last line (${this.#last.line}) has no line end`)
    }
    return warnings
  }
}
