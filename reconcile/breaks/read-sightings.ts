/**
 * Reads back the file with which a comparison tells of every break (sighting.ts): one break at a time, in
 * the order in which they were found, whatever their number.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Break, BreakColumn, BreakKind } from '../../lib/model/break.ts'

/** Every break of the file. Cost: one line in memory. */
export async function* readSightings(file: string): AsyncGenerator<Break> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  for await (const line of lines) if (line !== '') yield breakOf(line)
}

function breakOf(line: string): Break {
  const [identity, kind, key, columns, leftRows, rightRows, origin, hint] = line
    .split('\t')
    .map(cell => (cell === '\\N' ? null : unescaped(cell)))
  return {
    identity: identity!,
    kind: kind as BreakKind,
    key: JSON.parse(key!) as Break['key'],
    columns: JSON.parse(columns!) as BreakColumn[],
    leftRows: Number(leftRows),
    rightRows: Number(rightRows),
    origin: origin === null || origin === undefined ? null : (JSON.parse(origin) as Break['origin']),
    hint: hint!,
  }
}

const UNESCAPES: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' }

function unescaped(cell: string): string {
  return cell.includes('\\') ? cell.replace(/\\(.)/g, (_, letter: string) => UNESCAPES[letter]!) : cell
}
