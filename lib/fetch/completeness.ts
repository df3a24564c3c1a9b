/**
 * When a remote file is whole: settled, marked, or told its checksum. What is not whole yet is held,
 * with the reason; the next fetch looks again. That a file changed during its download is
 * found by download.ts.
 */
import type { Completeness, FetchSpec } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { HeldFile, RemoteFile } from '../model/received-file.ts'
import { printableName, type SourceConnection } from '../model/source.ts'
import { companionOf, readSidecar, type StatedChecksum } from './companion.ts'
import { retrying } from './retry.ts'

/** A file that may be downloaded. */
export interface ReadyFile {
  readonly file: RemoteFile
  /** What its bytes must hash to, null when nobody said. */
  readonly checksum: StatedChecksum | null
}

/** Files parted into those that are whole and those that are not. */
export interface Judged {
  readonly ready: readonly ReadyFile[]
  readonly held: readonly HeldFile[]
}

/** Judges all files of one listing together, so that a feed waits for settling once and not per file. */
export async function judgeCompleteness(
  spec: FetchSpec,
  files: readonly RemoteFile[],
  namesListed: ReadonlySet<string>,
  source: SourceConnection,
  context: StepContext,
): Promise<Judged> {
  const rule = spec.completeWhen
  if (files.length === 0) return { ready: [], held: [] }
  if (rule.kind === 'settled') return settle(spec, rule.forMs, files, source, context)
  const ready: ReadyFile[] = []
  const held: HeldFile[] = []
  for (const file of files) {
    const companion = companionOf(rule, file.remoteName)!
    if (!namesListed.has(companion)) held.push(waitingFor(rule, file, companion))
    else if (rule.kind === 'marker') ready.push({ file, checksum: null })
    else {
      const stated = await retrying(context, companion, () =>
        readSidecar(source, file.remoteFolder, companion, file.remoteName),
      )
      if (typeof stated === 'string') held.push(unreadable(file, stated))
      else ready.push({ file, checksum: stated })
    }
  }
  return { ready, held }
}

async function settle(
  spec: FetchSpec,
  forMs: number,
  files: readonly RemoteFile[],
  source: SourceConnection,
  context: StepContext,
): Promise<Judged> {
  await context.clock.sleep(forMs, context.signal)
  const again = await retrying(context, spec.folder, () => source.list(spec.folder))
  const now = new Map(again.entries.map(entry => [entry.name, entry]))
  const ready: ReadyFile[] = []
  const held: HeldFile[] = []
  for (const file of files) {
    const entry = now.get(file.remoteName)
    if (entry === undefined) held.push(gone(file))
    else if ((entry.size ?? -1) === file.size && (entry.mtimeMs ?? 0) === file.mtimeMs) {
      ready.push({ file, checksum: null })
    } else held.push(changed(file, entry.size ?? -1))
  }
  return { ready, held }
}

/** The file was seen to grow or change while it was looked at. */
export function changed(file: RemoteFile, sizeNow: number): HeldFile {
  const name = printableName(file.remoteName)
  return sizeNow > file.size
    ? {
        ...file,
        code: 'FETCH_FILE_GROWING',
        message: `${name} is still growing (${file.size} bytes, then ${sizeNow}). What was read of it was thrown away; it is looked at again at the next fetch.`,
      }
    : {
        ...file,
        code: 'FETCH_FILE_CHANGED',
        message: `${name} was replaced or changed while it was fetched. What was read of it was thrown away; it is looked at again at the next fetch.`,
      }
}

/** The file is no longer there. */
export function gone(file: RemoteFile): HeldFile {
  return {
    ...file,
    code: 'FETCH_FILE_GONE',
    message: `${printableName(file.remoteName)} was listed and then no longer there. Nothing was received; it is looked for again at the next fetch.`,
  }
}

function waitingFor(rule: Completeness, file: RemoteFile, companion: string): HeldFile {
  const name = printableName(file.remoteName)
  const beside = printableName(companion)
  return rule.kind === 'marker'
    ? {
        ...file,
        code: 'FETCH_MARKER_MISSING',
        message: `${name} is there, its marker ${beside} is not. It is fetched once the marker has come.`,
      }
    : {
        ...file,
        code: 'FETCH_CHECKSUM_MISSING',
        message: `${name} is there, its checksum file ${beside} is not. It is fetched once that has come.`,
      }
}

function unreadable(file: RemoteFile, why: string): HeldFile {
  return {
    ...file,
    code: 'FETCH_CHECKSUM_UNREADABLE',
    message: `${printableName(file.remoteName)} is not fetched yet: ${why}. It is looked at again at the next fetch.`,
  }
}
