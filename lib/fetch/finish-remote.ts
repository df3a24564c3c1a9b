/**
 * What happens to the remote file after its load (T3): left, moved or deleted. Nothing here can undo
 * a load: every failure is a result that is told, but for a lost fence.
 */
import { FetchError, TallymanError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { RemoteFile } from '../model/received-file.ts'
import { printableName, type RemotePath, type SourceConnection } from '../model/source.ts'
import { asideName } from './aside-name.ts'
import { retrying } from './retry.ts'

/** How it ended. `new-delivery`: what lay there was not what was loaded, so it was left or put back. */
export type RemoteOutcome = 'left' | 'moved' | 'deleted' | 'already-gone' | 'new-delivery' | 'failed'

/** The end of a remote file. */
export interface FinishedRemote {
  readonly outcome: RemoteOutcome
  /** For the log and the mail; empty for `left`. */
  readonly message: string
  /** Code of the failure, null where there was none. */
  readonly code: string | null
}

/** A loaded file: what was listed when it was fetched, and its hash. */
export type LoadedFile = RemoteFile & { readonly rawSha256: string }

/**
 * Leaves, moves or deletes a loaded file at its source.
 * Guarantee: only what was loaded is moved or deleted: the file is first renamed to a name of ours, then
 * compared; another file is put back. Done twice it is as done once, so a crash in between is mended
 * by calling again.
 * On failure: an outcome, never an exception; only what `assertFence` throws is passed on.
 */
export async function finishRemote(
  spec: FetchSpec,
  file: LoadedFile,
  source: SourceConnection,
  assertFence: () => Promise<void>,
  context: StepContext,
): Promise<FinishedRemote> {
  if (spec.after === 'leave') return { outcome: 'left', message: '', code: null }
  await assertFence()
  const from: RemotePath = { folder: file.remoteFolder, name: file.remoteName }
  const folder = spec.after === 'delete' ? file.remoteFolder : spec.after.move
  const name = printableName(file.remoteName)
  const put = await guarded(file, () => retrying(context, name, () => setAside(file, from, folder, source)))
  if ('outcome' in put) return told(put, file, context)
  if (spec.after !== 'delete') return told(done('moved'), file, context)
  await assertFence()
  failpoint('fetch.before-remote-delete')
  const removed = await guarded(file, () => retrying(context, name, () => remove(put, source)))
  return told(removed, file, context)
}

/** Tries to find a free name of ours; more takers than this have never been one file's fate. */
const ASIDE_NAMES = 20

/** Renames the file to a name of ours in `folder` and compares: the place where it now lies, or how else it ended. */
async function setAside(
  file: LoadedFile,
  from: RemotePath,
  folder: string,
  source: SourceConnection,
): Promise<RemotePath | FinishedRemote> {
  const now = await source.stat(from.folder, from.name)
  const there = now !== null && isLoaded(file, now)
  for (let count = 1; count <= ASIDE_NAMES; count += 1) {
    const aside = { folder, name: asideName(file, count) }
    const taken = await source.stat(aside.folder, aside.name)
    if (taken === null && there) return renameAndCompare(file, from, aside, source)
    if (taken === null) break
    // An earlier try was interrupted; what lies under the old name since then is a new delivery.
    if (!there && isLoaded(file, taken)) return aside
  }
  return now === null
    ? { outcome: 'already-gone', message: goneMessage(file), code: null }
    : { outcome: 'new-delivery', message: newMessage(file, from), code: null }
}

async function renameAndCompare(
  file: LoadedFile,
  from: RemotePath,
  aside: RemotePath,
  source: SourceConnection,
): Promise<RemotePath | FinishedRemote> {
  failpoint('fetch.before-remote-rename')
  await source.rename(from, aside).catch(async error => {
    const here = await source.stat(from.folder, from.name)
    throw here !== null && error instanceof FetchError && error.code === 'FETCH_FILE_GONE'
      ? noTargetFolder(aside, source, error)
      : error
  })
  failpoint('fetch.after-remote-rename')
  const moved = await source.stat(aside.folder, aside.name)
  if (moved !== null && isLoaded(file, moved)) return aside
  return putBack(file, from, aside, source)
}

/** Removes what was set aside. That it is gone already is what a lost answer looks like. */
async function remove(aside: RemotePath, source: SourceConnection): Promise<FinishedRemote> {
  if ((await source.stat(aside.folder, aside.name)) !== null) await source.remove(aside)
  return done('deleted')
}

/** Between the look and the rename a new delivery took the name: it gets its name back, or keeps ours if the name is taken again. */
async function putBack(
  file: LoadedFile,
  from: RemotePath,
  aside: RemotePath,
  source: SourceConnection,
): Promise<FinishedRemote> {
  const taken = await source.stat(from.folder, from.name)
  if (taken === null) {
    await source.rename(aside, from)
    return { outcome: 'new-delivery', message: newMessage(file, from), code: null }
  }
  return {
    outcome: 'new-delivery',
    message: `A new delivery of ${printableName(file.remoteName)} was caught while the loaded one was put away, and another one has its name since. It lies as ${printableName(aside.name)} in ${printableName(aside.folder)} and is not fetched under that name: rename it by hand once the other one is fetched.`,
    code: 'FETCH_REMOTE_KEPT',
  }
}

function isLoaded(file: RemoteFile, entry: { size: number | null; mtimeMs: number | null }): boolean {
  return entry.size === file.size && (entry.mtimeMs ?? 0) === file.mtimeMs
}

function noTargetFolder(aside: RemotePath, source: SourceConnection, cause: FetchError): FetchError {
  return new FetchError(
    'FETCH_FOLDER_MISSING',
    `The folder ${printableName(aside.folder)}, to which loaded files are moved, does not exist on ${source.name}. It is not made by us; ask the partner for it.`,
    { details: { source: source.name }, cause },
  )
}

async function guarded<T>(file: LoadedFile, action: () => Promise<T>): Promise<T | FinishedRemote> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error
    return {
      outcome: 'failed',
      message: `${printableName(file.remoteName)} was loaded, but could not be put away at the source: ${error.message} The load stands.`,
      code: error.code,
    }
  }
}

function done(outcome: 'moved' | 'deleted'): FinishedRemote {
  return { outcome, message: '', code: null }
}

function told(finished: FinishedRemote, file: LoadedFile, context: StepContext): FinishedRemote {
  const facts = { name: printableName(file.remoteName), outcome: finished.outcome, code: finished.code }
  const calm = finished.outcome === 'moved' || finished.outcome === 'deleted'
  if (calm) context.log.info('fetch.remote-finished', facts)
  else context.log.warn('fetch.remote-finished', { ...facts, message: finished.message })
  return finished
}

function goneMessage(file: LoadedFile): string {
  return `${printableName(file.remoteName)} is no longer at the source: somebody else removed or moved it. There was nothing left to do.`
}

function newMessage(file: LoadedFile, from: RemotePath): string {
  return `${printableName(file.remoteName)} in ${printableName(from.folder)} is no longer the file that was loaded but a new delivery. It was left there and is fetched at the next run.`
}
