/**
 * Which values may be seen in a mail: those of columns that hold nothing personal. Everything a
 * report shows of data passes here once, while the report is assembled, so that no renderer and no
 * attachment has to think of it. Unmasked values are seen with the commands, by whoever may run them.
 */
import type { Issue } from '../model/issue.ts'
import type { Mapping } from '../model/mapping.ts'
import { type Column, snakeCase } from '../model/table.ts'

/** What stands in a mail where a personal value would. */
export const MASKED = '[masked]'

/** What is declared of the columns of a job, by field name, by database name and by source column. */
export interface ColumnFacts {
  /** True when some column of the job is personal or sensitive. */
  readonly anyPersonal: boolean
  /** The value as it may be shown under this target column. */
  shown(column: string, value: string | null): string | null
  /** True when the column is a declared number, so that its values are no formulas for a spreadsheet. */
  isNumeric(column: string): boolean
  /** Declared digits after the point, null for what is no decimal. */
  scaleOf(column: string): number | null
  /** The issue as it may be shown: its value, and the value's repetition in the message, masked where personal. */
  shownIssue(issue: Issue): Issue
  /** The raw text of a record as it may be shown. */
  shownRaw(raw: string): string
  /** Whether a control total adds up money. */
  isMoney(total: string): boolean
}

/**
 * The facts of a job's columns. Where two tables have a column of the same name, personal wins; a
 * source column is personal when a personal field reads it, and when nothing says what reads it
 * while the job has personal columns.
 */
export function columnFacts(mapping: Pick<Mapping, 'tables' | 'lineage'>): ColumnFacts {
  const columns = new Map<string, Column>()
  const personal = new Set<string>()
  for (const table of Object.values(mapping.tables)) {
    for (const [field, column] of Object.entries(table.columns)) {
      for (const name of [field, snakeCase(field)]) {
        if (!columns.has(name)) columns.set(name, column)
        if (column.pii !== 'none') personal.add(name)
      }
    }
  }
  const anyPersonal = personal.size > 0
  const harmlessSources = harmless(mapping, personal)
  const typeOf = (name: string) => columns.get(name)?.type
  // What is no declared column may hold anything: a whole record that could not be read, for one.
  const hidesColumn = (name: string) => personal.has(name) || (anyPersonal && !columns.has(name))
  const hides = (issue: Issue) =>
    anyPersonal &&
    !(issue.field !== null && columns.has(issue.field) && !personal.has(issue.field)) &&
    !(issue.field === null && issue.column !== null && harmlessSources.has(issue.column))
  const quantities = new Set(
    Object.values(mapping.tables).flatMap(({ totals }) =>
      Object.entries(totals).flatMap(([total, rule]) => (rule.of === 'quantity' ? [total] : [])),
    ),
  )
  return {
    anyPersonal,
    isMoney: total => !quantities.has(total),
    shown: (column, value) => (value !== null && hidesColumn(column) ? MASKED : value),
    isNumeric: column => ['decimal', 'integer'].includes(typeOf(column)?.kind ?? ''),
    scaleOf: column => {
      const type = typeOf(column)
      return type?.kind === 'decimal' ? type.scale : null
    },
    shownIssue: issue => {
      if (issue.value === null || issue.value === '' || !hides(issue)) return issue
      const value = issue.value.replace(/…$/, '')
      return { ...issue, value: MASKED, message: issue.message.replaceAll(value, MASKED) }
    },
    shownRaw: raw => (anyPersonal ? MASKED : raw),
  }
}

function harmless(mapping: Pick<Mapping, 'lineage'>, personal: ReadonlySet<string>): ReadonlySet<string> {
  const read = new Set<string>()
  const readByPersonal = new Set<string>()
  for (const tables of Object.values(mapping.lineage)) {
    for (const fields of Object.values(tables)) {
      for (const { field, sources } of fields) {
        for (const source of sources) (personal.has(field) ? readByPersonal : read).add(source)
      }
    }
  }
  return read.difference(readByPersonal)
}
