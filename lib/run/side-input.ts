/**
 * What taking the sides of a run's comparisons needs, handed from reconcile-step.ts through take-side.ts to
 * the files that read each kind of side.
 */
import type { ComparePlan } from '../../reconcile/compare/plan.ts'
import type { Lease } from '../ledger/lease.ts'
import type { AnyJob, ScheduledJob } from '../model/job.ts'
import type { FetchedFeed } from '../model/received-file.ts'
import type { TableDefinition } from '../model/table.ts'
import type { Engine } from './engine.ts'
import type { SourceSnapshots } from './source-snapshots.ts'

/** What a run's comparisons are made from. */
export interface ReconcileRequest {
  readonly engine: Engine
  readonly scheduled: ScheduledJob<AnyJob>
  readonly businessDate: string
  readonly lease: Lease
  /** Number of the comparison, part of the breaks file's name. */
  readonly number: number
  readonly snapshots: SourceSnapshots
  /** Feeds of sides that this run has fetched already, by name. */
  readonly fetched?: ReadonlyMap<string, FetchedFeed>
}

/** The place of a side in a comparison. */
export interface SideInput {
  readonly request: ReconcileRequest
  readonly plan: ComparePlan
  readonly table: TableDefinition
  readonly which: 'source' | 'target'
}
