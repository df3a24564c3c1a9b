/**
 * When a cron expression comes due: wall-clock times from croner, turned into instants by our own
 * rules for daylight saving (delivery.md F1, F2). What an occurrence makes a job owe is owed.ts.
 */
import { Cron } from 'croner'
import { ConfigError } from '../model/errors.ts'
import type { Calendar } from '../model/job.ts'
import { isBusinessDay } from '../model/time/business-date.ts'
import { localText, localToInstant } from '../model/time/zone.ts'

/** One occurrence. */
export interface Occurrence {
  /** Epoch milliseconds. */
  readonly at: number
  /** The wall-clock time of the expression, `yyyy-MM-ddTHH:mm`; differs from the clock on the wall only in a gap. */
  readonly local: string
}

/** How many occurrences off the calendar are passed over before the search ends: ten years of days. */
const MOST_SKIPPED = 3_660

/** The wall clock of a zone at an instant, as if it were UTC: what croner counts in. */
function wallClock(at: number, zone: string): Date {
  return new Date(`${localText(at, zone).slice(0, 19)}Z`)
}

/** Reads a five-field cron expression. @throws CONFIG_CRON_INVALID with what is wrong in it. */
export function parseCron(expression: string): Cron {
  try {
    return new Cron(expression, { timezone: 'UTC', mode: '5-part', paused: true })
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    throw new ConfigError(
      'CONFIG_CRON_INVALID',
      `The cron expression ${JSON.stringify(expression)} can't be read: ${reason.replace(/\.$/, '')}. Five fields are needed: minute, hour, day, month, weekday.`,
    )
  }
}

/**
 * The occurrences at or after `from` (epoch milliseconds), in order, on the calendar's business days.
 * Guarantee: a local time in a gap gives one occurrence at the first valid instant, one in an overlap
 * one at its first; two local times that fall on one instant give one.
 * @throws CONFIG_CRON_INVALID
 */
export function* occurrences(
  cron: string,
  zone: string,
  from: number,
  calendar?: Calendar,
): Generator<Occurrence> {
  const pattern = parseCron(cron)
  // A day back in wall time, so that a time that a gap moved past `from` is not missed (Samoa skipped a whole day).
  let wall: Date | null = new Date(wallClock(from, zone).getTime() - 26 * 3_600_000 - 1)
  let last = Number.NEGATIVE_INFINITY
  let skipped = 0
  for (;;) {
    wall = pattern.nextRun(wall)
    if (wall === null) return
    const local = wall.toISOString().slice(0, 16)
    const at = localToInstant(local.slice(0, 10), local.slice(11), zone)
    if (at < from || at <= last) continue
    if (calendar !== undefined && !isBusinessDay(local.slice(0, 10), calendar)) {
      skipped += 1
      if (skipped > MOST_SKIPPED) return
      continue
    }
    skipped = 0
    last = at
    yield { at, local }
  }
}

/** Why an occurrence is not simply that time: `gap`, `overlap`, or nothing. */
export function clockChange({ at, local }: Occurrence, zone: string): 'gap' | 'overlap' | 'none' {
  if (localText(at, zone).slice(0, 16) !== local) return 'gap'
  // Overlaps of the last decades are 30 minutes (Lord Howe), one hour, or two (Antarctica/Troll).
  const again = [1, 2, 4].some(
    halfHours => localText(at + halfHours * 1_800_000, zone).slice(0, 16) === local,
  )
  return again ? 'overlap' : 'none'
}
