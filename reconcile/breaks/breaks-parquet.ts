/**
 * Every break of a comparison as Parquet: the rows and columns of the CSV (compare/breaks-file.ts), with values as they
 * are and counts as numbers. Made from the file of sightings, so that any number of breaks needs no memory.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { openDuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText, readSpool } from '../../lib/format/duckdb/sql.ts'
import type { Break } from '../../lib/model/break.ts'
import { breakCells, breakRows } from '../compare/breaks-file.ts'
import { snapshotColumns } from '../snapshot/columns.ts'
import { openSpool, type Spool } from '../snapshot/spool.ts'

/** Columns that are whole numbers. */
const NUMBERS: ReadonlySet<string> = new Set(['left_rows', 'right_rows', 'line'])

/** Writes the breaks of a file of sightings to `to`, in their order. Guarantee: the same breaks give the same bytes. */
export async function writeBreaksParquet(
  sightings: string,
  keys: readonly string[],
  to: string,
  workFolder: string,
  signal: AbortSignal,
): Promise<void> {
  const name = `breaks-${randomUUID()}`
  const spool = await openSpool(path.join(workFolder, `${name}.spool`))
  try {
    await spoolBreaks(sightings, keys, spool)
    await spool.close()
    // One thread keeps the order, and with it the bytes.
    const db = await openDuckDb({
      spillFolder: path.join(workFolder, `${name}.spill`),
      folders: [workFolder, path.dirname(to)],
      limits: { threads: 1 },
      signal,
    })
    try {
      const columns = snapshotColumns(breakCells(keys).map(column => ({ name: column, kind: 'text' })))
      const physical = columns.map((_, index) => `c${index}`)
      const values = columns.map(({ name: column, stored }, index) => {
        const type = NUMBERS.has(column) ? '::bigint' : ''
        return `c${index}${type} as ${quoteName(stored)}`
      })
      await db.run(
        `copy (select ${values.join(', ')} from ${readSpool(spool.path, physical, spool.longestLine())}) to ${quoteText(to)} (format parquet, compression zstd, compression_level 1)`,
      )
    } finally {
      await db.close()
    }
  } finally {
    await spool.close()
    await rm(spool.path, { force: true })
  }
}

async function spoolBreaks(sightings: string, keys: readonly string[], spool: Spool): Promise<void> {
  let rest = ''
  for await (const text of createReadStream(sightings, { encoding: 'utf8' })) {
    const lines = `${rest}${text as string}`.split('\n')
    rest = lines.pop()!
    for (const line of lines) for (const cells of breakRows(breakOf(line), keys)) spool.add(cells)
    await spool.drain()
  }
}

/** A break from its line in the form of COPY (sighting.ts writes it). */
function breakOf(line: string): Break {
  const cells = line.split('\t').map(cell => (cell === '\\N' ? null : unescaped(cell)))
  const [identity, kind, key, columns, leftRows, rightRows, origin, hint] = cells
  return {
    identity: identity!,
    kind: kind as Break['kind'],
    key: JSON.parse(key!) as Break['key'],
    columns: JSON.parse(columns!) as Break['columns'],
    leftRows: Number(leftRows),
    rightRows: Number(rightRows),
    origin: origin == null ? null : (JSON.parse(origin) as Break['origin']),
    hint: hint ?? '',
  }
}

const UNESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' }

function unescaped(cell: string): string {
  return cell.includes('\\') ? cell.replace(/\\(.)/g, (_, character: string) => UNESCAPED[character]!) : cell
}
