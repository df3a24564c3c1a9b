/**
 * Puts finished files under their final names so that a crash leaves either nothing or the whole:
 * written aside, fsynced, renamed, folder fsynced. Snapshots are content-addressed, so what is
 * there already is left as it is.
 */
import { createHash } from 'node:crypto'
import { access, open, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { failpoint } from '../../lib/model/failpoint.ts'
import type { Snapshot, SnapshotManifest } from './manifest.ts'

/** Stores written Parquet rows and their manifest in `folder`. Guarantee: a second store of the same content changes nothing. */
export async function storeSnapshot(
  folder: string,
  written: string,
  manifest: SnapshotManifest,
): Promise<Snapshot> {
  const parquet = path.join(folder, `${manifest.address}.parquet`)
  if (await exists(parquet)) await rm(written, { force: true })
  else await publish(written, parquet)
  failpoint('reconcile.snapshot-rows-stored')
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 12)
  const manifestPath = path.join(folder, `${manifest.address}.${mark}.json`)
  if (!(await exists(manifestPath))) {
    await writeFile(`${written}.json`, text)
    await publish(`${written}.json`, manifestPath)
  }
  return { manifest, path: parquet, manifestPath }
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
