/**
 * Strict decoders: bytes in any chunks -> text, never U+FFFD. UTF-8, UTF-16 and every single-byte
 * charset of charset-table.ts. Byte order marks are judged in byte-order-mark.ts, files are opened
 * in lib/parse/source-text.ts.
 */
import { isUtf8 } from 'node:buffer'
import { ConfigError } from '../model/errors.ts'
import { decodeSingleByte, knowsSingleByte, singleByteCharsets } from './charset-table.ts'
import { Utf8Evidence } from './utf8-evidence.ts'

/** The first bytes that are no text in the charset. */
export interface CharsetFault {
  /** Offset in the decoded bytes, from 0. */
  readonly offset: number
  /** The offending bytes in hex, at most four. */
  readonly bytes: string
}

/** Turns chunks of bytes into text. After a fault it gives nothing more. */
export interface Decoder {
  /** Canonical name: `utf-8`, `utf-16le`, `windows-1252`. */
  readonly charset: string
  /** Text up to the chunk's last whole character, or up to the fault. */
  decode(chunk: Buffer): string
  /** As decode, with the text before it that was decoded and not used: the whole is one flat string where that is cheap. */
  decodeAgain(unread: string, chunk: Buffer): string
  /** Must be called after the last chunk: an unfinished character is a fault. */
  end(): void
  fault(): CharsetFault | null
  /** What speaks for UTF-8 in a file declared as a single-byte charset; null for the other charsets. */
  readonly evidence: Utf8Evidence | null
}

const ALIASES: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  'utf-16': 'utf-16',
  utf16: 'utf-16',
  'ucs-2': 'utf-16le',
  ascii: 'us-ascii',
  cp1252: 'windows-1252',
  'windows-latin1': 'windows-1252',
  ansi: 'windows-1252',
  latin1: 'iso-8859-1',
  'latin-1': 'iso-8859-1',
  latin9: 'iso-8859-15',
  'latin-9': 'iso-8859-15',
}

/**
 * The canonical name of a charset, `utf-16` where the byte order is left to the mark.
 * @throws CONFIG_CHARSET_UNKNOWN for a name that no strict decoder exists for.
 */
export function canonicalCharset(name: string): string {
  const lower = name.trim().toLowerCase().replaceAll('_', '-')
  const alias =
    ALIASES[lower] ?? lower.replace(/^iso8859-/, 'iso-8859-').replace(/^cp125(\d)$/, 'windows-125$1')
  if (alias === 'utf-8' || alias.startsWith('utf-16') || knowsSingleByte(alias)) return alias
  throw new ConfigError(
    'CONFIG_CHARSET_UNKNOWN',
    `There is no strict decoder for the charset ${JSON.stringify(name)}. Known are utf-8, utf-16, utf-16le, utf-16be, ${singleByteCharsets.join(', ')}.`,
  )
}

/** A decoder for a canonical charset other than `utf-16`; the byte order mark must be cut off before. */
export function openDecoder(charset: string): Decoder {
  if (charset === 'utf-8') return new Utf8Decoder()
  if (charset === 'utf-16le' || charset === 'utf-16be') return new Utf16Decoder(charset)
  return new SingleByteDecoder(charset)
}

/** Keeps what all decoders share: offset, unfinished bytes and the fault. */
abstract class StrictDecoder implements Decoder {
  readonly charset: string
  readonly evidence: Utf8Evidence | null = null
  #offset = 0
  #carry: Buffer | null = null
  #fault: CharsetFault | null = null

  constructor(charset: string) {
    this.charset = charset
  }

  decode(chunk: Buffer): string {
    if (this.#fault !== null) return ''
    const data = this.#carry === null ? chunk : Buffer.concat([this.#carry, chunk])
    const whole = this.wholeLength(data)
    // The chunk's memory may be reused by the reader, so what is kept is copied.
    this.#carry = whole === data.length ? null : Buffer.from(data.subarray(whole))
    const { text, badAt } = this.textOf(data.subarray(0, whole))
    if (badAt >= 0) this.#refuse(data, badAt)
    else this.#offset += whole
    return text
  }

  decodeAgain(unread: string, chunk: Buffer): string {
    return unread + this.decode(chunk)
  }

  /** Puts bytes that were decoded before in front of those to come. */
  protected takeBack(bytes: Buffer): void {
    this.#carry = this.#carry === null ? bytes : Buffer.concat([bytes, this.#carry])
    this.#offset -= bytes.length
  }

  end(): void {
    if (this.#fault === null && this.#carry !== null) this.#refuse(this.#carry, 0)
  }

  fault(): CharsetFault | null {
    return this.#fault
  }

  #refuse(data: Buffer, at: number): void {
    this.#fault = { offset: this.#offset + at, bytes: data.subarray(at, at + 4).toString('hex') }
    this.#carry = null
  }

  /** Length of the longest prefix that ends between two characters. */
  protected abstract wholeLength(data: Buffer): number
  /** The text, or the text before the first bad byte and that byte's index. */
  protected abstract textOf(data: Buffer): { text: string; badAt: number }
}

class Utf8Decoder extends StrictDecoder {
  constructor() {
    super('utf-8')
  }

  // Joining two strings would give a rope: reading a character of one costs twice as much.
  override decodeAgain(unread: string, chunk: Buffer): string {
    if (unread !== '') this.takeBack(Buffer.from(unread))
    return this.decode(chunk)
  }

  protected override wholeLength(data: Buffer): number {
    for (let back = 1; back <= 3 && back <= data.length; back++) {
      const byte = data[data.length - back]!
      if ((byte & 0xc0) === 0x80) continue
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
      return needed > back ? data.length - back : data.length
    }
    return data.length
  }

  protected override textOf(data: Buffer): { text: string; badAt: number } {
    const text = data.toString('utf8')
    if (isUtf8(data)) return { text, badAt: -1 }
    // Lossy decoding puts U+FFFD exactly where the first bad byte is, unless the file itself holds one there.
    let from = 0
    let offset = 0
    for (;;) {
      const at = text.indexOf('\ufffd', from)
      offset += Buffer.byteLength(text.slice(from, at))
      const genuine = data[offset] === 0xef && data[offset + 1] === 0xbf && data[offset + 2] === 0xbd
      if (!genuine) return { text: text.slice(0, at), badAt: offset }
      offset += 3
      from = at + 1
    }
  }
}

class Utf16Decoder extends StrictDecoder {
  protected override wholeLength(data: Buffer): number {
    const even = data.length - (data.length % 2)
    if (even === 0) return 0
    const high = this.charset === 'utf-16le' ? data[even - 1]! : data[even - 2]!
    return high >= 0xd8 && high <= 0xdb ? even - 2 : even
  }

  protected override textOf(data: Buffer): { text: string; badAt: number } {
    const little = this.charset === 'utf-16le' ? data : Buffer.from(data).swap16()
    const text = little.toString('utf16le')
    if (text.isWellFormed()) return { text, badAt: -1 }
    const at = text.search(/\p{Surrogate}/u)
    return { text: text.slice(0, at), badAt: at * 2 }
  }
}

class SingleByteDecoder extends StrictDecoder {
  override readonly evidence: Utf8Evidence | null

  constructor(charset: string) {
    super(charset)
    this.evidence = charset === 'us-ascii' ? null : new Utf8Evidence()
  }

  protected override wholeLength(data: Buffer): number {
    return data.length
  }

  protected override textOf(data: Buffer): { text: string; badAt: number } {
    const latin = data.toString('latin1')
    this.evidence?.look(latin)
    return decodeSingleByte(this.charset, latin)
  }
}
