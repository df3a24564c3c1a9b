/**
 * Rows that are only in the source because they are too young: their event time plus a grace lies after
 * the instant at which the target was looked at. They are no breaks yet.
 */
import type { SideRow } from './differing-rows.ts'
import { type ComparePlan, columnsOf } from './plan.ts'

/** How long a row may take to arrive. */
export interface PendingRule {
  /** Column with the event's date or instant. */
  readonly column: string
  readonly graceMs: number
}

/** Judges rows under the rule; without one nothing is pending. An event time that can't be read is never pending. */
export function pendingJudge(
  plan: ComparePlan,
  rule: PendingRule | undefined,
  targetAsOf: string,
): (row: SideRow) => boolean {
  if (rule === undefined) return () => false
  const position = columnsOf(plan).findIndex(({ name }) => name === rule.column)
  const looked = Date.parse(targetAsOf)
  return row => {
    const event = Date.parse(inUtc(row.ruled[position] ?? ''))
    return event + rule.graceMs > looked
  }
}

/** An instant that was cut to a precision has lost its Z and would be read as local time; a date alone is not. */
function inUtc(text: string): string {
  return text.length > 10 && !text.endsWith('Z') ? `${text}Z` : text
}
