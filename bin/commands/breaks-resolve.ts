/**
 * `tallyman breaks resolve --plan DIR` and `--apply FILE`: proposes changes of the target for breaks, and makes
 * them once somebody has read the plan. The rules are lib/run/plan-resolution.ts and apply-plan.ts.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError } from '../../lib/model/errors.ts'
import type { ScheduledJob, Timetable } from '../../lib/model/job.ts'
import type { AppliedChange, ResolutionPlan } from '../../lib/model/resolution.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { readPlan } from '../../reconcile/resolve/plan-file.ts'
import { EXIT, exitCodeOfComparisons } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { personOf } from './breaks-ack.ts'
import { breaksNamed } from './breaks-data.ts'
import { type BreakFlags, usage } from './breaks-flags.ts'
import { businessDateFor, jobNamed } from './options.ts'
import { runData } from './run-data.ts'
import { summaryText } from './summary-text.ts'

/** Makes or applies a plan. Exit 0 for a plan; after applying as `run`. */
export async function resolve(session: Session, flags: BreakFlags, ids: readonly string[]): Promise<number> {
  if ((flags.plan === undefined) === (flags.apply === undefined))
    throw usage('breaks resolve takes --plan DIR to make a plan, or --apply FILE to apply one')
  return flags.plan === undefined ? apply(session, flags, ids) : plan(session, flags, ids)
}

function moving(timetable: Timetable, name: string): ScheduledJob {
  const scheduled = jobNamed(timetable, name)
  if ('load' in scheduled.job) return scheduled as ScheduledJob
  throw new ConfigError(
    'CONFIG_RESOLVE_REFUSED',
    `${name} only compares: it loads no target that it could change. Nothing was done.`,
  )
}

async function plan(session: Session, flags: BreakFlags, ids: readonly string[]): Promise<number> {
  const { terminal } = session
  if (flags.job === undefined)
    throw usage('breaks resolve --plan needs --job: whose breaks are to be resolved')
  const { timetable } = await session.configuration()
  const scheduled = moving(timetable, flags.job)
  const businessDate = businessDateFor(scheduled, flags.date, systemClock, terminal)
  const engine = await session.engine()
  const named = ids.length === 0 ? null : await breaksNamed(engine, ids)
  const { planResolution } = await import('../../lib/run/plan-resolution.ts')
  const made = await planResolution({
    ...{ engine, scheduled, businessDate, by: personOf(flags) },
    identities: named === null ? null : new Set(named.map(({ identity }) => identity)),
    folder: path.resolve(session.workingDirectory, flags.plan!),
  })
  session.progress.clear()
  const { told, notProposed, files } = made
  if (terminal.json) {
    terminal.out(jsonDocument({ plan: made.plan, told, notProposed, files }))
    return EXIT.done
  }
  const changes = made.plan?.changes.length ?? 0
  const amount = made.plan === null ? '' : `, worth ${made.plan.amount}`
  terminal.out(
    `${changes} changes proposed${amount}; ${told} lines for the source's owner; ${notProposed} not proposed\n`,
  )
  for (const file of files) terminal.out(`${file}\n`)
  if (made.plan !== null) terminal.note(`read it, then: breaks resolve --apply ${files[0]!}`)
  return EXIT.done
}

async function apply(session: Session, flags: BreakFlags, ids: readonly string[]): Promise<number> {
  const { terminal } = session
  if (ids.length > 0 || flags.job !== undefined || flags.date !== undefined)
    throw usage('breaks resolve --apply takes the plan alone: what it is about stands in it')
  const found = await planAt(path.resolve(session.workingDirectory, flags.apply!))
  const { timetable } = await session.configuration()
  const scheduled = moving(timetable, found.job)
  const engine = await session.engine()
  const { applyPlan } = await import('../../lib/run/apply-plan.ts')
  const { refusedLine } = await import('../../lib/run/refused-changes.ts')
  const { summary, changes, before } = await applyPlan(engine, scheduled, found, personOf(flags))
  session.progress.clear()
  const outcomes = countsOf(changes)
  if (before) terminal.note('This plan was applied before; nothing was done now.')
  else terminal.note(summaryText(summary, terminal).trimEnd())
  if (terminal.json) {
    const told = changes.map(({ position, outcome, found: now }) => {
      const { identity, operation, table, key } = found.changes[position]!
      return { ...{ id: identity, operation, table, key, outcome }, found: now }
    })
    const runs = before ? [] : [runData(summary)]
    terminal.out(jsonDocument({ runs, outcomes, changes: told, before }, summary.warnings))
  } else {
    terminal.out(
      `${outcomes.applied} applied, ${outcomes.unchanged} there already, ${outcomes.refused} refused, ${outcomes.outdated} outdated\n`,
    )
    for (const one of changes) {
      if (one.outcome !== 'refused' && one.outcome !== 'outdated') continue
      terminal.out(`  ${refusedLine(scheduled.job, found.changes[one.position]!, one)}\n`)
    }
  }
  return exitCodeOfComparisons(summary.reconcile) ?? EXIT.done
}

async function planAt(file: string): Promise<ResolutionPlan> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(
      'CONFIG_PLAN_UNREADABLE',
      `${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed.`,
      { cause },
    )
  }
  return readPlan(text, path.basename(file))
}

function countsOf(changes: readonly AppliedChange[]): Record<AppliedChange['outcome'], number> {
  const counts = { applied: 0, unchanged: 0, refused: 0, outdated: 0 }
  for (const { outcome } of changes) counts[outcome] += 1
  return counts
}
