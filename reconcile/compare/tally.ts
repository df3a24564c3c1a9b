/**
 * Counts rows by kind and side, and keys by kind, and proves that each row was counted exactly once.
 */
import { type BreakKind, ROW_KINDS, type RowKind } from '../../lib/model/break.ts'
import { BugError } from '../../lib/model/errors.ts'
import type { Differing, SideCounts } from './differing-rows.ts'
import type { SideName } from './side-rows.ts'

/** Rows by kind, all kinds present. */
export type RowsByKind = Record<RowKind, number>

/** Zero of every kind. */
export function noRows(): RowsByKind {
  return Object.fromEntries(ROW_KINDS.map(kind => [kind, 0])) as RowsByKind
}

/** The count of one comparison. */
export class Tally {
  readonly rows: Readonly<Record<SideName, RowsByKind>> = { left: noRows(), right: noRows() }
  /** Keys, not rows. */
  readonly keys: RowsByKind = noRows()

  /** `times` pairs of one row on each side. */
  pairs(kind: RowKind, times: number): void {
    this.rows.left[kind] += times
    this.rows.right[kind] += times
    this.keys[kind] += times
  }

  /** One key with rows of its own on each side. */
  key(kind: RowKind, left: number, right: number): void {
    this.rows.left[kind] += left
    this.rows.right[kind] += right
    this.keys[kind] += 1
  }

  /** Breaks by kind, and pairs by kind for rows that are none. */
  counts(): Partial<Record<RowKind | BreakKind, number>> {
    return { ...this.keys }
  }

  /**
   * Adds the rows that were never looked at, because key and digest proved them equal, and proves the law:
   * rows of a side = sum of its kinds.
   * @throws BUG_RECONCILE_ROWS
   */
  close(counts: Readonly<Record<SideName, SideCounts>>, differing: Differing): void {
    const untouched = (side: SideName): number => {
      const { rows, unreadable, keyInvalid } = counts[side]
      return rows - unreadable - keyInvalid - differing[side]
    }
    const seen = (side: SideName): number => Object.values(this.rows[side]).reduce((sum, n) => sum + n, 0)
    const sides: readonly SideName[] = ['left', 'right']
    const lookedAt = sides.every(side => seen(side) === counts[side].rows - untouched(side))
    if (!lookedAt || untouched('left') !== untouched('right')) {
      throw new BugError(
        'BUG_RECONCILE_ROWS',
        `Rows were lost or counted twice while comparing: source ${seen('left')} + ${untouched('left')} of ${counts.left.rows}, target ${seen('right')} + ${untouched('right')} of ${counts.right.rows}. The comparison is not to be trusted and nothing of it was kept.`,
      )
    }
    this.pairs('identical', untouched('left'))
  }
}
