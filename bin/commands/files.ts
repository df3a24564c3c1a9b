/**
 * `tallyman files`: what arrived for which date, what became of it and why.
 */
import { listFiles } from '../../lib/ledger/run-list.ts'
import { type AnyJob, movesRecords, type ScheduledJob } from '../../lib/model/job.ts'
import { printableName } from '../../lib/model/source.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { quantity } from '../progress.ts'
import type { Session } from '../session.ts'
import { jsonDocument, table } from '../terminal.ts'
import { businessDateFor, jobNamed, wholeNumber } from './options.ts'

function feedsOf({ job }: ScheduledJob<AnyJob>): string[] {
  const sides = job.reconcile.comparisons.flatMap(({ source, target }) => [source, target])
  const own = movesRecords(job) ? [job.fetch.feed] : []
  return [...own, ...sides.flatMap(side => ('fetch' in side ? [side.fetch.feed] : []))]
}

/** Lists files, newest first. Exit 0. */
export async function files(session: Session, options: Record<string, unknown>): Promise<number> {
  const { timetable } = await session.configuration()
  const name = options.job as string | undefined
  const jobs = name === undefined ? timetable.jobs : [jobNamed(timetable, name)]
  const text = options.date as string | undefined
  const day = text === undefined ? null : businessDateFor(jobs[0]!, text, systemClock, session.terminal)
  const filter = { feeds: jobs.flatMap(feedsOf), ...(day === null ? {} : { from: day, to: day }) }
  const limit = wholeNumber('--limit', options.limit as string, 1, 100_000)
  const { database } = await session.engine()
  const found = await database.use(connection => listFiles(connection, filter, limit))
  if (session.terminal.json) {
    session.terminal.out(jsonDocument({ files: found }))
    return 0
  }
  const rows = found.map(file => [
    file.id,
    file.feed,
    file.businessDate,
    printableName(file.remoteName).slice(1, -1),
    file.contentBytes === null ? '' : quantity(file.contentBytes, 'bytes'),
    file.contentSha256?.slice(0, 12) ?? '',
    file.state,
    file.reason,
  ])
  const head = ['id', 'feed', 'date', 'name', 'size', 'sha-256', 'state', 'why']
  session.terminal.out(table(head, rows, session.terminal.columns))
  if (found.length === limit) session.terminal.note(`only the latest ${limit}; more with --limit`)
  return 0
}
