/**
 * What a text says about a day and a time, and whether such a day and time exist. Filled by
 * date-format.ts and digit-format.ts; made an instant by local-time.ts.
 */

/** What a text says about a day and a time; fields that the format lacks keep their defaults. */
export interface DateParts {
  year: number
  month: number
  day: number
  /** 0 to 24; 24 only as 24:00:00, which is the next day's midnight. */
  hour: number
  minute: number
  second: number
  /** Digits after the second, as written. */
  fraction: string
  /** Minutes east of UTC as written, null when the text says nothing. */
  offset: number | null
  /** AM is 0, PM is 12, -1 when not written. */
  halfDay: number
}

/** Parts of which nothing is known yet. */
export function emptyParts(): DateParts {
  return { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, fraction: '', offset: null, halfDay: -1 }
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Days of a month in the proleptic Gregorian calendar. */
function daysIn(year: number, month: number): number {
  if (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) return 29
  return DAYS[month - 1] ?? 0
}

/** Whether the day and time exist; an hour of a half day becomes one of the day. */
export function exists(parts: DateParts): boolean {
  if (parts.halfDay >= 0) {
    if (parts.hour < 1 || parts.hour > 12) return false
    parts.hour = (parts.hour % 12) + parts.halfDay
  }
  if (!dayExists(parts.year, parts.month, parts.day)) return false
  if (parts.hour === 24) return parts.minute === 0 && parts.second === 0 && !/[1-9]/.test(parts.fraction)
  return parts.hour < 24 && parts.minute < 60 && parts.second < 60
}

/** Whether a day exists, years from 1. */
export function dayExists(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  return day <= 28 || day <= daysIn(year, month)
}

const pad = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

/** The calendar date of some parts, `yyyy-MM-dd`, as written: no zone moves it. */
export function dateText(parts: DateParts): string {
  return `${String(parts.year).padStart(4, '0')}-${pad(parts.month)}-${pad(parts.day)}`
}
