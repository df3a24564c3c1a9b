/**
 * The inner form of a mapping, plain data: what both define functions make. mapping-of.ts judges it and
 * gives it to the engine; binding.ts runs it.
 */
import type { UnitTerm } from '../model/mapping.ts'
import type { SourceValue } from '../model/record.ts'
import type { TableDefinition, Value } from '../model/table.ts'
import type { Field } from './field.ts'
import type { StandardSchema } from './standard-schema.ts'

/** A row by field names. */
export type Row = Readonly<Record<string, Value>>

/** A check of a whole row: null when it is fine, else what is wrong, as a sentence's end after `the record `. */
export interface RowCheck<R = Row> {
  readonly name: string
  readonly test: (row: R) => string | null
  /** The fields it is about; the first one is named in the issue. */
  readonly fields?: readonly (keyof R & string)[]
}

/** Records of a kind that are left out on purpose. Made by leaveOut. */
export interface Filter<out C extends string = string> {
  readonly reason: string
  readonly columns: readonly C[]
  readonly when: (values: readonly SourceValue[]) => boolean
}

/** One record becomes a row for each of these columns that has a value. */
export interface Spread {
  readonly columns: readonly string[]
  readonly nulls: readonly string[]
}

/** What becomes of one kind of record. */
export interface RecordPlan {
  readonly columns: readonly string[]
  readonly tables: Readonly<Record<string, Readonly<Record<string, Field>>>>
  readonly filters: readonly Filter[]
  readonly checks: Readonly<Record<string, readonly (RowCheck | StandardSchema)[]>>
  readonly spread: Spread | null
}

/** The unit of a plan: its key columns by record kind, and its terms by table. */
export interface UnitPlan {
  readonly name: string
  readonly doc: string
  readonly law: string
  readonly stated: readonly string[]
  readonly onFailure: 'unit' | 'file'
  readonly key: Readonly<Record<string, readonly string[]>>
  readonly terms: Readonly<Record<string, (row: Row) => readonly UnitTerm[]>>
}

/** A whole mapping. */
export interface Plan {
  readonly name: string
  readonly version: number
  readonly doc: string
  readonly tables: Readonly<Record<string, TableDefinition>>
  readonly records: Readonly<Record<string, RecordPlan>>
  readonly unit: UnitPlan | null
  readonly nulls: readonly string[]
}

/** Fields that a mapping must give: the table's own without its asOf column. */
export function fieldsOf(table: TableDefinition<unknown>): readonly string[] {
  return Object.keys(table.columns).filter(field => field !== table.asOf)
}

/** Source columns that a kind of record really needs: those of its fields, filters, spread and unit. */
export function columnsUsed(plan: Plan, kind: string): ReadonlySet<string> {
  const record = plan.records[kind]!
  return new Set([
    ...Object.values(record.tables).flatMap(fields => Object.values(fields).flatMap(field => field.columns)),
    ...record.filters.flatMap(filter => filter.columns),
    ...(record.spread?.columns ?? []),
    ...(plan.unit?.key[kind] ?? []),
  ])
}
