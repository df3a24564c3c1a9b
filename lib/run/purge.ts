/**
 * Removes snapshots that nothing needs any more, and files of their folder that no row of the run ledger names.
 * First the rows are let go of, in one transaction; then the files go. A crash in between leaves files without a row,
 * which the next purge removes. What age keeps: reconcile/snapshot/retention.ts; what else: lib/ledger/snapshot-needs.ts.
 */
import path from 'node:path'
import {
  type FolderFile,
  filesIn,
  removeFrom,
  rowsOfManifest,
  runOfBreaks,
  sizeIn,
} from '../../reconcile/snapshot/folder.ts'
import { JUST_TAKEN_DAYS, keptByAge } from '../../reconcile/snapshot/retention.ts'
import type { Connection } from '../db/connection.ts'
import type { Holding } from '../ledger/fence.ts'
import { type Quiet, whileNobodyWorks } from '../ledger/quiet.ts'
import {
  datesOfOpenBreaks,
  letGo,
  manifestsOfLoads,
  type SnapshotDate,
  snapshotDates,
  unfinishedRuns,
} from '../ledger/snapshot-needs.ts'
import { describeError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Engine } from './engine.ts'

/** Snapshots of a date that stay. */
export interface KeptDate extends SnapshotDate {
  /** In words, at least one. */
  readonly why: readonly string[]
}

/** A file that goes. */
export interface RemovedFile {
  readonly name: string
  readonly bytes: number
  /** False: of a date that is let go of. True: no row of the run ledger names it. */
  readonly orphan: boolean
}

/** What a purge does, or would do. */
export interface Purge {
  readonly kept: readonly KeptDate[]
  readonly letGo: readonly SnapshotDate[]
  readonly files: readonly RemovedFile[]
  /** Files in the folder that are none of ours; left where they are. */
  readonly strangers: readonly string[]
}

const DAY_MS = 86_400_000

/** What a purge would do now. Removes nothing. */
export function previewPurge(engine: Engine): Promise<Purge> {
  return engine.database.use(connection => plan(engine, connection))
}

/** Removes what is not needed. Gives what it did, or who is at work besides `own`: then nothing was removed. */
export async function purge(engine: Engine, own: Holding | null): Promise<Quiet<Purge>> {
  return whileNobodyWorks(engine.database, own, async still => {
    const purged = await engine.database.use(async connection => {
      const planned = await plan(engine, connection)
      const ids = planned.letGo.flatMap(one => one.ids)
      if (ids.length > 0) await connection.transaction(() => letGo(connection, ids), { commit: 'proved' })
      return planned
    })
    if (purged.files.length > 0) failpoint('reconcile.snapshots-let-go')
    for (const { name } of purged.files) {
      await still()
      await removeFrom(engine.folders.snapshots, name)
      failpoint('reconcile.snapshot-removed')
    }
    return purged
  })
}

/** The purge at the end of a run that took new pictures; what goes wrong is logged, for the next one to do. */
export async function purgeAfterRun(engine: Engine, own: Holding): Promise<void> {
  try {
    const { letGo: dates, files } = await previewPurge(engine)
    if (dates.length === 0 && files.length === 0) return
    const outcome = await purge(engine, own)
    if ('busy' in outcome) engine.log.info('snapshots.purge-put-off', { because: outcome.busy })
    else
      engine.log.info('snapshots.purged', {
        dates: outcome.done.letGo.length,
        files: outcome.done.files.length,
      })
  } catch (error) {
    engine.log.warn('snapshots.purge-failed', { error: describeError(error) })
  }
}

async function plan(engine: Engine, connection: Connection): Promise<Purge> {
  const unfinished = await unfinishedRuns(connection)
  const dates = await snapshotDates(connection)
  const reasons = await reasonsOf(connection, dates, unfinished, engine.clock.now())
  const kept = dates.flatMap(one => {
    const why = reasons(one)
    return why.length === 0 ? [] : [{ ...one, why }]
  })
  const gone = dates.filter(one => reasons(one).length === 0)
  const runs = [...new Set([...kept.map(({ runId }) => runId), ...unfinished])]
  const manifests = new Set([
    ...kept.flatMap(({ paths }) => paths.map(one => path.basename(one))),
    ...(await manifestsOfLoads(connection, runs)),
  ])
  const names = await filesIn(engine.folders.snapshots)
  const keeps = keeper(manifests, kept, unfinished)
  const was = new Set(gone.flatMap(({ paths }) => paths.map(one => path.basename(one))))
  const wasRows = new Set([...was].map(rowsOfManifest))
  const wasRun = new Set(gone.map(({ runId }) => runId))
  const files: RemovedFile[] = []
  for (const file of names.filter(one => one.kind !== 'stranger' && !keeps(one))) {
    const { name } = file
    const known = was.has(name) || wasRows.has(name) || wasRun.has(runOfBreaks(name).runId)
    files.push({ name, bytes: await sizeIn(engine.folders.snapshots, name), orphan: !known })
  }
  const strangers = names.filter(({ kind }) => kind === 'stranger').map(({ name }) => name)
  return { kept, letGo: gone, files: manifestsFirst(files), strangers }
}

/** Rows without a manifest are found and removed by the next purge; a manifest without its rows would look like damage. */
function manifestsFirst(files: readonly RemovedFile[]): RemovedFile[] {
  const isManifest = ({ name }: RemovedFile): boolean => rowsOfManifest(name) !== '.parquet'
  return [...files.filter(isManifest), ...files.filter(file => !isManifest(file))]
}

function keeper(
  manifests: ReadonlySet<string>,
  kept: readonly SnapshotDate[],
  unfinished: ReadonlySet<string>,
): (file: FolderFile) => boolean {
  const rows = new Set([...manifests].map(rowsOfManifest))
  const breaks = new Set(kept.map(({ runId, reconciliation }) => `${runId} ${reconciliation}`))
  const jobs = new Map(kept.map(({ runId, job }) => [runId, job]))
  return ({ kind, name }) => {
    if (kind === 'manifest') return manifests.has(name)
    if (kind === 'rows') return rows.has(name)
    const { runId, comparison } = runOfBreaks(name)
    return unfinished.has(runId) || breaks.has(`${runId} ${jobs.get(runId)}.${comparison}`)
  }
}

async function reasonsOf(
  connection: Connection,
  dates: readonly SnapshotDate[],
  unfinished: ReadonlySet<string>,
  now: number,
): Promise<(one: SnapshotDate) => string[]> {
  const byAge = new Map<string, ReturnType<typeof keptByAge>>()
  for (const name of new Set(dates.map(({ reconciliation }) => reconciliation))) {
    const own = dates.filter(({ reconciliation }) => reconciliation === name)
    byAge.set(name, keptByAge(own.map(({ businessDate }) => businessDate)))
  }
  const needed = new Map<string, string[]>()
  for (const { reconciliation, businessDate, as, breaks } of await datesOfOpenBreaks(connection)) {
    const words = `${breaks} open break${breaks === 1 ? '' : 's'} ${as}`
    const key = `${reconciliation} ${businessDate}`
    needed.set(key, [...(needed.get(key) ?? []), words])
  }
  return ({ runId, reconciliation, businessDate, takenAtMs }) => {
    const age = byAge.get(reconciliation)?.get(businessDate)
    return [
      ...(age === undefined ? [] : [age]),
      ...(now - takenAtMs < JUST_TAKEN_DAYS * DAY_MS ? ['just taken'] : []),
      ...(needed.get(`${reconciliation} ${businessDate}`) ?? []),
      ...(unfinished.has(runId) ? ['load not finished'] : []),
    ]
  }
}
