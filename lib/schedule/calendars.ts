/**
 * Named business calendars for jobs.config.ts and `tallyman next --calendar`. Pure data and the
 * rule for Easter; who asks whether a date is a business day uses lib/model/time/business-date.ts.
 */
import { ConfigError } from '../model/errors.ts'
import type { Calendar } from '../model/job.ts'

/** Years for which computed holidays exist: the euro's first year to the end of the century. */
const YEARS = Array.from({ length: 2099 - 1999 + 1 }, (_, index) => 1999 + index)

/** Easter Sunday in days after 1 March of a Gregorian year (Meeus, Jones and Butcher's rule). */
function easterDayOfMarch(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
  const e = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - d - (c % 4)) % 7
  const f = d + e - 7 * Math.floor((a + 11 * d + 22 * e) / 451) + 114
  return (Math.floor(f / 31) - 3) * 31 + (f % 31) + 1
}

function isoDate(year: number, month: number, day: number): string {
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10)
}

/** TARGET2 closing days: New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB, since 2002). */
function target2Holidays(): string[] {
  return YEARS.flatMap(year => {
    const easter = easterDayOfMarch(year)
    return [
      isoDate(year, 1, 1),
      isoDate(year, 3, easter - 2),
      isoDate(year, 3, easter + 1),
      isoDate(year, 5, 1),
      isoDate(year, 12, 25),
      isoDate(year, 12, 26),
    ]
  })
}

/** Every day is a business day. */
export const everyDay: Calendar = { name: 'every-day', weekend: [], holidays: [] }

/** Monday to Friday. */
export const weekdays: Calendar = { name: 'weekdays', weekend: [6, 7], holidays: [] }

/** The euro payment system's calendar, 1999 to 2099. */
export const target2: Calendar = { name: 'TARGET2', weekend: [6, 7], holidays: target2Holidays() }

const CALENDARS: readonly Calendar[] = [everyDay, weekdays, target2]

/** The calendar of that name, in any case. @throws CONFIG_CALENDAR_UNKNOWN naming those there are. */
export function calendarNamed(name: string): Calendar {
  const found = CALENDARS.find(calendar => calendar.name.toLowerCase() === name.toLowerCase())
  if (found !== undefined) return found
  const known = CALENDARS.map(calendar => calendar.name).join(', ')
  throw new ConfigError(
    'CONFIG_CALENDAR_UNKNOWN',
    `There is no calendar ${JSON.stringify(name)}; there are ${known}. Nothing was planned.`,
  )
}
