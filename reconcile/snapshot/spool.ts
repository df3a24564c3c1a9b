/**
 * A CSV file of our own between JavaScript and DuckDB: the fastest safe way in (650 k rows/s, against
 * 79 k through the row appender). Values are quoted, null is an unquoted \N; read by readSpool.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { Value } from '../../lib/model/table.ts'

/** Text gathered before it is written: larger blocks gained nothing in measurements. */
const FLUSH_CHARACTERS = 1 << 20

const QUOTE = 0x22
const LINE_END = 0x0a

/** A spool being written. */
export interface Spool {
  readonly path: string
  /** Longest line in bytes, at most; DuckDB has to be told. */
  longestLine(): number
  /** Adds a row, made of two parts; call `drain` after each block. */
  add(cells: readonly Value[], more?: readonly Value[]): void
  /** Writes out what was gathered once it is enough. */
  drain(): Promise<void>
  /** Adds bytes that are in this form already, such as COPY gives them. */
  append(bytes: Buffer): Promise<void>
  close(): Promise<void>
}

/** Opens a new spool. */
export async function openSpool(path: string): Promise<Spool> {
  const handle = await open(path, 'wx')
  return spool(path, handle)
}

function spool(path: string, handle: FileHandle): Spool {
  let text = ''
  let longest = 0
  let lineSoFar = 0
  let quoted = false
  let closed = false
  const measure = (bytes: Buffer): void => {
    for (let i = 0; i < bytes.length; i += 1) {
      const byte = bytes[i]
      lineSoFar += 1
      if (byte === QUOTE) quoted = !quoted
      else if (byte === LINE_END && !quoted) {
        if (lineSoFar > longest) longest = lineSoFar
        lineSoFar = 0
      }
    }
  }
  const flush = async (): Promise<void> => {
    const out = text
    text = ''
    if (out !== '') await handle.writeFile(out)
  }
  return {
    path,
    longestLine: () => Math.max(longest, lineSoFar),
    add: (cells, more) => {
      const row = more === undefined ? lineOf(cells) : `${lineOf(cells)},${lineOf(more)}`
      // UTF-8 takes at most three bytes per UTF-16 unit.
      if (row.length * 3 > longest) longest = row.length * 3
      text += `${row}\n`
    },
    drain: async () => {
      if (text.length >= FLUSH_CHARACTERS) await flush()
    },
    append: async bytes => {
      measure(bytes)
      await handle.writeFile(bytes)
    },
    close: async () => {
      if (closed) return
      closed = true
      await flush()
      await handle.close()
    },
  }
}

function lineOf(cells: readonly Value[]): string {
  let line = ''
  for (let i = 0; i < cells.length; i += 1) {
    const cell = cells[i]!
    if (i > 0) line += ','
    line += cell === null ? '\\N' : quoteCell(cell)
  }
  return line
}

function quoteCell(cell: string | number | boolean): string {
  if (typeof cell !== 'string') return `"${cell}"`
  return cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : `"${cell}"`
}
