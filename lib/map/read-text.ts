/**
 * Readers that give text: as it is, one of a list, or a joined list. Text is never trimmed, folded or
 * cut unless the mapping says so.
 */
import { type Issue, issue } from '../model/issue.ts'
import type { SourceValue } from '../model/record.ts'
import type { Value } from '../model/table.ts'
import { columnOf, type Field, type FieldSetting, type Maker, type Refusal, refused } from './field.ts'
import { fitOf, isLonger } from './fit.ts'
import { type From, fitted, type Given, type ReadOptions, scalar } from './scalar.ts'

/** Options of `read.text`. */
export interface TextOptions<N extends boolean> extends ReadOptions<string, N> {
  /** The whole text must match; the page prints it. */
  readonly pattern?: RegExp
  /** At most this many characters; the column's own `max` is always held. */
  readonly max?: number
  /** Turns letters into upper or lower case, by Unicode's own rules. */
  readonly case?: 'upper' | 'lower'
}

/**
 * Text as received. The empty text is no value; NUL and half characters are issues.
 * Guarantee: never trimmed or cut, unless `trim`; longer than the column is an issue.
 */
export function text<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: TextOptions<N>,
): Field<Given<string, N>, C> {
  const { pattern, max } = options
  const words = ['text']
  if (options.case !== undefined) words.push(`${options.case} case`)
  if (max !== undefined) words.push(`at most ${max} characters`)
  if (pattern !== undefined) words.push(`like ${pattern.source}`)
  return scalar(from, options, {
    rule: words.join(', '),
    compile: setting => {
      const asIs = pattern === undefined && max === undefined && options.case === undefined
      return asIs ? asReceived(setting) : fitted(textConversion(options), setting)
    },
  })
}

/** Text as it is: held to the column's length, and looked through only where parse has not done it. */
function asReceived({ target, place }: FieldSetting): (text: string) => string | Refusal {
  const fit = fitOf(target.type, target.nullable) as (text: string) => string | Refusal
  if (target.type.kind !== 'text') return fit
  const longest = target.type.max ?? Number.POSITIVE_INFINITY
  return value => (place.storable && value.length <= longest ? value : fit(value))
}

function textConversion(options: TextOptions<boolean>): (value: string) => string | Refusal {
  const { max } = options
  // Anchored and without the flags that make a RegExp remember where it was.
  const pattern =
    options.pattern === undefined
      ? null
      : new RegExp(`^(?:${options.pattern.source})$`, options.pattern.flags.replace(/[gy]/g, ''))
  const mismatch: Refusal = {
    code: 'MAP_PATTERN_MISMATCH',
    message: `must look like ${options.pattern?.source}`,
  }
  const tooLong: Refusal = { code: 'MAP_TOO_LONG', message: `must have at most ${max} characters` }
  return value => {
    if (max !== undefined && isLonger(value, max)) return tooLong
    if (pattern !== null && !pattern.test(value)) return mismatch
    if (options.case === undefined) return value
    return options.case === 'upper' ? value.toUpperCase() : value.toLowerCase()
  }
}

/** Options of `read.oneOf`. */
export interface OneOfOptions<N extends boolean> extends ReadOptions<string, N> {
  /** The texts that may come, or what each of them becomes. */
  readonly values: readonly string[] | Readonly<Record<string, string>>
}

/** One of the declared texts, or what it stands for; any other is an issue that lists the declared ones. */
export function oneOf<const C extends string, const N extends boolean = false>(
  from: From<C>,
  options: OneOfOptions<N>,
): Field<Given<string, N>, C> {
  const { values } = options
  const entries = isList(values) ? values.map(value => [value, value] as const) : Object.entries(values)
  const known = new Map<string, string>(entries)
  const rule = isList(values)
    ? `one of ${values.join(', ')}`
    : entries.map(([source, target]) => `${source} is ${target}`).join(', ')
  const refusal: Refusal = {
    code: 'MAP_NOT_ONE_OF',
    message: `must be one of ${[...known.keys()].join(', ')}`,
  }
  return scalar(from, options, {
    rule,
    compile: setting => {
      // Held to the column once and not per record.
      const fit = fitted<string>(value => known.get(value) ?? refusal, setting)
      const fitting = new Map([...known.keys()].map(value => [value, fit(value)]))
      return value => fitting.get(value) ?? refusal
    },
  })
}

function isList(values: readonly string[] | Readonly<Record<string, string>>): values is readonly string[] {
  return Array.isArray(values)
}

/** Options of `read.list`. */
export interface ListOptions<N extends boolean> {
  readonly doc: string
  /** Stands between the items. */
  readonly join: string
  /** Null where the list is empty; default: an issue. */
  readonly optional?: N
}

/** The items of a repeated element (`path[]`) joined into one text; empty items are left out. */
export function list<const C extends `${string}[]`, const N extends boolean = false>(
  column: C,
  options: ListOptions<N>,
): Field<Given<string, N>, C> {
  return {
    columns: [column],
    rule: `all joined by ${JSON.stringify(options.join)}${options.optional === true ? ', optional' : ''}`,
    doc: options.doc,
    nullable: options.optional === true,
    make: setting => listMaker(column, options, setting),
  }
}

function itemsOf(value: SourceValue | undefined): readonly string[] {
  if (value === null || value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

function listMaker(column: string, options: ListOptions<boolean>, setting: FieldSetting): Maker {
  const { field, positions, place } = setting
  const fit = fitOf(setting.target.type, setting.target.nullable)
  return (values, issues) => {
    const items = itemsOf(values[positions[0]!]).filter(item => item !== '')
    const at = { column: columnOf(column, place), field, value: items.join(options.join) }
    if (items.length === 0) {
      if (options.optional !== true)
        issues.push(issue('MAP_REQUIRED', `${at.column} must have a value: ${field} is required.`, at))
      return null
    }
    return settle(fit(at.value), at, issues)
  }
}

/** Number of items of a repeated element (`path[]`), 0 where there is none. */
export function count<const C extends `${string}[]`>(
  column: C,
  options: { readonly doc: string },
): Field<number, C> {
  return {
    columns: [column],
    rule: 'how many there are',
    doc: options.doc,
    nullable: false,
    make:
      ({ positions }) =>
      values =>
        itemsOf(values[positions[0]!]).length,
  }
}

/** A fitted value, or null and its issue. */
export function settle(
  value: Value | Refusal,
  at: { readonly column: string | null; readonly field: string; readonly value: string | null },
  issues: Issue[],
): Value {
  if (typeof value !== 'object' || value === null) return value
  issues.push(refused(value, at))
  return null
}
