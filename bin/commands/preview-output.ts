/**
 * What `tallyman preview` prints: JSON lines for programs, a table with summary and rejects for
 * people. What is read and how is preview.ts's business.
 */
import type { Reject } from '../../lib/model/issue.ts'
import { table } from '../terminal.ts'

/** The counts of the whole file and how it was read. */
export interface PreviewSummary {
  readonly read: number
  readonly accepted: number
  readonly rejected: number
  readonly charset: string
  readonly dialect: Readonly<Record<string, unknown>>
  /** What of it was guessed, and not given or stated by the file. */
  readonly guessed: readonly string[]
  readonly warnings: readonly string[]
}

/** Gets what was read, in order. */
export interface PreviewOutput {
  record(line: number, value: unknown, kind?: string): void
  reject(reject: Reject): void
  end(summary: PreviewSummary): void
  /** Takes back what was not printed yet, because the file turned out unusable. */
  discard(): void
}

/** Text held back before printing: a file that turns out unusable within it prints its error only. */
const HELD_CHARACTERS = 16_777_216

/** One JSON line per record and reject, then the summary. */
export class JsonPreview implements PreviewOutput {
  readonly #out: (text: string) => void
  readonly #limit: number
  #held: string[] = []
  #heldLength = 0
  #records = 0
  #rejects = 0

  constructor(out: (text: string) => void, limit: number | null) {
    this.#out = out
    this.#limit = limit ?? Number.POSITIVE_INFINITY
  }

  record(line: number, value: unknown, kind?: string): void {
    if (this.#records >= this.#limit) return
    this.#records += 1
    this.#print(kind === undefined ? { line, record: value } : { line, kind, record: value })
  }

  reject({ line, raw, issues }: Reject): void {
    if (this.#rejects >= this.#limit) return
    this.#rejects += 1
    const { code, message, column } = issues[0]!
    this.#print({ line, reject: { code, message, column, raw } })
  }

  end(summary: PreviewSummary): void {
    this.#print({ summary: { ...summary, printed: { records: this.#records, rejects: this.#rejects } } })
    this.#flush()
  }

  discard(): void {
    this.#held = []
  }

  #print(value: unknown): void {
    const text = `${JSON.stringify(value)}\n`
    this.#held.push(text)
    this.#heldLength += text.length
    if (this.#heldLength > HELD_CHARACTERS) this.#flush()
  }

  #flush(): void {
    this.#out(this.#held.join(''))
    this.#held = []
    this.#heldLength = 0
  }
}

/** Widest cell and widest table shown to a person, in characters. */
const CELL_WIDTH = 32
const TABLE_WIDTH = 150

/** Lines of one XML element shown to a person. */
const ELEMENT_LINES = 60

/** The first records as a table, the first rejects with their place, the summary in words. */
export class HumanPreview implements PreviewOutput {
  readonly #out: (text: string) => void
  readonly #name: string
  readonly #limit: number
  readonly #width: number
  readonly #records: { readonly line: number; readonly value: unknown }[] = []
  readonly #rejects: Reject[] = []

  /** `columns`: width of the terminal, null where there is none. */
  constructor(out: (text: string) => void, name: string, limit: number, columns: number | null = null) {
    this.#out = out
    this.#name = name
    this.#limit = limit
    this.#width = columns ?? TABLE_WIDTH
  }

  record(line: number, value: unknown): void {
    if (this.#records.length < this.#limit) this.#records.push({ line, value })
  }

  reject(reject: Reject): void {
    if (this.#rejects.length < this.#limit) this.#rejects.push(reject)
  }

  discard(): void {}

  end(summary: PreviewSummary): void {
    const guessed = summary.guessed.length === 0 ? '' : `\nguessed: ${summary.guessed.join(', ')}`
    const dialect = Object.entries(summary.dialect)
      .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
      .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
      .join(', ')
    this.#out(
      `${this.#name}: ${count(summary.read, 'record')} read, ${summary.accepted} accepted, ${summary.rejected} rejected\n`,
    )
    this.#out(`charset ${summary.charset}, ${dialect}${guessed}\n`)
    for (const warning of summary.warnings) this.#out(`note: ${warning}\n`)
    if (this.#records.length > 0)
      this.#out(`\n${summary.dialect.format === 'xml' ? this.#elements() : this.#table()}`)
    if (this.#records.length < summary.accepted)
      this.#out(`... and ${summary.accepted - this.#records.length} more\n`)
    for (const { line, raw, issues } of this.#rejects) {
      this.#out(
        `\n${this.#name}:${line}: ${issues.map(({ code, message }) => `${message} [${code}]`).join(' ')}\n  ${cell(raw, this.#width)}\n`,
      )
    }
    if (this.#rejects.length < summary.rejected)
      this.#out(`... and ${summary.rejected - this.#rejects.length} more rejects\n`)
  }

  #elements(): string {
    return this.#records
      .map(({ line, value }) => {
        const lines = JSON.stringify(value, null, 2).split('\n')
        const more =
          lines.length > ELEMENT_LINES ? `\n... and ${lines.length - ELEMENT_LINES} more lines` : ''
        return `${this.#name}:${line}\n${lines.slice(0, ELEMENT_LINES).join('\n')}${more}\n`
      })
      .join('\n')
  }

  #table(): string {
    const first = this.#records[0]!.value
    const names = Array.isArray(first)
      ? first.map((_, index) => `${index + 1}`)
      : Object.keys(first as object)
    const rows = this.#records.map(({ line, value }) => [
      `${line}`,
      ...Object.values(value as object).map(text => cell(text, CELL_WIDTH)),
    ])
    const head = ['line', ...names.map(name => cell(name, CELL_WIDTH))]
    let shown = 0
    for (let width = 0; shown < head.length; shown++) {
      width += 2 + Math.max(head[shown]!.length, ...rows.map(row => row[shown]?.length ?? 0))
      if (shown > 1 && width - 2 > this.#width) break
    }
    const hidden = head.length - shown
    const note =
      hidden === 0
        ? ''
        : `... and ${count(hidden, 'more column')}: ${head.slice(shown, shown + 12).join(', ')}${hidden > 12 ? ', ...' : ''}\n`
    return (
      table(
        head.slice(0, shown),
        rows.map(row => row.slice(0, shown)),
      ) + note
    )
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** A value on one line; control characters are shown, never sent to the terminal. */
function cell(value: unknown, width: number): string {
  if (value === null || value === undefined) return ''
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/\p{Cc}/gu, '·')
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
