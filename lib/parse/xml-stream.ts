/**
 * An XML file as a stream of records, with its charset judged and its control values held against
 * what was read. Elements become records in xml-records.ts.
 */
import { XmlReader } from '../format/xml-read.ts'
import { ConfigError, ParseError } from '../model/errors.ts'
import type { XmlSpec } from '../model/job.ts'
import type { RecordBlock, RecordShapes } from '../model/record.ts'
import { BLOCK_RECORDS, type ParseTask } from './block.ts'
import { SourceText } from './source-text.ts'
import { xmlCharset } from './xml-charset.ts'
import { compilePaths, type PathPlan } from './xml-paths.ts'
import { RecordBuilder } from './xml-records.ts'
import { XmlSource } from './xml-source.ts'

/** Reads one XML file. Iterate `blocks()` once. */
export class XmlStream {
  readonly #spec: XmlSpec
  readonly #task: ParseTask
  readonly #plan: PathPlan
  readonly #reader: XmlReader
  readonly #builder: RecordBuilder
  readonly #window = new XmlSource()
  readonly #source: SourceText
  readonly warnings: string[] = []
  readonly shapes: RecordShapes
  rejected = 0
  controls: Record<string, string> = {}

  /** @throws CONFIG_PARSE_INVALID for paths that can't be meant. */
  constructor(spec: XmlSpec, task: ParseTask) {
    this.#spec = spec
    this.#task = task
    this.#plan = compilePaths(spec, task.needed)
    if (this.#plan.complaints.length > 0) {
      throw new ConfigError(
        'CONFIG_PARSE_INVALID',
        `The XML paths of this job can't be used: ${this.#plan.complaints.join('; ')}. ${task.subject} was not read.`,
      )
    }
    this.shapes = new Map(this.#plan.records.map(record => [record.kind, record.columns]))
    this.#builder = new RecordBuilder(this.#plan, {
      reader: () => this.#reader,
      source: this.#window,
      file: task.file,
      subject: task.subject,
      maxRecord: spec.maxRecordBytes,
      countedKinds: spec.countedKinds ?? null,
    })
    const namespaces = Object.keys(spec.namespaces).length > 0
    this.#reader = new XmlReader(
      this.#builder,
      namespaces,
      { maxDepth: spec.maxDepth, maxText: spec.maxRecordBytes },
      task.subject,
    )
    this.#source = new SourceText(task.chunks, {
      subject: task.subject,
      charsetOf: xmlCharset(task.subject, spec.charset ?? null),
      lineNow: () => this.#reader.line,
    })
  }

  get charset(): string {
    return this.#source.charset
  }

  get read(): number {
    return this.#builder.read
  }

  /** The records, in blocks. @throws ParseError when the file as a whole can't be trusted. */
  async *blocks(): AsyncGenerator<RecordBlock> {
    let empty = true
    for await (const text of this.#source.texts()) {
      if (text === '') continue
      empty = false
      this.#window.add(text, this.#builder.openRecords, this.#reader.lastTag)
      this.#reader.write(text)
      yield* this.#take(false)
    }
    if (empty) {
      throw new ParseError(
        'PARSE_EMPTY_FILE',
        `${this.#task.subject} is empty. Nothing is loaded from it, and what it replaces stays; ask the sender.`,
      )
    }
    this.#reader.end()
    yield* this.#take(true)
    this.warnings.push(...this.#source.warnings)
    this.#judgeControls()
  }

  *#take(all: boolean): Generator<RecordBlock> {
    const { records, rejects } = this.#builder
    if (!all && records.length + rejects.length < BLOCK_RECORDS) return
    this.#builder.records = []
    this.#builder.rejects = []
    this.rejected += rejects.length
    for (let from = 0; from < records.length || (from === 0 && rejects.length > 0); from += BLOCK_RECORDS) {
      yield {
        file: this.#task.file,
        records: records.slice(from, from + BLOCK_RECORDS),
        rejects: from === 0 ? rejects : [],
      }
    }
  }

  #judgeControls(): void {
    const { subject } = this.#task
    for (const [name, capture] of this.#plan.controls) {
      const value = this.#builder.control(name, capture)
      if (value !== null) this.controls[name] = value
      else if (name !== this.#spec.countControl)
        this.warnings.push(`the control ${name} (${capture.path}) does not occur`)
    }
    if (this.#spec.countControl !== null) this.#judgeCount(this.#spec.countControl, subject)
    if (this.read === 0 && !this.#spec.allowEmpty) {
      const paths = Object.values(this.#spec.records).map(record => record.path)
      throw new ParseError(
        'PARSE_NO_RECORDS',
        `${subject} has no element at ${paths.join(' or ')}, and the job does not allow that. Nothing is loaded from it, and what it replaces stays; set allowEmpty where such a file is valid.`,
      )
    }
  }

  #judgeCount(name: string, subject: string): void {
    const stated = this.controls[name]?.trim()
    if (stated === undefined) {
      throw new ParseError(
        'PARSE_CONTROL_MISSING',
        `${subject} does not state its number of records (${name}, at ${this.#spec.controls[name]}). Nothing of this file is loaded.`,
        {
          details: { control: name },
        },
      )
    }
    if (/^\d+$/.test(stated) && BigInt(stated) === BigInt(this.#builder.counted)) return
    const of =
      this.#spec.countedKinds === undefined ? '' : ` of kind ${this.#spec.countedKinds.join(' and ')}`
    throw new ParseError(
      'PARSE_COUNT_MISMATCH',
      `${subject} states ${JSON.stringify(stated)} records${of} (${name}), but ${this.#builder.counted} were read. Nothing of this file is loaded; it is incomplete, or its records stand elsewhere.`,
      { details: { control: name, stated, read: this.#builder.counted } },
    )
  }
}
