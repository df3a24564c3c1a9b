/**
 * `tallyman status` and `tallyman runs`: where each job stands for a date, and what was tried lately.
 */
import { type AttemptRow, listAttempts } from '../../lib/ledger/attempt-list.ts'
import { listRuns, type RunRow } from '../../lib/ledger/run-list.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import type { Session } from '../session.ts'
import { jsonDocument, table } from '../terminal.ts'
import { businessDateFor, jobNamed, wholeNumber } from './options.ts'

/** One line per job of the timetable for a business date. Exit 0. */
export async function status(session: Session, options: Record<string, unknown>): Promise<number> {
  const { timetable } = await session.configuration()
  const date = options.date as string | undefined
  const jobs = timetable.jobs.map(scheduled => ({
    job: scheduled.job.name,
    owner: scheduled.job.owner,
    // The table has a column for the date: nothing to say beside it.
    businessDate: businessDateFor(scheduled, date, systemClock, { note: () => {} }),
  }))
  const engine = await session.engine()
  const standing = []
  for (const { job, owner, businessDate } of jobs) {
    const [run] = await engine.database.use(connection =>
      listRuns(connection, { jobs: [job], from: businessDate, to: businessDate }),
    )
    standing.push({ job, owner, businessDate, run: run ?? null })
  }
  if (session.terminal.json) {
    session.terminal.out(
      jsonDocument({
        runs: standing.map(({ job, owner, businessDate, run }) => ({
          job,
          owner,
          businessDate,
          state: run?.state ?? 'not-run',
          attempt: run?.attempt ?? null,
          load: run?.load ?? null,
          openRejects: run?.openRejects ?? 0,
        })),
      }),
    )
    return 0
  }
  const rows = standing.map(({ job, owner, businessDate, run }) => [
    job,
    businessDate,
    run?.state ?? 'not run',
    String(run?.attempt?.number ?? 0),
    mapped(run),
    String(run?.openRejects ?? 0),
    owner,
    run?.attempt?.error?.code ?? '',
  ])
  session.terminal.out(
    table(
      ['job', 'date', 'state', 'attempts', 'mapped', 'rejects', 'owner', 'error'],
      rows,
      session.terminal.columns,
    ),
  )
  return 0
}

function mapped(run: RunRow | null): string {
  return run?.load?.state === 'published' ? run.load.result.counts.mapped.toLocaleString('en-US') : ''
}

/** The latest attempts, newest first. Exit 0. */
export async function runs(session: Session, options: Record<string, unknown>): Promise<number> {
  const name = options.job as string | undefined
  if (name !== undefined) jobNamed((await session.configuration()).timetable, name)
  const limit = wholeNumber('--limit', options.limit as string, 1, 10_000)
  const engine = await session.engine()
  const attempts = await engine.database.use(connection => listAttempts(connection, name ?? null, limit))
  if (session.terminal.json) session.terminal.out(jsonDocument({ attempts }))
  else
    session.terminal.out(
      table(
        ['started (UTC)', 'job', 'date', 'attempt', 'trigger', 'state', 'seconds', 'error'],
        attempts.map(attemptCells),
        session.terminal.columns,
      ),
    )
  return 0
}

function attemptCells(attempt: AttemptRow & { job: string; businessDate: string }): string[] {
  const seconds =
    attempt.endedAt === null
      ? ''
      : ((Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt)) / 1000).toFixed(1)
  return [
    attempt.startedAt.slice(0, 19).replace('T', ' '),
    attempt.job,
    attempt.businessDate,
    String(attempt.number),
    attempt.trigger,
    attempt.state,
    seconds,
    attempt.error?.code ?? '',
  ]
}
