/**
 * Everything that is wrong in a jobs.config.ts and its environment, at once and without network:
 * what `tallyman check` lists and what every other command refuses to start with.
 */
import { checkEnvironment } from '../config/check-environment.ts'
import { checkJob, checkJobsTogether } from '../config/check-job.ts'
import { type Complaint, complainAbout } from '../config/complaint.ts'
import type { EnvironmentFile } from '../model/environment.ts'
import { ConfigError, TallymanError } from '../model/errors.ts'
import type { ScheduledJob, Timetable } from '../model/job.ts'
import { isZone } from '../model/time/zone.ts'
import { parseCron } from './occurrences.ts'

function checkSchedule(scheduled: ScheduledJob): Complaint[] {
  const complaints: Complaint[] = []
  const complain = complainAbout(`job ${scheduled.job.name}`, complaints)
  if (!isZone(scheduled.zone))
    complain('zone', `${JSON.stringify(scheduled.zone)} is no IANA zone`, 'such as Europe/Berlin')
  if (scheduled.cron !== null) {
    try {
      parseCron(scheduled.cron)
    } catch (error) {
      complain(
        'cron',
        error instanceof TallymanError ? error.message : String(error),
        "such as '30 5 * * 1-5', or null",
      )
    }
  }
  if (scheduled.fileUntil !== null && !/^([01]\d|2[0-3]):[0-5]\d$/.test(scheduled.fileUntil)) {
    complain('fileUntil', `${JSON.stringify(scheduled.fileUntil)} is no time of day`, 'HH:mm')
  }
  return complaints
}

/** All mistakes, empty when there are none. */
export function checkTimetable(timetable: Timetable, environment: EnvironmentFile): Complaint[] {
  return [
    ...checkEnvironment(environment),
    ...timetable.jobs.flatMap(scheduled => [
      ...checkJob(scheduled.job, environment),
      ...checkSchedule(scheduled),
    ]),
    ...checkJobsTogether(timetable.jobs.map(scheduled => scheduled.job)),
  ]
}

/** Refuses to start with mistakes. @throws CONFIG_INVALID listing all of them. */
export function assertTimetable(timetable: Timetable, environment: EnvironmentFile): void {
  const complaints = checkTimetable(timetable, environment)
  if (complaints.length === 0) return
  const lines = complaints.map(({ where, problem, fix }) => `${where}: ${problem}; ${fix}`)
  throw new ConfigError(
    'CONFIG_INVALID',
    `The configuration has ${complaints.length} mistakes: ${lines.join(' | ')}. Nothing was started.`,
    {
      details: { mistakes: lines },
    },
  )
}
