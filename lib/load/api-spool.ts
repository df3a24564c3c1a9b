/**
 * Mapped rows on their way to an API, spooled to a work file: limits and units are judged before the
 * first request goes out, and a chunk is cut anew from it whenever it is needed. Nothing here must
 * survive a crash: mappings are pure, so the next attempt writes the same bytes and cuts the same chunks.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { BugError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { ApiLoad } from '../model/job.ts'
import type { MappedBlock, MappedRows } from '../model/mapping.ts'
import { qualifiedName, type TableDefinition, type Value } from '../model/table.ts'

/** A row as it goes out, and where it came from. */
export interface ApiRow {
  /** Position among all rows of the load, from 0. */
  readonly seq: number
  readonly file: number
  readonly ordinal: number
  readonly line: number
  readonly unit: string | null
  /** The JSON object as sent. */
  readonly json: string
}

/** Names the records of a unit that must not be sent. */
export type IsExcluded = (file: number, unit: string | null) => boolean

/** Where the work files of a revision lie: its rows and its rejects. */
export function spoolPaths(
  folder: string,
  revisionId: string,
): { readonly rows: string; readonly rejects: string } {
  const path = join(folder, `revision-${revisionId}`)
  return { rows: `${path}.rows`, rejects: `${path}.rejects` }
}

/** Removes what is left of a revision whose load is done: an attempt that died after its last transaction could not. */
export async function removeSpools(folder: string, revisionId: string): Promise<void> {
  for (const path of Object.values(spoolPaths(folder, revisionId))) await rm(path, { force: true })
}

/** The spool of one load. */
export class ApiSpool {
  readonly #path: string
  readonly #spec: ApiLoad
  readonly #name: string
  readonly #fields: readonly string[]
  readonly #keyPositions: readonly number[]
  #rows = 0

  constructor(path: string, spec: ApiLoad) {
    const [name, table] = Object.entries(spec.tables)[0] as [string, TableDefinition]
    this.#path = path
    this.#spec = spec
    this.#name = name
    this.#fields = Object.keys(table.columns).filter(field => table.columns[field]!.type.kind !== 'asOf')
    this.#keyPositions = table.key.map(field => this.#fields.indexOf(field))
  }

  /** Rows written, excluded ones too. */
  get rows(): number {
    return this.#rows
  }

  /** Writes all rows; `onBlock` sees each block before the next is asked for. Memory stays flat: the file's pace holds the mapping back. */
  async write(
    blocks: AsyncIterable<MappedBlock>,
    onBlock: (block: MappedBlock) => Promise<void>,
  ): Promise<void> {
    const file = createWriteStream(this.#path, { flags: 'w', mode: 0o600 })
    const done = finished(file)
    done.catch(() => {})
    try {
      for await (const block of blocks) {
        const text = this.#lines(block)
        if (!file.write(text))
          await Promise.race([new Promise<void>(resolve => file.once('drain', resolve)), done])
        await onBlock(block)
      }
      file.end()
      await done
    } catch (error) {
      file.destroy()
      throw error
    }
    failpoint('load.api-spooled')
  }

  /**
   * The chunks of the load in order, each within the job's limits of rows and bytes. Two rows with one
   * key never share a chunk: within a request an API promises no order.
   * Guarantee: the same rows and limits give the same chunks.
   */
  async *chunks(isExcluded: IsExcluded): AsyncGenerator<readonly ApiRow[]> {
    let chunk: ApiRow[] = []
    let bytes = 2
    let keys = new Set<string>()
    for await (const { row, key } of this.#read()) {
      if (isExcluded(row.file, row.unit)) continue
      const size = Buffer.byteLength(row.json) + 1
      const full = chunk.length >= this.#spec.maxItems || bytes + size > this.#spec.maxBytes || keys.has(key)
      if (full && chunk.length > 0) {
        yield chunk
        chunk = []
        bytes = 2
        keys = new Set()
      }
      chunk.push(row)
      bytes += size
      if (key !== '') keys.add(key)
    }
    if (chunk.length > 0) yield chunk
  }

  /** Removes the work file. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true })
  }

  #lines(block: MappedBlock): string {
    const mapped: MappedRows | undefined = block.tables[this.#name]
    if (mapped === undefined) {
      const table = qualifiedName(this.#spec.tables[this.#name]!)
      throw new BugError(
        'BUG_TABLE_UNKNOWN',
        `The mapping gave no rows for ${this.#name} (${table}), which the load expects. Nothing was sent.`,
      )
    }
    let text = ''
    for (const [at, row] of mapped.rows.entries()) {
      const key = this.#keyPositions.map(position => row[position]!)
      const head = [block.file, mapped.ordinals[at], mapped.lines[at], mapped.units[at] ?? null, key]
      text += `${JSON.stringify(head)}\t${this.#json(row)}\n`
    }
    this.#rows += mapped.rows.length
    return text
  }

  #json(row: readonly Value[]): string {
    // Field order is the table's, so that the same row is the same bytes. Decimals are texts: JSON numbers become floats at the other end.
    return `{${this.#fields.map((field, at) => `${JSON.stringify(field)}:${JSON.stringify(row[at] ?? null)}`).join(',')}}`
  }

  async *#read(): AsyncGenerator<{ row: ApiRow; key: string }> {
    let seq = 0
    for await (const text of linesOf(this.#path)) {
      const tab = text.indexOf('\t')
      const [file, ordinal, line, unit, key] = JSON.parse(text.slice(0, tab)) as [
        number,
        number,
        number,
        string | null,
        Value[],
      ]
      yield {
        row: { seq, file, ordinal, line, unit, json: text.slice(tab + 1) },
        key: key.length === 0 ? '' : JSON.stringify(key),
      }
      seq += 1
    }
  }
}

/** Lines by LF only: node:readline would also split at U+2028, which JSON leaves as it is. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of createReadStream(path, { encoding: 'utf8' })) {
    const lines = (rest + (piece as string)).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}
