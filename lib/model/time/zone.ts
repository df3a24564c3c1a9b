/**
 * Zones: from an instant to the local date, and from a local time of day to the instant.
 * The rule for clock changes stands here and nowhere else: a time that does not exist is the first
 * instant after the gap, a time that exists twice is its first occurrence.
 * Calendars are in business-date.ts; reading dates out of fields is in date-format.ts.
 */
import { DateTime, IANAZone } from 'luxon'
import { ConfigError } from '../errors.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Whether this is an IANA zone that this machine knows. Offsets such as `+01:00` are none: they have no rules. */
export function isZone(zone: string): boolean {
  return /^[A-Z]/i.test(zone) && IANAZone.isValidZone(zone)
}

/** Rules by name: asking whether a zone exists makes an Intl formatter, 60 µs each time. */
const known = new Map<string, IANAZone>()

function zoneRules(zone: string): IANAZone {
  const found = known.get(zone)
  if (found !== undefined) return found
  if (!isZone(zone)) {
    throw new ConfigError(
      'CONFIG_ZONE_UNKNOWN',
      `The zone ${JSON.stringify(zone)} is not known. Write an IANA name such as Europe/Berlin. Nothing was started.`,
    )
  }
  const rules = IANAZone.create(zone)
  known.set(zone, rules)
  return rules
}

/** The calendar date, `yyyy-MM-dd`, that a clock on the wall in `zone` shows at this instant. @throws CONFIG_ZONE_UNKNOWN */
export function localDate(instantMs: number, zone: string): string {
  return DateTime.fromMillis(instantMs, { zone: zoneRules(zone) }).toFormat('yyyy-MM-dd')
}

/** Local date and time with its offset, `2026-11-20T06:00:00+01:00`, for people. @throws CONFIG_ZONE_UNKNOWN */
export function localText(instantMs: number, zone: string): string {
  return DateTime.fromMillis(instantMs, { zone: zoneRules(zone) }).toISO({ suppressMilliseconds: true }) ?? ''
}

/**
 * The instant, in epoch milliseconds, of a local time (`HH:mm` or `HH:mm:ss`) on a date.
 * Guarantee: a time in a gap gives the first instant after it; a time in an overlap gives the first of both.
 * @throws CONFIG_ZONE_UNKNOWN, CONFIG_TIME_INVALID
 */
export function localToInstant(date: string, time: string, zone: string): number {
  const rules = zoneRules(zone)
  const match = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(time)
  const wall =
    match === null ? Number.NaN : Date.parse(`${date}T${match[1]}:${match[2]}:${match[3] ?? '00'}Z`)
  if (Number.isNaN(wall)) {
    throw new ConfigError(
      'CONFIG_TIME_INVALID',
      `${JSON.stringify(`${date} ${time}`)} is no local time. Write a date as yyyy-MM-dd and a time as HH:mm. Nothing was started.`,
    )
  }
  // Offsets lie between -12 and +14 hours, so one day to both sides sees both sides of any clock change.
  const before = rules.offset(wall - DAY_MS) * MINUTE_MS
  const after = rules.offset(wall + DAY_MS) * MINUTE_MS
  const fits = [wall - before, wall - after].filter(
    instant => instant + rules.offset(instant) * MINUTE_MS === wall,
  )
  return fits.length > 0 ? Math.min(...fits) : endOfGap(rules, wall - after, wall - before)
}

/** The instant of the clock change between `low` (still the old offset) and `high` (already the new one). */
function endOfGap(rules: IANAZone, low: number, high: number): number {
  const old = rules.offset(low)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (rules.offset(middle) === old) low = middle
    else high = middle
  }
  return high
}
