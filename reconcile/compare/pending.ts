/**
 * Rows that are only in the source because they are too young: their event time plus a grace lies after
 * the instant at which the target was looked at. They are no breaks yet, and are told with their due time.
 */
import type { Break, PendingRows } from '../../lib/model/break.ts'
import type { SideRow } from './differing-rows.ts'
import { type ComparePlan, columnsOf, type Grace } from './plan.ts'

/** Rows that are told; all are counted. */
const TOLD = 100

/** Judges rows and gathers those that are pending. Without a rule nothing is; an event time that can't be read never is. */
export class PendingBook {
  readonly #position: number
  readonly #graceMs: number
  readonly #looked: number
  readonly #rows: PendingRows['rows'][number][] = []
  #count = 0
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  constructor(plan: ComparePlan, rule: Grace | null, targetAsOf: string) {
    this.#position = columnsOf(plan).findIndex(({ name }) => name === rule?.column)
    this.#graceMs = rule?.graceMs ?? 0
    this.#looked = Date.parse(targetAsOf)
  }

  /** Whether a row that is only in the source may still arrive. */
  awaits(row: SideRow): boolean {
    return this.#position >= 0 && this.#due(row) > this.#looked
  }

  /** Takes such a row; `missing` is the break that it would be. */
  add(missing: Pick<Break, 'key' | 'origin'>, row: SideRow): void {
    const due = this.#due(row)
    this.#count += 1
    this.#first = Math.min(this.#first, due)
    this.#last = Math.max(this.#last, due)
    if (this.#rows.length < TOLD)
      this.#rows.push({ key: missing.key, due: instant(due), origin: missing.origin })
  }

  /** What was gathered; null when nothing was. */
  result(): PendingRows | null {
    if (this.#count === 0) return null
    return {
      count: this.#count,
      firstDue: instant(this.#first),
      lastDue: instant(this.#last),
      rows: this.#rows,
    }
  }

  #due({ ruled }: SideRow): number {
    return Date.parse(inUtc(ruled[this.#position] ?? '')) + this.#graceMs
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}

/** An instant that was cut to a precision has lost its Z and would be read as local time; a date alone is not. */
function inUtc(text: string): string {
  return text.length > 10 && !text.endsWith('Z') ? `${text}Z` : text
}
