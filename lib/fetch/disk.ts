/**
 * Writing to our own disk: buffered, synced, and with a full disk told as what it is.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { FetchError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'

/** One write per MiB: a write per network packet costs more than the network. */
const BUFFER_BYTES = 1024 * 1024

/** A file being written from its beginning. */
export class DiskWriter {
  readonly path: string
  readonly #handle: FileHandle
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #used = 0

  constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** Takes a piece, which the caller may overwrite afterwards. @throws FETCH_DISK_FULL, FETCH_DISK_FAILED */
  async write(piece: Uint8Array): Promise<void> {
    let from = 0
    while (from < piece.length) {
      const part = piece.subarray(from, from + BUFFER_BYTES - this.#used)
      this.#buffer.set(part, this.#used)
      this.#used += part.length
      from += part.length
      if (this.#used === BUFFER_BYTES) await this.#flush()
    }
  }

  /** Everything is on the disk, not only in the machine's memory. @throws FETCH_DISK_FULL, FETCH_DISK_FAILED */
  async finish(): Promise<void> {
    await this.#flush()
    await onDisk(this.path, async () => {
      failpoint('fetch.disk-sync')
      await this.#handle.sync()
    })
    await this.#handle.close()
  }

  /** Closes and removes the file; never fails, so that the reason for it is what is told. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {})
    await rm(this.path, { force: true }).catch(() => {})
  }

  async #flush(): Promise<void> {
    for (let written = 0; written < this.#used; ) {
      const from = written
      const { bytesWritten } = await onDisk(this.path, async () => {
        failpoint('fetch.disk-write')
        return this.#handle.write(this.#buffer, from, this.#used - from)
      })
      written += bytesWritten
    }
    this.#used = 0
  }
}

/** A new file; an existing one of that name is an error. @throws FETCH_DISK_FULL, FETCH_DISK_FAILED */
export async function createFile(path: string): Promise<DiskWriter> {
  return new DiskWriter(path, await onDisk(path, () => open(path, 'wx', 0o600)))
}

/** Does something on our own disk and tells its failure as ours, not the partner's. */
export async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw diskError(path, error)
  }
}

/** The FetchError of a failure on our own disk. */
export function diskError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined || error instanceof FetchError) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new FetchError(
      'FETCH_DISK_FULL',
      `The disk of the archive is full: ${path} could not be written and was removed. Nothing of it was loaded; free space and run again.`,
      { details: { path }, cause: error },
    )
  }
  return new FetchError(
    'FETCH_DISK_FAILED',
    `The archive can't be written: ${path} failed with ${code}. Nothing of it was loaded; check the folder and its rights.`,
    { details: { path, reason: code }, cause: error },
  )
}
