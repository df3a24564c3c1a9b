/**
 * One attempt of a job that only compares: its feeds are fetched where it has any, both sides are taken and
 * compared, and the night is written down (T6) like any other. Nothing is loaded. Called by run-job.ts.
 */
import { nextComparisonNumber, unfinishedComparison } from '../ledger/comparison.ts'
import { assertFence } from '../ledger/fence.ts'
import { filesOfDate } from '../ledger/file.ts'
import { settleOwed } from '../ledger/owe-dates.ts'
import type { FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { FetchedFeed } from '../model/received-file.ts'
import { endDone, endReported, endWithoutFiles, nothingYet, type RunOptions } from './endings.ts'
import { fetchFeed } from './fetch-step.ts'
import { reopenQuarantined } from './freeze-rules.ts'
import type { Reporting } from './night-facts.ts'
import { reconcileRun } from './reconcile-step.ts'
import type { StepLog } from './steps.ts'
import type { RunSummary } from './summary.ts'
import { currentFiles } from './take-feed.ts'

/** Fetch what the sides need, compare, report. @throws FETCH_FILE_MISSING and the like when a feed has no file and its window is over */
export async function compareOnly(
  reporting: Reporting,
  options: RunOptions,
  steps: StepLog,
  context: StepContext,
): Promise<RunSummary> {
  const { engine, scheduled, lease } = reporting
  const { businessDate } = lease.key
  const reported =
    lease.trigger === 'rerun'
      ? null
      : await engine.database.use(c => unfinishedComparison(c, lease.runId, lease.attempt))
  if (reported !== null) return endReported(reporting, steps, reported, [])
  const feeds = feedsOf(reporting)
  const fetched = new Map<string, FetchedFeed>()
  if (feeds.length > 0 && options.fromArchive !== true)
    await steps.run('fetch', async () => {
      for (const feed of feeds) {
        if (lease.trigger === 'rerun')
          await engine.database.use(c => reopenQuarantined(c, feed.feed, businessDate))
        fetched.set(feed.feed, await fetchFeed(engine, feed, businessDate, lease.key.job, context))
      }
    })
  // What arrives from now on makes the date owed again; nothing else is frozen, because nothing is loaded.
  await engine.database.use(connection =>
    connection.transaction(async () => {
      await settleOwed(connection, lease.runId)
      await assertFence(connection, lease)
    }),
  )
  for (const feed of feeds) {
    if ((await currentFiles(engine, feed, businessDate)).length > 0) continue
    const rows = await engine.database.use(c => filesOfDate(c, feed.feed, businessDate))
    const leftOut = rows.filter(row => row.state === 'quarantined')
    const nothing = { kind: 'no-files' as const, quarantined: [], leftOut }
    return endWithoutFiles(reporting, options, steps, fetched.get(feed.feed) ?? null, nothing)
  }
  const number = await engine.database.use(c => nextComparisonNumber(c, lease.runId))
  const request = { engine, scheduled, businessDate, lease, number, snapshots: new Map(), fetched }
  const reconciled = await steps.run('reconcile', () => reconcileRun(request, context))
  const facts = {
    ...{ ...nothingYet, state: 'done' as const, comparisonNumber: number, reconciled },
    warnings: [...fetched.values()].flatMap(({ skipped, held }) =>
      [...skipped, ...held].map(({ message }) => message),
    ),
  }
  return endDone(reporting, steps, facts)
}

/** The feeds of a job's sides, each once. */
function feedsOf({ scheduled }: Reporting): FetchSpec[] {
  const sides = scheduled.job.reconcile.comparisons.flatMap(({ source, target }) => [source, target])
  const feeds = sides.flatMap(side => ('fetch' in side ? [side.fetch] : []))
  return [...new Map(feeds.map(fetch => [fetch.feed, fetch])).values()]
}
