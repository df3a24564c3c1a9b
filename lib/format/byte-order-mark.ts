/**
 * Byte order marks, and UTF-16 recognised without one. Who declared what is judged in
 * lib/parse/source-text.ts.
 */

/** A byte order mark at the start of some bytes. */
export interface ByteOrderMark {
  readonly charset: 'utf-8' | 'utf-16le' | 'utf-16be'
  readonly length: number
}

/** The mark that these bytes begin with, null for none. UTF-32 marks are no UTF-16 ones and give null. */
export function byteOrderMark(head: Uint8Array): ByteOrderMark | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { charset: 'utf-8', length: 3 }
  if (head[0] === 0xfe && head[1] === 0xff) return { charset: 'utf-16be', length: 2 }
  if (head[0] === 0xff && head[1] === 0xfe && !(head[2] === 0 && head[3] === 0)) {
    return { charset: 'utf-16le', length: 2 }
  }
  return null
}

/** UTF-16 without a mark, told by where the zero bytes of mostly Latin text stand; null when it is none. */
export function utf16Without(head: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const length = Math.min(head.length, 4096)
  const zeros = [0, 0]
  for (let at = 0; at < length; at++) if (head[at] === 0) zeros[at % 2]! += 1
  const pairs = length / 2
  if (pairs < 2) return null
  if (zeros[1]! > pairs * 0.6 && zeros[0]! < pairs * 0.1) return 'utf-16le'
  if (zeros[0]! > pairs * 0.6 && zeros[1]! < pairs * 0.1) return 'utf-16be'
  return null
}
