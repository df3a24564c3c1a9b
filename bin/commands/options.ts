/**
 * Readers of option texts that several commands share: whole numbers, job names, business dates.
 * All of them are read before the engine is opened, so that a typing mistake starts nothing.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { AnyJob, ScheduledJob, Timetable } from '../../lib/model/job.ts'
import { type BusinessDate, resolveDate } from '../../lib/model/time/business-date.ts'
import type { Clock } from '../../lib/model/time/clock.ts'
import { occurrences } from '../../lib/schedule/occurrences.ts'
import { businessDateOf, occurrenceOf, windowOf } from '../../lib/schedule/owed.ts'
import type { Terminal } from '../terminal.ts'

/** A whole number between bounds. @throws CONFIG_USAGE */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new ConfigError(
    'CONFIG_USAGE',
    `${option} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}. Nothing was started.`,
  )
}

/** The job of that name. @throws CONFIG_JOB_UNKNOWN suggesting those there are. */
export function jobNamed(timetable: Timetable, name: string): ScheduledJob<AnyJob> {
  const found = timetable.jobs.find(scheduled => scheduled.job.name === name)
  if (found !== undefined) return found
  const known = timetable.jobs.map(scheduled => scheduled.job.name).join(', ')
  throw new ConfigError(
    'CONFIG_JOB_UNKNOWN',
    `There is no job ${JSON.stringify(name)}; there are ${known}. Nothing was started.`,
  )
}

/** How far back the latest occurrence is looked for: a fortnight, then a year for monthly jobs. */
const LOOK_BACK_DAYS = [14, 370]

/** The latest business date that the timetable has planned by now: what a person at the terminal means without saying. */
function latestDue(scheduled: ScheduledJob<AnyJob>, now: number): BusinessDate | null {
  if (scheduled.cron === null) return null
  for (const days of LOOK_BACK_DAYS) {
    let latest: BusinessDate | null = null
    const from = now - days * 86_400_000
    for (const occurrence of occurrences(scheduled.cron, scheduled.zone, from, scheduled.calendar)) {
      if (occurrence.at > now) break
      latest = businessDateOf(scheduled, occurrence)
    }
    if (latest !== null) return latest
  }
  return null
}

/**
 * The business date that a text means for a job, or the latest due one without a text; what is not
 * plainly a date is said on stderr. @throws CONFIG_DATE_INVALID
 */
export function businessDateFor(
  scheduled: ScheduledJob<AnyJob>,
  text: string | undefined,
  clock: Clock,
  terminal: Pick<Terminal, 'note'>,
): BusinessDate {
  const now = clock.now()
  const due = text === undefined ? latestDue(scheduled, now) : null
  const asked = text ?? '-1bd'
  const date = due ?? resolveDate(asked, { zone: scheduled.zone, calendar: scheduled.calendar, now })
  if (date !== text) {
    const how = due === null ? asked : 'the latest that was due'
    terminal.note(`${scheduled.job.name}: business date ${date} (${how}, ${scheduled.zone})`)
  }
  return date
}

/** Until when (epoch milliseconds) a missing file of this date means waiting; null where the timetable plans no such date. */
export function windowEnd(scheduled: ScheduledJob<AnyJob>, businessDate: BusinessDate): number | null {
  const occurrence = occurrenceOf(scheduled, businessDate)
  return occurrence === null ? null : windowOf(scheduled, { plannedAt: occurrence.at })
}
