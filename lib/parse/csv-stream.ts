/**
 * A delimited file as a stream of records: preamble, header, records, trailer, footer. What is no
 * record is counted and told, never dropped in silence. Cutting and quoting: lib/format/csv-split.ts;
 * the header contract: header.ts; trailers: trailer.ts; wording of rejects: csv-rejects.ts.
 */
import { csvParseReader, type RecordReader } from '../format/csv-read.ts'
import { RecordSplitter, type SplitRecord } from '../format/csv-split.ts'
import { ParseError } from '../model/errors.ts'
import type { Reject } from '../model/issue.ts'
import type { CsvSpec } from '../model/job.ts'
import type { RecordBlock, SourceRecord, SourceValue } from '../model/record.ts'
import { BLOCK_CHARACTERS, BLOCK_RECORDS, type ParseTask } from './block.ts'
import { CsvEnd } from './csv-end.ts'
import { rejectRecord, rejectUnsound } from './csv-rejects.ts'
import { type Header, readHeader } from './header.ts'
import { declaredCharset, SourceText } from './source-text.ts'
import { TrailerCheck } from './trailer.ts'

/** One row. Its text is kept because only rejects need it, and it is a slice that costs nothing. */
class CsvRecord implements SourceRecord {
  readonly kind = 'record'
  readonly line: number
  readonly values: readonly SourceValue[]
  readonly #text: string

  constructor(line: number, values: readonly SourceValue[], text: string) {
    this.line = line
    this.values = values
    this.#text = text
  }

  raw(): string {
    return this.#text
  }
}

/** Reads one delimited file. Iterate `blocks()` once. */
export class CsvStream {
  readonly #spec: CsvSpec
  readonly #task: ParseTask
  readonly #splitter: RecordSplitter
  readonly #source: SourceText
  readonly #end: CsvEnd
  readonly warnings: string[] = []
  columns: readonly string[] | null = null
  #headerText: string | null = null
  #reader: RecordReader | null = null
  #trailer: TrailerCheck | null = null
  #preambleLeft: number
  #waiting: SplitRecord[] = []
  #waitingLength = 0
  #rejects: Reject[] = []
  read = 0
  rejected = 0
  controls: Record<string, string> = {}

