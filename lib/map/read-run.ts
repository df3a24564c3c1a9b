/**
 * Fields that are not read from a column by one rule: values of the run, constants, and values that
 * a named pure function computes from listed columns.
 */
import { type Issue, issue } from '../model/issue.ts'
import type { SourceValue } from '../model/record.ts'
import type { DateText, Value } from '../model/table.ts'
import {
  asGiven,
  columnOf,
  type Field,
  type FieldSetting,
  type Maker,
  type Refusal,
  refused,
  sourceText,
} from './field.ts'
import { fitOf } from './fit.ts'
import { failedRule } from './scalar.ts'

/** What a computed field gets for a column: a list for `path[]`, else text or null. */
export type SourceOf<C extends string> = C extends `${string}[]` ? readonly string[] : string | null

/** What a computed field gives when its inputs make no sense. */
export interface Refused {
  readonly refused: string
}

/** A refusal by a rule, as the end of `<column> `: `refuse('must not be negative')`. */
export function refuse(message: string): Refused {
  return { refused: message }
}

/** Options of `read.compute`. */
export interface ComputeOptions<T extends readonly string[]> {
  /** The columns that the function gets, in this order. */
  readonly from: T
  readonly doc: string
  /** The rule in words, for the page. */
  readonly rule: string
}

/**
 * A value computed by a pure function from listed columns as received (not as other fields read them).
 * On failure: `refuse(...)` or a thrown error becomes an issue of the record; what does not fit the column too.
 */
export function compute<const T extends readonly string[], V extends Value>(
  options: ComputeOptions<T>,
  rule: (...values: { [I in keyof T]: SourceOf<T[I]> }) => V | Refused,
): Field<V, T[number]> {
  return {
    columns: [...options.from],
    rule: options.rule,
    doc: options.doc,
    // What a function gives is known only when it runs: null for a target that forbids it is an issue then.
    nullable: false,
    make: setting => computedMaker(options.from, rule as (...values: unknown[]) => Value | Refused, setting),
  }
}

function computedMaker(
  columns: readonly string[],
  rule: (...values: unknown[]) => Value | Refused,
  setting: FieldSetting,
): Maker {
  const { field, positions, place } = setting
  const fit = fitOf(setting.target.type, setting.target.nullable)
  const single = columns.length === 1 ? columns[0]! : null

  const complain = (refusal: Refusal, inputs: readonly SourceValue[], issues: Issue[]): null => {
    const value = inputs.length === 0 ? null : inputs.map(input => sourceText(input) ?? '').join(' | ')
    const column = columns[0] === undefined ? null : columnOf(columns[0], place)
    issues.push(refused(refusal, { column, field, value }))
    return null
  }

  return (values, issues) => {
    const inputs =
      single === null
        ? columns.map((column, index) => asGiven(values[positions[index]!], column))
        : [asGiven(values[positions[0]!], single)]
    let result: Value | Refused
    try {
      result = rule(...inputs)
    } catch (error) {
      return complain(failedRule(error), inputs, issues)
    }
    if (typeof result === 'object' && result !== null)
      return complain({ code: 'MAP_RULE_REFUSED', message: result.refused }, inputs, issues)
    const value = fit(result)
    return typeof value === 'object' && value !== null ? complain(value, inputs, issues) : value
  }
}

/** A field that has no source column. */
function ofRun<V extends Value>(
  doc: string,
  rule: string,
  give: (setting: FieldSetting) => () => V,
): Field<V, never> {
  return {
    columns: [],
    rule,
    doc,
    nullable: false,
    make: setting => {
      const value = give(setting)
      const fit = fitOf(setting.target.type, setting.target.nullable)
      return (_values, issues) => {
        const fitting = fit(value())
        if (typeof fitting !== 'object' || fitting === null) return fitting
        issues.push(refused(fitting, { column: null, field: setting.field, value: null }))
        return null
      }
    },
  }
}

/** The business date of the run. */
export function businessDate(options: { readonly doc: string }): Field<DateText, never> {
  return ofRun(
    options.doc,
    'business date of the run',
    ({ context }) =>
      () =>
        context.businessDate as DateText,
  )
}

/** The line of the decoded file on which the record starts, from 1. It moves when a partner formats anew: no part of a key. */
export function line(options: { readonly doc: string }): Field<number, never> {
  return ofRun(
    options.doc,
    'line of the record',
    ({ place }) =>
      () =>
        place.line,
  )
}

/**
 * The record's position among the records of its kind in its unit, from 1 (in its file where there are no units).
 * Guarantee: it depends on nothing but the order of the records, so that formatting a file anew leaves it.
 */
export function ordinal(options: { readonly doc: string }): Field<number, never> {
  return ofRun(
    options.doc,
    'position within its unit',
    ({ place }) =>
      () =>
        place.ordinal,
  )
}

/** Always the same value. */
export function constant<const V extends Value>(
  value: V,
  options: { readonly doc: string },
): Field<V, never> {
  return ofRun(options.doc, `always ${JSON.stringify(value)}`, () => () => value)
}

/** Always null, for a nullable column that this source can't fill. */
export function nothing(options: { readonly doc: string }): Field<null, never> {
  return {
    columns: [],
    rule: 'always null',
    doc: options.doc,
    nullable: true,
    make:
      ({ field, target }) =>
      (_values, issues) => {
        if (!target.nullable) issues.push(issue('MAP_REQUIRED', `${field} must have a value.`, { field }))
        return null
      },
  }
}
