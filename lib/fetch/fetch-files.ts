/**
 * READ FIRST in lib/fetch: the step from a feed to verified, archived local files of one business date.
 * List, choose (candidates.ts), wait until whole (completeness.ts), receive (receive.ts: download,
 * decode, archive). What a file means to its date is judged at the freeze, in the run ledger.
 */
import { FetchError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type {
  FetchedFeed,
  HeldFile,
  KnownFile,
  OtherDateFile,
  ReceivedFile,
  RemoteFile,
} from '../model/received-file.ts'
import type { SourceConnection } from '../model/source.ts'
import type { BusinessDate } from '../model/time/business-date.ts'
import { namePattern } from '../model/time/date-tokens.ts'
import { type ArchiveFolder, archivedPaths, isArchived, Workplace } from './archive.ts'
import { arrivalOf, candidatesOf, remoteFile } from './candidates.ts'
import { judgeCompleteness } from './completeness.ts'
import { type Receiving, receive } from './receive.ts'
import { retrying } from './retry.ts'

/** A file that changed while it was fetched is looked at once more at once; after that the next fetch does. */
const ROUNDS = 2

/** What a fetch needs. */
export interface FetchRequest {
  readonly spec: FetchSpec
  readonly businessDate: BusinessDate
  /** From openSource; the caller closes it. */
  readonly source: SourceConnection
  /** Files of this feed that are archived already. Leave quarantined ones out: then they are judged anew. */
  readonly known: readonly KnownFile[]
  readonly archive: ArchiveFolder
  readonly context: StepContext
  /** Writes the file's row; awaited before the next file is begun. Called in arrival order, quarantined ones included. */
  readonly onReceived: (file: ReceivedFile) => Promise<void>
}

/**
 * Fetches what lies at the source for a business date.
 * Guarantee: a file given to onReceived is whole by size, unchanged while it was read, hashed, and on
 * the disk under its final name. A known one is not downloaded again while its archive is there.
 * On failure: what onReceived has seen stays; nothing else is left. The next fetch goes on from there.
 * @throws FETCH_* by the situation; FETCH_TOO_MANY_FILES
 */
export async function fetchFiles(request: FetchRequest): Promise<FetchedFeed> {
  const { spec, businessDate, source, archive, context } = request
  const workplace = new Workplace(archive, spec.feed, businessDate)
  const stale = await workplace.prepare()
  if (stale > 0) context.log.info('fetch.stale-parts-removed', { feed: spec.feed, count: stale })
  const listing = await retrying(context, spec.folder, () => source.list(spec.folder))
  failpoint('fetch.after-listing')
  const { wanted, otherDates, skipped } = candidatesOf(spec, listing, businessDate)
  const { again, fresh } = await partKnown(request, wanted)
  if (fresh.length > spec.limits.maxFiles) throw tooMany(spec, source, fresh.length)
  context.log.info('fetch.listed', {
    feed: spec.feed,
    entries: listing.entries.length,
    wanted: wanted.length,
    known: again.length,
  })
  const names = new Set(listing.entries.map(entry => entry.name))
  const to: Receiving = { spec, businessDate, source, archive, workplace, context }
  const { files, held } = await receiveAll(to, fresh, names, request.onReceived)
  for (const entry of skipped) context.log.warn('fetch.entry-skipped', { name: entry.name, code: entry.code })
  return result(request, [...again, ...files], held, { otherDates, skipped })
}

/** Files that are archived already, and those that are to be fetched. */
async function partKnown(request: FetchRequest, wanted: readonly RemoteFile[]) {
  const { spec, archive } = request
  const known = new Map(request.known.map(file => [identity(file), file]))
  const again: ReceivedFile[] = []
  const fresh: RemoteFile[] = []
  for (const file of wanted) {
    const before = known.get(identity(file))
    if (before !== undefined && (await isArchived(archive, spec.feed, before))) {
      again.push(asReceived(request, file, before))
    } else fresh.push(file)
  }
  return { again, fresh }
}

/** A partner's name may hold anything but NUL. */
function identity(file: Pick<RemoteFile, 'remoteName' | 'size' | 'mtimeMs'>): string {
  return `${file.size}\0${file.mtimeMs}\0${file.remoteName}`
}

function asReceived(request: FetchRequest, file: RemoteFile, before: KnownFile): ReceivedFile {
  const { spec, archive } = request
  const { businessDate, rawSha256, contentSha256, contentBytes } = before
  return {
    ...file,
    businessDate,
    rawSha256,
    contentSha256,
    contentBytes,
    ...archivedPaths(archive, spec.feed, before),
    feed: spec.feed,
    archive: `${spec.feed}/${businessDate}/${rawSha256}.raw`,
    arrival: arrivalOf(file),
    known: true,
    quarantine: null,
  }
}

async function receiveAll(
  to: Receiving,
  fresh: readonly RemoteFile[],
  namesListed: ReadonlySet<string>,
  onReceived: FetchRequest['onReceived'],
): Promise<{ files: ReceivedFile[]; held: HeldFile[] }> {
  const { spec, source, context } = to
  const files: ReceivedFile[] = []
  const held: HeldFile[] = []
  let pending = fresh
  for (let round = 1; pending.length > 0; round += 1) {
    const judged = await judgeCompleteness(spec, pending, namesListed, source, context)
    held.push(...judged.held)
    const changed: HeldFile[] = []
    for (const ready of judged.ready) {
      context.signal.throwIfAborted()
      const outcome = await receive(to, ready)
      if ('code' in outcome) changed.push(outcome)
      else {
        failpoint('fetch.before-file-row')
        await onReceived(outcome)
        failpoint('fetch.after-file-row')
        files.push(outcome)
      }
    }
    pending = round < ROUNDS ? await lookAgain(to, changed, held) : []
    if (round >= ROUNDS) held.push(...changed)
  }
  return { files, held }
}

/** Changed files as they lie there now; those that are gone are held. */
async function lookAgain(
  { spec, source, context }: Receiving,
  changed: readonly HeldFile[],
  held: HeldFile[],
): Promise<RemoteFile[]> {
  const now: RemoteFile[] = []
  for (const file of changed) {
    const entry = await retrying(context, spec.folder, () => source.stat(spec.folder, file.remoteName))
    if (entry === null) held.push(file)
    else now.push(remoteFile(spec.folder, entry))
  }
  return now
}

function result(
  request: FetchRequest,
  files: readonly ReceivedFile[],
  held: readonly HeldFile[],
  other: Pick<FetchedFeed, 'otherDates' | 'skipped'>,
): FetchedFeed {
  const { spec, businessDate, source } = request
  const ordered = files.toSorted((a, b) => (a.arrival < b.arrival ? -1 : a.arrival > b.arrival ? 1 : 0))
  const ofDate = ordered.filter(file => file.businessDate === businessDate)
  const ofOthers: OtherDateFile[] = ordered
    .filter(file => file.businessDate !== businessDate)
    .map(file => ({ ...remoteOf(file), businessDate: file.businessDate, file }))
  const received = ofDate.filter(file => file.quarantine === null)
  return {
    received,
    quarantined: ofDate.filter(file => file.quarantine !== null),
    held,
    skipped: other.skipped,
    otherDates: [...other.otherDates, ...ofOthers],
    missing: ofDate.length === 0 && held.length === 0,
    lookedFor: `${namePattern(spec.files).glob(businessDate)} in ${spec.folder} on ${source.name}`,
  }
}

function remoteOf(file: ReceivedFile): RemoteFile {
  const { remoteFolder, remoteName, size, mtimeMs } = file
  return { remoteFolder, remoteName, size, mtimeMs }
}

function tooMany(spec: FetchSpec, source: SourceConnection, count: number): FetchError {
  return new FetchError(
    'FETCH_TOO_MANY_FILES',
    `${count} files of feed ${spec.feed} wait on ${source.name}; the job allows ${spec.limits.maxFiles} at once. Nothing was fetched; ask the partner, or raise limits.maxFiles of the job.`,
    { details: { feed: spec.feed, count, maxFiles: spec.limits.maxFiles } },
  )
}
