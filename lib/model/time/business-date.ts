/**
 * Business dates: the day the data is about, as `yyyy-MM-dd` text, with the arithmetic of days and
 * of business days. Instants and zones are in zone.ts, dates in file names in date-tokens.ts.
 */
import { ConfigError } from '../errors.ts'
import type { Calendar } from '../job.ts'
import { localDate } from './zone.ts'

export { localDate, localToInstant } from './zone.ts'

/** A calendar date as `yyyy-MM-dd`; texts of this form sort as dates. */
export type BusinessDate = string

const DAY_MS = 86_400_000

/** More days in a row without a business day than this are a mistake in the calendar: 52 weeks. */
const LONGEST_BREAK_DAYS = 364

/** Whether the text is a real date as `yyyy-MM-dd`, years 1000 to 9999. */
export function isDate(text: string): text is BusinessDate {
  if (!/^[1-9]\d{3}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  // Date.parse takes 2026-02-30 for March 2nd.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** The date `days` later; earlier for a negative number. */
export function addDays(date: BusinessDate, days: number): BusinessDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** ISO weekday, 1 = Monday. */
export function isoWeekday(date: BusinessDate): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7
}

/** Whether deliveries are due on this date. */
export function isBusinessDay(date: BusinessDate, calendar: Calendar): boolean {
  return !calendar.weekend.includes(isoWeekday(date)) && !calendar.holidays.includes(date)
}

/** The last business day before `date`, which itself may be none. @throws CONFIG_CALENDAR_INVALID */
export function previousBusinessDay(date: BusinessDate, calendar: Calendar): BusinessDate {
  return nearestBusinessDay(date, -1, calendar)
}

/** The first business day after `date`, which itself may be none. @throws CONFIG_CALENDAR_INVALID */
export function nextBusinessDay(date: BusinessDate, calendar: Calendar): BusinessDate {
  return nearestBusinessDay(date, 1, calendar)
}

function nearestBusinessDay(date: BusinessDate, step: 1 | -1, calendar: Calendar): BusinessDate {
  let day = date
  for (let tried = 0; tried < LONGEST_BREAK_DAYS; tried += 1) {
    day = addDays(day, step)
    if (isBusinessDay(day, calendar)) return day
  }
  throw new ConfigError(
    'CONFIG_CALENDAR_INVALID',
    `Calendar ${calendar.name} has no business day within ${LONGEST_BREAK_DAYS} days of ${date}. Correct its weekend and holidays. Nothing was started.`,
  )
}

/** `count` business days later (earlier when negative); 0 gives the date itself. @throws CONFIG_CALENDAR_INVALID */
export function addBusinessDays(date: BusinessDate, count: number, calendar: Calendar): BusinessDate {
  let day = date
  for (let left = Math.abs(count); left > 0; left -= 1) {
    day = nearestBusinessDay(day, count < 0 ? -1 : 1, calendar)
  }
  return day
}

/** All dates from `from` to `to`, both inclusive; empty when `to` is earlier. */
export function dateRange(from: BusinessDate, to: BusinessDate): BusinessDate[] {
  const dates: BusinessDate[] = []
  for (let day = from; day <= to; day = addDays(day, 1)) dates.push(day)
  return dates
}

/** The business days from `from` to `to`, both inclusive. */
export function businessDaysBetween(
  from: BusinessDate,
  to: BusinessDate,
  calendar: Calendar,
): BusinessDate[] {
  return dateRange(from, to).filter(day => isBusinessDay(day, calendar))
}

/** What a relative date is relative to. */
export interface DateFrame {
  /** IANA zone in which "today" is meant. */
  readonly zone: string
  readonly calendar: Calendar
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * The date that a person means by `2026-11-20`, `today`, `yesterday`, `-3d` (days) or `-1bd` (business days).
 * @throws CONFIG_DATE_INVALID for anything else, dates that do not exist (2026-02-30) included.
 * @throws CONFIG_ZONE_UNKNOWN, CONFIG_CALENDAR_INVALID
 */
export function resolveDate(text: string, frame: DateFrame): BusinessDate {
  const today = localDate(frame.now, frame.zone)
  if (text === 'today') return today
  if (text === 'yesterday') return addDays(today, -1)
  const relative = /^([+-])(\d{1,4})(b?)d$/.exec(text)
  if (relative !== null) {
    const count = Number(relative[2]) * (relative[1] === '-' ? -1 : 1)
    return relative[3] === 'b' ? addBusinessDays(today, count, frame.calendar) : addDays(today, count)
  }
  if (isDate(text)) return text
  throw new ConfigError(
    'CONFIG_DATE_INVALID',
    `${JSON.stringify(text)} is no date. Write 2026-11-20, today, yesterday, -3d (days) or -1bd (business days). Nothing was started.`,
  )
}
