/**
 * A declared table as the load sees it: quoted names, columns by role, and the SQL fragments that
 * every later file is built from. Pure; names were checked by defineTable and are quoted anyway,
 * because `order` and `user` are plain names too.
 */
import { quoted, quotedTable } from '../db/identifiers.ts'
import {
  type Column,
  type ColumnType,
  qualifiedName,
  snakeCase,
  type TableDefinition,
} from '../model/table.ts'

/** One column of a target table. */
export interface TargetColumn {
  readonly field: string
  /** The database's name, unquoted. */
  readonly name: string
  /** Quoted for SQL. */
  readonly sql: string
  readonly type: ColumnType
  readonly declared: Column
}

/** A target table with its roles. */
export interface TargetTable {
  /** The mapping's name for it. */
  readonly alias: string
  /** `schema.table`, for people. */
  readonly name: string
  /** Quoted and qualified, for SQL. */
  readonly sql: string
  readonly definition: TableDefinition
  /** Mapped columns in declared order, without asOf: the order of mapped rows. */
  readonly columns: readonly TargetColumn[]
  readonly key: readonly TargetColumn[]
  /** Columns that are not in the key. */
  readonly values: readonly TargetColumn[]
  readonly asOf: TargetColumn | null
  /** The column that holds the business date, for `replace`. */
  readonly scope: TargetColumn | null
}

/** A text as an SQL literal, for DDL where parameters are not allowed. */
export function literal(text: string): string {
  return text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`
}

/** The roles of a table's columns. `scope` is a field name or null. */
export function targetTable(alias: string, definition: TableDefinition, scope: string | null): TargetTable {
  const all = Object.entries(definition.columns).map(([field, declared]): TargetColumn => {
    const name = snakeCase(field)
    return { field, name, sql: quoted(name), type: declared.type, declared }
  })
  const columns = all.filter(column => column.type.kind !== 'asOf')
  const inKey = new Set(definition.key)
  return {
    alias,
    name: qualifiedName(definition),
    sql: quotedTable(definition),
    definition,
    columns,
    // in the order of the declaration of the key, which is the order of its index
    key: definition.key.map(field => columns.find(column => column.field === field)!),
    values: columns.filter(column => !inKey.has(column.field)),
    asOf: all.find(column => column.type.kind === 'asOf') ?? null,
    scope: scope === null ? null : (columns.find(column => column.field === scope) ?? null),
  }
}

/** `a."x", a."y"`. */
export function columnList(columns: readonly TargetColumn[], prefix = ''): string {
  return columns.map(column => `${prefix}${column.sql}`).join(', ')
}

/** `a."x" = b."x" AND ...`; key columns are never null. */
export function sameKey(columns: readonly TargetColumn[], a: string, b: string): string {
  return columns.map(column => `${a}.${column.sql} = ${b}.${column.sql}`).join(' AND ')
}

/** True where the columns differ, null-safe: text exact, numeric by value. `false` for no columns. */
export function differs(columns: readonly TargetColumn[], a: string, b: string): string {
  if (columns.length === 0) return 'false'
  return `(${columns.map(column => `${a}.${column.sql} IS DISTINCT FROM ${b}.${column.sql}`).join(' OR ')})`
}

/** SQL for a value's canonical text (lib/model/table.ts). */
export function canonicalText({ type }: TargetColumn, value: string): string {
  if (type.kind === 'decimal') return `trim_scale(${value}::numeric)::text`
  if (type.kind !== 'timestamp') return `${value}::text`
  const instant = `to_char(${value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`
  return `rtrim(rtrim(${instant}, '0'), '.') || 'Z'`
}

/** SQL of a JSON object of canonical texts by field; `prefix` is an alias with its point, or empty. */
export function canonicalJson(columns: readonly TargetColumn[], prefix: string): string {
  const names = columns.map(({ field }) => literal(field))
  const texts = columns.map(column => canonicalText(column, `${prefix}${column.sql}`))
  // Two arrays, because jsonb_build_object takes no more than 50 pairs.
  return `jsonb_object(ARRAY[${names.join(', ')}]::text[], ARRAY[${texts.join(', ')}]::text[])`
}

/** The type a column has in a table that Tallyman writes. */
export function sqlType(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return type.max === null ? 'text' : `varchar(${type.max})`
    case 'integer':
      return 'bigint'
    case 'decimal':
      return `numeric(${type.precision},${type.scale})`
    case 'date':
      return 'date'
    case 'timestamp':
      return 'timestamptz'
    case 'boolean':
      return 'boolean'
    case 'asOf':
      return 'text COLLATE "C"'
  }
}

/** The type a column has in staging: without limits, so that COPY neither rounds nor cuts nor checks twice. */
export function stagingType(type: ColumnType): string {
  if (type.kind === 'text') return 'text'
  if (type.kind === 'decimal') return 'numeric'
  return sqlType(type)
}
