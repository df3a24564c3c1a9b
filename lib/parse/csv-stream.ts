/**
 * A delimited file as a stream of records: preamble, header, records, trailer, footer. What is no
 * record is counted and told, never dropped in silence. Cutting and quoting: lib/format/csv-split.ts;
 * the header contract: header.ts; trailers: trailer.ts; wording of rejects: csv-rejects.ts.
 */
import { type ExpressReader, expressReader } from '../format/csv-express.ts'
import { csvParseReader } from '../format/csv-read.ts'
import { RecordSplitter, type SplitRecord } from '../format/csv-split.ts'
import { ParseError } from '../model/errors.ts'
import type { CsvSpec } from '../model/job.ts'
import type { RecordBlock } from '../model/record.ts'
import type { ParseTask } from './block.ts'
import { CsvEnd } from './csv-end.ts'
import { CsvGather } from './csv-gather.ts'
import { rejectRecord, rejectUnsound } from './csv-rejects.ts'
import { type Header, readHeader } from './header.ts'
import { declaredCharset, SourceText } from './source-text.ts'
import { TrailerCheck } from './trailer.ts'

/**
 * Records that go the long way after one that was not plain, before the express lane is tried again:
 * so few that one bad record costs little, so many that a file full of them costs hardly more than without it.
 */
const LONG_WAY_RECORDS = 16

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
  #gather: CsvGather | null = null
  #trailer: TrailerCheck | null = null
  #preambleLeft: number
  #express: ExpressReader | null = null
  #longWay = 0
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
      lineNow: () => {
        this.#splitter.push(this.#source.takeUnread())
        return this.#splitter.lastLine
      },
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
      if (this.#express !== null) this.#source.giveBack(this.#splitter.unread())
    }
    this.#splitter.push(this.#source.takeUnread())
    this.#splitter.finish()
    yield* this.#drain()
    this.#finish()
    if (this.#gather?.isEmpty === false) yield this.#block(this.#gather)
    this.warnings.push(...this.#source.warnings)
    this.#judgeTrailer()
  }

  /** Takes records as long as the text lasts. */
  *#drain(): Generator<RecordBlock> {
    for (;;) {
      const gather = this.#gather
      if (gather !== null && this.#express !== null) this.#takePlain(gather, this.#express)
      if (gather?.isFull === true) yield this.#block(gather)
      else if (!this.#step()) return
    }
  }

  /** Takes the records in front that the express lane can read; the next one is for `#step`. */
  #takePlain(gather: CsvGather, express: ExpressReader): void {
    if (this.#end.inFooter || this.#end.holds) return
    if (this.#longWay > 0) {
      this.#longWay -= 1
      return
    }
    const records = gather.records()
    const before = records.length
    if (!this.#splitter.express(express, gather.room, records)) this.#longWay = LONG_WAY_RECORDS
    this.read += records.length - before
    if (records.length > before) this.#end.notePlain(records.at(-1)!.line)
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
      // What we know ourselves comes first: a record cut for its length reads as anything.
      const why =
        fault === null
          ? `It can't be read: ${(cells as { problem: string }).problem}.`
          : fault.issues[0]!.message
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
    this.#headerText =
      header.columns.length < 2 || areNumbered(header.columns)
        ? null
        : (text ?? header.columns.join(this.#spec.delimiter))
    const width = header.columns.length
    this.#gather = new CsvGather(this.#task.file, csvParseReader(this.#spec, width))
    this.#express = expressReader(this.#spec, {
      width,
      maxLength: this.#spec.maxRecordBytes,
      header: this.#headerText,
      starts: [...this.#spec.footer, ...(this.#spec.trailer === null ? [] : [this.#spec.trailer.starts])],
    })
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
    if (reject === null) this.#gather!.add(record)
    else this.#gather!.reject(reject)
  }

  #block(gather: CsvGather): RecordBlock {
    const block = gather.take()
    this.rejected += block.rejects.length
    if (this.#trailer !== null) for (const { values, line } of block.records) this.#trailer.add(values, line)
    return block
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

/** Columns that are only numbered, by a preview without a header: a record `1,2` is no header then. */
function areNumbered(columns: readonly string[]): boolean {
  return columns.every((name, index) => name === `${index + 1}`)
}
