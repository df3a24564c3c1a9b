/**
 * The keys that the rows of a rejected record would have had, as far as they could be read, so that a row
 * that is missing somewhere can be traced to the record that was refused.
 */
import type { RejectKey } from '../model/explanation.ts'
import { qualifiedName, type TableDefinition, type Value } from '../model/table.ts'
import { fieldsOf } from './plan.ts'

/** Keys that one reject keeps; a record that spreads into more rows is found by its first ones. */
export const KEYS_KEPT = 50

/** The key of a row, null where the table has none or a part of it could not be read. */
export function keyOfRow(table: TableDefinition, row: readonly Value[]): RejectKey | null {
  if (table.key.length === 0) return null
  const fields = fieldsOf(table)
  const key: Record<string, string> = {}
  for (const field of table.key) {
    const value = row[fields.indexOf(field)]
    if (value === null || value === undefined) return null
    key[field] = String(value)
  }
  return { table: qualifiedName(table), key }
}

/** The keys of some rows, the first ones. */
export function keysOfRows(
  rows: Iterable<readonly [TableDefinition, readonly Value[]]>,
): readonly RejectKey[] {
  const keys: RejectKey[] = []
  for (const [table, row] of rows) {
    const key = keyOfRow(table, row)
    if (key !== null) keys.push(key)
    if (keys.length === KEYS_KEPT) break
  }
  return keys
}

/** The keys of the rows of one record, whose tables come by turns. */
export function keysOfRecord(
  tables: Readonly<Record<string, TableDefinition>>,
  byTurns: readonly { readonly name: string }[],
  rows: readonly (readonly Value[])[],
): readonly RejectKey[] {
  return keysOfRows(rows.map((row, index) => [tables[byTurns[index % byTurns.length]!.name]!, row]))
}
