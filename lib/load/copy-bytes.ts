/**
 * Bytes for COPY's text format, written straight into one large buffer: texts are walked once, to be
 * escaped, encoded and judged. A string per block would cost three times as much, because it is
 * joined, scanned and encoded apart. What is a row is copy-text.ts's business.
 */

/** A buffer that grows by need and is used again. */
export class CopyBytes {
  bytes: Buffer
  /** Bytes written. */
  length = 0

  /** `size` in bytes. */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size)
  }

  /** The bytes written so far, without a copy: good until the buffer is used again. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Makes room for some more bytes, and gives the buffer. */
  reserve(more: number): Buffer {
    const needed = this.length + more
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    return this.bytes
  }
}

/** Most bytes that putNumber, putNull or putBoolean takes: -9007199254740991. */
export const NUMBER_BYTES = 17

/** A UTF-16 unit takes at most three bytes of UTF-8, an escaped one two. */
export const BYTES_PER_UNIT = 3

/** Below this a number's digits are taken with 32-bit arithmetic. */
const INT_DIGITS = 1_000_000_000

const BACKSLASH = 92
const CR = 13

/** The letters after the backslash for TAB, LF and CR; COPY needs no other escapes in UTF-8. */
const LETTERS: Readonly<Record<number, number>> = { 9: 116, 10: 110, 13: 114, 92: BACKSLASH }

/** What putText gives instead of a place when the text holds a NUL. */
export const HOLDS_NUL = -1
/** What putText gives instead of a place when the text holds half of a character. */
export const HOLDS_HALF = -2

/** Writes a whole number; like all of these it gives the place behind what it wrote. */
export function putNumber(bytes: Uint8Array, at: number, value: number): number {
  // Adding 0 makes 0 of -0.
  if (value < 0 || value >= INT_DIGITS) return putDigits(bytes, at, String(value + 0))
  let rest = value | 0
  let end = at + 1
  for (let left = rest; left >= 10; left = (left / 10) | 0) end += 1
  for (let place = end - 1; place >= at; place -= 1) {
    const tenth = (rest / 10) | 0
    bytes[place] = 48 + rest - tenth * 10
    rest = tenth
  }
  return end
}

/** Writes the mark of null, `\N`. */
export function putNull(bytes: Uint8Array, at: number): number {
  bytes[at] = BACKSLASH
  bytes[at + 1] = 78
  return at + 2
}

/** Writes `t` or `f`. */
export function putBoolean(bytes: Uint8Array, at: number, value: boolean): number {
  bytes[at] = value ? 116 : 102
  return at + 1
}

/** Writes a number as a text of its digits: those beyond nine, and negative ones. */
function putDigits(bytes: Uint8Array, at: number, digits: string): number {
  for (let index = 0; index < digits.length; index += 1) bytes[at + index] = digits.charCodeAt(index)
  return at + digits.length
}

/** Writes a text given as UTF-16 codes from `from` to before `end`, escaped; HOLDS_NUL or HOLDS_HALF where it can't be stored. */
export function putText(
  bytes: Uint8Array,
  at: number,
  units: Uint16Array,
  from: number,
  end: number,
): number {
  let to = at
  for (let index = from; index < end; index += 1) {
    const code = units[index]!
    if (code < 128) {
      if (code > BACKSLASH || (code > CR && code !== BACKSLASH)) {
        bytes[to++] = code
        continue
      }
      if (code === 0) return HOLDS_NUL
      const letter = LETTERS[code]
      if (letter !== undefined) bytes[to++] = BACKSLASH
      bytes[to++] = letter ?? code
    } else if (code < 0x800) {
      bytes[to++] = 0xc0 | (code >> 6)
      bytes[to++] = 0x80 | (code & 63)
    } else if (code < 0xd800 || code > 0xdfff) {
      bytes[to++] = 0xe0 | (code >> 12)
      bytes[to++] = 0x80 | ((code >> 6) & 63)
      bytes[to++] = 0x80 | (code & 63)
    } else {
      const next = index + 1 < end ? units[index + 1]! : 0
      if (code > 0xdbff || next < 0xdc00 || next > 0xdfff) return HOLDS_HALF
      const point = 0x10000 + ((code & 0x3ff) << 10) + (next & 0x3ff)
      index += 1
      bytes[to++] = 0xf0 | (point >> 18)
      bytes[to++] = 0x80 | ((point >> 12) & 63)
      bytes[to++] = 0x80 | ((point >> 6) & 63)
      bytes[to++] = 0x80 | (point & 63)
    }
  }
  return to
}