  constructor(spec: CsvSpec, task: ParseTask) {
    this.#spec = spec
    this.#task = task
    this.#splitter = new RecordSplitter(spec, spec.maxRecordBytes, task.subject)
    this.#source = new SourceText(task.chunks, {
      subject: task.subject,
      charsetOf: declaredCharset(task.subject, spec.charset),
      lineNow: () => this.#splitter.lastLine,
    })
    this.#end = new CsvEnd(spec, task.subject)
    this.#preambleLeft = typeof spec.preamble === 'number' ? spec.preamble : -1
    if (spec.header !== 'first') this.#begin({ columns: spec.header, warnings: [] }, null)
  }

  get charset(): string {
    return this.#source.charset
  }

  /** The records, in blocks. @throws ParseError when the file as a whole can't be trusted. */
  async *blocks(): AsyncGenerator<RecordBlock> {
    for await (const text of this.#source.texts()) {
      this.#splitter.push(text)
      yield* this.#drain()
    }
    this.#splitter.finish()
    yield* this.#drain()
    this.#finish()
    if (this.#waiting.length > 0 || this.#rejects.length > 0) yield this.#block()
    this.warnings.push(...this.#source.warnings)
    this.#judgeTrailer()
  }

  /** Takes records as long as the text lasts. */
  *#drain(): Generator<RecordBlock> {
    while (this.#step()) {
      const count = this.#waiting.length + this.#rejects.length
      if (count >= BLOCK_RECORDS || this.#waitingLength >= BLOCK_CHARACTERS) yield this.#block()
    }
  }

  /** Takes one line or record; false when more text is needed. */
  #step(): boolean {
    if (this.#preambleLeft !== 0) return this.#skipPreamble()
    const width = this.columns?.length ?? -1
    if (this.columns !== null && !this.#end.inFooter) {
      const footer = this.#end.startsFooter(this.#splitter)
      if (footer === null) return false
      if (footer) this.#end.enterFooter(this.#splitter.line)
    }
    if (this.#end.inFooter) return this.#end.takeFooterLine(this.#splitter.nextLine())
    const record = this.#splitter.next(width)
    if (record === null) return false
    this.#end.noteLast(record)
    if (record.text === '' && width !== 1) this.#end.noteBlank(record)
    else if (this.columns === null) this.#readHeader(record)
    else for (const settled of this.#end.hold(record)) this.#accept(settled, width)
    return true
  }

  #skipPreamble(): boolean {
    if (typeof this.#spec.preamble === 'object') {
      const reached = this.#splitter.startsWith(this.#spec.preamble.until)
      if (reached === null) return false
      if (reached) {
        this.#preambleLeft = 0
        return true
      }
    }
    if (this.#splitter.nextLine() === null) return false
    if (this.#preambleLeft > 0) this.#preambleLeft -= 1
    return true
  }

  #readHeader(record: SplitRecord): void {
    const { subject } = this.#task
    const cells = csvParseReader(this.#spec, record.cells).read([record.text])[0]!
    const fault = rejectUnsound(0, record, record.cells, this.#spec.maxRecordBytes)
    if (fault !== null || !Array.isArray(cells)) {
      const why = Array.isArray(cells) ? fault!.issues[0]!.message : `It can't be read: ${cells.problem}.`
      throw new ParseError(
        'PARSE_HEADER_UNREADABLE',
        `${subject}, line ${record.line}: the header can't be read. ${why} Nothing of this file is loaded; check delimiter, quote and charset, and whether the file has a header at all.`,
        { details: { line: record.line } },
      )
    }
    const required = [
      ...new Set([
        ...(this.#spec.columns ?? []),
        ...this.#task.needed('record'),
        ...Object.values(this.#spec.trailer?.sums ?? {}),
      ]),
    ]
    this.#begin(readHeader(cells, { subject, line: record.line, required }), record.text)
  }

  #begin(header: Header, text: string | null): void {
    this.columns = header.columns
    this.warnings.push(...header.warnings)
    // One column could hold its own name as a value, two hardly can.
    this.#headerText = header.columns.length < 2 ? null : (text ?? header.columns.join(this.#spec.delimiter))
    this.#reader = csvParseReader(this.#spec, header.columns.length)
    this.#trailer =
      this.#spec.trailer === null
        ? null
        : new TrailerCheck(this.#spec.trailer, header.columns, this.#task.subject)
  }

  #accept(record: SplitRecord, width: number): void {
    this.read += 1
    const reject =
      rejectUnsound(this.#task.file, record, width, this.#spec.maxRecordBytes) ??
      (record.text === this.#headerText
        ? rejectRecord(
            this.#task.file,
            record,
            'PARSE_HEADER_REPEATED',
            'The header stands here again, as if two files were joined.',
          )
        : null)
    if (reject !== null) {
      this.#rejects.push(reject)
      return
    }
    this.#waiting.push(record)
    this.#waitingLength += record.text.length
  }

  #block(): RecordBlock {
    const texts = this.#waiting.map(record => record.text)
    const rows = this.#reader!.read(texts)
    const records: SourceRecord[] = []
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!
      const { line, text } = this.#waiting[index]!
      if (!Array.isArray(row)) {
        this.#rejects.push(
          rejectRecord(
            this.#task.file,
            { line, text },
            'PARSE_RECORD_UNREADABLE',
            `The record can't be read: ${row.problem}.`,
          ),
        )
        continue
      }
      const values: SourceValue[] = row
      for (let cell = 0; cell < values.length; cell++) if (values[cell] === '') values[cell] = null
      this.#trailer?.add(values, line)
      records.push(new CsvRecord(line, values, text))
    }
    const rejects = this.#rejects.sort((a, b) => a.line - b.line)
    this.rejected += rejects.length
    this.#waiting = []
    this.#waitingLength = 0
    this.#rejects = []
    return { file: this.#task.file, records, rejects }
  }

  /** What can be judged once the text is over. */
  #finish(): void {
    const { subject } = this.#task
    if (this.#preambleLeft < 0 && typeof this.#spec.preamble === 'object') {
      throw new ParseError(
        'PARSE_PREAMBLE_ENDLESS',
        `${subject} has no line that starts with ${JSON.stringify(this.#spec.preamble.until)}, so its header was not found (${this.#splitter.line} lines read). Nothing of this file is loaded.`,
        { details: { until: this.#spec.preamble.until } },
      )
    }
    const bare = this.columns === null || (this.#spec.header !== 'first' && !this.#end.sawRecord)
    if (bare && !(this.columns !== null && this.#spec.allowEmpty && this.#spec.trailer === null)) {
      throw new ParseError(
        'PARSE_EMPTY_FILE',
        `${subject} is empty: it has neither a header nor records. Nothing is loaded from it, and what it replaces stays; ask the sender.`,
      )
    }
    this.warnings.push(...this.#end.warnings())
  }

  #judgeTrailer(): void {
    const held = this.#end.trailer()
    if (this.#trailer !== null && held !== null) {
      const cells = csvParseReader(this.#spec, held.cells).read([held.text])[0]!
      this.controls = this.#trailer.check(Array.isArray(cells) ? cells : [], held.line, this)
    }
    if (this.read === 0 && !this.#spec.allowEmpty) {
      throw new ParseError(
        'PARSE_NO_RECORDS',
        `${this.#task.subject} has a header but no records, and the job does not allow that. Nothing is loaded from it, and what it replaces stays; set allowEmpty where such a file is valid.`,
      )
    }
  }
}
