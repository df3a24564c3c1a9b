/**
 * The trailer of a delimited file: sums up the records as they are read and holds the trailer's
 * count and sums against them (B5). Finding the trailer line is csv-stream.ts's business.
 */
import { add, compareDecimals, type Decimal, parseDecimal, toText, ZERO } from '../model/decimal.ts'
import { ParseError } from '../model/errors.ts'
import type { TrailerSpec } from '../model/job.ts'
import type { SourceValue } from '../model/record.ts'

interface Sum {
  readonly cell: number
  readonly column: string
  readonly index: number
  total: Decimal
  /** Line of the first value that is no number, 0 for none. */
  unreadableLine: number
}

/** What was counted, for the check. */
export interface Counted {
  readonly read: number
  readonly rejected: number
}

/** Adds up what a trailer will state. */
export class TrailerCheck {
  readonly #spec: TrailerSpec
  readonly #subject: string
  readonly #sums: readonly Sum[]

  /** The summed columns are among `columns`: the header contract requires them. */
  constructor(spec: TrailerSpec, columns: readonly string[], subject: string) {
    this.#spec = spec
    this.#subject = subject
    this.#sums = Object.entries(spec.sums ?? {}).map(([cell, column]) => {
      return { cell: Number(cell), column, index: columns.indexOf(column), total: ZERO, unreadableLine: 0 }
    })
  }

  /** Adds a record's values; an empty cell adds nothing. */
  add(values: readonly SourceValue[], line: number): void {
    for (const sum of this.#sums) {
      const value = values[sum.index]
      if (value === null || value === undefined) continue
      const amount = this.#number(value as string)
      if (amount !== null) sum.total = add(sum.total, amount)
      else if (sum.unreadableLine === 0) sum.unreadableLine = line
    }
  }

  /**
   * Holds the trailer's cells against what was read; gives the stated controls by name.
   * @throws PARSE_TRAILER_UNREADABLE, PARSE_COUNT_MISMATCH, PARSE_CONTROL_TOTAL_MISMATCH
   */
  check(cells: readonly string[], line: number, counted: Counted): Record<string, string> {
    const controls: Record<string, string> = {}
    const { count } = this.#spec
    if (count !== undefined) {
      const stated = this.#stated(cells, count, line)
      controls.count = stated.text
      if (compareDecimals(stated.value, { unscaled: BigInt(counted.read), scale: 0 }) !== 0) {
        throw new ParseError(
          'PARSE_COUNT_MISMATCH',
          `${this.#subject}, line ${line}: the trailer states ${stated.text} records, but ${counted.read} were read. Nothing of this file is loaded; it is incomplete, or two were joined.`,
          { details: { line, stated: stated.text, read: counted.read } },
        )
      }
    }
    for (const sum of this.#sums) {
      const stated = this.#stated(cells, sum.cell, line)
      controls[`sum(${sum.column})`] = stated.text
      if (sum.unreadableLine > 0 || compareDecimals(stated.value, sum.total) !== 0)
        throw this.#sumMismatch(sum, stated.text, line, counted)
    }
    return controls
  }

  #sumMismatch(sum: Sum, stated: string, line: number, counted: Counted): ParseError {
    const unreadable =
      sum.unreadableLine === 0 ? '' : `, not counting a value on line ${sum.unreadableLine} that is no number`
    const rejected =
      counted.rejected === 0 ? '' : ` (${counted.rejected} unreadable records are not in that sum)`
    return new ParseError(
      'PARSE_CONTROL_TOTAL_MISMATCH',
      `${this.#subject}, line ${line}: the trailer states ${stated} as the sum of ${sum.column}, but the records add up to ${toText(sum.total)}${unreadable}${rejected}. Nothing of this file is loaded.`,
      { details: { line, column: sum.column, stated, read: toText(sum.total) } },
    )
  }

  #stated(cells: readonly string[], cell: number, line: number): { text: string; value: Decimal } {
    const text = (cells[cell - 1] ?? '').trim()
    const value = this.#number(text)
    if (value !== null) return { text, value }
    throw new ParseError(
      'PARSE_TRAILER_UNREADABLE',
      `${this.#subject}, line ${line}: cell ${cell} of the trailer should state a number, but holds ${JSON.stringify(text)}. Nothing of this file is loaded.`,
      { details: { line, cell } },
    )
  }

  #number(text: string): Decimal | null {
    const trimmed = text.trim()
    if (this.#spec.decimal !== 'comma') return parseDecimal(trimmed)
    return trimmed.includes('.') ? null : parseDecimal(trimmed.replace(',', '.'))
  }
}
