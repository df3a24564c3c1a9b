/**
 * Formats whose parts all stand at fixed places, read digit by digit: most dates and times of real
 * files. All other formats are read token by token in date-format.ts.
 */
import { codeAt } from '../code-at.ts'
import { type DateParts, dayExists, emptyParts, exists } from './date-parts.ts'

/** A number of two digits at a place, -1 for anything else. */
function two(text: string, at: number): number {
  const tens = codeAt(text, at) - 48
  const ones = codeAt(text, at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

function four(text: string, at: number): number {
  const high = two(text, at)
  const low = two(text, at + 2)
  return high < 0 || low < 0 ? -1 : high * 100 + low
}

const DASH = 45

/** Whether a text is a day that exists, written exactly `yyyy-MM-dd`. */
export function isIsoDay(text: string): boolean {
  return text.length === 10 && startsWithDay(text) && dayExists(four(text, 0), two(text, 5), two(text, 8))
}

function startsWithDay(text: string): boolean {
  return codeAt(text, 4) === DASH && codeAt(text, 7) === DASH
}

const WIDTHS: Readonly<Record<string, number>> = { yyyy: 4, MM: 2, dd: 2, HH: 2, mm: 2, ss: 2 }

/**
 * A parser for a format given as its tokens and literals in order; null when not all of its tokens have
 * fixed places. `literal` gives the text that a part stands for when it is no token.
 */
export function digitParser(
  parts: readonly string[],
  literal: (part: string) => string,
): ((text: string) => DateParts | null) | null {
  const at: Record<string, number> = {}
  const places: number[] = []
  const codes: number[] = []
  let length = 0
  for (const part of parts) {
    const width = WIDTHS[part]
    if (width !== undefined) {
      at[part] = length
      length += width
    } else if (/^(?:T$|[^A-Za-z])/.test(part)) {
      for (const char of literal(part).split('')) {
        places.push(length++)
        codes.push(char.charCodeAt(0))
      }
    } else return null
  }
  const [year, month, day] = [at.yyyy!, at.MM!, at.dd!]
  if (year === undefined || month === undefined || day === undefined) return null
  const [hour, minute, second] = [at.HH ?? -1, at.mm ?? -1, at.ss ?? -1]
  return text => {
    if (text.length !== length) return null
    for (let index = 0; index < places.length; index += 1)
      if (codeAt(text, places[index]!) !== codes[index]) return null
    const found = emptyParts()
    found.year = four(text, year)
    found.month = two(text, month)
    found.day = two(text, day)
    if (hour >= 0) found.hour = two(text, hour)
    if (minute >= 0) found.minute = two(text, minute)
    if (second >= 0) found.second = two(text, second)
    const digits = found.hour >= 0 && found.minute >= 0 && found.second >= 0
    return digits && exists(found) ? found : null
  }
}

const T = 84
const SPACE = 32
const COLON = 58

/** ISO 8601 extended form: a date, or a date and time with or without fraction and offset. */
export function parseIso(text: string): DateParts | null {
  const { length } = text
  if ((length !== 10 && length < 16) || !startsWithDay(text)) return null
  const parts = emptyParts()
  parts.year = four(text, 0)
  parts.month = two(text, 5)
  parts.day = two(text, 8)
  if (length === 10) return exists(parts) ? parts : null
  const between = codeAt(text, 10)
  if ((between !== T && between !== SPACE) || codeAt(text, 13) !== COLON) return null
  parts.hour = two(text, 11)
  parts.minute = two(text, 14)
  let at = 16
  if (length > at && codeAt(text, at) === COLON) {
    parts.second = length < 19 ? -1 : two(text, 17)
    at = fraction(text, 19, parts)
  }
  if (parts.hour < 0 || parts.minute < 0 || parts.second < 0 || at < 0) return null
  return offset(text, at, parts) && exists(parts) ? parts : null
}

/** Reads a fraction where one begins; gives the place behind it, -1 where a separator has no digits. */
function fraction(text: string, at: number, parts: DateParts): number {
  if (at >= text.length) return at
  const separator = codeAt(text, at)
  if (separator !== 46 && separator !== 44) return at
  let end = at + 1
  while (end < text.length && codeAt(text, end) >= 48 && codeAt(text, end) <= 57) end += 1
  parts.fraction = text.slice(at + 1, end)
  return parts.fraction === '' ? -1 : end
}

/** Reads what is left of a text as an offset: nothing, `Z`, `+hh`, `+hhmm` or `+hh:mm`. */
function offset(text: string, at: number, parts: DateParts): boolean {
  const left = text.length - at
  if (left === 0) return true
  const sign = codeAt(text, at)
  if (left === 1) {
    parts.offset = 0
    return text[at] === 'Z'
  }
  if (sign !== DASH && sign !== 43) return false
  if (left < 3) return false
  const hours = two(text, at + 1)
  const minutes = left === 3 ? 0 : two(text, text.length - 2)
  const shape = left === 3 || left === 5 || (left === 6 && codeAt(text, at + 3) === COLON)
  // The widest offsets ever used are -12:00 and +14:00.
  if (!shape || hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return false
  parts.offset = (sign === DASH ? -1 : 1) * (hours * 60 + minutes)
  return true
}
