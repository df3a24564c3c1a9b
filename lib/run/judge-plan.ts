/**
 * Whether a plan may still be applied: made here, unedited, about the run's latest comparison and its very
 * pictures, with nothing loaded since, and within what the job allows now. Reads only.
 */
import { edited } from '../../reconcile/resolve/plan-file.ts'
import type { Connection } from '../db/connection.ts'
import { hasFrozenFiles, isKnownPlan, loadedRevision, resolutionOf } from '../ledger/resolution.ts'
import { latestRevision, type Revision } from '../ledger/revision.ts'
import { type RunDetails, runDetails } from '../ledger/run-list.ts'
import { ConfigError } from '../model/errors.ts'
import type { Reconciliation, ScheduledJob } from '../model/job.ts'
import type { PlannedChange, ResolutionPlan } from '../model/resolution.ts'
import { overCap } from './plan-resolution.ts'

/** Where a plan stands. */
export interface JudgedPlan {
  /** The load of files that it stands on. */
  readonly base: Revision
  /** The revision that applies it, null before the first try. */
  readonly revision: Revision | null
}

/**
 * Judges a plan against the run ledger and the job as they are now.
 * @throws CONFIG_PLAN_EDITED, CONFIG_PLAN_STALE, CONFIG_RESOLVE_OVER_CAP
 */
export async function judgePlan(
  connection: Connection,
  scheduled: ScheduledJob,
  plan: ResolutionPlan,
): Promise<JudgedPlan> {
  const { job, businessDate } = plan
  const details = await runDetails(connection, { job, businessDate })
  if (details === null || !(await isKnownPlan(connection, plan.digest, details.run.id)))
    throw edited('The plan')
  const revision = await resolutionOf(connection, plan.digest)
  const base = await loadedRevision(connection, details.run.id)
  if (base === null) throw stalePlan(plan, 'nothing is loaded for its date')
  if (revision !== null && revision.state !== 'frozen') return { base, revision }
  const why = await moved(connection, plan, details, base)
  if (why !== null) throw stalePlan(plan, why)
  judgeRules(scheduled, plan)
  return { base, revision }
}

/** What happened since the plan was made, null when nothing that matters did. */
async function moved(
  connection: Connection,
  plan: ResolutionPlan,
  { comparison, run }: RunDetails,
  base: Revision,
): Promise<string | null> {
  if (comparison.number !== plan.comparison)
    return `the date was compared again since (comparison ${comparison.number}; the plan is of ${plan.comparison})`
  for (const { reconciliation, source, target } of plan.snapshots) {
    const result = comparison.results.find(one => one.reconciliation === reconciliation)
    if (result?.left.digest !== source || result.right.digest !== target)
      return `the pictures of ${reconciliation} are not those that it was made from`
  }
  if (run.owed || (await hasFrozenFiles(connection, run.id)))
    return 'files of the date came that are not loaded yet; run it first'
  const latest = await latestRevision(connection, run.id)
  if (latest?.state === 'published') return 'what was loaded last is not compared yet; run the date first'
  return latest !== null && latest.number > base.number && latest.state === 'unpublished'
    ? 'a later load of the date was refused; look at it first'
    : null
}

/** The job may have changed since the plan was made. */
function judgeRules({ job }: ScheduledJob, plan: ResolutionPlan): void {
  for (const reconciliation of job.reconcile.comparisons) {
    const mine = plan.changes.filter(change => change.reconciliation === `${job.name}.${reconciliation.name}`)
    const against = mine.find(change => !mayChange(reconciliation, change))
    if (against !== undefined)
      throw stalePlan(plan, `the job no longer lets the source decide about ${reconciliation.name}`)
    const over = overCap(reconciliation, mine)
    if (over === null) continue
    throw new ConfigError(
      'CONFIG_RESOLVE_OVER_CAP',
      `The plan for ${plan.job} of ${plan.businessDate} is refused whole: ${over}. Nothing was changed.`,
    )
  }
  const known = new Set(job.reconcile.comparisons.map(({ name }) => `${job.name}.${name}`))
  if (plan.changes.some(({ reconciliation }) => !known.has(reconciliation)))
    throw stalePlan(plan, 'a comparison that it is about is no longer declared')
}

function mayChange({ resolve }: Reconciliation, { operation, columns }: PlannedChange): boolean {
  if (resolve === undefined) return false
  if (operation === 'reload') return resolve.rows === 'source'
  return columns.every(({ name }) => resolve.authority[name] === 'source')
}

/** The refusal of a plan that was overtaken. */
export function stalePlan({ job, businessDate }: ResolutionPlan, why: string): ConfigError {
  return new ConfigError(
    'CONFIG_PLAN_STALE',
    `The plan for ${job} of ${businessDate} no longer fits: ${why}. Nothing was changed; make a new plan.`,
    { details: { job, businessDate } },
  )
}
