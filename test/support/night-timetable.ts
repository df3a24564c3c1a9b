/**
 * The real timetable for tests: the same jobs, with the pause between two looks at a file cut short,
 * and with what a test wants to be otherwise. Also the jobs.config.ts of the child processes.
 */
import timetable from '../../jobs.config.ts'
import { settled } from '../../lib/fetch/sources.ts'
import {
  type AfterLoad,
  type FetchSpec,
  isMoving,
  type LoadSpec,
  type Reconciliation,
  type ScheduledJob,
  type Timetable,
} from '../../lib/model/job.ts'

/** What differs from the real job. */
export interface JobChange {
  readonly after?: AfterLoad
  readonly perDate?: 'one' | 'many'
  readonly fileUntil?: string
  readonly catchUp?: ScheduledJob['catchUp']
  /** Loads into this one of the environment's targets; what plans would change is left alone then. */
  readonly target?: string
}

/** Changes by job name. */
export type TimetableChanges = Readonly<Record<string, JobChange>>

/** Two looks at a file lie this far apart in tests. */
const LOOKS_APART_MS = 5

function changedFetch(spec: FetchSpec, change: JobChange): FetchSpec {
  return {
    ...spec,
    completeWhen: settled({ forMs: LOOKS_APART_MS }),
    after: change.after ?? spec.after,
    perDate: change.perDate ?? spec.perDate,
  }
}

function changedLoad(load: LoadSpec, { target }: JobChange): LoadSpec {
  return target === undefined || load.kind === 'api' ? load : { ...load, database: target }
}

function withoutPlans(comparison: Reconciliation): Reconciliation {
  const { resolve, ...rest } = comparison
  return resolve === undefined ? comparison : rest
}

function changed(scheduled: ScheduledJob, change: JobChange): ScheduledJob {
  const { job } = scheduled
  const comparisons = job.reconcile.comparisons.map(comparison =>
    comparison.target.kind === 'files'
      ? {
          ...comparison,
          target: { ...comparison.target, fetch: changedFetch(comparison.target.fetch, {}) },
        }
      : comparison,
  )
  return {
    ...scheduled,
    fileUntil: change.fileUntil ?? scheduled.fileUntil,
    catchUp: change.catchUp ?? scheduled.catchUp,
    job: {
      ...job,
      fetch: changedFetch(job.fetch, change),
      load: changedLoad(job.load, change),
      reconcile: {
        comparisons: change.target === undefined ? comparisons : comparisons.map(withoutPlans),
      },
    },
  }
}

/** The real timetable with these changes. */
export function timetableWith(changes: TimetableChanges = {}): Timetable {
  return {
    jobs: timetable.jobs.map(one => (isMoving(one) ? changed(one, changes[one.job.name] ?? {}) : one)),
  }
}
