/**
 * Dates and times in fields: formats with luxon's tokens become exact parsers, compiled once.
 * Only what the format says is accepted; a date that does not exist is refused, never shifted.
 * Local times become instants in local-time.ts; business dates and calendars are in business-date.ts.
 */
import { ConfigError } from '../errors.ts'
import { type DateParts, emptyParts, exists } from './date-parts.ts'
import { digitParser, parseIso } from './digit-format.ts'

export { type DateParts, dateText } from './date-parts.ts'

/** A compiled format. */
export interface DateFormat {
  readonly format: string
  /** Whether texts carry their own offset, always or (ISO) sometimes. */
  readonly offset: 'never' | 'always' | 'sometimes'
  /** Whether it names a time of day. */
  readonly time: boolean
  /** The parts of a text; null when it is not exactly of this format or names a day or time that does not exist. */
  parse(text: string): DateParts | null
}

/** Reads one token at a position: the next position, or -1. */
type Step = (text: string, at: number, into: DateParts) => number

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

function digits(min: number, max: number, set: (into: DateParts, value: number) => void): Step {
  return (text, at, into) => {
    let value = 0
    let end = at
    while (end < at + max) {
      const digit = text.charCodeAt(end) - 48
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
      end += 1
    }
    if (end - at < min) return -1
    set(into, value)
    return end
  }
}

function fraction(places: number): Step {
  return (text, at, into) => {
    for (let end = at; end < at + places; end += 1) {
      const digit = text.charCodeAt(end) - 48
      if (!(digit >= 0 && digit <= 9)) return -1
    }
    into.fraction = text.slice(at, at + places)
    return at + places
  }
}

function literal(wanted: string): Step {
  return (text, at) => (text.startsWith(wanted, at) ? at + wanted.length : -1)
}

/** `Z` anywhere an offset may stand is UTC, as ISO 8601 has it. */
function offset(pattern: RegExp): Step {
  return (text, at, into) => {
    if (text[at] === 'Z') {
      into.offset = 0
      return at + 1
    }
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return -1
    const hours = Number(match[2])
    const minutes = Number(match[3] ?? '0')
    // The widest offsets ever used are -12:00 and +14:00.
    if (hours > 14 || minutes > 59) return -1
    into.offset = (match[1] === '-' ? -1 : 1) * (hours * 60 + minutes)
    return at + match[0].length
  }
}

const monthName: Step = (text, at, into) => {
  into.month = MONTHS.indexOf(text.slice(at, at + 3).toLowerCase()) + 1
  return into.month === 0 ? -1 : at + 3
}

const halfDay: Step = (text, at, into) => {
  const word = text.slice(at, at + 2).toLowerCase()
  into.halfDay = word === 'am' ? 0 : word === 'pm' ? 12 : -1
  return into.halfDay < 0 ? -1 : at + 2
}

const setYear = (into: DateParts, value: number): number => (into.year = value)
const setMonth = (into: DateParts, value: number): number => (into.month = value)
const setDay = (into: DateParts, value: number): number => (into.day = value)
const setHour = (into: DateParts, value: number): number => (into.hour = value)
const setMinute = (into: DateParts, value: number): number => (into.minute = value)
const setSecond = (into: DateParts, value: number): number => (into.second = value)

/** luxon's tokens that can be read without guessing. Two-digit years are none of them. */
const TOKENS: Readonly<Record<string, Step>> = {
  yyyy: digits(4, 4, setYear),
  MM: digits(2, 2, setMonth),
  M: digits(1, 2, setMonth),
  MMM: monthName,
  LLL: monthName,
  dd: digits(2, 2, setDay),
  d: digits(1, 2, setDay),
  HH: digits(2, 2, setHour),
  H: digits(1, 2, setHour),
  hh: digits(2, 2, setHour),
  h: digits(1, 2, setHour),
  mm: digits(2, 2, setMinute),
  ss: digits(2, 2, setSecond),
  SSS: fraction(3),
  SSSSSS: fraction(6),
  a: halfDay,
  Z: offset(/([+-])(\d{1,2})(?::(\d{2}))?/y),
  ZZ: offset(/([+-])(\d{2}):(\d{2})/y),
  ZZZ: offset(/([+-])(\d{2})(\d{2})/y),
}

function invalid(format: string, why: string): ConfigError {
  return new ConfigError(
    'CONFIG_DATE_FORMAT_INVALID',
    `The date format ${JSON.stringify(format)} can't be used: ${why}. Nothing was started.`,
  )
}

/** Cuts a format into tokens and literals; text in single quotes and everything but letters is literal, and so is a lone T. */
function compile(format: string): { steps: Step[]; tokens: string[]; parts: string[] } {
  const steps: Step[] = []
  const tokens: string[] = []
  const parts: string[] = []
  for (const [part] of format.matchAll(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    parts.push(part)
    const step = TOKENS[part]
    if (step !== undefined) {
      steps.push(step)
      tokens.push(part)
    } else if (part === 'yy' || part === 'y') {
      throw invalid(format, 'a year needs four digits (yyyy), because two of them are ambiguous')
    } else if (part === 'T' || !/^[A-Za-z]/.test(part)) {
      if (part === "'") throw invalid(format, 'a quote is not closed')
      steps.push(literal(literalText(part)))
    } else {
      throw invalid(format, `${part} is no token; write letters that stand for themselves in single quotes`)
    }
  }
  return { steps, tokens, parts }
}

/** The text that a part without a token stands for. */
function literalText(part: string): string {
  return part.startsWith("'") ? part.slice(1, -1) : part
}

const has = (tokens: readonly string[], ...wanted: readonly string[]): boolean =>
  wanted.some(token => tokens.includes(token))

/**
 * A parser for a format of luxon's tokens (`yyyy MM M MMM dd d HH H hh h a mm ss SSS SSSSSS Z ZZ ZZZ`), or `ISO`.
 * Guarantee: nothing is guessed, skipped or shifted; month names are English.
 * Cost: compiled once; a parse walks the text once and allocates one object. Some 50 ns where all parts have fixed places.
 * @throws CONFIG_DATE_FORMAT_INVALID for unknown tokens, two-digit years, a missing part of the date, hours without am/pm.
 */
export function dateFormat(format: string): DateFormat {
  if (format === 'ISO') return { format, offset: 'sometimes', time: true, parse: parseIso }
  const { steps, tokens, parts: written } = compile(format)
  if (!has(tokens, 'yyyy') || !has(tokens, 'MM', 'M', 'MMM', 'LLL') || !has(tokens, 'dd', 'd')) {
    throw invalid(format, 'it does not name year, month and day')
  }
  if (has(tokens, 'hh', 'h') !== has(tokens, 'a'))
    throw invalid(format, 'h needs a (am or pm), and a needs h')
  if (new Set(tokens).size !== tokens.length) throw invalid(format, 'a token stands in it twice')
  return {
    format,
    offset: has(tokens, 'Z', 'ZZ', 'ZZZ') ? 'always' : 'never',
    time: has(tokens, 'HH', 'H', 'hh', 'h'),
    parse: digitParser(written, literalText) ?? walked(steps),
  }
}

/** A parser that walks a text step by step. */
function walked(steps: readonly Step[]): DateFormat['parse'] {
  return text => {
    const parts = emptyParts()
    let at = 0
    for (const step of steps) {
      at = step(text, at, parts)
      if (at < 0) return null
    }
    return at === text.length && exists(parts) ? parts : null
  }
}
