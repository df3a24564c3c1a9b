/**
 * Decides what the rows of each key are, in the order of docs/reconciliation.md: cancels equal
 * duplicates as bags, then duplicate, pending, missing, and pairs. Rows arrive ordered by key with equal
 * rows together, so a key with a million rows takes no more memory than one with two.
 */
import type { Break, RowKind } from '../../lib/model/break.ts'
import type { RowsBehind } from '../breaks/sighting.ts'
import type { SideRow } from './differing-rows.ts'
import { BreakMaker } from './make-break.ts'
import { judgePair, type RuleBook } from './pair.ts'
import { type ComparePlan, columnsOf, type PlannedColumn } from './plan.ts'
import type { Amounts, ProofBook } from './proof.ts'
import { keyColumns, type SideName } from './side-rows.ts'
import type { Tally } from './tally.ts'

/** What a fold writes into. */
export interface FoldBooks {
  readonly tally: Tally
  readonly proof: ProofBook
  readonly rules: RuleBook
  /** Takes a break in report order, with the rows behind it. */
  readonly found: (found: Break, rows: RowsBehind) => void
  /** Whether a row that is only in the source may still arrive. */
  readonly pending: (row: SideRow) => boolean
  /** Takes such a row, with the break that it would be. */
  readonly awaits: (missing: Break, row: SideRow) => void
}

/** Rows of one key with the same raw values: the first one of each side, and how many. */
interface Entry {
  readonly row: SideRow
  readonly rows: Record<SideName, SideRow | null>
  left: number
  right: number
}

/** What is known of the key in hand. */
interface KeyState {
  readonly first: SideRow
  readonly total: Record<SideName, number>
  /** Rows left after cancelling; one of them is kept. */
  readonly remaining: Record<SideName, number>
  readonly kept: Record<SideName, SideRow | null>
  readonly amounts: Amounts
  /** Groups of rows that are equal under rules. */
  variants: number
  entries: Entry[]
}

/** Folds rows into kinds and breaks. Call `add` in order, then `end`. */
export class KeyFold {
  readonly #columns: readonly PlannedColumn[]
  readonly #keyParts: number
  readonly #judged: number
  readonly #keyed: boolean
  /** Whether rows have columns that are not compared. */
  readonly #carries: boolean
  readonly #maker: BreakMaker
  readonly #books: FoldBooks
  #state: KeyState | null = null

  constructor(plan: ComparePlan, books: FoldBooks) {
    this.#columns = columnsOf(plan)
    this.#keyed = plan.key.length > 0
    this.#keyParts = keyColumns(plan).length
    this.#judged = plan.key.length + plan.columns.length
    this.#carries = plan.carried.length > 0
    this.#maker = new BreakMaker(plan)
    this.#books = books
  }

