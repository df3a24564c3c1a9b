/**
 * A target table, declared once: it types the mapping, checks the database, writes the DDL and
 * tells reconcile what to compare. Pure data; SQL is made from it in lib/db and lib/load.
 */
import { ConfigError } from './errors.ts'
import { refuseDefinition } from './refusal.ts'

declare const brand: unique symbol
/** Canonical exact decimal text (model/decimal.ts), `-1240.5`. */
export type DecimalText = string & { readonly [brand]: 'decimal' }
/** A calendar date as `yyyy-MM-dd`. */
export type DateText = string & { readonly [brand]: 'date' }
/** An instant in UTC as `yyyy-MM-ddTHH:mm:ss[.ffffff]Z`. */
export type TimestampText = string & { readonly [brand]: 'timestamp' }

/** A value of a mapped row. Integers are safe integers; everything else that is not text or boolean is canonical text. */
export type Value = string | number | boolean | null

/** The declared type of a column. */
export type ColumnType =
  | { readonly kind: 'text'; readonly max: number | null }
  | { readonly kind: 'integer' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'boolean' }
  /** Filled by the engine: business date and file order of the last applied version, `2026-11-20#000000000042`. */
  | { readonly kind: 'asOf' }

/** How personal a column is: `personal` and `sensitive` are masked in mail and logs. */
export type Pii = 'none' | 'personal' | 'sensitive'

/** One column. `V` is its row type and exists only for inference. */
export interface Column<V = unknown> {
  readonly type: ColumnType
  readonly nullable: boolean
  readonly doc: string
  readonly pii: Pii
  readonly of?: V
}

/** What every column is declared with. `doc` is required: it becomes the page and the DDL comment. */
export interface ColumnOptions {
  readonly doc: string
  readonly nullable?: boolean
  readonly pii?: Pii
}

type Nullability<O, V> = O extends { readonly nullable: true } ? V | null : V

function make<V, const O extends ColumnOptions>(type: ColumnType, options: O): Column<Nullability<O, V>> {
  return { type, nullable: options.nullable ?? false, doc: options.doc, pii: options.pii ?? 'none' }
}

/** Builders of columns, one per type. */
export const column = {
  /** Text, at most `max` characters where given. */
  text: <const O extends ColumnOptions & { readonly max?: number }>(options: O) =>
    make<string, O>({ kind: 'text', max: options.max ?? null }, options),
  /** A whole number within JavaScript's safe range; `bigint` in the database. */
  integer: <const O extends ColumnOptions>(options: O) => make<number, O>({ kind: 'integer' }, options),
  /** An exact decimal; `numeric(precision, scale)` in the database. */
  decimal: <const O extends ColumnOptions & { readonly precision: number; readonly scale: number }>(
    options: O,
  ) => make<DecimalText, O>({ kind: 'decimal', precision: options.precision, scale: options.scale }, options),
  /** A calendar date. */
  date: <const O extends ColumnOptions>(options: O) => make<DateText, O>({ kind: 'date' }, options),
  /** An instant; `timestamptz` in the database. */
  timestamp: <const O extends ColumnOptions>(options: O) =>
    make<TimestampText, O>({ kind: 'timestamp' }, options),
  /** True or false. */
  boolean: <const O extends ColumnOptions>(options: O) => make<boolean, O>({ kind: 'boolean' }, options),
}

/** Columns by field name (camelCase; the database's name is snake_case). */
export type Columns = Readonly<Record<string, Column>>

/** The row type of some columns. */
export type RowOf<C extends Columns> = {
  readonly [K in keyof C]: C[K] extends Column<infer V> ? V : never
}

/** A control total of a table: the exact sum of a field, or of the product of two, by currency where given. */
export interface TotalRule {
  /** One or two field names, multiplied. */
  readonly sum: readonly [string] | readonly [string, string]
  /** Field that groups the total, normally the currency. */
  readonly per?: string
  /** What it adds up: `quantity` (hours, rates) is never told as money at risk. Default money. */
  readonly of?: 'money' | 'quantity'
}

