/**
 * Clears the work folder of what killed processes left: spools of loads and comparisons that are the
 * size of a night's data. Files that are received or kept lie elsewhere and are never touched.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'

/** Nothing that still runs leaves a spool unwritten for this long: the longest comparison known took an hour. */
const ABANDONED_AFTER_MS = 48 * 3_600_000

/** Removes what nobody has written to for two days; gives how many entries. What can't be removed is left to the next time. */
export async function sweepWork(folder: string, now: number): Promise<number> {
  let removed = 0
  for (const name of await readdir(folder).catch(() => [])) {
    const entry = path.join(folder, name)
    const found = await stat(entry).catch(() => null)
    if (found === null || now - found.mtimeMs < ABANDONED_AFTER_MS) continue
    await rm(entry, { recursive: true, force: true }).then(
      () => {
        removed += 1
      },
      () => {},
    )
  }
  return removed
}
