/**
 * Checks every snapshot that the run ledger keeps: whether its files are there and are what they were. What a past
 * night came to is proved by prove-night.ts.
 */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { type SnapshotCheck, SnapshotChecker } from '../../reconcile/snapshot/check.ts'
import { type ListedSnapshot, listSnapshots } from '../ledger/snapshot.ts'
import type { Engine } from './engine.ts'

/** A snapshot with what was found of it. */
export interface CheckedSnapshot extends SnapshotCheck {
  readonly snapshot: ListedSnapshot
}

/** Checks all snapshots of a job, or of all. Cost: every row is read once. */
export async function checkSnapshots(engine: Engine, job: string | null): Promise<CheckedSnapshot[]> {
  const { snapshots, work } = engine.folders
  const filter = job === null ? {} : { job }
  const kept = await engine.database.use(connection =>
    listSnapshots(connection, filter, Number.MAX_SAFE_INTEGER),
  )
  const spill = path.join(work, `check-${randomUUID()}.spill`)
  const checker = await SnapshotChecker.open(snapshots, spill, engine.signal)
  try {
    const checked: CheckedSnapshot[] = []
    for (const snapshot of kept) {
      const manifest = path.join(snapshots, path.basename(snapshot.path))
      checked.push({ snapshot, ...(await checker.check(manifest)) })
    }
    return checked
  } finally {
    await checker.close()
  }
}
