/**
 * A local or mounted folder as a source of files, with the same codes as SFTP.
 * Folders are taken from the environment's data folder unless they are absolute.
 */
import { constants, type Stats } from 'node:fs'
import { lstat, open, opendir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FetchError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'
import {
  isUsableName,
  type Listing,
  printableName,
  type RemotePath,
  type SourceConnection,
  type SourceEntry,
} from '../model/source.ts'

/** As much as one disk read gives cheaply. */
const PIECE_BYTES = 256 * 1024

/** The source. */
export function localFolder(root: string, context: Pick<StepContext, 'signal'>): SourceConnection {
  const at = (path: RemotePath) => join(resolve(root, path.folder), path.name)
  return {
    name: 'this machine',
    list: async folder =>
      translated(resolve(root, folder), 'folder', () => listFolder(resolve(root, folder))),
    stat: async (folder, name) => {
      const path = at({ folder, name })
      const stats = await translated(path, 'file', () =>
        lstat(path).catch(error => {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
          throw error
        }),
      )
      return stats === null ? null : entryOf(name, stats)
    },
    read: (folder, name) => pieces(at({ folder, name }), context.signal),
    rename: async (from, to) => {
      await translated(at(from), 'file', async () => {
        const target = await lstat(at(to)).catch(() => null)
        if (target !== null) throw Object.assign(new Error('target exists'), { code: 'EEXIST' })
        await rename(at(from), at(to))
      })
    },
    remove: async path => {
      await translated(at(path), 'file', () => rm(at(path)))
    },
    close: async () => {},
  }
}

async function listFolder(path: string): Promise<Listing> {
  const entries: SourceEntry[] = []
  const unusable: string[] = []
  for await (const found of await opendir(path)) {
    if (!isUsableName(found.name)) {
      unusable.push(found.name)
      continue
    }
    const stats = await lstat(join(path, found.name)).catch(() => null)
    // Gone since the folder was opened.
    if (stats !== null) entries.push(entryOf(found.name, stats))
  }
  return { entries, unusable }
}

async function* pieces(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const handle = await translated(path, 'file', () => open(path, constants.O_RDONLY | constants.O_NOFOLLOW))
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  try {
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await translated(path, 'file', () => handle.read(buffer, 0, PIECE_BYTES))
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

function entryOf(name: string, stats: Stats): SourceEntry {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'folder'
      : stats.isSymbolicLink()
        ? 'link'
        : 'other'
  return { name, kind, size: stats.size, mtimeMs: Math.floor(stats.mtimeMs) }
}

async function translated<T>(path: string, what: 'folder' | 'file', action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw sourceError(path, what, error)
  }
}

function sourceError(path: string, what: 'folder' | 'file', error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  const shown = printableName(path)
  const options = { details: { path, reason: code ?? '' }, cause: error }
  switch (code) {
    case undefined:
      return error
    case 'ENOENT':
    case 'ENOTDIR':
      return what === 'folder'
        ? new FetchError(
            'FETCH_FOLDER_MISSING',
            `The folder ${shown} does not exist. It is not tried again; check the path or the mount.`,
            options,
          )
        : new FetchError(
            'FETCH_FILE_GONE',
            `The file ${shown} is no longer there. The folder is listed again.`,
            {
              ...options,
              retry: 'backoff',
            },
          )
    case 'EACCES':
    case 'EPERM':
      return new FetchError(
        'FETCH_PERMISSION_DENIED',
        `This user may not use the ${what} ${shown}. It is not tried again; give it the right.`,
        options,
      )
    default:
      return new FetchError(
        'FETCH_SERVER_FAILED',
        `The ${what} ${shown} can't be read or moved: ${code}. It is tried again.`,
        { ...options, retry: 'backoff' },
      )
  }
}
