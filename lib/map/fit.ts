/**
 * Whether a value fits its target column, judged while mapping so that COPY never fails on it:
 * length, storable text, precision and scale, safe integers, null.
 * Readers give values of the right type; this holds them, computed values and constants to the column.
 */
import { codeAt } from '../model/code-at.ts'
import type { ColumnType, Value } from '../model/table.ts'
import { canonicalDecimal } from './decimal-notation.ts'
import type { Refusal } from './field.ts'

/** Gives the value as the column takes it, or why it does not fit. */
export type Fit = (value: Value) => Value | Refusal

const DATE = /^\d{4}-\d{2}-\d{2}$/
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/

const wrongType = (wanted: string): Refusal => ({
  code: 'MAP_WRONG_TYPE',
  message: `gave a value that is no ${wanted}`,
})

/** Whether a text has more than `max` characters as Postgres counts them: code points. */
export function isLonger(text: string, max: number): boolean {
  // UTF-16 units are never fewer than code points, so only texts with more units are counted.
  if (text.length <= max) return false
  let count = 0
  for (const _ of text) count += 1
  return count > max
}

/** Texts up to this length are looked through here; for longer ones the built-in searches are faster. */
const SHORT = 48

/** Whether a text is short and has neither NUL nor any surrogate; false says nothing. */
function isPlain(text: string): boolean {
  const { length } = text
  if (length > SHORT) return false
  for (let at = 0; at < length; at += 1) {
    const code = codeAt(text, at)
    if (code === 0 || code >= 0xd800) return false
  }
  return true
}

function fitText(max: number | null): Fit {
  const tooLong: Refusal = { code: 'MAP_TOO_LONG', message: `must have at most ${max} characters` }
  const nul: Refusal = {
    code: 'MAP_TEXT_NOT_STORABLE',
    message: 'holds a NUL character, which no Postgres text can hold',
  }
  const halves: Refusal = {
    code: 'MAP_TEXT_NOT_STORABLE',
    message: 'holds half a character (a lone surrogate), which UTF-8 can not express',
  }
  return value => {
    if (typeof value !== 'string') return wrongType('text')
    if (max !== null && isLonger(value, max)) return tooLong
    if (isPlain(value)) return value
    if (value.includes('\0')) return nul
    return value.isWellFormed() ? value : halves
  }
}

function fitDecimal(precision: number, scale: number): Fit {
  const canonical = canonicalDecimal(precision, scale, null)
  return value => (typeof value === 'string' ? canonical(value) : wrongType('decimal text'))
}

/** The judge of a column. Null fits where the column is nullable. */
export function fitOf(type: ColumnType, nullable: boolean): Fit {
  const fit = fitOfType(type)
  const absent: Refusal = { code: 'MAP_REQUIRED', message: 'gave no value, but its target may not be null' }
  return value => (value === null ? (nullable ? null : absent) : fit(value))
}

function fitOfType(type: ColumnType): Fit {
  switch (type.kind) {
    case 'text':
      return fitText(type.max)
    case 'decimal':
      return fitDecimal(type.precision, type.scale)
    case 'integer':
      return value => (Number.isSafeInteger(value) ? (value === 0 ? 0 : value) : wrongType('whole number'))
    case 'boolean':
      return value => (typeof value === 'boolean' ? value : wrongType('true or false'))
    case 'date':
      return value => (typeof value === 'string' && DATE.test(value) ? value : wrongType('date'))
    case 'timestamp':
      return value => (typeof value === 'string' && TIMESTAMP.test(value) ? value : wrongType('instant'))
    case 'asOf':
      return () => wrongType('value that a mapping may give')
  }
}
