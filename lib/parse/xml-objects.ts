/**
 * XML elements as plain objects, for people who look at a file before they write a job: children by
 * local name, repeated ones as lists, attributes as `@name`, text beside children as `#text`, a leaf
 * is its text. Jobs read columns instead: xml-records.ts.
 */
import { localName, type XmlElement, type XmlHandler, XmlReader } from '../format/xml-read.ts'
import { ParseError } from '../model/errors.ts'
import { SourceText } from './source-text.ts'
import { xml } from './xml.ts'
import { xmlCharset } from './xml-charset.ts'
import { compilePaths } from './xml-paths.ts'
import { XmlSource } from './xml-source.ts'
import { type WalkState, walkInto, walkState } from './xml-walk.ts'

/** Text, null, an element, or a list of them. */
export type XmlValue = string | null | XmlObject | readonly XmlValue[]

/** An element with attributes or children. It has no prototype, so that any name is only a name. */
export interface XmlObject {
  readonly [name: string]: XmlValue
}

/** One element as an object. */
export interface XmlObjectRecord {
  readonly line: number
  readonly value: XmlValue
}

/** What is to be read. */
export interface XmlObjectTask {
  readonly chunks: AsyncIterable<Buffer>
  readonly subject: string
  /** Path of the record element from the root, null for the root itself. */
  readonly record: string | null
  /** Null: what the file states. */
  readonly charset: string | null
}

/** Elements of a file as objects. Iterate `blocks()` once; `charset` is known afterwards. */
export class XmlObjects {
  readonly #task: XmlObjectTask
  readonly #source: SourceText
  readonly #reader: XmlReader
  readonly #builder: ObjectBuilder
  readonly #window = new XmlSource()

  /** @throws CONFIG_PARSE_INVALID for a path that can't be meant. */
  constructor(task: XmlObjectTask) {
    this.#task = task
    const spec = xml({ records: { record: { path: task.record ?? 'root' } } })
    const root = walkState([compilePaths(spec, () => []).root])
    this.#builder = new ObjectBuilder(
      task.record === null ? null : root,
      () => this.#window.tagStart(this.#reader).line,
    )
    this.#reader = new XmlReader(
      this.#builder,
      false,
      { maxDepth: spec.maxDepth, maxText: spec.maxRecordBytes },
      task.subject,
    )
    this.#source = new SourceText(task.chunks, {
      subject: task.subject,
      charsetOf: xmlCharset(task.subject, task.charset),
      lineNow: () => this.#reader.line,
    })
  }

  get charset(): string {
    return this.#source.charset
  }

  get warnings(): readonly string[] {
    return this.#source.warnings
  }

  /** The elements, in document order. @throws ParseError when the file as a whole can't be trusted, or has no such element. */
  async *blocks(): AsyncGenerator<readonly XmlObjectRecord[]> {
    let read = 0
    let length = 0
    for await (const text of this.#source.texts()) {
      length += text.length
      this.#window.add(text, [], this.#reader.lastTag)
      this.#reader.write(text)
      const records = this.#builder.take()
      read += records.length
      if (records.length > 0) yield records
    }
    if (length === 0) throw new ParseError('PARSE_EMPTY_FILE', `${this.#task.subject} is empty.`)
    this.#reader.end()
    if (read === 0) {
      throw new ParseError(
        'PARSE_NO_RECORDS',
        `${this.#task.subject} has no element at ${this.#task.record}. Paths begin with the root element: Envelope/Cube/Cube/Cube.`,
      )
    }
  }
}

interface Open {
  readonly line: number
  readonly name: string
  value: Record<string, XmlValue> | null
  text: string
}

class ObjectBuilder implements XmlHandler {
  readonly #line: () => number
  /** Null: the root is the record. */
  readonly #states: (WalkState | null)[] | null
  #open: Open[] = []
  #ready: XmlObjectRecord[] = []

  constructor(root: WalkState | null, line: () => number) {
    this.#states = root === null ? null : [root]
    this.#line = line
  }

  take(): readonly XmlObjectRecord[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  open(element: XmlElement): void {
    if (this.#open.length === 0 && this.#states !== null) {
      const above = this.#states.at(-1)!
      const state = above === null ? null : walkInto(above, element.name, element.uri)
      this.#states.push(state)
      if (!state?.nodes.some(node => node.records.length > 0)) return
    }
    const open: Open = { line: this.#line(), name: localName(element.name), value: null, text: '' }
    for (const [name, value] of element.attributes()) put(open, `@${name}`, value === '' ? null : value)
    this.#open.push(open)
  }

  text(text: string): void {
    const open = this.#open.at(-1)
    if (open !== undefined) open.text += text
  }

  close(): void {
    const closed = this.#open.pop()
    if (closed !== undefined) {
      const text = /\S/.test(closed.text) ? closed.text : null
      if (closed.value !== null && text !== null) put(closed, '#text', text)
      const value = closed.value ?? text
      const parent = this.#open.at(-1)
      if (parent !== undefined) put(parent, closed.name, value)
      else this.#ready.push({ line: closed.line, value })
    }
    if (this.#open.length === 0) this.#states?.pop()
  }
}

function put(open: Open, name: string, value: XmlValue): void {
  open.value ??= Object.create(null) as Record<string, XmlValue>
  const known = open.value[name]
  if (known === undefined) open.value[name] = value
  else if (Array.isArray(known)) known.push(value)
  else open.value[name] = [known as XmlValue, value]
}
