/**
 * Columns of a snapshot: their names, types, and the names under which Parquet holds them. All values
 * are canonical text; the type says what the text promises. Filled by writer.ts and target.ts.
 */
import { createHash } from 'node:crypto'
import type { ColumnType, TableDefinition } from '../../lib/model/table.ts'

/** What the text of a column promises. `text` promises nothing. */
export const VALUE_KINDS = ['text', 'integer', 'decimal', 'date', 'timestamp', 'boolean'] as const
export type ValueKind = (typeof VALUE_KINDS)[number]

/** One column of a snapshot. */
export interface SnapshotColumn {
  /** As the table, file or query names it. */
  readonly name: string
  readonly kind: ValueKind
  /** As the Parquet file names it; differs from `name` only where that would collide. */
  readonly stored: string
}

/** Columns that Tallyman adds: where a row came from, and why it can't be read. */
export const ORIGIN_COLUMNS = ['_file', '_line', '_issue', '_raw'] as const

/**
 * Gives each column its stored name. DuckDB and other readers of Parquet fold the case of names, so
 * `Name` beside `name`, and names of our own, get a number.
 */
export function snapshotColumns(
  columns: readonly { readonly name: string; readonly kind: ValueKind }[],
): SnapshotColumn[] {
  const taken = new Set<string>(ORIGIN_COLUMNS)
  return columns.map(({ name, kind }, index) => {
    const base = name === '' ? `column_${index + 1}` : name
    let stored = base
    for (let number = 2; taken.has(stored.toLowerCase()); number += 1) stored = `${base}_${number}`
    taken.add(stored.toLowerCase())
    return { name, kind, stored }
  })
}

/** The columns of a table in the order of mapped rows: all but the engine-filled asOf column. */
export function columnsOfTable(table: Pick<TableDefinition, 'columns'>): SnapshotColumn[] {
  return snapshotColumns(
    Object.entries(table.columns).flatMap(([name, { type }]) => {
      const kind = valueKind(type)
      return kind === null ? [] : [{ name, kind }]
    }),
  )
}

/** What the text of a declared type promises; null for the asOf column, which is not data. */
export function valueKind(type: ColumnType): ValueKind | null {
  return type.kind === 'asOf' ? null : type.kind
}

/** Hash of names and types in order, hex; two snapshots with different ones never have the same digest. */
export function schemaHash(columns: readonly SnapshotColumn[]): string {
  const facts = columns.map(({ name, kind }) => [name, kind])
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}
