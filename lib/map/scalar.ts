/**
 * The frame of all readers that turn one source text into one value: first column that has a value,
 * null tokens, default, optional or required, then the reader's own conversion, then the author's check.
 * Conversions stand in read-*.ts.
 */
import { type Issue, issue } from '../model/issue.ts'
import type { SourceValue } from '../model/record.ts'
import type { Value } from '../model/table.ts'
import {
  type Check,
  columnOf,
  type Field,
  type FieldSetting,
  type Maker,
  type Refusal,
  refused,
  sourceText,
} from './field.ts'
import { type Fit, fitOf } from './fit.ts'
import { findings, isStandardSchema, type StandardSchema } from './standard-schema.ts'

/** What every reader takes. `doc` is required: it becomes the mapping table of the job's page. */
export interface ReadOptions<V extends Value, Optional extends boolean> {
  readonly doc: string
  /** Null where the source has no value; the target must be nullable. Default: a missing value is an issue. */
  readonly optional?: Optional
  /** The value where the source has none. */
  readonly default?: V
  /** Texts that mean null, besides the empty text and the mapping's own. */
  readonly nulls?: readonly string[]
  /** Cuts white space at both ends before anything else. Default false: text is taken as it is. */
  readonly trim?: boolean
  /** A pure check of the value, or any Standard Schema validator of it. */
  readonly check?: Check<V> | StandardSchema
}

/** What a reader gives: null too where it is optional. */
export type Given<V extends Value, Optional extends boolean> = Optional extends true ? V | null : V

/** One source column, or several of which the first that has a value is taken. */
export type From<C extends string> = C | readonly [C, ...C[]]

/** A reader's own part: its rule in words, and its conversion for a target. */
export interface Conversion<V extends Value> {
  readonly rule: string
  /** From a text that is not empty. Its results must fit the target. */
  readonly compile: (setting: FieldSetting) => (text: string) => V | Refusal
}

const isRefusal = (value: Value | Refusal): value is Refusal => typeof value === 'object' && value !== null

/** Holds what a conversion gives to the target column; `native` is the column type whose values it gives anyway. */
export function fitted<V extends Value>(
  convert: (text: string) => V | Refusal,
  setting: FieldSetting,
  native: 'integer' | 'date' | 'timestamp' | 'boolean' | null = null,
): (text: string) => V | Refusal {
  if (setting.target.type.kind === native) return convert
  const fit = fitOf(setting.target.type, setting.target.nullable)
  return text => {
    const value = convert(text)
    return isRefusal(value) ? value : (fit(value) as V | Refusal)
  }
}

function inWords<V extends Value>(
  columns: readonly string[],
  rule: string,
  options: ReadOptions<V, boolean>,
): string {
  const words = [rule]
  if (columns.length > 1) words.push('the first that has a value')
  if (options.trim === true) words.push('trimmed')
  if (options.nulls !== undefined && options.nulls.length > 0)
    words.push(`${options.nulls.map(token => JSON.stringify(token)).join(', ')} is null`)
  if (options.default !== undefined) words.push(`default ${JSON.stringify(options.default)}`)
  else if (options.optional === true) words.push('optional')
  if (options.check !== undefined) words.push('checked')
  return words.join(', ')
}

/** Why a value was refused by its check, or null. */
function checkOf<V extends Value>(check: Check<V> | StandardSchema | undefined): Check<V> | null {
  if (check === undefined) return null
  if (!isStandardSchema(check)) return check
  return value => {
    const found = findings(check, value)
    return found.length === 0 ? null : `is refused: ${found.map(({ message }) => message).join('; ')}`
  }
}

/** Runs an author's function; what it throws is a refusal of this record, never the end of the run. */
export function guarded<R>(run: () => R): R | Refusal {
  try {
    return run()
  } catch (error) {
    return failedRule(error)
  }
}

