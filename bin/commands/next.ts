/**
 * `tallyman next`: the occurrences that the scheduler would plan for a cron expression, with what
 * clock changes do to them.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import { isDate } from '../../lib/model/time/business-date.ts'
import { isZone, localText, localToInstant } from '../../lib/model/time/zone.ts'
import { calendarNamed } from '../../lib/schedule/calendars.ts'
import { clockChange, occurrences } from '../../lib/schedule/occurrences.ts'
import type { Session } from '../session.ts'
import { jsonDocument, table } from '../terminal.ts'
import { wholeNumber } from './options.ts'

interface NextOptions {
  readonly zone: string
  readonly from?: string
  readonly count: string
  readonly calendar?: string
}

/** An instant with its offset, or a local date or time in the zone. */
function startInstant(text: string, zone: string): number {
  const local = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text)
  if (local !== null && isDate(local[1]!)) return localToInstant(local[1]!, local[2] ?? '00:00', zone)
  const instant = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instant)) {
    throw new ConfigError(
      'CONFIG_TIME_INVALID',
      `--from ${JSON.stringify(text)} is no time. Write 2026-03-29, 2026-03-29T01:00 (local in the zone) or 2026-03-29T00:00:00Z. Nothing was planned.`,
    )
  }
  return instant
}

/** Prints the next occurrences. Exit 0; 2 for a wrong expression, zone, time or calendar. */
export async function next(
  session: Session,
  options: Record<string, unknown>,
  cron: string,
): Promise<number> {
  const { zone, from, count, calendar } = options as unknown as NextOptions
  if (!isZone(zone)) {
    throw new ConfigError(
      'CONFIG_ZONE_UNKNOWN',
      `The zone ${JSON.stringify(zone)} is not known. Write an IANA name such as Europe/Berlin. Nothing was planned.`,
    )
  }
  const start = from === undefined ? Date.now() : startInstant(from, zone)
  const days = calendar === undefined ? undefined : calendarNamed(calendar)
  const found = occurrences(cron, zone, start, days)
    .take(wholeNumber('--count', count, 1, 10_000))
    .map(occurrence => ({
      at: localText(occurrence.at, zone),
      utc: new Date(occurrence.at).toISOString().replace('.000Z', 'Z'),
      wallClock: occurrence.local,
      clockChange: clockChange(occurrence, zone),
    }))
    .toArray()
  if (session.terminal.json) {
    session.terminal.out(jsonDocument({ cron, zone, calendar: days?.name ?? null, occurrences: found }))
    return 0
  }
  const notes = {
    none: '',
    gap: 'this local time is skipped: first valid instant',
    overlap: 'this local time comes twice: the first',
  }
  session.terminal.out(
    table(
      [`local time in ${zone}`, 'UTC', ''],
      found.map(item => [item.at, item.utc, notes[item.clockChange]]),
    ),
  )
  return 0
}
