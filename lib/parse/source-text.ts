/**
 * From a file's bytes to its text: opens it, judges the declared charset against the byte order
 * mark and the bytes themselves, decodes strictly. What the text means is csv-stream.ts's and
 * xml-stream.ts's business.
 */
import { open } from 'node:fs/promises'
import { byteOrderMark, utf16Without } from '../format/byte-order-mark.ts'
import { type CharsetFault, canonicalCharset, type Decoder, openDecoder } from '../format/charset.ts'
import { ParseError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'

/** Bytes read at once. A 120 MB XML file peaked at 232 MB of memory with this, at 261 MB with twice as much, in the same time. */
const CHUNK_BYTES = 131_072

/** Bytes that are looked at before decoding begins: enough for an XML declaration. */
const HEAD_BYTES = 1024

/**
 * The bytes of a file, in chunks that are overwritten by the next one. Reports progress.
 * @throws PARSE_FILE_UNREADABLE when the file can't be opened or read.
 */
export async function* fileChunks(
  path: string,
  subject: string,
  context: StepContext,
): AsyncGenerator<Buffer> {
  const unreadable = (cause: unknown) =>
    new ParseError(
      'PARSE_FILE_UNREADABLE',
      `${subject} can't be read from ${path}: ${(cause as Error).message}. Nothing of it was parsed.`,
      {
        retry: 'backoff',
        cause,
      },
    )
  const handle = await open(path).catch((cause: unknown) => {
    throw unreadable(cause)
  })
  try {
    const total = (await handle.stat()).size
    // While a chunk is worked on, the next one is read into the other buffer.
    const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] as const
    const read = (turn: number) => handle.read(buffers[turn % 2 === 0 ? 0 : 1], 0, CHUNK_BYTES)
    let next = read(0)
    for (let done = 0, turn = 0; ; turn += 1) {
      context.signal.throwIfAborted()
      const { bytesRead, buffer } = await next.catch((cause: unknown) => {
        throw unreadable(cause)
      })
      if (bytesRead === 0) return
      next = read(turn + 1)
      // Whoever stops in the middle never asks for it; its failure is then nobody's.
      next.catch(() => {})
      done += bytesRead
      yield buffer.subarray(0, bytesRead)
      context.progress({ step: 'parse', subject, unit: 'bytes', done, total })
    }
  } finally {
    await handle.close()
  }
}

/** How a text is to be read. */
export interface TextRules {
  /** The file's name, for errors. */
  readonly subject: string
  /** The charset when the file has no byte order mark; told the first bytes. @throws PARSE_CHARSET_MISMATCH */
  readonly charsetOf: (head: Buffer, mark: string | null) => string
  /** Line on which the text handed out so far ends, for errors. */
  readonly lineNow: () => number
}

/** The text of a file while it is read. */
export class SourceText {
  readonly #chunks: AsyncIterable<Buffer>
  readonly #rules: TextRules
  #charset = ''
  #unread = ''
  readonly warnings: string[] = []

  constructor(chunks: AsyncIterable<Buffer>, rules: TextRules) {
    this.#chunks = chunks
    this.#rules = rules
  }

  /** Canonical name, known once the first text was given. */
  get charset(): string {
    return this.#charset
  }

  /** Takes text back that was given last and not used: the next piece begins with it, or takeUnread gives it after the last. */
  giveBack(unread: string): void {
    this.#unread = unread
  }

  /** What was given back and not given again. */
  takeUnread(): string {
    const unread = this.#unread
    this.#unread = ''
    return unread
  }

  /**
   * The text without its byte order mark, in pieces.
   * @throws PARSE_UNDECODABLE for bytes that are no text in the charset, with their offset and line.
   * @throws PARSE_CHARSET_IS_UTF8 at the end of a file in which everything beyond ASCII is UTF-8 though another charset was declared.
   */
  async *texts(): AsyncGenerator<string> {
    let decoder: Decoder | null = null
    let head: Buffer | null = Buffer.alloc(0)
    let skipped = 0
    let replaced = 0
    const start = (bytes: Buffer): string => {
      const mark = byteOrderMark(bytes)
      this.#charset = this.#rules.charsetOf(bytes, mark?.charset ?? null)
      skipped = mark?.length ?? 0
      decoder = openDecoder(this.#charset)
      return decoder.decode(bytes.subarray(skipped))
    }
    for await (const chunk of this.#chunks) {
      let text: string
      if (decoder === null) {
        head = Buffer.concat([head!, chunk])
        if (head.length < HEAD_BYTES) continue
        text = start(head)
        head = null
      } else {
        text = (decoder as Decoder).decodeAgain(this.takeUnread(), chunk)
      }
      if (text.includes('\ufffd')) replaced += 1
      yield text
      this.#refuseFault(decoder!, skipped)
    }
    if (decoder === null) {
      const text = start(head!)
      if (text.includes('\ufffd')) replaced += 1
      yield text
    }
    decoder!.end()
    this.#refuseFault(decoder!, skipped)
    this.#judge(decoder!)
    if (replaced > 0) {
      this.warnings.push(
        'the file itself contains the replacement character U+FFFD: characters were lost before it was sent',
      )
    }
  }

  #refuseFault(decoder: Decoder, skipped: number): void {
    const fault = decoder.fault()
    if (fault !== null) throw this.#undecodable(fault, skipped)
  }

  #undecodable(fault: CharsetFault, skipped: number): ParseError {
    const line = this.#rules.lineNow()
    const offset = fault.offset + skipped
    return new ParseError(
      'PARSE_UNDECODABLE',
      `${this.#rules.subject} is not ${this.#charset}: the bytes ${fault.bytes} at offset ${offset} (line ${line}) are no character of it. Nothing of this file is loaded; declare the charset it really has, or ask the sender.`,
      { details: { charset: this.#charset, offset, line, bytes: fault.bytes } },
    )
  }

  #judge(decoder: Decoder): void {
    const verdict = decoder.evidence?.verdict() ?? 'no'
    if (verdict === 'mixed') {
      this.warnings.push(`some characters beyond ASCII look like UTF-8 in a file read as ${this.#charset}`)
    }
    if (verdict !== 'utf-8') return
    throw new ParseError(
      'PARSE_CHARSET_IS_UTF8',
      `${this.#rules.subject} is declared as ${this.#charset}, but everything in it beyond ASCII is valid UTF-8: read as declared, its names would be wrong. Nothing of this file is loaded; declare utf-8, or ask the sender.`,
      { details: { charset: this.#charset } },
    )
  }
}

/** How a declared charset is judged for a file that can't state its own: see {@link TextRules.charsetOf}. */
export function declaredCharset(subject: string, declared: string): TextRules['charsetOf'] {
  const charset = canonicalCharset(declared)
  const mismatch = (found: string) =>
    new ParseError(
      'PARSE_CHARSET_MISMATCH',
      `${subject} is declared as ${charset}, but ${found}. Nothing of this file is loaded; correct the declaration, or ask the sender.`,
      { details: { charset } },
    )
  return (head, mark) => {
    if (mark !== null) {
      if (mark === charset || (charset === 'utf-16' && mark !== 'utf-8')) return mark
      throw mismatch(`it begins with the byte order mark of ${mark}`)
    }
    if (charset === 'utf-16')
      throw mismatch('it has no byte order mark that tells the byte order: declare utf-16le or utf-16be')
    const wide = charset.startsWith('utf-16') ? null : utf16Without(head)
    if (wide !== null) throw mismatch(`its bytes are ${wide} without a byte order mark`)
    return charset
  }
}
