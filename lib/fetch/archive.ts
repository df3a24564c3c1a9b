/**
 * The archive: every received file under a name of our own, made of hashes, never of what a partner
 * sent. Layout: <archive>/<feed>/<business date>/<sha256>.raw, beside it <sha256>.content where the
 * content was decoded, and <uuid>.part while something is being written.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { failpoint } from '../model/failpoint.ts'
import type { KnownFile } from '../model/received-file.ts'
import type { BusinessDate } from '../model/time/business-date.ts'
import { onDisk } from './disk.ts'

/** The folder of all archived files, normally `<data folder>/archive`. */
export interface ArchiveFolder {
  readonly path: string
}

/** What names a file in the archive. */
export type ArchiveKey = Pick<KnownFile, 'businessDate' | 'rawSha256' | 'contentSha256'>

/** Where a file of a feed lies in the archive; a function of its hashes, so no path need be stored. */
export function archivedPaths(
  archive: ArchiveFolder,
  feed: string,
  key: ArchiveKey,
): { readonly rawPath: string; readonly contentPath: string } {
  const folder = dateFolder(archive, feed, key.businessDate)
  const rawPath = join(folder, `${key.rawSha256}.raw`)
  return {
    rawPath,
    contentPath: key.contentSha256 === key.rawSha256 ? rawPath : join(folder, `${key.contentSha256}.content`),
  }
}

function dateFolder(archive: ArchiveFolder, feed: string, date: BusinessDate): string {
  return join(resolve(archive.path), feed, date)
}

/** Whether both files of a known one are there with their full size. */
export async function isArchived(archive: ArchiveFolder, feed: string, file: KnownFile): Promise<boolean> {
  const { rawPath, contentPath } = archivedPaths(archive, feed, file)
  return (await sizeOf(rawPath)) === file.size && (await sizeOf(contentPath)) === file.contentBytes
}

async function sizeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.size ?? null
}

/** The folder in which the run of this date writes, and how its files get their place. */
export class Workplace {
  readonly #archive: ArchiveFolder
  readonly #feed: string
  readonly #folder: string

  constructor(archive: ArchiveFolder, feed: string, runDate: BusinessDate) {
    this.#archive = archive
    this.#feed = feed
    this.#folder = dateFolder(archive, feed, runDate)
  }

  /**
   * Makes the folder and removes what a crashed attempt left half written.
   * Only the holder of the run's lease writes here, so every .part file found now is stale.
   * Gives how many were removed.
   */
  async prepare(): Promise<number> {
    await onDisk(this.#folder, () => mkdir(this.#folder, { recursive: true, mode: 0o700 }))
    const stale = (await onDisk(this.#folder, () => readdir(this.#folder))).filter(name =>
      name.endsWith('.part'),
    )
    for (const name of stale) {
      const path = join(this.#folder, name)
      await onDisk(path, () => rm(path, { force: true }))
    }
    return stale.length
  }

  /** A path for something that is being written. */
  partPath(): string {
    return join(this.#folder, `${randomUUID()}.part`)
  }

  /**
   * Gives finished parts their final names and makes the names durable.
   * Guarantee: a file under its final name is whole; the same content again replaces itself.
   */
  async publish(
    key: ArchiveKey,
    rawPart: string,
    contentPart: string | null,
  ): Promise<{ readonly rawPath: string; readonly contentPath: string }> {
    const paths = archivedPaths(this.#archive, this.#feed, key)
    const folder = dirname(paths.rawPath)
    await onDisk(folder, async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      failpoint('fetch.before-rename')
      // Where decoding gave the very same bytes there is one file.
      if (contentPart !== null && paths.contentPath !== paths.rawPath)
        await rename(contentPart, paths.contentPath)
      else if (contentPart !== null) await rm(contentPart, { force: true })
      await rename(rawPart, paths.rawPath)
      failpoint('fetch.before-folder-sync')
      for (const durable of [folder, dirname(folder), dirname(dirname(folder))]) await syncFolder(durable)
    })
    return paths
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows can't open folders; there a rename is as durable as it gets.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
