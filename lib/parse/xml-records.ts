/**
 * Puts records together while a document streams by: values go into frames when their element or
 * attribute is met, a record is complete when its element closes. Records within records come
 * before those around them. Paths: xml-paths.ts; values: xml-frames.ts; file: xml-stream.ts.
 */
import type { XmlElement, XmlHandler, XmlReader } from '../format/xml-read.ts'
import { codeAt } from '../model/code-at.ts'
import { ParseError } from '../model/errors.ts'
import { boundedRaw, type Issue, issue, type Reject } from '../model/issue.ts'
import type { SourceRecord, SourceValue } from '../model/record.ts'
import { keptRaw } from './kept-raw.ts'
import { Frame } from './xml-frames.ts'
import type { Capture, PathNode, PathPlan, RecordPlan } from './xml-paths.ts'
import type { XmlSource } from './xml-source.ts'
import { type WalkState, walkInto, walkState } from './xml-walk.ts'

class XmlRecord implements SourceRecord {
  readonly storable = true
  readonly kind: string
  readonly line: number
  readonly values: readonly SourceValue[]
  readonly #text: string

  constructor(kind: string, line: number, values: readonly SourceValue[], text: string) {
    this.kind = kind
    this.line = line
    this.values = values
    this.#text = text
  }

  raw(): string {
    return boundedRaw(this.#text)
  }
}

/** Who reads the document and what bounds a record. */
export interface RecordContext {
  readonly reader: () => XmlReader
  readonly source: XmlSource
  readonly file: number
  readonly subject: string
  readonly maxRecord: number
  /** The kinds whose records a control counts; null: all. */
  readonly countedKinds: readonly string[] | null
}

/** Gets a document's events and gathers its records and rejects. */
export class RecordBuilder implements XmlHandler {
  records: SourceRecord[] = []
  rejects: Reject[] = []
  /** Records met, rejected ones included. */
  read = 0
  /** Those among them that a control counts. */
  counted = 0
  readonly #context: RecordContext
  readonly #document: Frame
  readonly #states: WalkState[]
  /** The last of them: where the document stands. */
  #state: WalkState
  readonly #texts: string[] = ['']
  readonly #frames = new Map<PathNode, Frame>()
  /** Frames of records that are open now, for the source window. */
  readonly openRecords: Frame[] = []
  /** Depth within an unwanted element. */
  #skipped = 0

  constructor(plan: PathPlan, context: RecordContext) {
    this.#context = context
    this.#document = new Frame(plan.root, 0, 0)
    this.#frames.set(plan.root, this.#document)
    this.#state = walkState([plan.root])
    this.#states = [this.#state]
  }