  /** Takes the next row. */
  add(row: SideRow): void {
    let state = this.#state
    if (state === null || !sameValues(state.first.ruled, row.ruled, this.#keyParts)) {
      this.end()
      state = begin(row)
      this.#state = state
    }
    state.total[row.side] += 1
    const last = state.entries.at(-1)
    if (last !== undefined && !sameValues(last.row.ruled, row.ruled, this.#judged)) this.#closeVariant(state)
    let entry = state.entries.at(-1)
    if (entry === undefined || !sameValues(entry.row.raw, row.raw, this.#columns.length)) {
      entry = { row, rows: { left: null, right: null }, left: 0, right: 0 }
      state.entries.push(entry)
    }
    entry[row.side] += 1
    entry.rows[row.side] ??= row
  }

  /** Decides the last key. */
  end(): void {
    const state = this.#state
    if (state === null) return
    this.#closeVariant(state)
    this.#state = null
    this.#decide(state)
  }

  /**
   * Cancels rows whose compared columns are equal: first those equal raw, then those equal under rules, in
   * their order. Columns that only totals need may differ; what that is worth is booked.
   */
  #closeVariant(state: KeyState): void {
    const { tally, rules } = this.#books
    const { entries } = state
    state.entries = []
    state.variants += 1
    for (const entry of entries) {
      const equal = Math.min(entry.left, entry.right)
      if (equal === 0) continue
      tally.pairs('identical', equal)
      entry.left -= equal
      entry.right -= equal
    }
    const rights = entries.filter(entry => entry.right > 0)
    for (const entry of entries) {
      while (entry.left > 0 && rights.length > 0) {
        const other = rights[0]!
        const times = Math.min(entry.left, other.right)
        const { kind } = judgePair(entry.row, other.row, this.#columns, this.#judged, rules, times)
        tally.pairs(kind, times)
        if (this.#carries) this.#bookPair(kind, entry.row, other.row, times)
        entry.left -= times
        other.right -= times
        if (other.right === 0) rights.shift()
      }
    }
    for (const entry of entries) this.#keep(state, entry)
  }

  #bookPair(kind: RowKind, left: SideRow, right: SideRow, times: number): void {
    const { proof } = this.#books
    const amounts: Amounts = new Map()
    proof.gather(amounts, 'left', left.ruled, times)
    proof.gather(amounts, 'right', right.ruled, times)
    proof.explain(kind, amounts)
  }

  #keep(state: KeyState, entry: Entry): void {
    for (const side of ['left', 'right'] as const) {
      const times = entry[side]
      if (times === 0) continue
      state.remaining[side] += times
      state.kept[side] ??= entry.rows[side]
      this.#books.proof.gather(state.amounts, side, entry.row.ruled, times)
    }
  }

  #decide(state: KeyState): void {
    const { left, right } = state.remaining
    const repeated = this.#keyed && (state.total.left > 1 || state.total.right > 1)
    if (left === 0 && right === 0) return
    if (this.#keyed && left === 1 && right === 1) this.#pair(state, repeated)
    else if (repeated) this.#record('duplicate', state, duplicateHint(state))
    else if (right > 0) this.#record('missing_in_source', state, '')
    else if (this.#books.pending(state.kept.left!)) this.#await(state)
    else this.#record('missing_in_target', state, '')
  }

  #await(state: KeyState): void {
    const { tally, proof, awaits } = this.#books
    const left = state.kept.left!
    tally.key('pending', state.remaining.left, 0)
    proof.explain('pending', state.amounts)
    const rows = { left, right: null, leftRows: state.remaining.left, rightRows: 0, differing: [], hint: '' }
    awaits(this.#maker.of('missing_in_target', rows), left)
  }

  #pair(state: KeyState, repeated: boolean): void {
    const { tally, proof, rules, found } = this.#books
    const [left, right] = [state.kept.left!, state.kept.right!]
    const verdict = judgePair(left, right, this.#columns, this.#judged, rules)
    tally.pairs(verdict.kind, 1)
    proof.explain(verdict.kind, state.amounts)
    if (verdict.kind !== 'value_mismatch') return
    const hint = repeated ? 'left over after equal duplicates were cancelled' : ''
    found(
      this.#maker.of('value_mismatch', {
        left,
        right,
        leftRows: 1,
        rightRows: 1,
        differing: verdict.differing,
        hint,
      }),
      { left, right, totals: state.total },
    )
  }

  #record(kind: RowKind & Break['kind'], state: KeyState, hint: string): void {
    const { tally, proof, found } = this.#books
    const { left, right } = state.remaining
    tally.key(kind, left, right)
    proof.explain(kind, state.amounts)
    found(
      this.#maker.of(kind, {
        left: state.kept.left,
        right: state.kept.right,
        leftRows: left,
        rightRows: right,
        differing: null,
        hint,
      }),
      { left: state.kept.left, right: state.kept.right, totals: state.total },
    )
  }
}

function duplicateHint({ total, variants }: KeyState): string {
  const how = variants === 1 ? 'all equal' : 'conflicting'
  return `${total.left} in the source, ${total.right} in the target, ${how}`
}

function begin(row: SideRow): KeyState {
  return {
    first: row,
    total: { left: 0, right: 0 },
    remaining: { left: 0, right: 0 },
    kept: { left: null, right: null },
    amounts: new Map(),
    variants: 0,
    entries: [],
  }
}

function sameValues(a: readonly (string | null)[], b: readonly (string | null)[], count: number): boolean {
  if (a === b) return true
  for (let i = 0; i < count; i += 1) if (a[i] !== b[i]) return false
  return true
}
