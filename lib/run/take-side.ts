/**
 * Takes a picture of one side of a comparison: the run's own records, the target, a query, another feed,
 * what was stored on another date. How each is read is reconcile/sides and reconcile/snapshot.
 */
import type { ComparedSide } from '../../reconcile/compare/gates.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import { applicableScope } from '../../reconcile/snapshot/scope.ts'
import { rowsOfQuery, rowsOfTable, snapshotDatabase } from '../../reconcile/snapshot/target.ts'
import type { Side } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import { qualifiedName } from '../model/table.ts'
import type { SideInput } from './side-input.ts'
import { takeFeed } from './take-feed.ts'
import { takeOtherDatabase } from './take-other-database.ts'
import { takePages } from './take-pages.ts'
import { takeStored } from './take-stored.ts'
import { withTargetSession } from './target-session.ts'

/** The picture of a side, or why there is none. @throws FETCH_*, RECONCILE_*, and what a database session throws */
export async function takeSide(
  side: Side,
  input: SideInput,
  other: Snapshot | null,
  context: StepContext,
): Promise<ComparedSide> {
  const { request, plan, table, which } = input
  const { engine, scheduled, businessDate, lease } = request
  if (side.kind === 'mapped') {
    const [name] = Object.entries(scheduled.job.map.tables).find(([, one]) => one === table)!
    return (
      request.snapshots.get(name) ?? {
        name: 'mapped records',
        absent:
          'The mapped records of this run were not kept, so there is nothing to compare with. Rerun the date from the archive.',
      }
    )
  }
  const scopeGiven = { plan, businessDate, other }
  if (side.scope === 'keysOfOther' && other === null) {
    return { name: side.kind, absent: 'The other side is missing, and this side is limited to its keys.' }
  }
  const scope = applicableScope(side.scope, scopeGiven)
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal: context.signal }
  const facts = {
    job: scheduled.job.name,
    side: which,
    businessDate,
    mappingVersion: scheduled.job.map.version,
    files: [],
  }
  switch (side.kind) {
    case 'files':
    case 'parquet':
      return takeFeed(side, input, scope, context)
    case 'snapshot':
      return takeStored(side, input, scope, place)
    case 'http':
      return takePages(side, input, scope, context)
    case 'query':
      if (side.database !== undefined)
        return takeOtherDatabase(side.database, side.sql, input, scope, context)
      return withTargetSession(engine, scheduled.job, lease, context, connection =>
        snapshotDatabase(place, { ...facts, name: 'query' }, connection, rowsOfQuery(side.sql, table, scope)),
      )
    case 'target':
      return withTargetSession(engine, scheduled.job, lease, context, connection =>
        snapshotDatabase(
          place,
          { ...facts, name: qualifiedName(table) },
          connection,
          rowsOfTable(table, scope),
        ),
      )
  }
}
