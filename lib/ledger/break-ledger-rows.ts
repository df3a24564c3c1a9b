/**
 * How a lasting break stands in its table: the columns of its course, and reading them back.
 */
import type { BreakState, Course, ResolutionCause } from '../model/lasting-break.ts'

/** A course as a row. */
export interface CourseRow {
  readonly state: BreakState
  readonly firstSeen: string
  readonly lastSeen: string
  readonly stateSince: string
  readonly valuesSince: string
  readonly runs: number
  readonly reopened: number
  readonly cause: ResolutionCause | null
  readonly sourceMark: string | null
  readonly targetMark: string | null
  readonly columnsId: number | null
}

/** The SELECT list that gives a CourseRow. */
export function courseColumns(table: string): string {
  return [
    'state',
    'first_seen AS "firstSeen"',
    'last_seen AS "lastSeen"',
    'state_since AS "stateSince"',
    'values_since AS "valuesSince"',
    'runs',
    'reopened',
    'cause',
    'source_mark AS "sourceMark"',
    'target_mark AS "targetMark"',
    'columns_id AS "columnsId"',
  ]
    .map(column => `${table}.${column}`)
    .join(', ')
}

/** The course of a row. */
export function courseOf({ sourceMark, targetMark, columnsId, ...row }: CourseRow): Course {
  return {
    ...{ state: row.state, firstSeen: row.firstSeen, lastSeen: row.lastSeen, stateSince: row.stateSince },
    ...{ valuesSince: row.valuesSince, runs: row.runs, reopened: row.reopened, cause: row.cause },
    marks: { source: sourceMark, target: targetMark },
    columns: columnsId,
  }
}
