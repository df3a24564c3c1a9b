/**
 * Local times of a zone as instants, fast enough for every row: the zone's offset is asked once per
 * day and kept. Times that do not exist or exist twice are told apart, because bad data must be seen.
 * Parsing is done in date-format.ts; the rule for schedules (never refuse) is in zone.ts.
 */
import { IANAZone } from 'luxon'
import type { DateParts } from './date-format.ts'

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

/** Offsets, in minutes, that hold somewhere around a local day: one on nearly all days. */
function offsetsAround(zone: IANAZone, day: number): readonly number[] {
  const found = new Set<number>()
  // A local day lies within -14 h and +36 h of the UTC day of its name; hourly steps see every change in it.
  for (let at = day - 15 * HOUR_MS; at <= day + 37 * HOUR_MS; at += HOUR_MS) found.add(zone.offset(at))
  return [...found]
}

/** Six digits, or none where they are zero; null when more precision would be lost. */
function micros(fraction: string): string | null {
  let end = fraction.length
  while (end > 0 && fraction.charCodeAt(end - 1) === 48) end -= 1
  if (end > 6) return null
  return end === 0 ? '' : `.${fraction.slice(0, end).padEnd(6, '0')}`
}

/**
 * A function from parsed parts to an instant, `yyyy-MM-ddTHH:mm:ss[.ffffff]Z`, for local times of `zone`
 * (parts with their own offset ignore it). Six digits after the second or none.
 * Cost: one look-up per value; some fifty questions to the zone per new day.
 */
export function instantReader(zone: string, ambiguous: WhenAmbiguous, missing: WhenMissing): ToInstant {
  const rules = IANAZone.create(zone)
  const days = new Map<number, readonly number[]>()

  const offsetsOf = (day: number): readonly number[] => {
    let offsets = days.get(day)
    if (offsets === undefined) {
      if (days.size >= DAYS_KEPT) days.clear()
      offsets = offsetsAround(rules, day)
      days.set(day, offsets)
    }
    return offsets
  }

  const fromLocal = (wall: number): number | NoInstant => {
    const offsets = offsetsOf(Math.floor(wall / DAY_MS) * DAY_MS)
    if (offsets.length === 1) return wall - offsets[0]! * MINUTE_MS
    const fits = offsets
      .map(offset => wall - offset * MINUTE_MS)
      .filter(instant => instant + rules.offset(instant) * MINUTE_MS === wall)
    if (fits.length === 1) return fits[0]!
    if (fits.length > 1)
      return ambiguous === 'issue'
        ? AMBIGUOUS
        : ambiguous === 'earlier'
          ? Math.min(...fits)
          : Math.max(...fits)
    if (missing === 'issue') return MISSING
    const read = offsets.map(offset => wall - offset * MINUTE_MS)
    return missing === 'earlier' ? Math.min(...read) : Math.max(...read)
  }

  return parts => {
    const fraction = micros(parts.fraction)
    if (fraction === null) return TOO_PRECISE
    // Date.UTC reads years below 100 as 19xx, so the year is set apart.
    const date = new Date(0)
    date.setUTCFullYear(parts.year, parts.month - 1, parts.day)
    const wall = date.getTime() + parts.hour * HOUR_MS + parts.minute * MINUTE_MS + parts.second * 1000
    const instant = parts.offset === null ? fromLocal(wall) : wall - parts.offset * MINUTE_MS
    if (typeof instant === 'object') return instant
    const text = new Date(instant).toISOString()
    return text.length === 24 ? `${text.slice(0, 19)}${fraction}Z` : OUT_OF_RANGE
  }
}
