/**
 * The refused records as CSV: one line per issue, with its place and, unless the job has personal
 * columns, the record as received.
 */
import type { RejectLine } from '../night-report.ts'
import { sheetLines } from './spreadsheet.ts'

/** The header line. */
export function rejectsHeader(): string {
  return sheetLines([['file', 'line', 'step', 'unit', 'code', 'column', 'field', 'value', 'rule', 'raw']])
}

/** The lines of some issues. */
export function rejectsLines(lines: readonly RejectLine[]): string {
  return sheetLines(
    lines.map(({ file, line, step, unit, code, column, field, value, rule, raw }) => [
      file,
      line,
      step,
      unit,
      code,
      column,
      field,
      value,
      rule,
      raw,
    ]),
  )
}
