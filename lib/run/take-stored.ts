/**
 * A side that was stored with a comparison of another date: the picture as it was taken then, whatever
 * became of the system since. Which date that is follows from the job's calendar.
 */
import { randomUUID } from 'node:crypto'
import { access } from 'node:fs/promises'
import type { AbsentSide, ComparedSide } from '../../reconcile/compare/gates.ts'
import { snapshotStored } from '../../reconcile/sides/stored-side.ts'
import type { SnapshotPlace } from '../../reconcile/snapshot/finish.ts'
import { readSnapshot, type Snapshot } from '../../reconcile/snapshot/manifest.ts'
import type { AppliedScope } from '../../reconcile/snapshot/scope.ts'
import { listRuns } from '../ledger/run-list.ts'
import { latestSnapshots } from '../ledger/snapshot.ts'
import { ReconcileError } from '../model/errors.ts'
import type { StoredSide } from '../model/job.ts'
import { previousBusinessDay } from '../model/time/business-date.ts'
import type { SideInput } from './side-input.ts'

/** The stored picture, limited to the scope; absent when that date was not compared, or its picture is gone. */
export async function takeStored(
  side: StoredSide,
  { request, which, table }: SideInput,
  scope: AppliedScope,
  place: SnapshotPlace,
): Promise<ComparedSide> {
  const { engine, scheduled } = request
  const job = side.job ?? scheduled.job.name
  let date = request.businessDate
  for (let days = 0; days < side.daysBefore; days += 1) date = previousBusinessDay(date, scheduled.calendar)
  const name = `${job}.${side.comparison}, ${side.side} of ${date}`
  const row = await engine.database.use(async connection => {
    const [run] = await listRuns(connection, { jobs: [job], from: date, to: date })
    const rows = run === undefined ? [] : await latestSnapshots(connection, run.id)
    return rows.find(one => one.reconciliation === `${job}.${side.comparison}` && one.side === side.side)
  })
  if (row === undefined) return absent(name, `${job} of ${date} was not compared yet`)
  let stored: Snapshot
  try {
    stored = await readSnapshot(row.path)
    await access(stored.path)
  } catch (error) {
    const gone = error instanceof ReconcileError && error.code === 'RECONCILE_SNAPSHOT_MISSING'
    if (!gone && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return absent(name, 'its picture is not kept any more')
  }
  const told = `${stored.manifest.name} of ${date}`
  if (scope.kind === 'all')
    return { ...stored, manifest: { ...stored.manifest, name: told, side: which, businessDate: date } }
  return snapshotStored(place, stored, {
    name: `stored-${randomUUID()}`,
    facts: { ...stored.manifest, name: told, side: which, businessDate: date },
    totals: table.totals,
    scope,
  })
}

function absent(name: string, why: string): AbsentSide {
  return { name, absent: `There is no stored picture of ${name}: ${why}.` }
}
