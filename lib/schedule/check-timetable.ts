/**
 * Everything that is wrong in a jobs.config.ts and its environment, at once and without network:
 * what `tallyman check` lists and what every other command refuses to start with.
 */
import { checkEnvironment } from '../config/check-environment.ts'
import { checkJob, checkJobsTogether } from '../config/check-job.ts'
import { type Complain, type Complaint, complainAbout } from '../config/complaint.ts'
import type { EnvironmentFile } from '../model/environment.ts'
import { ConfigError, describeError, TallymanError } from '../model/errors.ts'
import type { AnyJob, Calendar, ScheduledJob, Timetable } from '../model/job.ts'
import { isDate } from '../model/time/business-date.ts'
import { isZone } from '../model/time/zone.ts'
import { occurrences } from './occurrences.ts'

/** From when occurrences are counted to judge a cron expression: any date does, a fixed one judges alike every day. */
const SAMPLE_FROM = Date.UTC(2026, 0, 1)

function checkSchedule(scheduled: ScheduledJob<AnyJob>): Complaint[] {
  const complaints: Complaint[] = []
  const complain = complainAbout(`job ${scheduled.job.name}`, complaints)
  if (!isZone(scheduled.zone))
    complain('zone', `${JSON.stringify(scheduled.zone)} is no IANA zone`, 'such as Europe/Berlin')
  oneOf('businessDate', scheduled.businessDate, BUSINESS_DATES, complain)
  oneOf('catchUp', scheduled.catchUp, CATCH_UPS, complain)
  checkCalendar(scheduled.calendar, complain)
  const times = scheduled.cron === null ? [] : sampleOf(scheduled.cron, complain)
  const until = scheduled.fileUntil
  if (until === null) return complaints
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(until))
    complain('fileUntil', `${JSON.stringify(until)} is no time of day`, 'HH:mm')
  else if (times.length > 0 && times.every(time => time > until))
    complain(
      'fileUntil',
      `${until} is before the job starts (${times[0]}), so no file is ever waited for`,
      'a later time of the same day, or null',
    )
  return complaints
}

const BUSINESS_DATES: readonly ScheduledJob['businessDate'][] = [
  'same-day',
  'previous-day',
  'previous-business-day',
]
const CATCH_UPS: readonly ScheduledJob['catchUp'][] = ['all', 'latest', 'none']

function oneOf(part: string, value: string, known: readonly string[], complain: Complain): void {
  if (!known.includes(value))
    complain(part, `${JSON.stringify(value)} is not known`, `one of: ${known.join(', ')}`)
}

/** Times of day at which a cron expression comes due, some of them; complains where there is none. */
function sampleOf(cron: string, complain: Complain): string[] {
  try {
    const found = [...occurrences(cron, 'UTC', SAMPLE_FROM).take(50)]
    if (found.length === 0)
      complain('cron', `${JSON.stringify(cron)} never comes due`, 'a day that exists, or null')
    return found.map(({ local }) => local.slice(11))
  } catch (error) {
    complain('cron', problemOf(error), "such as '30 5 * * 1-5', or null for a job that only runs by hand")
    return []
  }
}

function checkCalendar(calendar: Calendar, complain: Complain): void {
  const part = `calendar ${calendar.name}`
  const wrong = calendar.weekend.filter(day => !(Number.isInteger(day) && day >= 1 && day <= 7))
  if (wrong.length > 0) complain(part, `${wrong.join(', ')} is no weekday`, '1 for Monday to 7 for Sunday')
  if (new Set(calendar.weekend).size >= 7)
    complain(part, 'has no business day', 'leave at least one weekday out of the weekend')
  const noDates = calendar.holidays.filter(day => !isDate(day))
  if (noDates.length > 0)
    complain(
      part,
      `${noDates
        .slice(0, 3)
        .map(day => JSON.stringify(day))
        .join(', ')} is no date`,
      'yyyy-MM-dd',
    )
}

/** An error's text without what only concerns a start. */
export function problemOf(error: unknown): string {
  const text = error instanceof TallymanError ? error.message : describeError(error)
  return text.replace(/ Nothing was (?:started|planned)\.$/, '')
}

/** Looks, and makes a complaint of what can't even be looked at: types are not checked when Node runs a file. */
function guarded(where: string, look: () => Complaint[]): Complaint[] {
  try {
    return look()
  } catch (error) {
    const fix = 'run `npm run types`: a part is missing or of another type'
    return [{ where, problem: `can't be checked: ${problemOf(error)}`, fix }]
  }
}

/**
 * All mistakes, empty when there are none. `refused`: parts whose builders have told what is wrong
 * in themselves (lib/model/refusal.ts).
 */
export function checkTimetable(
  timetable: Timetable,
  environment: EnvironmentFile,
  refused: ReadonlySet<object> = new Set(),
): Complaint[] {
  const present: ScheduledJob<AnyJob>[] = []
  const complaints = guarded('environment', () => checkEnvironment(environment))
  for (const [index, scheduled] of timetable.jobs.entries()) {
    const job: unknown = scheduled?.job
    if (typeof job === 'object' && job !== null) present.push(scheduled)
    else
      complaints.push({
        where: `jobs.config.ts, jobs[${index}]`,
        problem: 'names no job',
        fix: "import the job's default export: import carrier from './jobs/carrier.ts'",
      })
  }
  for (const scheduled of present) {
    const where = `job ${String(scheduled.job.name)}`
    complaints.push(
      ...guarded(where, () => checkJob(scheduled.job, environment, refused)),
      ...guarded(where, () => checkSchedule(scheduled)),
    )
  }
  return [...complaints, ...guarded('jobs', () => checkJobsTogether(present.map(({ job }) => job)))]
}

/** Refuses to start with mistakes. @throws CONFIG_INVALID listing all of them. */
export function assertTimetable(timetable: Timetable, environment: EnvironmentFile): void {
  const complaints = checkTimetable(timetable, environment)
  if (complaints.length === 0) return
  const lines = complaints.map(({ where, problem, fix }) => `${where}: ${problem}; ${fix}`)
  const count = `${complaints.length} mistake${complaints.length === 1 ? '' : 's'}`
  throw new ConfigError(
    'CONFIG_INVALID',
    `The configuration has ${count}: ${lines.join(' | ')}. Nothing was started.`,
    { details: { mistakes: lines } },
  )
}
