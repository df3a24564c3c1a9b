/**
 * Puts finished files under their final names so that a crash leaves either nothing or the whole:
 * written aside, fsynced, renamed, folder fsynced. Snapshots are content-addressed, so what is
 * there already, and whole, is left as it is.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { failpoint } from '../../lib/model/failpoint.ts'
import type { Snapshot, SnapshotManifest } from './manifest.ts'

/**
 * Stores written Parquet rows and their manifest in `folder`. Rows that are there already under the same address stay
 * when they are whole, and are replaced when they are damaged. Guarantee: a second store of the same content changes nothing.
 */
export async function storeSnapshot(
  folder: string,
  written: string,
  facts: Omit<SnapshotManifest, 'file'>,
): Promise<Snapshot> {
  const parquet = path.join(folder, `${facts.address}.parquet`)
  const known = (await exists(parquet)) ? await knownHashes(folder, facts.address) : null
  if (known?.has(await sha256Of(parquet))) await rm(written, { force: true })
  else await publish(written, parquet)
  failpoint('reconcile.snapshot-rows-stored')
  const file = { bytes: (await stat(parquet)).size, sha256: await sha256Of(parquet) }
  const manifest = { ...facts, file }
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  const manifestPath = path.join(folder, `${manifest.address}.${markOf(text)}.json`)
  if (!(await exists(manifestPath))) {
    await writeFile(`${written}.json`, text)
    await publish(`${written}.json`, manifestPath)
  }
  return { manifest, path: parquet, manifestPath }
}

/** The hashes that the manifests of an address give its file: equal rows may have been written anew, as other bytes. */
export async function knownHashes(folder: string, address: string): Promise<ReadonlySet<string>> {
  const hashes = new Set<string>()
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${address}.`) || !name.endsWith('.json')) continue
    const text = await readFile(path.join(folder, name), 'utf8').catch(() => '')
    if (name === `${address}.${markOf(text)}.json`)
      hashes.add((JSON.parse(text) as SnapshotManifest).file.sha256)
  }
  return hashes
}

/** What of a manifest's text stands in its name: one that was changed later does not fit its name any more. */
export function markOf(manifestText: string): string {
  return createHash('sha256').update(manifestText).digest('hex').slice(0, 12)
}

/** SHA-256 of a file, hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** Moves a written file to its final name durably. */
export async function publish(from: string, to: string): Promise<void> {
  await syncPath(from)
  await rename(from, to)
  await syncPath(path.dirname(to))
}

async function syncPath(target: string): Promise<void> {
  const handle = await open(target, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
