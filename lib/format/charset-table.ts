/**
 * Tables of the single-byte charsets, and decoding through them. A byte that the charset gives no
 * character is refused: that is what tells a DOS or UTF-8 file from the charset it was declared as.
 * Multi-byte charsets are decoded in charset.ts.
 */

/** Every single-byte charset that can be declared, by canonical name. There is no ISO-8859-12. */
export const singleByteCharsets: readonly string[] = [
  'us-ascii',
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16].map(part => `iso-8859-${part}`),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(part => `windows-125${part}`),
  'windows-874',
  'ibm866',
  'koi8-r',
  'koi8-u',
  'macintosh',
]

/** Whether `charset` is one of them. */
export function knowsSingleByte(charset: string): boolean {
  return singleByteCharsets.includes(charset)
}

interface Table {
  /** Character of each byte from 0x80 on, null where there is none. */
  readonly upper: readonly (string | null)[]
  /** Finds bytes (as Latin-1 characters) that are not their own code point. */
  readonly differing: RegExp
}

const tables = new Map<string, Table>()

function tableOf(charset: string): Table {
  const known = tables.get(charset)
  if (known !== undefined) return known
  const upper: (string | null)[] = []
  let pattern = ''
  for (let byte = 0x80; byte <= 0xff; byte++) {
    const character = characterOf(charset, byte)
    upper.push(character)
    if (character !== String.fromCharCode(byte)) pattern += `\\x${byte.toString(16)}`
  }
  const table = { upper, differing: new RegExp(pattern === '' ? '(?!)' : `[${pattern}]`, 'g') }
  tables.set(charset, table)
  return table
}

/**
 * The WHATWG tables of TextDecoder differ from the charsets of the same name in two ways that would
 * read wrong text as right: `us-ascii` and `iso-8859-1` are windows-1252 there (9 is 1254, 11 is 874),
 * and undefined bytes become C1 control characters. C1 controls are never text, so they are refused.
 */
function characterOf(charset: string, byte: number): string | null {
  if (charset === 'us-ascii') return null
  if (charset.startsWith('iso-8859-') && byte < 0xa0) return null
  try {
    // `stream: true`: decoding in one go turned 0x80 of windows-1252 into U+0080 on Node 22.18.
    const text = new TextDecoder(charset, { fatal: true }).decode(Uint8Array.of(byte), { stream: true })
    return /^[\u0080-\u009f]$/.test(text) || text === '' ? null : text
  } catch {
    return null
  }
}

/** Text of single bytes given as a Latin-1 string; at a byte without a character, the text before it and its index. */
export function decodeSingleByte(charset: string, latin: string): { text: string; badAt: number } {
  const { upper, differing } = tableOf(charset)
  differing.lastIndex = 0
  let match = differing.exec(latin)
  if (match === null) return { text: latin, badAt: -1 }
  let text = ''
  let from = 0
  for (; match !== null; match = differing.exec(latin)) {
    const character = upper[latin.charCodeAt(match.index) - 0x80]!
    text += latin.slice(from, match.index)
    if (character === null) return { text, badAt: match.index }
    text += character
    from = match.index + 1
  }
  return { text: text + latin.slice(from), badAt: -1 }
}
