/**
 * The two ways to write a mapping: defineMapping for files with one kind of record and one table,
 * defineDocumentMapping for files with several kinds of records or several tables.
 * Field readers stand in read.ts; what a mapping does with a record stands in binding.ts.
 */
import type { Mapping, UnitTerm } from '../model/mapping.ts'
import type { TableDefinition, Value } from '../model/table.ts'
import { asGiven, type Field, type SPREAD_NAME, type SPREAD_VALUE } from './field.ts'
import { mappingOf } from './mapping-of.ts'
import type { Filter, Row, RowCheck, Spread, UnitPlan } from './plan.ts'
import type { SourceOf } from './read-run.ts'
import type { StandardSchema } from './standard-schema.ts'

type Virtual = typeof SPREAD_NAME | typeof SPREAD_VALUE

/** Exactly the fields of a row type, each read from columns `C`. */
export type FieldsFor<R, C extends string> = {
  readonly [F in keyof R]-?: Field<Extract<R[F], Value>, C | Virtual>
}

/** What all mappings say about themselves. */
interface Named {
  readonly name: string
  /** Raised by hand when the meaning changes; recorded with each load. */
  readonly version: number
  readonly doc: string
  /** Texts that mean null in all fields. */
  readonly nulls?: readonly string[]
}

/** Records that stand or fall together. */
interface UnitOf {
  /** Singular noun: `statement`. */
  readonly name: string
  readonly doc: string
  /** The law in words: `opening + movements = closing`. */
  readonly law: string
  /** Labels of terms that a unit must state, at most once in each group. */
  readonly stated?: readonly string[]
  /** Default: only the unit's own records are rejected. */
  readonly onFailure?: 'unit' | 'file'
}

/** A mapping of one kind of record to one table. `C`: its source columns. `R`: the table's row. */
export interface MappingDefinition<C extends string, R> extends Named {
  readonly source: readonly C[]
  readonly table: TableDefinition<R>
  readonly fields: FieldsFor<R, NoInfer<C>>
  /** Records left out on purpose; they are counted by reason. Tested before the fields are read. */
  readonly filters?: readonly Filter<NoInfer<C>>[]
  readonly checks?: readonly (RowCheck<NoInfer<R>> | StandardSchema)[]
  /** One record becomes one row per column of `over` that has a value (`read.text(SPREAD_NAME, ...)`, `read.decimal(SPREAD_VALUE, ...)`). */
  readonly spread?: { readonly over: readonly NoInfer<C>[]; readonly nulls?: readonly string[] }
  readonly unit?: UnitOf & {
    /** Columns that name the unit; the values they have are joined by a space. */
    readonly key: readonly NoInfer<C>[]
    /** The signed terms that a row contributes. Pure. */
    readonly terms: (row: NoInfer<R>) => readonly UnitTerm[]
  }
}

/**
 * A mapping of flat records to rows of one table; its table name is `rows`.
 * Guarantee: the compiler refuses unknown columns, wrong types, missing or additional fields and a missing doc.
 * @throws CONFIG_MAPPING_INVALID for what the compiler can't see, all at once.
 */
export function defineMapping<const C extends string, R>(
  definition: MappingDefinition<C, R>,
): Mapping<{ readonly rows: R }> {
  const { source, table, unit, spread } = definition
  const mapping = mappingOf({
    name: definition.name,
    version: definition.version,
    doc: definition.doc,
    nulls: definition.nulls ?? [],
    tables: { rows: table as TableDefinition },
    records: {
      record: {
        columns: source,
        tables: { rows: definition.fields as Readonly<Record<string, Field>> },
        filters: definition.filters ?? [],
        checks: { rows: (definition.checks ?? []) as readonly (RowCheck | StandardSchema)[] },
        spread: spread === undefined ? null : spreadOf(spread),
      },
    },
    unit:
      unit === undefined
        ? null
        : unitPlan(unit, { record: unit.key }, { rows: unit.terms as (row: Row) => readonly UnitTerm[] }),
  })
  return mapping as unknown as Mapping<{ readonly rows: R }>
}

