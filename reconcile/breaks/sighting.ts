/**
 * The file with which a comparison tells the break ledger of every break that it found: one line each
 * in Postgres's COPY form, with both sides' marks. Transient: the ledger keeps what it needs of it.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { storable, storableJson } from '../../lib/ledger/storable.ts'
import type { Break } from '../../lib/model/break.ts'
import type { Marks } from '../../lib/model/lasting-break.ts'
import { type ComparePlan, columnsOf } from '../compare/plan.ts'
import { isCounted, markOf, markOfCount } from './marks.ts'

/** The rows behind a break, as far as they are known: values under rules by position of columnsOf(plan). */
export interface RowsBehind {
  readonly left: { readonly ruled: readonly (string | null)[] } | null
  readonly right: { readonly ruled: readonly (string | null)[] } | null
  /** Rows of the key on each side, before equal ones were cancelled. */
  readonly totals?: { readonly left: number; readonly right: number }
}

const FLUSH_CHARACTERS = 1 << 20

/** Writes the sightings of one comparison. Call `finish` or `discard`. */
export class SightingSink {
  readonly path: string
  readonly #marker: (found: Break, rows: RowsBehind) => Marks
  #handle: FileHandle | null = null
  #text = ''

  constructor(path: string, plan: ComparePlan) {
    this.path = path
    this.#marker = marker(plan)
  }

  /** Takes a break; call `drain` after each block. */
  add(found: Break, rows: RowsBehind): void {
    this.#text += sightingLine(found, this.#marker(found, rows))
  }

  /** Writes out what was gathered once it is enough. */
  async drain(): Promise<void> {
    if (this.#text.length >= FLUSH_CHARACTERS) await this.#flush()
  }

  /** Ends the file; it is there even without a break. */
  async finish(): Promise<void> {
    await this.#flush()
    await this.close()
  }

  /** Closes the file as it is. */
  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }

  async #flush(): Promise<void> {
    this.#handle ??= await open(this.path, 'w')
    const text = this.#text
    this.#text = ''
    await this.#handle.writeFile(text)
  }
}

/** The COPY line of a break (SIGHTING_COLUMNS of the ledger). */
export function sightingLine(found: Break, marks: Marks): string {
  const cells = [
    found.identity,
    found.kind,
    storableJson(found.key),
    storableJson(found.columns),
    String(found.leftRows),
    String(found.rightRows),
    found.origin === null ? null : storableJson(found.origin),
    storable(found.hint),
    marks.source,
    marks.target,
  ]
  return `${cells.map(cell => (cell === null ? '\\N' : escaped(cell))).join('\t')}\n`
}

const SPECIAL = /[\\\t\n\r]/g
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function escaped(cell: string): string {
  return cell.replace(SPECIAL, character => ESCAPES[character]!)
}

/** Gives the marks of breaks of a plan. */
export function marker(plan: ComparePlan): (found: Break, rows: RowsBehind) => Marks {
  const positions = new Map(columnsOf(plan).map(({ name }, index) => [name, index]))
  const keyed = plan.key.length > 0
  return (found, { left, right, totals }) => {
    const rows = totals ?? { left: found.leftRows, right: found.rightRows }
    if (found.kind === 'unreadable' || found.kind === 'key_invalid' || isCounted(found.kind, keyed))
      return {
        source: rows.left === 0 ? null : markOfCount(rows.left),
        target: rows.right === 0 ? null : markOfCount(rows.right),
      }
    const names = found.columns.map(({ name }) => name)
    const side = (row: RowsBehind['left'], of: 'left' | 'right'): string | null => {
      if (found[`${of}Rows`] === 0) return null
      const values = found.columns.map(column => {
        const position = positions.get(column.name)
        return row === null || position === undefined ? column[of] : (row.ruled[position] ?? null)
      })
      return markOf(names, values)
    }
    return { source: side(left, 'left'), target: side(right, 'right') }
  }
}
