/**
 * The parse, map and load steps of a run: one stream from the archived files into the target, pulled
 * by the load, with the source snapshot written on the way. What T2 itself does is lib/load.
 */
import type { Holding } from '../ledger/fence.ts'
import { setFileState } from '../ledger/file.ts'
import type { LoadRow } from '../ledger/load.ts'
import { targetBook } from '../ledger/load-book.ts'
import type { Revision } from '../ledger/revision.ts'
import { removeSpools } from '../load/api-spool.ts'
import { createTarget } from '../load/create-target.ts'
import type { RefusedRecords } from '../load/load-input.ts'
import { loadIntoApi } from '../load/load-into-api.ts'
import { loadIntoPostgres } from '../load/load-into-postgres.ts'
import { MapTally } from '../map/map-tally.ts'
import { describeError, ParseError, RunError } from '../model/errors.ts'
import type { ScheduledJob } from '../model/job.ts'
import type { FailedUnit } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { LoadResult } from '../model/run.ts'
import type { Engine } from './engine.ts'
import {
  type InputFile,
  mappedBlocks,
  type RecordsInput,
  RecordsMeter,
  rawTexts,
  unitRejects,
} from './records.ts'
import { openSourceSnapshots, readSourceSnapshots, type SourceSnapshots } from './source-snapshots.ts'
import type { StepLog } from './steps.ts'
import { otherTarget, withTargetSession } from './target-session.ts'

/** What the load of a revision came to. */
export interface Loaded {
  readonly result: LoadResult
  readonly snapshots: SourceSnapshots
  readonly failedUnits: readonly FailedUnit[]
  readonly warnings: readonly string[]
}

/** What one load needs. */
export interface LoadRequest {
  readonly engine: Engine
  readonly scheduled: ScheduledJob
  readonly businessDate: string
  readonly lease: Holding
  readonly revision: Revision
  /** Path of a file's decoded content. */
  readonly contentPath: (row: Revision['files'][number]) => string
  readonly dryRun: boolean
  readonly createTarget: boolean
}

/** What an earlier attempt loaded, for an attempt that goes on after it. @throws RUN_LOAD_UNPUBLISHED */
export async function loadedBefore(engine: Engine, load: LoadRow): Promise<Loaded> {
  await removeSpools(engine.folders.bodies, load.revisionId)
  if (load.state === 'unpublished') {
    throw new RunError(
      'RUN_LOAD_UNPUBLISHED',
      'An earlier attempt judged these files and published nothing: a limit was breached. They are not loaded again as they are; a corrected file, or a rerun with --force after the limit or the mapping was changed, makes a new revision.',
    )
  }
  return loadedAs(load.result, await readSourceSnapshots(engine, load.snapshotHash))
}

/** The same whether this attempt loaded or an earlier one: everything told comes from what is kept. */
function loadedAs(result: LoadResult, snapshots: SourceSnapshots): Loaded {
  const { failedUnits = [], warnings = [], withheldDeletes = 0 } = result.told ?? {}
  return { result, snapshots, failedUnits, warnings: [...warnings, ...withheld(withheldDeletes)] }
}

/**
 * Loads a revision. @throws PARSE_*, MAP_*, LOAD_* by the situation; nothing is published then.
 */
export async function loadRevision(
  request: LoadRequest,
  steps: StepLog,
  context: StepContext,
): Promise<Loaded> {
  const { engine, scheduled, businessDate, revision, dryRun } = request
  const { job } = scheduled
  const input: RecordsInput = {
    job: job.name,
    businessDate,
    zone: scheduled.zone,
    files: revision.files.map(row => ({ row, path: request.contentPath(row) })),
    parse: job.parse,
    mapping: job.map,
  }
  const tally = new MapTally(job.map, job.load.rejects)
  const meter = new RecordsMeter()
  const names = revision.files.map(file => file.remoteName)
  const writers = await openSourceSnapshots(engine, dryRun ? null : job, businessDate, names, context.signal)
  let snapshots: SourceSnapshots = new Map()
  let failedUnits: readonly FailedUnit[] = []
  let asOf = ''
  const source = {
    blocks: mappedBlocks(input, tally, block => writers.push(block), meter, context),
    afterStream: async () => {
      await steps.within('parse', meter.parseMs)
      await steps.within('map', meter.mapMs)
      const mapped = tally.result()
      failedUnits = mapped.failedUnits
      asOf = new Date(engine.clock.now()).toISOString()
      return { mapped, warnings: meter.warnings }
    },
    sourceSnapshot: async ({ units, records }: RefusedRecords) => {
      const finished = await writers.finish({ units: [...failedUnits, ...units], records }, asOf)
      snapshots = finished.snapshots
      return finished.kept
    },
    unitRejects: (failed: readonly FailedUnit[]) => unitRejects(input, failed, context),
    rawOf: (file: number, records: readonly { readonly ordinal: number }[]) =>
      rawTexts(input, file, records, context),
  }
  try {
    const outcome = await intoTarget(request, source, context)
    if (outcome.kind === 'done-before') return await loadedBefore(engine, outcome.load)
    return loadedAs(outcome.result, snapshots)
  } catch (error) {
    // A copy that our own disk does not give is no fault of the delivery: it is read again.
    if (!dryRun && error instanceof ParseError && error.retry === 'never' && meter.file !== null)
      await quarantine(engine, meter.file, error)
    throw error
  } finally {
    await writers.discard()
  }
}

/** A file that can't be read as a whole waits aside until a corrected one comes or a rerun judges it anew. */
async function quarantine(engine: Engine, { row }: InputFile, error: ParseError): Promise<void> {
  await engine.database.use(connection =>
    setFileState(connection, row.id, 'quarantined', describeError(error)),
  )
}

function withheld(rows: number): string[] {
  if (rows === 0) return []
  return [
    `${rows} rows of the target are not in the files, but were not deleted: a record that could not be read may be one of them.`,
  ]
}

type Source = Pick<
  Parameters<typeof loadIntoPostgres>[0],
  'blocks' | 'afterStream' | 'unitRejects' | 'rawOf' | 'sourceSnapshot'
>

async function intoTarget(request: LoadRequest, source: Source, context: StepContext) {
  const { engine, scheduled, businessDate, lease, revision, dryRun } = request
  const { load, map } = scheduled.job
  const key = { job: scheduled.job.name, businessDate }
  const common = {
    ...source,
    lease: { ...lease, key },
    revision,
    businessDate,
    mappingVersion: map.version,
    dryRun,
  }
  if (load.kind === 'api') {
    const endpoint = engine.environment.api[load.endpoint]!
    return loadIntoApi(
      {
        ...common,
        spec: load,
        database: engine.database,
        folder: engine.folders.bodies,
        endpoint,
        resolveSecret: engine.secrets,
      },
      context,
    )
  }
  const other = otherTarget(scheduled.job)
  const target = other === null ? null : await engine.target(other)
  return withTargetSession(engine, scheduled.job, dryRun ? null : lease, context, async connection => {
    if (request.createTarget && !dryRun) await createTarget(connection, load)
    const input = { ...common, connection, spec: load }
    if (target === null) return loadIntoPostgres(input, context)
    const book = targetBook({ ledger: engine.database, target }, connection, lease, revision)
    return loadIntoPostgres({ ...input, book }, context)
  })
}