function spreadOf(spread: { readonly over: readonly string[]; readonly nulls?: readonly string[] }): Spread {
  return { columns: spread.over, nulls: spread.nulls ?? [] }
}

function unitPlan(unit: UnitOf, key: UnitPlan['key'], terms: UnitPlan['terms']): UnitPlan {
  const { name, doc, law, stated = [], onFailure = 'unit' } = unit
  return { name, doc, law, stated, onFailure, key, terms }
}

/** The row type of a table. */
type RowIn<T> = T extends TableDefinition<infer R> ? R : never

/** Tables by name, whatever their rows. */
type AnyTables = Readonly<Record<string, TableDefinition<unknown>>>

/** A mapping of several kinds of records to several tables. `S`: columns by kind. `T`: the tables by name. */
export interface DocumentMappingDefinition<
  S extends Readonly<Record<string, readonly string[]>>,
  T extends AnyTables,
> extends Named {
  readonly records: S
  readonly tables: T
  /** By kind, by table: the fields of the row that a record becomes there. */
  readonly from: {
    readonly [K in keyof S]: { readonly [N in keyof T]?: FieldsFor<RowIn<T[N]>, S[K][number]> }
  }
  readonly filters?: { readonly [K in keyof S]?: readonly Filter<S[K][number]>[] }
  readonly checks?: { readonly [N in keyof T]?: readonly (RowCheck<RowIn<T[N]>> | StandardSchema)[] }
  readonly unit?: UnitOf & {
    readonly key: { readonly [K in keyof S]: readonly S[K][number][] }
    readonly terms: { readonly [N in keyof T]?: (row: RowIn<T[N]>) => readonly UnitTerm[] }
  }
}

/**
 * A mapping of documents: several kinds of records, each to rows of one or more tables.
 * Guarantee: as defineMapping, for each kind and table.
 * @throws CONFIG_MAPPING_INVALID for what the compiler can't see, all at once.
 */
export function defineDocumentMapping<
  const S extends Readonly<Record<string, readonly string[]>>,
  const T extends AnyTables,
>(definition: DocumentMappingDefinition<S, T>): Mapping<{ readonly [N in keyof T]: RowIn<T[N]> }> {
  const { records, unit } = definition
  const from = definition.from as Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, Field>>>>>
  >
  const filters = (definition.filters ?? {}) as Readonly<Record<string, readonly Filter[]>>
  const checks = (definition.checks ?? {}) as Readonly<Record<string, readonly (RowCheck | StandardSchema)[]>>
  const mapping = mappingOf({
    name: definition.name,
    version: definition.version,
    doc: definition.doc,
    nulls: definition.nulls ?? [],
    tables: definition.tables as unknown as Readonly<Record<string, TableDefinition>>,
    records: Object.fromEntries(
      Object.entries(records).map(([kind, columns]) => [
        kind,
        { columns, tables: from[kind] ?? {}, filters: filters[kind] ?? [], checks, spread: null },
      ]),
    ),
    unit:
      unit === undefined
        ? null
        : unitPlan(unit, unit.key as UnitPlan['key'], unit.terms as UnitPlan['terms']),
  })
  return mapping as unknown as Mapping<{ readonly [N in keyof T]: RowIn<T[N]> }>
}

/**
 * A filter: records for which `when` is true are left out on purpose, and counted under `reason`.
 * A reason is needed because nothing may be left out silently.
 */
export function leaveOut<const T extends readonly string[]>(
  options: { readonly reason: string; readonly from: T },
  when: (...values: { [I in keyof T]: SourceOf<T[I]> }) => boolean,
): Filter<T[number]> {
  return {
    reason: options.reason,
    columns: [...options.from],
    when: values =>
      (when as (...values: unknown[]) => boolean)(
        ...options.from.map((column, index) => asGiven(values[index], column)),
      ),
  }
}
