/**
 * Dates in file names: a pattern such as `SHIP_{yyyyMMdd}_*.csv` becomes a matcher that says whether a
 * name is of a date, and of which. Names come from outside and are only ever compared, never used.
 * Formats of dates inside files: date-format.ts.
 */
import { ConfigError } from '../errors.ts'
import { type BusinessDate, isDate } from './business-date.ts'

/** How each token is written; longer tokens first, so that `MM` is not read as two `M`. */
const TOKENS = {
  yyyy: '\\d{4}',
  yy: '\\d{2}',
  MM: '\\d{2}',
  dd: '\\d{2}',
  ooo: '\\d{3}',
  M: '\\d{1,2}',
  d: '\\d{1,2}',
} as const
type Token = keyof typeof TOKENS

const TOKEN = /yyyy|yy|MM|dd|ooo|M|d/y

/** A matcher for names. */
export interface NamePattern {
  /** As written in the job. */
  readonly source: string
  /** Whether its tokens tell a whole date. */
  readonly tellsDate: boolean
  /** Whether the name is of this date; every date of a pattern without tokens. */
  matches(name: string, date: BusinessDate): boolean
  /** Whether the name is of any date. */
  matchesAny(name: string): boolean
  /** The date in the name; null when it does not match, tells none, or one that does not exist. */
  dateOf(name: string): BusinessDate | null
  /** What to look for by eye: `SHIP_20261120_*.csv`. */
  glob(date: BusinessDate): string
}

type Part = { readonly glob: string; readonly regex: string } | { readonly token: Token }

/**
 * The matcher of a glob with date tokens in braces. In the glob `*`, `?` and `[ab]` or `[0-9]` are
 * special, nothing else. Tokens: yyyy, yy (2000 to 2099), MM, M, dd, d, ooo (day of the year).
 * Guarantee: case counts; the whole name must match.
 * @throws CONFIG_FILE_PATTERN_INVALID
 */
export function namePattern(source: string): NamePattern {
  const parts = parsePattern(source)
  const tokens = parts.flatMap(part => ('token' in part ? [part.token] : []))
  const any = new RegExp(
    `^${parts.map(part => ('token' in part ? `(${TOKENS[part.token]})` : part.regex)).join('')}$`,
    'su',
  )
  const of = (date: BusinessDate) =>
    new RegExp(
      `^${parts.map(part => ('token' in part ? render(part.token, date) : part.regex)).join('')}$`,
      'su',
    )
  let last: { readonly date: BusinessDate; readonly regex: RegExp } | null = null
  return {
    source,
    tellsDate: tellsDate(tokens),
    matches: (name, date) => {
      if (last?.date !== date) last = { date, regex: of(date) }
      return last.regex.test(name)
    },
    matchesAny: name => any.test(name),
    dateOf: name => {
      const match = any.exec(name)
      return match === null ? null : dateFromTokens(tokens, match.slice(1))
    },
    glob: date => parts.map(part => ('token' in part ? render(part.token, date) : part.glob)).join(''),
  }
}

/** Reads a date by a format of the same tokens, `dd.MM.yyyy`; null when the text is not one. @throws CONFIG_FILE_PATTERN_INVALID */
export function dateByTokens(text: string, format: string): BusinessDate | null {
  return namePattern(`{${format}}`).dateOf(text)
}

function tellsDate(tokens: readonly Token[]): boolean {
  const year = tokens.includes('yyyy') || tokens.includes('yy')
  const month = tokens.includes('MM') || tokens.includes('M')
  const day = tokens.includes('dd') || tokens.includes('d')
  return year && ((month && day) || tokens.includes('ooo'))
}

function parsePattern(source: string): Part[] {
  const parts: Part[] = []
  let at = 0
  while (at < source.length) {
    const char = source[at]!
    if (char === '{') {
      const end = source.indexOf('}', at)
      if (end === -1) throw invalid(source, 'a brace is not closed')
      parts.push(...parseTokens(source, source.slice(at + 1, end)))
      at = end + 1
    } else if (char === '[') {
      const end = source.indexOf(']', at + 2)
      if (end === -1) throw invalid(source, 'a bracket is not closed')
      const inside = source.slice(at + 1, end)
      if (/(.)-(.)/s.test(inside) && !inRange(inside)) throw invalid(source, `[${inside}] runs backwards`)
      parts.push({ glob: `[${inside}]`, regex: `[${inside.replace(/[\\\]^[]/g, '\\$&')}]` })
      at = end + 1
    } else {
      const regex = char === '*' ? '.*?' : char === '?' ? '.' : quoted(char)
      parts.push({ glob: char, regex })
      at += 1
    }
  }
  return parts
}

function parseTokens(source: string, inside: string): Part[] {
  const parts: Part[] = []
  let at = 0
  while (at < inside.length) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(inside)?.[0] as Token | undefined
    if (token !== undefined) {
      parts.push({ token })
      at += token.length
    } else if (/[A-Za-z]/.test(inside[at]!)) {
      throw invalid(source, `{${inside}} has a token that is none of yyyy, yy, MM, M, dd, d, ooo`)
    } else {
      parts.push({ glob: inside[at]!, regex: quoted(inside[at]!) })
      at += 1
    }
  }
  if (!parts.some(part => 'token' in part)) throw invalid(source, `{${inside}} has no date token`)
  return parts
}

function inRange(inside: string): boolean {
  return [...inside.matchAll(/(.)-(.)/gs)].every(range => range[1]! <= range[2]!)
}

function quoted(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
}

function render(token: Token, date: BusinessDate): string {
  const [year, month, day] = date.split('-') as [string, string, string]
  switch (token) {
    case 'yyyy':
      return year
    case 'yy':
      return year.slice(2)
    case 'MM':
      return month
    case 'M':
      return String(Number(month))
    case 'dd':
      return day
    case 'd':
      return String(Number(day))
    case 'ooo':
      return String((Date.parse(date) - Date.parse(`${year}-01-01`)) / 86_400_000 + 1).padStart(3, '0')
  }
}

function dateFromTokens(tokens: readonly Token[], values: readonly string[]): BusinessDate | null {
  if (!tellsDate(tokens)) return null
  const found = new Map(tokens.map((token, position) => [token, values[position]!]))
  const year = found.get('yyyy') ?? `20${found.get('yy') ?? ''}`
  const ordinal = found.get('ooo')
  const date =
    ordinal === undefined
      ? `${year}-${(found.get('MM') ?? found.get('M') ?? '').padStart(2, '0')}-${(found.get('dd') ?? found.get('d') ?? '').padStart(2, '0')}`
      : new Date(Date.UTC(Number(year), 0, Number(ordinal))).toISOString().slice(0, 10)
  if (!isDate(date)) return null
  // A token written twice, or a day of the year beyond the year's end, must say the same date.
  return tokens.every((token, position) => Number(values[position]) === Number(render(token, date)))
    ? date
    : null
}

function invalid(source: string, why: string): ConfigError {
  return new ConfigError(
    'CONFIG_FILE_PATTERN_INVALID',
    `The file pattern ${JSON.stringify(source)} can't be used: ${why}. Nothing was started.`,
    { details: { pattern: source, why } },
  )
}
