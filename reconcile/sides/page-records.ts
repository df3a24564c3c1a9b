/**
 * The records of one JSON page, as parse gives the records of a file: numbers as the digits that were sent,
 * never as floats. Asking for pages is http-pages.ts; delimited pages go through lib/parse.
 */
import { ParseError } from '../../lib/model/errors.ts'
import type { SourceRecord, SourceValue } from '../../lib/model/record.ts'
import type { PageRead } from './http-pages.ts'

/** A number as it stands in the text. */
class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Json = null | boolean | string | NumberText | readonly Json[] | { readonly [name: string]: Json }

/** What TypeScript does not declare yet: a reviver is given the text that a value was read from. */
type ReadJson = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => Json

/** A page of records. */
export interface JsonPage extends PageRead {
  readonly list: readonly SourceRecord[]
}

/** How a page is read. */
export interface JsonReading {
  /** For messages. */
  readonly name: string
  /** Path of the list, empty for the answer itself. */
  readonly records: string
  /** Path of the next page's mark; null where pages are not chained. */
  readonly next: string | null
  /** Property paths of a record that become its values, in this order. */
  readonly columns: readonly string[]
  /** Records of the pages before: a record's line is its number. */
  readonly before: number
}

/** Reads a page. @throws PARSE_PAGE_UNREADABLE when it is no JSON or has no list where it should */
export function readJsonPage(body: string, reading: JsonReading): JsonPage {
  const whole = parsed(body, reading.name)
  const list = at(whole, reading.records)
  if (!Array.isArray(list)) {
    const where = reading.records === '' ? 'it is no list' : `it has no list at ${reading.records}`
    throw unreadable(reading.name, where)
  }
  const records = (list as readonly Json[]).map((item, index) => recordOf(item, index, reading))
  const next = reading.next === null ? null : markOf(at(whole, reading.next))
  return { list: records, records: records.length, next }
}

function parsed(body: string, name: string): Json {
  try {
    return (JSON.parse as unknown as ReadJson)(body, (_key, value, { source }) =>
      typeof value === 'number' ? new NumberText(source!) : value,
    )
  } catch (error) {
    throw unreadable(name, error instanceof Error ? error.message : String(error))
  }
}

function unreadable(name: string, why: string): ParseError {
  return new ParseError(
    'PARSE_PAGE_UNREADABLE',
    `A page of ${name} is not what the job says it is: ${why}. Nothing is compared with a part of the pages.`,
  )
}

function recordOf(item: Json, index: number, { columns, before }: JsonReading): SourceRecord {
  return {
    kind: 'record',
    line: before + index + 1,
    values: columns.map(column => sourceValue(at(item, column))),
    raw: () => textOf(item),
  }
}

/** The value at a path of property names; undefined where one is missing. Own properties only: names are data. */
function at(value: Json | undefined, path: string): Json | undefined {
  let found = value
  for (const name of path === '' ? [] : path.split('/')) {
    const holder = found
    found = isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined
  }
  return found
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
  )
}

function sourceValue(value: Json | undefined): SourceValue {
  if (value === undefined || value === null) return null
  if (Array.isArray(value))
    return (value as readonly Json[]).map(item => (typeof item === 'string' ? item : textOf(item)))
  return typeof value === 'string' ? value : textOf(value)
}

function markOf(value: Json | undefined): string | null {
  const mark = sourceValue(value)
  return typeof mark === 'string' && mark !== '' ? mark : null
}

/** The value as JSON, with its numbers as they were sent. */
function textOf(value: Json): string {
  if (value instanceof NumberText) return value.text
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(textOf).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}:${textOf(item)}`)
    .join(',')}}`
}
