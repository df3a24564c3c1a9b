/**
 * What the report step is told of an attempt: all that is known at its end, and who reports. Written down by
 * report-step.ts, mailed by night-mail.ts.
 */
import type { Lease } from '../ledger/lease.ts'
import type { Revision } from '../ledger/revision.ts'
import type { AnyJob, ScheduledJob } from '../model/job.ts'
import type { FailedUnit } from '../model/mapping.ts'
import type { FileResult, LoadResult, StepResult } from '../model/run.ts'
import type { NightReportInput } from '../report/night-report.ts'
import type { Reconciled } from './compare-night.ts'
import type { Engine } from './engine.ts'

/** All that is known at the end of an attempt. */
export interface NightFacts {
  readonly state: NightReportInput['state']
  readonly revision: Revision | null
  readonly comparisonNumber: number | null
  readonly files: readonly FileResult[]
  readonly steps: readonly StepResult[]
  readonly load: LoadResult | null
  readonly published: boolean
  readonly warnings: readonly string[]
  readonly failedUnits: readonly FailedUnit[]
  readonly reconciled: readonly Reconciled[]
  readonly failure: unknown
}

/** Who reports about what. */
export interface Reporting<Job extends AnyJob = AnyJob> {
  readonly engine: Engine
  readonly scheduled: ScheduledJob<Job>
  readonly lease: Lease
}
