/**
 * What a command writes to: stdout carries data only, everything else goes to stderr. Knows whether
 * a person watches. Progress lines are drawn by progress.ts.
 */
import { describeError, TallymanError } from '../lib/model/errors.ts'

/** The streams and wishes of one command. */
export interface Terminal {
  /** Data, as is. */
  out(text: string): void
  /** Everything else, a line at a time. */
  note(line: string): void
  readonly json: boolean
  readonly quiet: boolean
  /** Colour and animation are allowed on stderr. */
  readonly animated: boolean
  /** Paints text when colours are allowed. */
  paint(style: Style, text: string): string
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

/** The terminal of a process. `noColor` is NO_COLOR's presence. */
export function openTerminal(
  streams: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream },
  wishes: { readonly json: boolean; readonly quiet: boolean; readonly noColor: boolean },
): Terminal {
  const colour = streams.stderr.isTTY === true && !wishes.noColor && !wishes.quiet
  return {
    out: text => void streams.stdout.write(text),
    note: line => {
      if (!wishes.quiet) streams.stderr.write(`${line}\n`)
    },
    json: wishes.json,
    quiet: wishes.quiet,
    animated: colour,
    paint: (style, text) => (colour ? `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m` : text),
  }
}

/** The one document that `--json` prints. */
export function jsonDocument(data: unknown, warnings: readonly string[] = []): string {
  return `${JSON.stringify({ schemaVersion: 1, ok: true, data, warnings, error: null })}\n`
}

/** The `--json` document of a failure; `data` may still say what was reached. */
export function jsonFailure(error: unknown, data: unknown = null): string {
  const known = error instanceof TallymanError ? error : null
  const retry =
    known === null ? 'never' : typeof known.retry === 'string' ? known.retry : JSON.stringify(known.retry)
  return `${JSON.stringify({
    schemaVersion: 1,
    ok: false,
    data,
    warnings: [],
    error: {
      code: known?.code ?? 'BUG_UNEXPECTED',
      message: known?.message ?? (error instanceof Error ? error.message : String(error)),
      retry,
      docs: `docs/errors.md#${known?.step ?? 'bug'}`,
    },
  })}\n`
}

/** Says an error to a person: what happened, and the next command where there is one. */
export function noteError(terminal: Terminal, error: unknown, next?: string): void {
  terminal.note(`${terminal.paint('bad', 'error')} ${describeError(error)}`)
  if (!(error instanceof TallymanError) && error instanceof Error && error.stack !== undefined) {
    terminal.note(terminal.paint('dim', error.stack.split('\n').slice(1).join('\n')))
  }
  if (next !== undefined) terminal.note(`  next: ${next}`)
}

/** Columns padded to their widest cell, two spaces between; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, index) => Math.max(name.length, ...rows.map(row => row[index]?.length ?? 0)))
  const numeric = head.map(
    (_, index) => rows.length > 0 && rows.every(row => /^-?[\d,.]*$/.test(row[index] ?? '')),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        numeric[index] === true ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd()
  return `${[head, ...rows].map(line).join('\n')}\n`
}
