/**
 * Local times of a zone as instants, fast enough for every row: the zone's offset is asked once per
 * day and kept. Times that do not exist or exist twice are told apart, because bad data must be seen.
 * Parsing is done in date-format.ts; the rule for schedules (never refuse) is in zone.ts.
 */
import { IANAZone } from 'luxon'
import type { DateParts } from './date-parts.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Days kept per zone; a file holds few, and 4,000 of them are ten years. */
const DAYS_KEPT = 4_000

/** Which instant an ambiguous local time means; `issue` refuses it. */
export type WhenAmbiguous = 'issue' | 'earlier' | 'later'
/** Which instant a local time in a gap means: read with the offset before the gap (later instant) or after it; `issue` refuses it. */
export type WhenMissing = WhenAmbiguous

/** Why some parts are no instant. */
export type NoInstant = { readonly why: 'ambiguous' | 'missing' | 'too-precise' | 'out-of-range' }

/** Turns parts with or without an offset into UTC text, or says why it can't. */
export type ToInstant = (parts: DateParts) => string | NoInstant

const AMBIGUOUS: NoInstant = { why: 'ambiguous' }
const MISSING: NoInstant = { why: 'missing' }
const TOO_PRECISE: NoInstant = { why: 'too-precise' }
const OUT_OF_RANGE: NoInstant = { why: 'out-of-range' }

/** luxon gives minutes, with a fraction for local mean times before time zones. */
function offsetMs(zone: IANAZone, instant: number): number {
  return Math.round(zone.offset(instant) * MINUTE_MS)
}

/**
 * Offsets, in milliseconds, that hold somewhere around a local day: one on nearly all days. A local day
 * lies within -14 h and +36 h of the UTC day of its name, and no two changes of any zone since 1900 lie
 * closer than 95 h (Freetown 1939), so that the ends of that time tell all of it.
 */
function offsetsAround(zone: IANAZone, day: number): readonly number[] {
  const before = offsetMs(zone, day - 15 * HOUR_MS)
  const after = offsetMs(zone, day + 37 * HOUR_MS)
  return before === after ? [before] : [before, after]
}

/** Six digits, or none where they are zero; null when more precision would be lost. */
function micros(fraction: string): string | null {
  let end = fraction.length
  while (end > 0 && fraction.charCodeAt(end - 1) === 48) end -= 1
  if (end > 6) return null
  return end === 0 ? '' : `.${fraction.slice(0, end).padEnd(6, '0')}`
}

/** Offsets by day and zone, for all readers: a zone's answer takes 0.15 ms, and each file has readers of its own. */
const daysByZone = new Map<string, Map<number, readonly number[]>>()

function daysOf(zone: string): Map<number, readonly number[]> {
  let days = daysByZone.get(zone)
  if (days === undefined) {
    days = new Map()
    daysByZone.set(zone, days)
  }
  return days
}

/**
 * A function from parsed parts to an instant, `yyyy-MM-ddTHH:mm:ss[.ffffff]Z`, for local times of `zone`
 * (parts with their own offset ignore it). Six digits after the second or none.
 * Cost: one look-up per value; two questions to the zone per new day.
 */
export function instantReader(zone: string, ambiguous: WhenAmbiguous, missing: WhenMissing): ToInstant {
  const rules = IANAZone.create(zone)
  const days = daysOf(zone)

  const offsetsOf = (day: number): readonly number[] => {
    let offsets = days.get(day)
    if (offsets === undefined) {
      if (days.size >= DAYS_KEPT) days.clear()
      offsets = offsetsAround(rules, day * DAY_MS)
      days.set(day, offsets)
    }
    return offsets
  }

  const fromLocal = (day: number, wall: number): number | NoInstant => {
    const offsets = offsetsOf(day)
    if (offsets.length === 1) return wall - offsets[0]!
    const fits = offsets
      .map(offset => wall - offset)
      .filter(instant => instant + offsetMs(rules, instant) === wall)
    if (fits.length === 1) return fits[0]!
    if (fits.length > 1)
      return ambiguous === 'issue'
        ? AMBIGUOUS
        : ambiguous === 'earlier'
          ? Math.min(...fits)
          : Math.max(...fits)
    if (missing === 'issue') return MISSING
    const read = offsets.map(offset => wall - offset)
    return missing === 'earlier' ? Math.min(...read) : Math.max(...read)
  }

  return parts => {
    const fraction = parts.fraction === '' ? '' : micros(parts.fraction)
    if (fraction === null) return TOO_PRECISE
    const day = dayNumber(parts.year, parts.month, parts.day)
    const wall = day * DAY_MS + parts.hour * HOUR_MS + parts.minute * MINUTE_MS + parts.second * 1000
    const instant = parts.offset === null ? fromLocal(day, wall) : wall - parts.offset * MINUTE_MS
    return typeof instant === 'object' ? instant : (instantText(instant, fraction) ?? OUT_OF_RANGE)
  }
}

const twoDigits = (number: number): string => String(number).padStart(2, '0')
/** `00:00:` to `23:59:`, and `00` to `59`: joining three texts costs a third of joining nine. */
const MINUTES = Array.from(
  { length: 1440 },
  (_, at) => `${twoDigits(Math.floor(at / 60))}:${twoDigits(at % 60)}:`,
)
const SECONDS = Array.from({ length: 60 }, (_, at) => twoDigits(at))
const WHOLE_SECONDS = SECONDS.map(second => `${second}Z`)

/** Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant's days_from_civil; years from 1). */
function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  )
}

/** UTC dates by day number, as texts: a file holds few days, and a Date per row costs a microsecond. */
const dayTexts = new Map<number, string>()

/** `yyyy-MM-ddT` of a day number, null beyond the years 0001 to 9999. */
function dayText(day: number): string | null {
  const known = dayTexts.get(day)
  if (known !== undefined) return known
  const text = new Date(day * DAY_MS).toISOString()
  if (text.length !== 24 || text.startsWith('0000')) return null
  if (dayTexts.size >= DAYS_KEPT) dayTexts.clear()
  dayTexts.set(day, text.slice(0, 11))
  return text.slice(0, 11)
}

/** UTC text of a whole second and its fraction; null beyond the years 0001 to 9999. */
function instantText(instant: number, fraction: string): string | null {
  const day = Math.floor(instant / DAY_MS)
  const date = dayText(day)
  if (date === null) return null
  const seconds = (instant - day * DAY_MS) / 1000
  const minute = Math.floor(seconds / 60)
  const second = seconds - minute * 60
  const upToMinute = date + MINUTES[minute]!
  return fraction === '' ? upToMinute + WHOLE_SECONDS[second]! : `${upToMinute}${SECONDS[second]}${fraction}Z`
}
