/**
 * One verified download (T1): size before = bytes received = size after, same mtime, hashed while
 * reading, synced to disk under a temporary name. Giving it its name is archive.ts; decoding decode.ts.
 */
import { createHash, type Hash } from 'node:crypto'
import { FetchError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { StepContext } from '../model/progress.ts'
import type { HeldFile, RemoteFile } from '../model/received-file.ts'
import { printableName, type SourceConnection, type SourceEntry } from '../model/source.ts'
import type { StatedChecksum } from './companion.ts'
import { changed, gone } from './completeness.ts'
import { createFile, type DiskWriter } from './disk.ts'

/** Progress is told about every MiB: often enough for a terminal, rare enough to cost nothing. */
const PROGRESS_BYTES = 1024 * 1024

/** The bytes as received, under a temporary name. */
export interface Downloaded {
  readonly path: string
  readonly bytes: number
  readonly rawSha256: string
  /** The hash in the sidecar's algorithm, null where there is no sidecar. */
  readonly stated: string | null
}

/**
 * Downloads a file to `path`, whole or not at all; a held file when it changed meanwhile or is gone.
 * Guarantee: on return the bytes are on the disk. On failure: nothing is left under `path`.
 * @throws FETCH_FILE_TRUNCATED when the transfer ended early though the file did not change (B2)
 * @throws FETCH_SIZE_UNKNOWN, FETCH_FILE_TOO_BIG, FETCH_DISK_FULL, and what the source throws
 */
export async function download(
  source: SourceConnection,
  file: RemoteFile,
  path: string,
  options: { readonly maxBytes: number; readonly checksum: StatedChecksum | null },
  context: StepContext,
): Promise<Downloaded | HeldFile> {
  if (file.size < 0) throw sizeUnknown(source, file)
  const before = await source.stat(file.remoteFolder, file.remoteName)
  const early = difference(file, before)
  if (early !== null) return early
  if (file.size > options.maxBytes) throw tooBig(file, options.maxBytes)
  const writer = await createFile(path)
  try {
    const hash = createHash('sha256')
    const second = options.checksum?.algorithm === 'md5' ? createHash('md5') : null
    const bytes = await copy(source, file, writer, second === null ? [hash] : [hash, second], context)
    const after = difference(file, await source.stat(file.remoteFolder, file.remoteName))
    if (after === null && bytes < file.size) throw truncated(source, file, bytes)
    if (after !== null || bytes > file.size) {
      await writer.discard()
      return after ?? changed(file, bytes)
    }
    await writer.finish()
    const rawSha256 = hash.digest('hex')
    return { path, bytes, rawSha256, stated: second?.digest('hex') ?? rawSha256 }
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Copies until the end or one byte more than listed: a file that grows faster than we read would never end. */
async function copy(
  source: SourceConnection,
  file: RemoteFile,
  writer: DiskWriter,
  hashes: readonly Hash[],
  context: StepContext,
): Promise<number> {
  const subject = printableName(file.remoteName)
  let bytes = 0
  let told = 0
  for await (const piece of source.read(file.remoteFolder, file.remoteName)) {
    bytes += piece.length
    if (bytes > file.size) break
    for (const hash of hashes) hash.update(piece)
    await writer.write(piece)
    if (bytes - told >= PROGRESS_BYTES || bytes === file.size) {
      told = bytes
      context.progress({ step: 'fetch', subject, unit: 'bytes', done: bytes, total: file.size })
      failpoint('fetch.mid-download')
    }
  }
  return bytes
}

/** How the file now differs from what was listed; null when it does not. */
function difference(file: RemoteFile, now: SourceEntry | null): HeldFile | null {
  if (now === null) return gone(file)
  const same = (now.size ?? -1) === file.size && (now.mtimeMs ?? 0) === file.mtimeMs && now.kind === 'file'
  return same ? null : changed(file, now.size ?? -1)
}

function truncated(source: SourceConnection, file: RemoteFile, bytes: number): FetchError {
  return new FetchError(
    'FETCH_FILE_TRUNCATED',
    `${source.name} ended ${printableName(file.remoteName)} after ${bytes} of ${file.size} bytes without an error. What was read was thrown away; it is fetched again.`,
    { retry: 'backoff', details: { source: source.name, expected: file.size, received: bytes } },
  )
}

function sizeUnknown(source: SourceConnection, file: RemoteFile): FetchError {
  return new FetchError(
    'FETCH_SIZE_UNKNOWN',
    `${source.name} does not tell the size of ${printableName(file.remoteName)} in its listing, so nobody could say whether it came over whole. Nothing was fetched; ask the partner to have the server tell sizes.`,
    { details: { source: source.name } },
  )
}

function tooBig(file: RemoteFile, maxBytes: number): FetchError {
  return new FetchError(
    'FETCH_FILE_TOO_BIG',
    `${printableName(file.remoteName)} has ${file.size} bytes; the feed allows ${maxBytes}. Nothing of it was fetched; ask the partner, or raise limits.maxBytes of the job.`,
    { details: { size: file.size, maxBytes } },
  )
}
