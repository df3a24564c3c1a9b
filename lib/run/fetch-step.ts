/**
 * The fetch step of a run: lists and receives a feed's files of a date and writes each one down as it
 * arrives (T1); after the load, leaves, moves or deletes the remote ones (T3).
 */
import { archivedPaths } from '../fetch/archive.ts'
import { fetchFiles } from '../fetch/fetch-files.ts'
import { finishRemote } from '../fetch/finish-remote.ts'
import { openSource } from '../fetch/open-source.ts'
import { assertFence, type Holding } from '../ledger/fence.ts'
import {
  type ReceivedFile as Delivery,
  type FileRow,
  filesAwaitingArchive,
  knownFiles,
  noteFile,
  recordFile,
  setRemoteState,
} from '../ledger/file.ts'
import { oweDates } from '../ledger/owe-dates.ts'
import { BugError, describeError, FetchError } from '../model/errors.ts'
import type { FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { FetchedFeed, KnownFile, ReceivedFile } from '../model/received-file.ts'
import type { Engine } from './engine.ts'

/** A file row that was received, with what fetch and parse need of it. */
function asKnown(row: FileRow): KnownFile | null {
  const { remoteName, size, mtimeMs, businessDate, rawSha256, contentSha256, contentBytes, state } = row
  if (state === 'quarantined' || size === null || mtimeMs === null) return null
  if (rawSha256 === null || contentSha256 === null || contentBytes === null) return null
  return { remoteName, size, mtimeMs, businessDate, rawSha256, contentSha256, contentBytes }
}

/** Path of an archived file's decoded content. */
export function contentPathOf(engine: Engine, row: FileRow): string {
  const known = asKnown(row)
  if (known === null) {
    throw new BugError(
      'BUG_FILE_NOT_ARCHIVED',
      `File ${row.id} (${row.feed} of ${row.businessDate}) was to be read, but it was never received. Nothing was loaded.`,
    )
  }
  return archivedPaths({ path: engine.folders.archive }, row.feed, known).contentPath
}

/**
 * Fetches a feed's files of a date. `job` is owed a run by each arrival; null for a feed that only a reconciliation reads.
 * @throws FETCH_* by the situation.
 */
export async function fetchFeed(
  engine: Engine,
  spec: FetchSpec,
  businessDate: string,
  job: string | null,
  context: StepContext,
): Promise<FetchedFeed> {
  const { database, folders, environment, secrets } = engine
  const rows = await database.use(connection => knownFiles(connection, spec.feed))
  const source = await openSource(spec, environment, secrets, context)
  try {
    const fetched = await fetchFiles({
      spec,
      businessDate,
      source,
      known: rows.map(asKnown).filter(file => file !== null),
      archive: { path: folders.archive },
      context,
      onReceived: file => record(engine, job, file),
    })
    if (job !== null) await oweOtherDates(engine, spec.feed, job, businessDate, fetched)
    for (const held of fetched.held) {
      const note = {
        feed: spec.feed,
        businessDate,
        remoteName: held.remoteName,
        state: 'held' as const,
        reason: held.message,
      }
      await database.use(connection => noteFile(connection, note))
    }
    return fetched
  } finally {
    await source.close()
  }
}

/** Late and corrected files of earlier dates, seen while listing for this one: their dates are owed a run. */
async function oweOtherDates(
  engine: Engine,
  feed: string,
  job: string,
  businessDate: string,
  fetched: FetchedFeed,
): Promise<void> {
  const earlier = fetched.otherDates.filter(file => file.businessDate < businessDate)
  if (earlier.length === 0) return
  // Read now, not before the listing: another process may have fetched them meanwhile.
  const rows = await engine.database.use(connection => knownFiles(connection, feed))
  const identity = (file: Pick<FileRow, 'remoteName' | 'size' | 'mtimeMs'>): string =>
    JSON.stringify([file.remoteName, file.size, file.mtimeMs])
  const known = new Set(rows.map(identity))
  const fresh = earlier.filter(file => !known.has(identity(file)))
  const dates = [...new Set(fresh.map(file => file.businessDate))]
  if (dates.length === 0) return
  const owed = await engine.database.use(connection => oweDates(connection, job, dates))
  if (owed > 0) engine.log.info('fetch.other-dates-owed', { job, dates: dates.join(' '), owed })
}

async function record(engine: Engine, job: string | null, file: ReceivedFile): Promise<void> {
  await engine.database.use(connection => recordFile(connection, asDelivery(job, file)))
}

/** A received file as the run ledger takes it: in quarantine with its reason where it can't be used. */
export function asDelivery(job: string | null, file: ReceivedFile): Delivery {
  const { quarantine, ...received } = file
  if (quarantine === null) return { ...received, job }
  return { ...received, job, state: 'quarantined', reason: `${quarantine.message} [${quarantine.code}]` }
}

/**
 * T3: the remote files of this feed that were loaded and still lie there. Never fails a run: what
 * could not be done is told and done by the next run of any date.
 * @throws RUN_FENCED
 */
export async function finishRemoteFiles(
  engine: Engine,
  spec: FetchSpec,
  lease: Holding,
  context: StepContext,
): Promise<string[]> {
  if (spec.after === 'leave') return []
  const waiting = await engine.database.use(connection => filesAwaitingArchive(connection, spec.feed))
  if (waiting.length === 0) return []
  try {
    return await finishEach(engine, spec, lease, waiting, context)
  } catch (error) {
    context.signal.throwIfAborted()
    if (!(error instanceof FetchError)) throw error
    context.log.warn('fetch.remote-unfinished', { feed: spec.feed, code: error.code })
    return [
      `${waiting.length === 1 ? 'A loaded file lies' : `${waiting.length} loaded files lie`} at the source as before: ${describeError(error)} The load stands; the next run puts them away.`,
    ]
  }
}

async function finishEach(
  engine: Engine,
  spec: FetchSpec,
  lease: Holding,
  waiting: readonly FileRow[],
  context: StepContext,
): Promise<string[]> {
  const { database, environment, secrets } = engine
  const fence = (): Promise<void> =>
    database.use(connection => connection.transaction(() => assertFence(connection, lease)))
  const warnings: string[] = []
  const source = await openSource(spec, environment, secrets, context)
  try {
    for (const row of waiting) {
      const known = asKnown(row)
      if (known === null) continue
      const file = { ...known, remoteFolder: spec.folder }
      const { outcome, message } = await finishRemote(spec, file, source, fence, context)
      if (outcome === 'failed') warnings.push(message)
      else {
        const state = outcome === 'new-delivery' ? 'changed' : 'done'
        await database.use(connection => setRemoteState(connection, row.id, state))
      }
    }
  } finally {
    await source.close()
  }
  return warnings
}
