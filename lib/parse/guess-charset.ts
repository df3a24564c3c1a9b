/**
 * Which charset a file has, when nobody says: byte order mark, then UTF-16 by its zero bytes, then
 * strict UTF-8 over the whole file, else windows-1252. Jobs declare their charset; only `preview`
 * and `compare` guess.
 */
import { byteOrderMark, utf16Without } from '../format/byte-order-mark.ts'
import { openDecoder } from '../format/charset.ts'

/** A charset, and whether the file itself states it. */
export interface CharsetGuess {
  readonly charset: string
  readonly certain: boolean
}

/**
 * The charset of a file's bytes. Guarantee: `utf-8` only when the whole file is valid UTF-8.
 * Cost: reads the whole file once, unless a byte order mark settles it.
 */
export async function guessCharset(chunks: AsyncIterable<Buffer>): Promise<CharsetGuess> {
  const utf8 = openDecoder('utf-8')
  let first = true
  for await (const chunk of chunks) {
    if (first) {
      first = false
      const mark = byteOrderMark(chunk)
      if (mark !== null) return { charset: mark.charset, certain: true }
      const wide = utf16Without(chunk)
      if (wide !== null) return { charset: wide, certain: false }
    }
    utf8.decode(chunk)
    if (utf8.fault() !== null) return { charset: 'windows-1252', certain: false }
  }
  utf8.end()
  return utf8.fault() === null
    ? { charset: 'utf-8', certain: true }
    : { charset: 'windows-1252', certain: false }
}
