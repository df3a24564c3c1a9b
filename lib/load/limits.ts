/**
 * What stops a load although each single record was judged: too many rejects, too many deletes, an
 * older mirror, rows of another date. Each breach publishes nothing. The numbers are the job's own
 * (model/job.ts); who counts is load-into-postgres.ts.
 */
import { LoadError } from '../model/errors.ts'
import type { PostgresLoad, RejectLimit } from '../model/job.ts'
import type { TablePlan } from './merge-plan.ts'

/**
 * Refuses a load with more rejects than its limit. Records that went with their unit are not counted.
 * @throws LOAD_REJECT_LIMIT
 */
export function judgeRejects(rejected: number, read: number, limit: RejectLimit): void {
  const breach = (rule: string): never => {
    throw new LoadError(
      'LOAD_REJECT_LIMIT',
      `${rejected} of ${read} records were rejected, and the limit is ${rule}. Nothing was published; the rejects are kept with their reasons and a corrected file is loaded as a new revision.`,
      { details: { rejected, read, ...limit } },
    )
  }
  if (rejected > limit.maxCount) breach(`${limit.maxCount} records`)
  if (read >= limit.minRecords && rejected * 100 > limit.maxPercent * read) breach(`${limit.maxPercent} %`)
}

/**
 * Refuses a load that would delete too much, or anything at all for an empty set. A changed row of a
 * table without a key is a delete and an insert; there the loss in number is what counts.
 * @throws LOAD_DELETE_GUARD, LOAD_EMPTY_SET
 */
export function judgeDeletes(plans: readonly TablePlan[], spec: PostgresLoad): void {
  const deletes = plans.reduce((sum, { counts }) => sum + counts.gone, 0)
  if (deletes === 0) return
  const accepted = plans.reduce((sum, { counts }) => sum + inSet(counts), 0)
  if (accepted === 0) {
    throw new LoadError(
      'LOAD_EMPTY_SET',
      `The set holds no accepted row, and loading it would delete ${deletes} rows. An empty set never deletes; nothing was published.`,
      { details: { deletes } },
    )
  }
  for (const { staging, counts, withheld } of plans) {
    const { table } = staging
    const before =
      counts.unchanged + counts.changed + counts.touched + counts.outdated + counts.gone + withheld
    const lost = table.key.length > 0 ? counts.gone : counts.gone - counts.new
    if (lost * 100 <= spec.maxDeletePercent * before) continue
    throw new LoadError(
      'LOAD_DELETE_GUARD',
      `Loading this set would take ${lost} of ${before} rows away from ${table.name}, more than the limit of ${spec.maxDeletePercent} %. Nothing was published; look whether the file is whole before the limit is raised.`,
      { details: { table: table.name, deletes: lost, before, maxDeletePercent: spec.maxDeletePercent } },
    )
  }
}

/** Rows of the set that a plan counted. */
export function inSet(counts: TablePlan['counts']): number {
  return counts.new + counts.changed + counts.touched + counts.unchanged + counts.outdated
}
