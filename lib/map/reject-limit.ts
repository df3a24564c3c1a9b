/**
 * When rejects are too many and nothing may be published. Judged by map while records pass and at the
 * end, and again by lib/load when the database refused some more.
 */
import { MapError } from '../model/errors.ts'
import type { RejectLimit } from '../model/job.ts'

/**
 * The error of a breached limit, or null. `rejected` are records refused on their own: records that
 * fall with their unit are outside the limit (delivery.md, Units).
 */
export function rejectLimitBreach(read: number, rejected: number, limit: RejectLimit): MapError | null {
  const { maxCount, maxPercent, minRecords } = limit
  const overCount = rejected > maxCount
  // Cross-multiplied: 1 of 3 is not more than 33.333... %, whatever a division would say.
  const overPercent = read >= minRecords && rejected * 100 > maxPercent * read
  if (!overCount && !overPercent) return null
  const allowed = overCount
    ? `at most ${maxCount} are allowed`
    : `at most ${maxPercent} % are allowed from ${minRecords} records on`
  return new MapError(
    'MAP_REJECT_LIMIT',
    `${rejected} of ${read} records read so far were rejected; ${allowed}. Nothing was published and the target is as it was; the rejects are kept, see them with: tallyman rejects list.`,
    { details: { read, rejected, maxCount, maxPercent, minRecords } },
  )
}
