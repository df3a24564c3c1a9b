/**
 * The long-running scheduler, in process: looks what is owed, runs it one after another, sleeps until
 * the next occurrence. A tick only means "look": what is owed comes from the run ledger (owed.ts).
 * Beside it, runs that other processes left are finished (recovery.ts).
 */
import { type RunStanding, standings } from '../ledger/run-list.ts'
import { curesItself, LOOK_AGAIN_MS } from '../model/cures-itself.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import type { RunKey, RunState, Trigger } from '../model/run.ts'
import { addDays, localDate } from '../model/time/business-date.ts'
import type { Engine } from '../run/engine.ts'
import { sendMails } from '../run/report-step.ts'
import { runJob } from '../run/run-job.ts'
import type { RunSummary } from '../run/summary.ts'
import { type Owed, type OwedRun, occurrenceOf, owedRuns, runKeyText, windowOf } from './owed.ts'
import { keepRecovering } from './recovery.ts'

/** Longest sleep: a ledger changed by another process (a late file) is seen within this; a run whose process died sooner (recovery.ts). */
const LOOK_EVERY_MS = 60_000

/** Dates this far back are read from the ledger: the horizon of owed.ts and a weekend more. */
const LEDGER_DAYS = 17

/** What the scheduler tells whoever started it. */
export interface SchedulerEvents {
  readonly began: (run: OwedRun) => void
  readonly ended: (run: OwedRun, summary: RunSummary) => void
  readonly failed: (run: OwedRun, error: unknown) => void
  /** Another process is at it: no failure of this one. */
  readonly held: (run: OwedRun, error: TallymanError) => void
  readonly skipped: (run: OwedRun) => void
}

/** A run's state as owed.ts takes it: due again when a file came, a curable failure after a pause, a dead holder at once. */
function stateOf(row: RunStanding, now: number): RunState {
  // Its holder died after the result was written: only the mail and the end of the attempt are missing.
  if (row.held && row.state !== 'running') return 'running'
  const failed = row.state === 'failed' || (row.state === 'applied' && row.lastAttempt === 'failed')
  if (!failed) return row.owed ? 'waiting' : row.state
  const rested = row.lastEndedAtMs === null || now - row.lastEndedAtMs >= LOOK_AGAIN_MS
  if (!rested) return 'failed'
  const curable = row.lastError !== null && curesItself(row.lastError)
  return row.owed || row.state === 'applied' || curable ? 'waiting' : 'failed'
}

function statesOf(rows: readonly RunStanding[], now: number): Map<string, RunState> {
  return new Map(rows.map(row => [runKeyText(row.job, row.businessDate), stateOf(row, now)]))
}

/** What is owed now, by the ledger. */
export async function owedNow(
  engine: Engine,
): Promise<{ owed: Owed; known: ReadonlyMap<string, RunStanding> }> {
  const now = engine.clock.now()
  const jobs = engine.timetable.jobs.map(scheduled => scheduled.job.name)
  const rows = await engine.database.use(connection =>
    standings(connection, jobs, addDays(localDate(now, 'UTC'), -LEDGER_DAYS)),
  )
  const known = new Map(rows.map(row => [runKeyText(row.job, row.businessDate), row]))
  return { owed: owedRuns(engine.timetable, statesOf(rows, now), now), known }
}

/** Runs that this process is at: its two loops never take the same one. */
type Busy = Set<string>

/** Makes one run, and tells how it went; its failure does not hold the others. @throws the signal's reason */
async function makeRun(
  engine: Engine,
  events: SchedulerEvents,
  run: OwedRun,
  standing: RunStanding | undefined,
  busy: Busy,
): Promise<void> {
  engine.signal.throwIfAborted()
  const key = runKeyText(run.job, run.businessDate)
  if (busy.has(key)) return
  busy.add(key)
  const scheduled = engine.timetable.jobs.find(one => one.job.name === run.job)!
  events.began(run)
  try {
    const told = { last: standing?.lastError ?? null, all: standing?.errors ?? [] }
    const trigger: Trigger = run.because === 'recovery' ? 'recovery' : 'schedule'
    const waitUntil = windowOf(scheduled, run)
    const options = { trigger, told, waitUntil, attemptsBefore: standing?.attempts ?? 0 }
    events.ended(run, await runJob(engine, scheduled, run.businessDate, options))
  } catch (error) {
    if (engine.signal.aborted) throw error
    if (error instanceof TallymanError && error.code === 'RUN_HELD_ELSEWHERE') {
      events.held(run, error)
      return
    }
    engine.log.warn('schedule.run-failed', {
      job: run.job,
      businessDate: run.businessDate,
      code: error instanceof TallymanError ? error.code : null,
      error: describeError(error),
    })
    events.failed(run, error)
  } finally {
    busy.delete(key)
  }
}

/** Takes everything that is owed, oldest first; a failure of one is told and does not hold the others. */
export async function runOwed(
  engine: Engine,
  events: SchedulerEvents,
  busy: Busy = new Set(),
): Promise<Owed> {
  const { owed, known } = await owedNow(engine)
  for (const run of owed.skipped) events.skipped(run)
  for (const run of owed.runs) {
    await makeRun(engine, events, run, known.get(runKeyText(run.job, run.businessDate)), busy)
  }
  // Also mails of earlier runs whose server was down.
  await sendMails(engine, null, null)
  return owed
}

/** Finishes a run whose holder is gone, also one that no occurrence planned. */
async function recoverRun(
  engine: Engine,
  events: SchedulerEvents,
  { job, businessDate }: RunKey,
  busy: Busy,
): Promise<void> {
  const scheduled = engine.timetable.jobs.find(one => one.job.name === job)!
  const plannedAt = occurrenceOf(scheduled, businessDate)?.at ?? engine.clock.now()
  const [standing] = await engine.database.use(connection => standings(connection, [job], businessDate))
  await makeRun(engine, events, { job, businessDate, plannedAt, because: 'recovery' }, standing, busy)
}

async function keepTaking(engine: Engine, events: SchedulerEvents, busy: Busy): Promise<never> {
  for (;;) {
    const owed = await runOwed(engine, events, busy)
    const untilNext = owed.nextAt === null ? LOOK_EVERY_MS : owed.nextAt - engine.clock.now()
    await engine.clock.sleep(Math.min(LOOK_EVERY_MS, Math.max(0, untilNext)), engine.signal)
  }
}

/**
 * Runs until the engine's signal is aborted: takes what is owed, and beside it finishes what others left.
 * @throws the signal's reason
 */
export async function runScheduler(engine: Engine, events: SchedulerEvents): Promise<never> {
  const said = new Set<string>()
  const once: SchedulerEvents = {
    ...events,
    skipped: run => {
      const key = runKeyText(run.job, run.businessDate)
      if (!said.has(key)) events.skipped(run)
      said.add(key)
    },
  }
  const busy: Busy = new Set()
  const ended = new AbortController()
  const recovering = keepRecovering(engine, run => recoverRun(engine, once, run, busy), ended.signal)
  try {
    return await keepTaking(engine, once, busy)
  } finally {
    // A run in hand is finished or rolled back before the engine is closed.
    ended.abort()
    await recovering
  }
}
