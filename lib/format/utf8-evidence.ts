/**
 * Tells whether a file that was declared as a single-byte charset is UTF-8 in truth (B18): decoding
 * it would never fail, it would only turn `ü` into `Ã¼` in every name. Judged over the whole file,
 * because one pair of bytes proves little: `ß“` in windows-1252 is valid UTF-8 as well.
 */

/** UTF-8 characters of two to four bytes, or a byte above 0x7F that belongs to none. */
const HIGH = /([\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})|[\x80-\xff]/g

/** A character cut off at the end of a chunk. */
const UNFINISHED = /(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})$/

/** Collects evidence chunk by chunk; the chunks' borders do not matter. */
export class Utf8Evidence {
  /** Characters that hardly any single-byte text contains: Latin letters with accents, or three bytes and more. */
  #speaking = 0
  /** High bytes that are no UTF-8. */
  #against = 0
  #held = ''

  /** Looks at the next bytes, given as a Latin-1 string. */
  look(latin: string): void {
    const text = this.#held + latin
    this.#held = UNFINISHED.exec(text)?.[0] ?? ''
    this.#count(this.#held === '' ? text : text.slice(0, -this.#held.length))
  }

  /** After the last bytes: `utf-8` when everything says so, `mixed` when some of it does, `no` otherwise. */
  verdict(): 'utf-8' | 'mixed' | 'no' {
    this.#count(this.#held)
    this.#held = ''
    if (this.#speaking === 0) return 'no'
    return this.#against === 0 ? 'utf-8' : 'mixed'
  }

  #count(text: string): void {
    HIGH.lastIndex = 0
    for (let match = HIGH.exec(text); match !== null; match = HIGH.exec(text)) {
      if (match[1] === undefined) this.#against += 1
      // Lead bytes C2-C5 cover the letters of Western and Central Europe; other pairs are also common single-byte text.
      else if (match[1].length > 2 || match[1].charCodeAt(0) <= 0xc5) this.#speaking += 1
    }
  }
}
