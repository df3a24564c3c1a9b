/**
 * The CSV with every break, written while they are found, so that their number needs no memory. A value
 * mismatch takes one line per differing column; any other break takes one line, its row's values as JSON.
 */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Break } from '../../lib/model/break.ts'
import { failpoint } from '../../lib/model/failpoint.ts'
import { publish } from '../snapshot/store.ts'

const FLUSH_CHARACTERS = 1 << 20

/** Begins of cells that a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/

const NUMBER = /^-?\d+(\.\d+)?$/

/** Collects breaks: the first ones in memory, all of them in the file. */
export class BreakSink {
  readonly first: Break[] = []
  total = 0
  readonly #file: string | null
  readonly #keys: readonly string[]
  readonly #inMemory: number
  #handle: FileHandle | null = null
  #text = ''

  /** `file` null: nothing is written, only the first breaks are kept. */
  constructor(file: string | null, keys: readonly string[], inMemory: number) {
    this.#file = file
    this.#keys = keys
    this.#inMemory = inMemory
  }

  /** Takes a break; call `drain` after each block of rows. Those of a whole side are held in memory however many there are before them. */
  add(found: Break): void {
    if (this.total < this.#inMemory || found.kind === 'net_budget') this.first.push(found)
    this.total += 1
    if (this.#file !== null) this.#text += linesOf(found, this.#keys)
  }

  /** Writes out what was gathered once it is enough. */
  async drain(): Promise<void> {
    if (this.#text.length >= FLUSH_CHARACTERS) await this.#flush()
  }

  /** Puts the file in its place, durably; gives its path, null when there is no break. */
  async finish(): Promise<string | null> {
    if (this.#file === null || this.total === 0) return null
    await this.#flush()
    await this.#handle!.close()
    this.#handle = null
    failpoint('reconcile.breaks-written')
    await publish(`${this.#file}.part`, this.#file)
    return this.#file
  }

  /** Removes what was written, after a failure. */
  async discard(): Promise<void> {
    if (this.#handle === null) return
    await this.#handle.close()
    this.#handle = null
    await rm(`${this.#file}.part`, { force: true })
  }

  async #flush(): Promise<void> {
    if (this.#handle === null) {
      await mkdir(path.dirname(this.#file!), { recursive: true })
      this.#handle = await open(`${this.#file}.part`, 'w')
      this.#text = `${breaksHead(this.#keys)}${this.#text}`
    }
    const out = this.#text
    this.#text = ''
    await this.#handle.writeFile(out)
  }
}

/** Names of the cells of a break's rows. */
export function breakCells(keys: readonly string[]): string[] {
  const names = ['kind', ...keys.map(key => `key.${key}`), 'column', 'left', 'right', 'nature', 'delta']
  return [...names, 'left_rows', 'right_rows', 'file', 'line', 'hint', 'identity']
}

/** The file's first line. */
export function breaksHead(keys: readonly string[]): string {
  return line(breakCells(keys))
}

function linesOf(found: Break, keys: readonly string[]): string {
  return breakRows(found, keys).map(line).join('')
}

/** The rows of a break, each with the cells of `breakCells`. */
export function breakRows(found: Break, keys: readonly string[]): (string | null)[][] {
  const begin = [found.kind, ...keys.map(key => found.key[key] ?? null)]
  const end = [
    String(found.leftRows),
    String(found.rightRows),
    found.origin?.file ?? null,
    found.origin === null ? null : String(found.origin.line),
    found.hint === '' ? null : found.hint,
    found.identity,
  ]
  if (found.kind === 'value_mismatch') {
    return found.columns.map(({ name, left, right, nature, delta }) => [
      ...begin,
      ...[name, left, right, nature, delta],
      ...end,
    ])
  }
  const values = (side: 'left' | 'right', rows: number): string | null =>
    rows === 0
      ? null
      : JSON.stringify(Object.fromEntries(found.columns.map(column => [column.name, column[side]])))
  const [left, right] = [values('left', found.leftRows), values('right', found.rightRows)]
  return [[...begin, null, left, right, null, null, ...end]]
}

/** Null is an empty cell, an empty text is quoted: the two are told apart. */
function line(cells: readonly (string | null)[]): string {
  return `${cells.map(cell => (cell === null ? '' : quoteCell(cell))).join(',')}\n`
}

function quoteCell(cell: string): string {
  const safe = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell
  return safe === '' || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
