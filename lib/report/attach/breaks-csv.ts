/**
 * The breaks of one comparison as CSV: one line per column that differs, so that it can be filtered
 * and summed. Key columns come as `key.<name>`.
 */
import type { BreakLine } from '../night-report.ts'
import { type SheetCell, sheetLines } from './spreadsheet.ts'

/** Left empty, to be filled in and given to `breaks import`. */
export const DECISION_COLUMNS = ['decision', 'until', 'reason'] as const

const BEFORE = ['state', 'kind'] as const
const AFTER = [
  'column',
  'source',
  'target',
  'difference',
  'nature',
  'source_rows',
  'target_rows',
  'file',
  'line',
  'first_seen',
  'business_days',
  'owner',
  'hint',
  'explanation',
  'comparison',
  'identity',
  ...DECISION_COLUMNS,
] as const

/** The names of the key's columns, from the first break that has a key. */
export function keyNames(breaks: readonly BreakLine[]): readonly string[] {
  return (breaks.find(({ key }) => key.length > 0)?.key ?? []).map(({ name }) => name)
}

/** The header line. */
export function breaksHeader(keys: readonly string[]): string {
  return sheetLines([[...BEFORE, ...keys.map(name => `key.${name}`), ...AFTER]])
}

/** The lines of some breaks. `comparison` says which one found them: `job.name@2026-11-20#2`. */
export function breaksLines(
  breaks: readonly BreakLine[],
  keys: readonly string[],
  comparison: string,
): string {
  return sheetLines(breaks.flatMap(line => rowsOf(line, keys, comparison)))
}

function rowsOf(line: BreakLine, keys: readonly string[], comparison: string): SheetCell[][] {
  const before = [
    line.state,
    line.kind,
    ...keys.map(name => line.key.find(part => part.name === name)?.value ?? null),
  ]
  const after: SheetCell[] = [
    line.leftRows,
    line.rightRows,
    line.origin?.file ?? null,
    line.origin?.line ?? null,
    line.firstSeen,
    line.businessDays,
    line.owner,
    line.hint === '' ? null : line.hint,
    line.explanation?.text ?? null,
    comparison,
    line.identity,
    ...DECISION_COLUMNS.map(() => null),
  ]
  if (line.columns.length === 0) return [[...before, null, null, null, null, null, ...after]]
  return line.columns.map(({ name, left, right, delta, nature, numeric }) => [
    ...before,
    name,
    { text: left, numeric },
    { text: right, numeric },
    { text: delta, numeric: true },
    nature,
    ...after,
  ])
}
