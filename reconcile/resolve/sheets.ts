/**
 * What a plan comes to as CSV for people: the changes, what the source's owner is to be told, and what is
 * not proposed. One line per column; keys come as `key.<name>`.
 */
import type { Break } from '../../lib/model/break.ts'
import { parseDecimal } from '../../lib/model/decimal.ts'
import type { PlannedChange } from '../../lib/model/resolution.ts'
import { type SheetCell, sheetLines } from '../../lib/report/attach/spreadsheet.ts'
import type { NotProposed, TellSource } from './propose.ts'

/** The three sheets; each is one file. */
export const SHEETS = {
  changes: [
    'operation',
    'table',
    'key',
    'column',
    'old',
    'new',
    'rows',
    'amount',
    'file',
    'line',
    'reason',
    'break',
  ],
  'for-the-source': [
    'reconciliation',
    'key',
    'column',
    'source_has',
    'source_should_have',
    'file',
    'line',
    'reason',
    'break',
  ],
  'not-proposed': [
    'reconciliation',
    'kind',
    'key',
    'column',
    'source',
    'target',
    'file',
    'line',
    'why',
    'break',
  ],
} as const
export type SheetName = keyof typeof SHEETS

/** The header line of a sheet. */
export function sheetHead(name: SheetName): string {
  return sheetLines([[...SHEETS[name]]])
}

/** The lines of a change. */
export function changeLines(change: PlannedChange): string {
  const { operation, table, columns, rows, amount, origin, reason, identity } = change
  return sheetLines(
    (columns.length === 0 ? [{ name: '', old: null, new: null }] : columns).map(column => [
      ...[operation, table, keyText(change.key), column.name],
      ...[value(column.old), value(column.new), rows, value(amount)],
      ...[origin?.file ?? null, origin?.line ?? null, reason, identity],
    ]),
  )
}

/** The line for the source's owner. */
export function tellLine(reconciliation: string, { found, column, has, should, reason }: TellSource): string {
  return sheetLines([
    [
      ...[reconciliation, keyText(found.key), column, value(has), value(should)],
      ...[found.origin?.file ?? null, found.origin?.line ?? null, reason, found.identity],
    ],
  ])
}

/** The lines of what is not proposed. */
export function notProposedLines(reconciliation: string, { found, column, why }: NotProposed): string {
  const columns = column === null ? found.columns : found.columns.filter(({ name }) => name === column)
  return sheetLines(
    (columns.length === 0 ? [null] : columns).map(one => [
      ...[reconciliation, found.kind, keyText(found.key), one?.name ?? column],
      ...[value(one?.left ?? null), value(one?.right ?? null)],
      ...[found.origin?.file ?? null, found.origin?.line ?? null, why, found.identity],
    ]),
  )
}

/** `currency JPY, date 2026-11-03`. */
export function keyText(key: Break['key']): string {
  return Object.entries(key)
    .map(([name, part]) => `${name} ${part ?? 'null'}`)
    .join(', ')
}

/** Numbers stay numbers in a spreadsheet. */
function value(text: string | null): SheetCell {
  return { text, numeric: text !== null && parseDecimal(text) !== null }
}