/** A declared table. `Row` is the type of its rows. */
export interface TableDefinition<Row = Readonly<Record<string, Value>>> {
  readonly schema: string
  readonly name: string
  readonly doc: string
  /** In declared order. */
  readonly columns: Columns
  /** Field names of the key; empty for a table without one, whose rows are compared as bags. */
  readonly key: readonly string[]
  /** Name of the engine-filled asOf column, null when a side table keeps it. */
  readonly asOf: string | null
  /** Control totals by name. */
  readonly totals: Readonly<Record<string, TotalRule>>
  readonly row?: Row
}

/** Names that may be used in SQL (delivery.md, Security). */
const SQL_NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** The database's name of a field: `unitPrice` is `unit_price`. */
export function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

/** `schema.table`, both checked by defineTable. */
export function qualifiedName(table: Pick<TableDefinition, 'schema' | 'name'>): string {
  return `${table.schema}.${table.name}`
}

/**
 * Declares a target table. Column order is kept; an `asOf` column is added at the end where named.
 * @throws CONFIG_TABLE_INVALID for a name that is no plain SQL name, a key or total over unknown fields,
 * a nullable key column, or two fields with one database name.
 */
export function defineTable<const C extends Columns>(
  schema: string,
  name: string,
  columns: C,
  options: {
    readonly doc: string
    readonly key: readonly (keyof C & string)[]
    readonly asOf?: string
    readonly totals?: Readonly<
      Record<
        string,
        {
          readonly sum: readonly [keyof C & string] | readonly [keyof C & string, keyof C & string]
          readonly per?: keyof C & string
          readonly of?: 'money' | 'quantity'
        }
      >
    >
  },
): TableDefinition<RowOf<C>> {
  const complaints: string[] = []
  const asOf = options.asOf ?? null
  const all: Columns =
    asOf === null
      ? columns
      : {
          ...columns,
          [asOf]: {
            type: { kind: 'asOf' },
            nullable: true,
            pii: 'none',
            doc: 'Business date and file order of the last applied version; filled by Tallyman.',
          },
        }
  const sqlNames = Object.keys(all).map(snakeCase)
  for (const sqlName of [schema, name, ...sqlNames]) {
    if (!SQL_NAME.test(sqlName)) complaints.push(`${JSON.stringify(sqlName)} is no plain SQL name`)
  }
  if (new Set(sqlNames).size !== sqlNames.length) complaints.push('two fields have the same database name')
  if (asOf !== null && asOf in columns) complaints.push(`the asOf column ${asOf} is declared by hand as well`)
  for (const field of options.key) {
    if (columns[field] === undefined) complaints.push(`key field ${field} is not a column`)
    else if (columns[field].nullable) complaints.push(`key field ${field} is nullable`)
  }
  for (const [total, rule] of Object.entries(options.totals ?? {})) {
    for (const field of [...rule.sum, ...(rule.per === undefined ? [] : [rule.per])]) {
      if (columns[field] === undefined)
        complaints.push(`total ${total} names ${field}, which is not a column`)
    }
  }
  for (const [field, { type, doc }] of Object.entries(columns)) {
    if (doc.trim() === '') complaints.push(`column ${field} has an empty doc`)
    if (type.kind === 'decimal' && (type.scale > type.precision || type.precision > 1000)) {
      complaints.push(`column ${field}: numeric(${type.precision}, ${type.scale}) is impossible`)
    }
  }
  const table = {
    schema,
    name,
    doc: options.doc,
    columns: all,
    key: options.key,
    asOf,
    totals: options.totals ?? {},
  }
  if (complaints.length > 0) {
    const text = `Table ${schema}.${name} can't be used: ${complaints.join('; ')}. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_TABLE_INVALID', text), table)
  }
  return table
}
