/**
 * Delimited text to records, each with the line on which it begins: RFC 4180 with a delimiter of one
 * character, and nothing else. Strict about bytes: what is not of the charset makes the file unusable.
 */

/** One record. */
export interface CsvRecord {
  readonly line: number
  readonly fields: readonly string[]
}

/** The text of some bytes; null when they are not of this charset. */
export function decode(bytes: Uint8Array, charset: string): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

const UNQUOTED = { ',': /[^,\r\n]*/y, ';': /[^;\r\n]*/y } as const
const QUOTED = /"((?:[^"]|"")*)"/y
const END = /\r\n|\r|\n|$/y

/** All records of a text; null when it is not written by these rules. */
export function csvRecords(text: string, delimiter: ',' | ';'): CsvRecord[] | null {
  const records: CsvRecord[] = []
  let fields: string[] = []
  let [at, line, begun] = [0, 1, 1]
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at += found[0].length
    return found
  }
  while (at < text.length) {
    if (text[at] === '"') {
      const field = take(QUOTED)?.[1]
      if (field === undefined) return null
      line += field.split('\n').length - 1
      fields.push(field.replaceAll('""', '"'))
    } else {
      const field = take(UNQUOTED[delimiter])![0]
      if (field.includes('"')) return null
      fields.push(field)
    }
    if (text[at] === delimiter) {
      at += 1
      if (at === text.length || text[at] === '\r' || text[at] === '\n') fields.push('')
      else continue
    }
    if (take(END) === null) return null
    records.push({ line: begun, fields })
    fields = []
    line += 1
    begun = line
  }
  return records
}
