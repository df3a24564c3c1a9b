/**
 * Which (job, business date) pairs are owed now: a pure function of the timetable, the run ledger
 * and the clock. A tick only means "look here"; double and missed ticks change nothing.
 */
import type { AnyJob, ScheduledJob, Timetable } from '../model/job.ts'
import type { RunState } from '../model/run.ts'
import { addDays, type BusinessDate, previousBusinessDay } from '../model/time/business-date.ts'
import { localText, localToInstant } from '../model/time/zone.ts'
import { type Occurrence, occurrences } from './occurrences.ts'

/** A run that should be made now. */
export interface OwedRun {
  readonly job: string
  readonly businessDate: BusinessDate
  /** Epoch milliseconds of the occurrence that planned it. */
  readonly plannedAt: number
  /** `waiting`: looked for before, its file had not come. `recovery`: an attempt died. */
  readonly because: 'due' | 'missed' | 'waiting' | 'recovery'
}

/** What the scheduler should do. */
export interface Owed {
  /** Oldest first. */
  readonly runs: readonly OwedRun[]
  /** Dates that the job's catch-up rule leaves out: said, never silent. */
  readonly skipped: readonly OwedRun[]
  /** When the next occurrence is due; null when nothing is scheduled. */
  readonly nextAt: number | null
}

/** State of a known run by `job date`; absent means that it was never taken. */
export type RunStates = ReadonlyMap<string, RunState>

/** How far back missed occurrences are looked for: a fortnight of holidays. Older dates are a person's decision (`run --date`). */
const HORIZON_DAYS = 14

/** A missed occurrence is one that is this much overdue; before, it is simply due. */
const MISSED_AFTER_MS = 3_600_000

/** The key of a run in RunStates. */
export function runKeyText(job: string, businessDate: BusinessDate): string {
  return `${job} ${businessDate}`
}

/** The business date that an occurrence is about. */
export function businessDateOf(scheduled: ScheduledJob<AnyJob>, occurrence: Occurrence): BusinessDate {
  const day = occurrence.local.slice(0, 10)
  switch (scheduled.businessDate) {
    case 'same-day':
      return day
    case 'previous-day':
      return addDays(day, -1)
    case 'previous-business-day':
      return previousBusinessDay(day, scheduled.calendar)
  }
}

/** Until when (epoch milliseconds) a missing file of a run means waiting: the job's hour on the day of the occurrence, at once without one. */
export function windowOf(scheduled: ScheduledJob<AnyJob>, run: Pick<OwedRun, 'plannedAt'>): number {
  if (scheduled.fileUntil === null) return run.plannedAt
  const day = localText(run.plannedAt, scheduled.zone).slice(0, 10)
  return Math.max(run.plannedAt, localToInstant(day, scheduled.fileUntil, scheduled.zone))
}

/** The occurrence that plans this business date, null when the timetable plans no such date. */
export function occurrenceOf(scheduled: ScheduledJob<AnyJob>, businessDate: BusinessDate): Occurrence | null {
  if (scheduled.cron === null) return null
  const from = localToInstant(businessDate, '00:00', scheduled.zone)
  for (const occurrence of occurrences(scheduled.cron, scheduled.zone, from, scheduled.calendar)) {
    const date = businessDateOf(scheduled, occurrence)
    if (date === businessDate) return occurrence
    if (date > businessDate) return null
  }
  return null
}

/** The business dates at which the ledger knows the job, in order. */
function knownDates(job: string, states: RunStates): BusinessDate[] {
  const prefix = `${job} `
  return [...states.keys()]
    .filter(key => key.startsWith(prefix))
    .map(key => key.slice(prefix.length))
    .sort()
}

/** The missed occurrences that the job's rule catches up; due ones are taken anyway. */
function caughtUp(
  scheduled: ScheduledJob<AnyJob>,
  missed: readonly OwedRun[],
  lastKnown: BusinessDate | undefined,
): OwedRun[] {
  const late = missed.filter(run => run.because === 'missed')
  switch (scheduled.catchUp) {
    case 'all':
      return late
    case 'none':
      return []
    case 'latest':
      // Latest means latest: not when a newer date is due or was taken since; older ones are a person's decision.
      if (late.length < missed.length) return []
      return late.filter(run => lastKnown === undefined || run.businessDate > lastKnown).slice(-1)
  }
}

function owedOf(scheduled: ScheduledJob<AnyJob>, states: RunStates, now: number): Owed {
  const again: OwedRun[] = []
  const missed: OwedRun[] = []
  let nextAt: number | null = null
  if (scheduled.cron === null) return { runs: [], skipped: [], nextAt }
  const known = knownDates(scheduled.job.name, states)
  const since = now - HORIZON_DAYS * 86_400_000
  for (const occurrence of occurrences(scheduled.cron, scheduled.zone, since, scheduled.calendar)) {
    if (occurrence.at > now) {
      nextAt = occurrence.at
      break
    }
    const businessDate = businessDateOf(scheduled, occurrence)
    const run = { job: scheduled.job.name, businessDate, plannedAt: occurrence.at }
    const state = states.get(runKeyText(scheduled.job.name, businessDate))
    if (state === undefined)
      missed.push({ ...run, because: now - occurrence.at > MISSED_AFTER_MS ? 'missed' : 'due' })
    else if (state === 'waiting') again.push({ ...run, because: 'waiting' })
    else if (state !== 'succeeded' && state !== 'failed' && state !== 'suspended')
      again.push({ ...run, because: 'recovery' })
  }
  // Before its first run a job did not exist, so a new one has missed only the latest occurrence.
  const first = known[0]
  const really = first === undefined ? missed.slice(-1) : missed.filter(run => run.businessDate > first)
  const keep = caughtUp(scheduled, really, known.at(-1))
  const due = really.filter(run => run.because === 'due')
  return {
    runs: [...again, ...keep, ...due],
    skipped: really.filter(run => run.because === 'missed' && !keep.includes(run)),
    nextAt,
  }
}

/** All that is owed at `now` (epoch milliseconds). @throws CONFIG_CRON_INVALID, CONFIG_ZONE_UNKNOWN */
export function owedRuns(timetable: Timetable, states: RunStates, now: number): Owed {
  const each = timetable.jobs.map(scheduled => owedOf(scheduled, states, now))
  const next = each.flatMap(owed => (owed.nextAt === null ? [] : [owed.nextAt]))
  return {
    runs: each
      .flatMap(owed => owed.runs)
      .sort((a, b) => a.plannedAt - b.plannedAt || a.job.localeCompare(b.job)),
    skipped: each.flatMap(owed => owed.skipped),
    nextAt: next.length === 0 ? null : Math.min(...next),
  }
}
