/**
 * Readers of option texts that several commands share: whole numbers, job names, business dates.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { ScheduledJob, Timetable } from '../../lib/model/job.ts'
import { type BusinessDate, resolveDate } from '../../lib/model/time/business-date.ts'
import type { Clock } from '../../lib/model/time/clock.ts'
import { occurrenceOf, windowOf } from '../../lib/schedule/owed.ts'
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
export function jobNamed(timetable: Timetable, name: string): ScheduledJob {
  const found = timetable.jobs.find(scheduled => scheduled.job.name === name)
  if (found !== undefined) return found
  const known = timetable.jobs.map(scheduled => scheduled.job.name).join(', ')
  throw new ConfigError(
    'CONFIG_JOB_UNKNOWN',
    `There is no job ${JSON.stringify(name)}; there are ${known}. Nothing was started.`,
  )
}

/** The business date that a text means for a job, said on stderr. @throws CONFIG_DATE_INVALID */
export function businessDateFor(
  scheduled: ScheduledJob,
  text: string | undefined,
  clock: Clock,
  terminal: Terminal,
): BusinessDate {
  const date = resolveDate(text ?? 'yesterday', {
    zone: scheduled.zone,
    calendar: scheduled.calendar,
    now: clock.now(),
  })
  if (date !== text)
    terminal.note(
      `${scheduled.job.name}: business date ${date} (${text ?? 'yesterday'} in ${scheduled.zone})`,
    )
  return date
}

/** Until when (epoch milliseconds) a missing file of this date means waiting; null where the timetable plans no such date. */
export function windowEnd(scheduled: ScheduledJob, businessDate: BusinessDate): number | null {
  const occurrence = occurrenceOf(scheduled, businessDate)
  return occurrence === null ? null : windowOf(scheduled, { plannedAt: occurrence.at })
}
