/**
 * A feed as a side of a comparison: fetched and archived like the files that a job loads, read by the side's
 * own parser and mapping or as Parquet, and never loaded. Other sides: take-side.ts.
 */
import type { AbsentSide, ComparedSide } from '../../reconcile/compare/gates.ts'
import { snapshotParquet } from '../../reconcile/sides/parquet-side.ts'
import type { SnapshotFacts } from '../../reconcile/snapshot/manifest.ts'
import type { AppliedScope } from '../../reconcile/snapshot/scope.ts'
import { type FileRow, filesOfDate } from '../ledger/file.ts'
import type { FetchSpec, Side } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { FetchedFeed } from '../model/received-file.ts'
import type { Engine } from './engine.ts'
import { contentPathOf, fetchFeed } from './fetch-step.ts'
import { mappedBlocks, RecordsMeter } from './records.ts'
import type { SideInput } from './side-input.ts'
import { snapshotMapped } from './snapshot-mapped.ts'

/** The files of a feed that stand for a date. */
export async function currentFiles(
  engine: Engine,
  fetch: FetchSpec,
  businessDate: string,
): Promise<FileRow[]> {
  const rows = await engine.database.use(connection => filesOfDate(connection, fetch.feed, businessDate))
  const usable = rows.filter(row => row.state === 'received' || row.state === 'applied')
  return fetch.perDate === 'one' ? usable.slice(-1) : usable
}

/** The side of a feed that has no file. */
function absentFeed(fetch: FetchSpec, businessDate: string, lookedFor: string): AbsentSide {
  return {
    name: fetch.feed,
    absent: `There is no file of feed ${fetch.feed} for ${businessDate}: looked for ${lookedFor}.`,
  }
}

/** Fetches the feed unless the run did so already, and takes the picture. */
export async function takeFeed(
  side: Extract<Side, { kind: 'files' | 'parquet' }>,
  { request, table, which }: SideInput,
  scope: AppliedScope,
  context: StepContext,
): Promise<ComparedSide> {
  const { engine, scheduled, businessDate } = request
  const known: FetchedFeed | undefined = request.fetched?.get(side.fetch.feed)
  const { lookedFor } = known ?? (await fetchFeed(engine, side.fetch, businessDate, null, context))
  const rows = await currentFiles(engine, side.fetch, businessDate)
  if (rows.length === 0) return absentFeed(side.fetch, businessDate, lookedFor)
  const names = rows.map(row => row.remoteName)
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal: context.signal }
  const facts: SnapshotFacts = {
    job: scheduled.job.name,
    side: which,
    name: names.join(', '),
    businessDate,
    mappingVersion: side.kind === 'files' ? side.map.version : null,
    files: names,
  }
  const asOf = new Date(engine.clock.now()).toISOString()
  const files = rows.map(row => ({ row, path: contentPathOf(engine, row) }))
  if (side.kind === 'parquet') {
    return snapshotParquet(
      place,
      facts,
      files,
      { table, columns: side.columns, asOf, scope },
      side.fetch.feed,
    )
  }
  const input = {
    job: scheduled.job.name,
    businessDate,
    zone: scheduled.zone,
    files,
    parse: side.parse,
    mapping: side.map,
  }
  return snapshotMapped(
    { place, facts, table, mapping: side.map, asOf, scope, absentAs: side.fetch.feed },
    (tally, tee) => mappedBlocks(input, tally, tee, new RecordsMeter(), context),
  )
}
