/**
 * What lies in the folder of snapshots, by its name: rows, manifests, files with all breaks, and what is none of
 * ours. Names are made in store.ts and lib/run/compare-night.ts; what stays is decided in lib/run/purge.ts.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'

/** A file of the folder. */
export interface FolderFile {
  readonly name: string
  /** `stranger`: not named as we name files. */
  readonly kind: 'rows' | 'manifest' | 'breaks' | 'stranger'
}

const MANIFEST = /^([0-9a-f]{64}(?:-[0-9a-f]{16})?)\.[0-9a-f]{12}\.json$/
const ROWS = /^[0-9a-f]{64}(-[0-9a-f]{16})?\.parquet$/
const BREAKS = /^breaks-(\d+)-(\d+)-(.+)\.csv(\.part)?$/

/** Every file of the folder, by name. A folder that is not there is empty. */
export async function filesIn(folder: string): Promise<FolderFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = entries.filter(entry => entry.isFile()).map(({ name }) => name)
  return names.sort().map(name => ({ name, kind: kindOf(name) }))
}

/** Bytes of a file of the folder, 0 when it is gone. */
export async function sizeIn(folder: string, name: string): Promise<number> {
  return stat(path.join(folder, name)).then(
    ({ size }) => size,
    () => 0,
  )
}

function kindOf(name: string): FolderFile['kind'] {
  if (MANIFEST.test(name)) return 'manifest'
  if (ROWS.test(name)) return 'rows'
  return BREAKS.test(name) ? 'breaks' : 'stranger'
}

/** The file with the rows that a manifest is about, by its name. */
export function rowsOfManifest(name: string): string {
  return `${MANIFEST.exec(name)?.[1] ?? ''}.parquet`
}

/** Whose breaks a file has: the run, and the comparison's name within its job. */
export function runOfBreaks(name: string): { readonly runId: string; readonly comparison: string } {
  const [, runId = '', , comparison = ''] = BREAKS.exec(name) ?? []
  return { runId, comparison }
}

/** Removes a file of the folder; one that is gone already is no failure. */
export async function removeFrom(folder: string, name: string): Promise<void> {
  await rm(path.join(folder, name), { force: true })
}
