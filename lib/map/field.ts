/**
 * What a field of a mapping is: its source columns, its rule in words, its doc, and a closure made
 * once per file that turns the source values of a record into the value of a target column.
 * Readers that make fields stand in read-*.ts; binding.ts runs them.
 */
import { type Issue, issue } from '../model/issue.ts'
import type { MapContext } from '../model/mapping.ts'
import type { SourceValue } from '../model/record.ts'
import type { Column, Value } from '../model/table.ts'

/** The name of the spread column a row comes from (`spread` of defineMapping); usable as a source column. */
export const SPREAD_NAME = '(column name)'
/** The value of that spread column; usable as a source column. */
export const SPREAD_VALUE = '(column value)'

/** A refused value: a code and a sentence that starts with what was expected of the column. Never repeats the value. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

/** The record that is being mapped, for fields that need to know its place. */
export interface Place {
  line: number
  /** Whether parse has seen to it that all its texts can be stored. */
  storable: boolean
  /** Position among the records of its kind in its unit (or file), from 1. */
  ordinal: number
  /** The spread column of the row that is being made, null elsewhere. */
  spread: string | null
}

/** What a field is told when it is bound to a file. */
export interface FieldSetting {
  /** Name of the target field. */
  readonly field: string
  readonly target: Column
  /** Positions of the field's columns in a record's values. */
  readonly positions: readonly number[]
  readonly context: MapContext
  /** Texts that mean null in the whole mapping. */
  readonly nulls: readonly string[]
  readonly place: Place
}

/** Makes the value of one field; what is wrong goes to `issues`, and null is returned then. */
export type Maker = (values: readonly SourceValue[], issues: Issue[]) => Value

/** A target field. `V` is what it gives, `C` its source columns; both exist for the compiler. */
export interface Field<out V extends Value = Value, out C extends string = string> {
  readonly columns: readonly C[]
  /** The rule in words, for the page. */
  readonly rule: string
  readonly doc: string
  /** Whether it may give null. */
  readonly nullable: boolean
  make(setting: FieldSetting): Maker
  readonly gives?: V
}

/** A check of one value: null when it is fine, else what was expected, as the end of `<column> `: `must not lie in the future`. */
export type Check<V> = (value: V) => string | null

/** The source column of an issue: where a row was spread, the column that it comes from. */
export function columnOf(column: string, place: Place): string {
  return (column === SPREAD_VALUE || column === SPREAD_NAME) && place.spread !== null ? place.spread : column
}

/** Text of a source value for an issue. */
export function sourceText(value: SourceValue | undefined): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : value.join(', ')
}

/** A source value as computed fields and filters get it: a list for `path[]`, else text or null. */
export function asGiven(value: SourceValue | undefined, column: string): SourceValue {
  if (value === undefined || value === null) return column.endsWith('[]') ? [] : null
  if (column.endsWith('[]')) return typeof value === 'string' ? [value] : value
  return typeof value === 'string' ? value : (value[0] ?? null)
}

/** A refusal as an issue of a field. */
export function refused(
  refusal: Refusal,
  at: { readonly column: string | null; readonly field: string; readonly value: string | null },
): Issue {
  return issue(refusal.code, `${at.column ?? at.field} ${refusal.message}.`, at)
}