  open(element: XmlElement): void {
    if (this.#skipped > 0) {
      this.#skipped += 1
      return
    }
    const state = walkInto(this.#state, element.name, element.uri)
    if (state === null) {
      this.#skipped = 1
      return
    }
    this.#states.push(state)
    this.#state = state
    this.#texts.push('')
    for (const node of state.anchors) this.#openFrame(node)
    for (const capture of state.attributes) {
      const value = element.attribute(capture.attribute!.local, capture.attribute!.uri)
      if (value !== null) this.#put(capture, value)
    }
  }

  text(text: string): void {
    if (this.#skipped > 0 || this.#state.texts.length === 0) return
    const depth = this.#texts.length - 1
    this.#texts[depth] += text
    if (this.#texts[depth]!.length > this.#context.maxRecord) throw this.#context.reader().textTooLong()
  }

  close(): void {
    if (this.#skipped > 0) {
      this.#skipped -= 1
      return
    }
    const state = this.#states.pop()!
    this.#state = this.#states[this.#states.length - 1]!
    const text = this.#texts.pop()!
    if (state.texts.length > 0) {
      const value = hasContent(text) ? text : ''
      for (const capture of state.texts) this.#put(capture, value)
    }
    for (const node of state.anchors) this.#closeFrame(node)
  }

  /** The value of a control, read once the document is over; null when it does not occur. @throws PARSE_CONTROL_REPEATED */
  control(name: string, capture: Capture): string | null {
    if (this.#document.isRepeated(capture)) {
      throw new ParseError(
        'PARSE_CONTROL_REPEATED',
        `${this.#context.subject}: the control ${name} (${capture.path}) occurs ${this.#document.count(capture)} times, so it can't be told which value holds. Nothing of this file is loaded.`,
        { details: { control: name, path: capture.path } },
      )
    }
    const value = this.#document.value(capture)
    return typeof value === 'string' ? value : (value?.join(' ') ?? null)
  }

  #openFrame(node: PathNode): void {
    const { start, line } = this.#context.source.tagStart(this.#context.reader())
    const frame = new Frame(node, line, start)
    this.#frames.set(node, frame)
    if (node.records.length > 0) this.openRecords.push(frame)
  }

  #closeFrame(node: PathNode): void {
    const frame = this.#frames.get(node)!
    this.#frames.delete(node)
    if (node.records.length === 0) return
    this.openRecords.splice(this.openRecords.lastIndexOf(frame), 1)
    const raw = frame.cutRaw ?? this.#context.source.slice(frame.start, this.#context.reader().position)
    for (const plan of node.records) this.#emit(plan, frame, raw)
  }

  #emit(plan: RecordPlan, frame: Frame, raw: string): void {
    this.read += 1
    if (this.#context.countedKinds?.includes(plan.kind) ?? true) this.counted += 1
    let issues: Issue[] | null = null
    const values: SourceValue[] = []
    for (let index = 0; index < plan.captures.length; index += 1) {
      const capture = plan.captures[index]!
      const holder = capture.anchor === plan.node ? frame : this.#frames.get(capture.anchor)!
      values.push(holder.value(capture))
      if (holder !== frame) holder.noteReader(capture, frame.line)
      if (holder.isRepeated(capture)) {
        issues ??= []
        issues.push(repeated(plan.columns[index]!, holder, capture))
      }
    }
    if (frame.size > this.#context.maxRecord) {
      issues ??= []
      issues.push(
        issue(
          'PARSE_RECORD_TOO_LONG',
          `The record's values have more than ${this.#context.maxRecord} characters.`,
        ),
      )
    }
    if (issues === null) this.records.push(new XmlRecord(plan.kind, frame.line, values, raw))
    else
      this.rejects.push({
        file: this.#context.file,
        line: frame.line,
        step: 'parse',
        raw: keptRaw(raw),
        unit: null,
        issues,
      })
  }

  #put(capture: Capture, value: string): void {
    const frame = capture.anchor.parent === null ? this.#document : this.#frames.get(capture.anchor)!
    // Beyond the bound the record is rejected anyway; memory stays flat.
    if (frame.size > this.#context.maxRecord) return
    const readBy = frame.put(capture, value)
    if (readBy === 0) return
    const { line } = this.#context.reader()
    throw new ParseError(
      'PARSE_XML_PARENT_TOO_LATE',
      `${this.#context.subject}, line ${line}: ${capture.path} of a parent stands after a record that needs it (the one on line ${readBy}), so that record was read without it. Nothing of this file is loaded; make the parent the record, or take the value from within it.`,
      { details: { line, record: readBy, path: capture.path } },
    )
  }
}

/** Whether a text is more than white space. Nearly all texts say so by their first character. */
function hasContent(text: string): boolean {
  if (text === '') return false
  const first = codeAt(text, 0)
  return (first > 32 && first < 127) || /\S/.test(text)
}

function repeated(column: string, holder: Frame, capture: Capture): Issue {
  const first = holder.value(capture)
  return issue(
    'PARSE_XML_REPEATED',
    `${column} occurs ${holder.count(capture)} times where one is declared; declare it as ${column}[] to get all of them.`,
    { column, value: typeof first === 'string' ? first : null },
  )
}
