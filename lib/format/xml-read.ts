/**
 * Streams XML through saxes: the only importer of that package. Strict well-formedness, no DOCTYPE,
 * no entities but the five, bounded depth and text. What the elements mean: lib/parse/xml-records.ts.
 */
import { SaxesParser } from 'saxes'
import { ParseError } from '../model/errors.ts'

/** An opened element; good until its handler returns. */
export interface XmlElement {
  /** As written, prefix included. */
  readonly name: string
  /** Namespace URI, empty for none; always empty unless namespaces are resolved. */
  readonly uri: string
  attribute(local: string, uri: string | null): string | null
  /** Attributes without namespace declarations, by local name unless two share it. */
  attributes(): readonly (readonly [string, string])[]
}

/** Gets what a document consists of, in its order. */
export interface XmlHandler {
  open(element: XmlElement): void
  /** Text or CDATA; an element's text may come in several pieces. */
  text(text: string): void
  close(): void
}

/** What bounds a document. */
export interface XmlLimits {
  readonly maxDepth: number
  /** Characters between two tags. */
  readonly maxText: number
}

type Attributes = Readonly<
  Record<string, string | { readonly value: string; readonly local: string; readonly uri: string }>
>

const XMLNS = 'http://www.w3.org/2000/xmlns/'

/** The part of a name after its prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** Reads one document. */
export class XmlReader {
  readonly #parser: SaxesParser
  readonly #subject: string
  readonly #limits: XmlLimits
  #depth = 0
  #lastTag = 0
  #written = 0

  /** `namespaces`: resolves prefixes to URIs, at the cost of speed. `subject` is the file's name for errors. */
  constructor(handler: XmlHandler, namespaces: boolean, limits: XmlLimits, subject: string) {
    this.#subject = subject
    this.#limits = limits
    const parser = new SaxesParser({ xmlns: namespaces })
    // One for all: a document has ten times more elements than records.
    const opened = new OpenedElement()
    this.#parser = parser as SaxesParser
    parser.on('opentag', tag => {
      this.#depth += 1
      if (this.#depth > limits.maxDepth) throw this.#tooDeep()
      this.#noteTag()
      opened.name = tag.name
      opened.uri = namespaces ? (tag as { uri: string }).uri : ''
      opened.given = tag.attributes
      handler.open(opened)
    })
    parser.on('closetag', () => {
      this.#depth -= 1
      this.#noteTag()
      handler.close()
    })
    parser.on('text', text => handler.text(text))
    parser.on('cdata', text => handler.text(text))
    parser.on('doctype', () => {
      throw this.#refuse(
        'PARSE_XML_DOCTYPE',
        'it contains a DOCTYPE, which is refused because entities can make a small file a huge or a foreign one',
      )
    })
    parser.on('error', error => {
      throw this.#refuse(
        'PARSE_XML_MALFORMED',
        `it is not well-formed XML: ${error.message.replace(/^(?:undefined:)?\d+:\d+: |\.$/g, '')}`,
      )
    })
  }

  /** Characters read so far: behind the `>` of a tag while its handler runs. */
  get position(): number {
    return this.#parser.position
  }

  /** Position behind the last whole start or end tag. */
  get lastTag(): number {
    return this.#lastTag
  }

  /** Line reached, from 1. */
  get line(): number {
    return this.#parser.line
  }

  /**
   * Reads more of the document.
   * @throws PARSE_XML_MALFORMED, PARSE_XML_DOCTYPE, PARSE_XML_TOO_DEEP, PARSE_XML_TEXT_TOO_LONG
   */
  write(text: string): void {
    this.#parser.write(text)
    this.#written += text.length
    // The parser's own position only holds while a handler runs.
    if (this.#written - this.#lastTag > this.#limits.maxText) throw this.textTooLong()
  }

  /** Says that the document is over. @throws PARSE_XML_MALFORMED when it is not whole. */
  end(): void {
    this.#parser.close()
  }

  #noteTag(): void {
    const { position } = this.#parser
    if (position - this.#lastTag > this.#limits.maxText) throw this.textTooLong()
    this.#lastTag = position
  }

  /** The error for text beyond the bound. */
  textTooLong(): ParseError {
    return this.#refuse(
      'PARSE_XML_TEXT_TOO_LONG',
      `more than ${this.#limits.maxText} characters stand between two tags`,
    )
  }

  #tooDeep(): ParseError {
    return this.#refuse(
      'PARSE_XML_TOO_DEEP',
      `its elements are nested more than ${this.#limits.maxDepth} deep`,
    )
  }

  #refuse(code: `PARSE_${string}`, what: string): ParseError {
    const { line, column } = this.#parser
    return new ParseError(
      code,
      `${this.#subject}, line ${line}, column ${column}: ${what}. Nothing of this file is loaded.`,
      {
        details: { line, column },
      },
    )
  }
}

class OpenedElement implements XmlElement {
  name = ''
  uri = ''
  given: Attributes = {}

  attribute(local: string, uri: string | null): string | null {
    const exact = this.given[local]
    if (typeof exact === 'string' && uri === null) return exact
    for (const name in this.given) {
      const found = this.given[name]!
      if (typeof found === 'string') {
        if (uri === null && name !== local && localName(name) === local && !name.startsWith('xmlns:'))
          return found
      } else if (found.local === local && (uri === null ? found.uri !== XMLNS : found.uri === uri))
        return found.value
    }
    return null
  }

  attributes(): readonly (readonly [string, string])[] {
    const given: [string, string][] = []
    for (const name in this.given) {
      if (name === 'xmlns' || name.startsWith('xmlns:')) continue
      const value = this.given[name]!
      given.push([name, typeof value === 'string' ? value : value.value])
    }
    const locals = given.map(([name]) => localName(name))
    return given.map(([name, value], index) => [
      locals.indexOf(locals[index]!) === locals.lastIndexOf(locals[index]!) ? locals[index]! : name,
      value,
    ])
  }
}
