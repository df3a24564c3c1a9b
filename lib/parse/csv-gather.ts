/**
 * Gathers the records and rejects of a delimited file into blocks, in the order of the file. Records
 * of the express lane come read; those cut out by csv-split.ts are read here, some at a time. What is
 * a record at all is csv-stream.ts's decision.
 */
import { CsvRecord } from '../format/csv-express.ts'
import type { RecordReader } from '../format/csv-read.ts'
import type { SplitRecord } from '../format/csv-split.ts'
import type { Reject } from '../model/issue.ts'
import type { RecordBlock, SourceRecord, SourceValue } from '../model/record.ts'
import { BLOCK_CHARACTERS, BLOCK_RECORDS } from './block.ts'
import { rejectRecord } from './csv-rejects.ts'

/** One block being filled. */
export class CsvGather {
  readonly #file: number
  readonly #reader: RecordReader
  #records: SourceRecord[] = []
  /** Behind those: cut out, but not yet read. */
  #waiting: SplitRecord[] = []
  #rejects: Reject[] = []
  #characters = 0

  constructor(file: number, reader: RecordReader) {
    this.#file = file
    this.#reader = reader
  }

  /** Records that still fit into the block. */
  get room(): number {
    return BLOCK_RECORDS - this.#records.length - this.#waiting.length - this.#rejects.length
  }

  get isEmpty(): boolean {
    return this.room === BLOCK_RECORDS
  }

  get isFull(): boolean {
    return this.room <= 0 || this.#characters >= BLOCK_CHARACTERS
  }

  /** Adds a sound record that is still to be read. */
  add(record: SplitRecord): void {
    this.#waiting.push(record)
    this.#characters += record.text.length
  }

  reject(reject: Reject): void {
    this.#rejects.push(reject)
  }

  /** The records of the block, for whoever adds some that are read. */
  records(): SourceRecord[] {
    if (this.#waiting.length > 0) this.#readWaiting()
    return this.#records
  }

  /** The block; the next one begins empty. */
  take(): RecordBlock {
    const records = this.records()
    const rejects = this.#rejects.sort((a, b) => a.line - b.line)
    this.#records = []
    this.#rejects = []
    this.#characters = 0
    return { file: this.#file, records, rejects }
  }

  #readWaiting(): void {
    const rows = this.#reader.read(this.#waiting.map(record => record.text))
    for (const [index, row] of rows.entries()) {
      const { line, text } = this.#waiting[index]!
      if (Array.isArray(row)) {
        const values: SourceValue[] = row
        for (let cell = 0; cell < values.length; cell++) if (values[cell] === '') values[cell] = null
        this.#records.push(new CsvRecord(line, values, text))
      } else {
        this.#rejects.push(
          rejectRecord(
            this.#file,
            { line, text },
            'PARSE_RECORD_UNREADABLE',
            `The record can't be read: ${row.problem}.`,
          ),
        )
      }
    }
    this.#waiting = []
  }
}
