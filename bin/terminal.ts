/**
 * What a command writes to: stdout carries data only, everything else goes to stderr. Knows whether
 * a person watches. Progress lines are drawn by progress.ts.
 */
import { describeError, TallymanError } from '../lib/model/errors.ts'
import { visible } from '../lib/report/visible.ts'
import { nextCommand } from './next-command.ts'

/** The streams and wishes of one command. */
export interface Terminal {
  /** Data, as is. */
  out(text: string): void
  /** Data for people: lines, on a terminal broken between words where they are too long. */
  data(text: string): void
  /** Everything else, one or several lines; on a terminal broken between words where they are too long. */
  note(text: string): void
  readonly json: boolean
  readonly quiet: boolean
  /** Colour and animation are allowed on stderr. */
  readonly animated: boolean
  /** Width of the terminal that shows stdout; null where stdout is a file or a pipe. */
  readonly columns: number | null
  /** Paints text for stderr when colours are allowed there. */
  readonly paint: (style: Style, text: string) => string
  /** The same for stdout: coloured data in a file or pipe would be other data. */
  readonly paintOut: (style: Style, text: string) => string
}

/** Styles by meaning; words carry the status too, never the colour alone. */
export type Style = 'good' | 'bad' | 'warn' | 'dim' | 'strong'

const CODES: Record<Style, [number, number]> = {
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
  dim: [2, 22],
  strong: [1, 22],
}

/** The terminal of a process. `noColor`: NO_COLOR is set, or the terminal is a dumb one. */
export function openTerminal(
  streams: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream },
  wishes: { readonly json: boolean; readonly quiet: boolean; readonly noColor: boolean },
): Terminal {
  const plain = wishes.noColor || wishes.quiet
  const colour = streams.stderr.isTTY === true && !plain
  const colourOut = streams.stdout.isTTY === true && !plain && !wishes.json
  const painted = (allowed: boolean, style: Style, text: string): string =>
    allowed ? `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m` : text
  return {
    out: text => void streams.stdout.write(text),
    data: text => void streams.stdout.write(linesFor(text, streams.stdout)),
    note: text => {
      if (!wishes.quiet) streams.stderr.write(linesFor(text, streams.stderr))
    },
    json: wishes.json,
    quiet: wishes.quiet,
    animated: colour,
    columns: streams.stdout.isTTY === true ? streams.stdout.columns : null,
    paint: (style, text) => painted(colour, style, text),
    paintOut: (style, text) => painted(colourOut, style, text),
  }
}

function linesFor(text: string, stream: NodeJS.WriteStream): string {
  const lines = text.split('\n')
  const fitting = stream.isTTY === true ? lines.flatMap(line => wrapped(line, stream.columns)) : lines
  return `${fitting.join('\n')}\n`
}

const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

/** A line broken between words so that it fits; what follows stands under its text, right of a label (`  law     read 25`). */
export function wrapped(line: string, columns: number): string[] {
  const plain = (text: string): string => text.replace(COLOURS, '')
  if (plain(line).length <= columns) return [line]
  const start =
    /^ {2}[a-z]+:? {2,}/.exec(plain(line))?.[0].length ??
    plain(line).search(/\S|$/) + (line.startsWith(UNDER) ? 0 : 2)
  const hang = ' '.repeat(Math.min(start, Math.floor(columns / 3)))
  const lines: string[] = []
  let current = ''
  let width = 0
  for (const word of line.split(/(?<=\S)(?= )/)) {
    const length = plain(word).length
    if (width + length > columns && current !== '') {
      lines.push(current)
      current = hang + word.trimStart()
      width = plain(current).length
    } else {
      current += word
      width += length
    }
  }
  return [...lines, current]
}

/** The one document that `--json` prints. */
export function jsonDocument(data: unknown, warnings: readonly string[] = []): string {
  return `${JSON.stringify({ schemaVersion: 1, ok: true, data, warnings, error: null })}\n`
}

/** The `--json` document of a failure; `data` may still say what was reached. */
export function jsonFailure(error: unknown, data: unknown = null, warnings: readonly string[] = []): string {
  const known = error instanceof TallymanError ? error : null
  const retry =
    known === null ? 'never' : typeof known.retry === 'string' ? known.retry : JSON.stringify(known.retry)
  return `${JSON.stringify({
    schemaVersion: 1,
    ok: false,
    data,
    warnings,
    error: {
      code: known?.code ?? 'BUG_UNEXPECTED',
      message: known?.message ?? (error instanceof Error ? error.message : String(error)),
      retry,
      docs: `docs/errors.md#${known?.step ?? 'bug'}`,
    },
  })}\n`
}

/** Says an error to a person: what happened, to what, and the next command where there is one. */
export function noteError(terminal: Terminal, error: unknown, about: { readonly job?: string } = {}): void {
  terminal.note(`${terminal.paint('bad', 'error')} ${describeError(error)}`)
  if (!(error instanceof TallymanError) && error instanceof Error && error.stack !== undefined) {
    terminal.note(terminal.paint('dim', error.stack.split('\n').slice(1).join('\n')))
  }
  const next = nextCommand(error, about)
  if (next !== null) terminal.note(`  ${terminal.paint('dim', 'next:')} ${next}`)
}

/** Columns are not cut below this width: less says nothing. */
const NARROWEST = 10

/** What a last column that does not fit is set under. */
const UNDER = '    '

/**
 * Columns padded to their widest cell, two spaces between; numbers to the right. Cells are shown with
 * control characters escaped. Where `columns` are too few, the last column goes under its line, and
 * only then are the widest cells cut, visibly.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | null = null,
): string {
  const shown = rows.map(row => row.map(cell => visible(cell, Number.POSITIVE_INFINITY)))
  const numeric = head.map(
    (_, index) => shown.length > 0 && shown.every(row => /^-?[\d,.]*$/.test(row[index] ?? '')),
  )
  const full = head.map((name, index) => Math.max(name.length, ...shown.map(row => row[index]?.length ?? 0)))
  if (columns === null || widthOf(full) <= columns)
    return `${[head, ...shown].map(cells => padded(cells, full, numeric)).join('\n')}\n`
  const last = head.length - 1
  const widths = fitted(full.slice(0, last), numeric, columns)
  const lines = shown.flatMap(row => {
    const under = row[last] === undefined || row[last] === '' ? [] : wrapped(`${UNDER}${row[last]}`, columns)
    return [padded(row.slice(0, last), widths, numeric), ...under]
  })
  return `${[padded(head.slice(0, last), widths, numeric), ...lines].join('\n')}\n`
}

function widthOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + 2, -2)
}

function padded(cells: readonly string[], widths: readonly number[], numeric: readonly boolean[]): string {
  return cells
    .map((cell, index) => {
      const width = widths[index]!
      const cut = cell.length > width ? `${cell.slice(0, width - 1)}…` : cell
      return numeric[index] === true ? cut.padStart(width) : cut.padEnd(width)
    })
    .join('  ')
    .trimEnd()
}

/** Takes from the widest column of text until the line fits, or nothing can be taken any more. */
function fitted(full: readonly number[], numeric: readonly boolean[], columns: number): number[] {
  const widths = [...full]
  for (let excess = widthOf(widths) - columns; excess > 0; excess -= 1) {
    const widest = Math.max(...widths.filter((_, index) => numeric[index] !== true))
    if (widest <= NARROWEST) break
    widths[widths.findLastIndex((width, index) => width === widest && numeric[index] !== true)]! -= 1
  }
  return widths
}
