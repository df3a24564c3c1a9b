/**
 * Tables in plain text: columns aligned, 78 characters at most. Numbers are never broken; texts wrap
 * inside their column; a table that can't be that narrow is written as one small list per row.
 */
import type { Cell, TableColumn } from '../document/blocks.ts'

/** Longest line: what mail programs show without wrapping, and quoting still fits. */
export const WIDTH = 78

/** Narrowest column of text that is still readable. */
const NARROWEST = 14

/** Words up to this long (file names, mostly) stay whole where the table allows it. */
const LONGEST_WHOLE = 40
const GAP = 2

/** Lines of a text, each at most `width` characters; words longer than that are cut. */
export function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = []
  let line = ''
  for (let word of text.split(' ')) {
    while (line === '' && word.length > width) {
      lines.push(word.slice(0, width))
      word = word.slice(width)
    }
    if (line === '') line = word
    else if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = ''
      while (word.length > width) {
        lines.push(word.slice(0, width))
        word = word.slice(width)
      }
      line = word
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}

/** Wrapped lines with a first and a hanging indent. */
export function indented(text: string, first: string, rest: string): string[] {
  return wrap(text, WIDTH - Math.max(first.length, rest.length)).map(
    (line, index) => `${index === 0 ? first : rest}${line}`,
  )
}

/** The table's lines. */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  indent = '  ',
): string[] {
  const widths = fitted(columns, rows, WIDTH - indent.length)
  if (widths === null) return rows.flatMap(row => listLines(columns, row, indent))
  const lines = [
    ...rowLines(
      columns.map(({ title }) => title),
      columns,
      widths,
    ),
    columns.map((_, index) => '-'.repeat(widths[index]!)).join(' '.repeat(GAP)),
    ...rows.flatMap(row =>
      rowLines(
        row.map(({ text }) => text),
        columns,
        widths,
      ),
    ),
  ]
  return lines.map(line => `${indent}${line}`.trimEnd())
}

function rowLines(
  texts: readonly string[],
  columns: readonly TableColumn[],
  widths: readonly number[],
): string[] {
  const wrapped = texts.map((text, index) => wrap(text, widths[index]))
  const height = Math.max(...wrapped.map(({ length }) => length))
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, index) => {
        const text = lines[line] ?? ''
        return columns[index]!.align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!)
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
}

/** Widths that fit into `width`, null when numbers alone take too much. Words stay whole where there is room. */
function fitted(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  width: number,
): number[] | null {
  const longestWord = (text: string) => Math.max(...text.split(' ').map(({ length }) => length))
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map(row => row[index]!.text.length)),
  )
  const least = (longestWhole: number) =>
    columns.map(({ align, title }, index) => {
      const texts = rows.map(row => row[index]!.text)
      if (align === 'right') return Math.max(longestWord(title), ...texts.map(({ length }) => length))
      const words = Math.min(longestWhole, Math.max(...[title, ...texts].map(longestWord)))
      return Math.min(widths[index]!, Math.max(NARROWEST, words))
    })
  const room = width - GAP * (columns.length - 1)
  return shrunk(widths, least(LONGEST_WHOLE), room) ?? shrunk(widths, least(NARROWEST), room)
}

/** Takes from the column that has most to give until all fit; null when they can't. */
function shrunk(wanted: readonly number[], least: readonly number[], room: number): number[] | null {
  const total = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0)
  if (total(least) > room) return null
  const widths = [...wanted]
  while (total(widths) > room) {
    const spare = widths.map((one, index) => one - least[index]!)
    widths[spare.indexOf(Math.max(...spare))]! -= 1
  }
  return widths
}

function listLines(columns: readonly TableColumn[], row: readonly Cell[], indent: string): string[] {
  const label = Math.min(24, Math.max(...columns.map(({ title }) => title.length)))
  const lines = row.flatMap(({ text }, index) => {
    if (text === '') return []
    const [first = '', ...more] = wrap(columns[index]!.title, label)
    const values = wrap(text, WIDTH - indent.length - label - GAP)
    const titles = [first, ...more]
    return Array.from({ length: Math.max(values.length, titles.length) }, (_, line) =>
      `${indent}${(titles[line] ?? '').padEnd(label)}${' '.repeat(GAP)}${values[line] ?? ''}`.trimEnd(),
    )
  })
  return [...lines, '']
}
