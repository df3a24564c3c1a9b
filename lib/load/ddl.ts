/**
 * The DDL that makes a declared table exist: CREATE with key, nullability and comments from `doc`.
 * Text only; who runs it: create-target.ts. What mends an existing table: target-check.ts.
 */
import { quoted } from '../db/identifiers.ts'
import { columnList, literal, sqlType, type TargetColumn, type TargetTable } from './target-table.ts'

/** One column of a CREATE TABLE. */
export function columnDefinition(column: TargetColumn): string {
  return `${column.sql} ${sqlType(column.type)}${column.declared.nullable ? '' : ' NOT NULL'}`
}

/** The comment of a column. */
export function columnComment(table: TargetTable, column: TargetColumn): string {
  return `COMMENT ON COLUMN ${table.sql}.${column.sql} IS ${literal(column.declared.doc)};`
}

/** Statements that create the table, in order, each ended by a semicolon. */
export function createTableDdl(table: TargetTable, schemaExists: boolean): string[] {
  const columns = table.asOf === null ? table.columns : [...table.columns, table.asOf]
  const lines = columns.map(column => `  ${columnDefinition(column)}`)
  if (table.key.length > 0) lines.push(`  PRIMARY KEY (${columnList(table.key)})`)
  const statements = [
    `CREATE TABLE ${table.sql} (\n${lines.join(',\n')}\n);`,
    `COMMENT ON TABLE ${table.sql} IS ${literal(table.definition.doc)};`,
    ...columns.map(column => columnComment(table, column)),
  ]
  if (!schemaExists) statements.unshift(`CREATE SCHEMA ${quoted(table.definition.schema)};`)
  // without it every load of one date would read the rows of all dates
  if (table.scope !== null && table.key[0] !== table.scope) {
    statements.push(`CREATE INDEX ON ${table.sql} (${table.scope.sql});`)
  }
  return statements
}
