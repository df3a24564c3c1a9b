/**
 * Turns rows that were judged into breaks: key, columns with both values, nature, delta, hint, origin,
 * identity. Counting and deciding happen elsewhere (key-fold.ts, pair.ts).
 */
import type { Break, BreakColumn, BreakKind } from '../../lib/model/break.ts'
import type { SideRow } from './differing-rows.ts'
import { breakIdentity } from './identity.ts'
import { deltaOf, hintOf, natureOf } from './nature.ts'
import { type ComparePlan, columnsOf, type PlannedColumn } from './plan.ts'
import { keyColumns } from './side-rows.ts'

/** Rows of one key as a break needs them. */
export interface BreakRows {
  readonly left: SideRow | null
  readonly right: SideRow | null
  readonly leftRows: number
  readonly rightRows: number
  /** Positions of differing columns; null shows all compared columns. */
  readonly differing: readonly number[] | null
  readonly hint: string
}

interface HintedColumn {
  readonly shown: BreakColumn
  readonly hint: string
}

/** Name under which a record that is no row is shown. */
export const WHOLE_RECORD = '(record)'

/** Makes the breaks of one plan. */
export class BreakMaker {
  readonly #plan: ComparePlan
  readonly #columns: readonly PlannedColumn[]
  readonly #groups: ReadonlySet<string>
  readonly #keyed: boolean

  constructor(plan: ComparePlan) {
    this.#plan = plan
    this.#columns = columnsOf(plan)
    this.#groups = new Set(Object.values(plan.totals).flatMap(({ per }) => (per === undefined ? [] : [per])))
    this.#keyed = plan.key.length > 0
  }

  /** A break of rows with a key. */
  of(kind: BreakKind, rows: BreakRows): Break {
    const row = rows.left ?? rows.right!
    const keys = keyColumns(this.#plan)
    const columns = this.#columnsOf(rows)
    return {
      identity: breakIdentity(
        this.#plan.name,
        kind,
        keys.map((column, i) => ({ kind: column.kind, value: row.ruled[i] ?? null })),
      ),
      kind,
      key: Object.fromEntries(keys.map(({ name }, i) => [name, row.raw[i] ?? null])),
      columns: columns.map(({ shown }) => shown),
      leftRows: rows.leftRows,
      rightRows: rows.rightRows,
      origin: row.file === null || row.line === null ? null : { file: row.file, line: row.line },
      hint: rows.hint !== '' ? rows.hint : (columns.find(({ hint }) => hint !== '')?.hint ?? ''),
    }
  }

  /** A break of `times` equal rows of one side that can't be read or matched. */
  unusable(kind: 'unreadable' | 'key_invalid', row: SideRow, times: number, hint: string): Break {
    const whole = row.rawText === null ? [] : [{ kind: 'record', value: row.rawText }]
    const values = this.#columns.map((column, i) => ({ kind: column.kind, value: row.raw[i] ?? null }))
    const left = row.side === 'left'
    const made = this.of(kind, {
      left: left ? row : null,
      right: left ? null : row,
      leftRows: left ? times : 0,
      rightRows: left ? 0 : times,
      differing: null,
      hint,
    })
    const record: BreakColumn = {
      name: WHOLE_RECORD,
      left: left ? row.rawText : null,
      right: left ? null : row.rawText,
      nature: 'text',
      delta: null,
    }
    return {
      ...made,
      identity: breakIdentity(this.#plan.name, kind, [
        { kind: 'side', value: row.side },
        ...values,
        ...whole,
      ]),
      columns: row.rawText === null ? made.columns : [record],
    }
  }

  #columnsOf({ left, right, differing }: BreakRows): HintedColumn[] {
    // Without a declared key the key shows the whole row already.
    const first = this.#keyed ? this.#plan.key.length : this.#columns.length
    const last = this.#plan.key.length + this.#plan.columns.length
    const positions = differing ?? Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i)
    const columns = positions.map(i => this.#columnAt(i, left, right))
    // An amount in another currency has no difference that means anything.
    const mixed = differing !== null && columns.some(({ shown }) => shown.nature === 'currency')
    if (!mixed) return columns
    return columns.map(({ shown, hint }) =>
      shown.nature === 'amount' ? { shown: { ...shown, delta: null }, hint: '' } : { shown, hint },
    )
  }

  #columnAt(i: number, left: SideRow | null, right: SideRow | null): HintedColumn {
    const column = this.#columns[i]!
    const [a, b] = [left?.ruled[i] ?? null, right?.ruled[i] ?? null]
    const both = left !== null && right !== null
    // One-sided rows have no difference of values; the nature says what the value is.
    const nature = natureOf(column, both ? a : (a ?? b), both ? b : (a ?? b), this.#groups)
    const delta = both && nature === 'amount' && a !== null && b !== null ? deltaOf(a, b) : null
    const shown = {
      name: column.name,
      left: left?.raw[i] ?? null,
      right: right?.raw[i] ?? null,
      nature,
      delta,
    }
    return { shown, hint: both ? hintOf(nature, a, b) : '' }
  }
}