/** The refusal for an author's function that threw. @throws what it threw where the mapping itself is wrong. */
export function failedRule(error: unknown): Refusal {
  if (error instanceof Error && 'code' in error && error.code === 'CONFIG_MAPPING_INVALID') throw error
  const why = error instanceof Error ? error.message : String(error)
  return { code: 'MAP_RULE_FAILED', message: `could not be judged, because its rule failed (${why})` }
}

/** A field that is read from one text. */
export function scalar<V extends Value, C extends string, Optional extends boolean>(
  from: From<C>,
  options: ReadOptions<V, Optional>,
  conversion: Conversion<V>,
): Field<Given<V, Optional>, C> {
  const columns = typeof from === 'string' ? [from] : [...from]
  return {
    columns,
    rule: inWords(columns, conversion.rule, options),
    doc: options.doc,
    nullable: options.optional === true && options.default === undefined,
    make: setting => maker(columns, options, conversion, setting),
  }
}

/** Reads the text of a column: null when it has none; a list of one is its item. */
function textAt(values: readonly SourceValue[], position: number): string | null | undefined {
  const value = values[position]
  if (typeof value === 'string') return value
  if (value === null || value === undefined || value.length === 0) return null
  return value.length === 1 ? value[0]! : undefined
}

function maker<V extends Value>(
  columns: readonly string[],
  options: ReadOptions<V, boolean>,
  conversion: Conversion<V>,
  setting: FieldSetting,
): Maker {
  const { field, positions, place } = setting
  const convert = conversion.compile(setting)
  const check = checkOf(options.check)
  const tokens = new Set([...setting.nulls, ...(options.nulls ?? [])])
  const trim = options.trim === true
  const fallback = defaultOf(options, fitOf(setting.target.type, setting.target.nullable))
  const required = options.optional !== true && options.default === undefined
  const named = (index: number): string => columnOf(columns[index]!, place)

  const absent = (issues: Issue[]): Value => {
    if (required) {
      const text = `${named(0)} must have a value: ${field} is required.`
      issues.push(issue('MAP_REQUIRED', text, { column: named(0), field }))
    }
    return fallback
  }

  const read: Maker = (values, issues) => {
    for (let index = 0; index < positions.length; index += 1) {
      let text = textAt(values, positions[index]!)
      if (text === undefined) {
        const at = { column: named(index), field, value: sourceText(values[positions[index]!]) }
        issues.push(
          refused({ code: 'MAP_REPEATED', message: 'must stand there once, not several times' }, at),
        )
        return null
      }
      if (trim && text !== null) text = text.trim()
      if (text === null || text === '' || (tokens.size > 0 && tokens.has(text))) continue
      const value = convert(text)
      if (isRefusal(value)) {
        issues.push(refused(value, { column: named(index), field, value: text }))
        return null
      }
      if (check !== null) {
        const complaint = guarded(() => check(value))
        if (complaint !== null) {
          const refusal =
            typeof complaint === 'string' ? { code: 'MAP_CHECK_REFUSED', message: complaint } : complaint
          issues.push(refused(refusal, { column: named(index), field, value: text }))
          return null
        }
      }
      return value
    }
    return absent(issues)
  }

  if (positions.length !== 1 || trim || tokens.size > 0 || check !== null) return read
  // Most fields: one column, taken as it is. What is not a plain text that converts goes the whole way, for its issue.
  const position = positions[0]!
  return (values, issues) => {
    const text = values[position]
    if (typeof text !== 'string' || text === '') return read(values, issues)
    const value = convert(text)
    return typeof value === 'object' ? read(values, issues) : value
  }
}

/** The default as the target takes it; null when there is none or it does not fit (defineMapping refuses that). */
export function defaultOf<V extends Value>(options: ReadOptions<V, boolean>, fit: Fit): Value {
  if (options.default === undefined) return null
  const value = fit(options.default)
  return isRefusal(value) ? null : value
}
