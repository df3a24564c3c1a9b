/**
 * Mistakes in what a comparison says about resolving its breaks: authority over columns that are not
 * compared, caps that are none, targets that can't be changed.
 */
import type { JobDefinition, Reconciliation } from '../model/job.ts'
import type { ResolveRule } from '../model/resolution.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import type { Complain } from './complaint.ts'

/** Mistakes of one comparison's `resolve`. */
export function checkResolve(
  item: Reconciliation,
  rule: ResolveRule,
  table: TableDefinition,
  job: JobDefinition,
  complain: Complain,
): void {
  const at = `reconcile.${item.name}.resolve`
  const full = qualifiedName(table)
  for (const field of Object.keys(rule.authority)) {
    if (table.columns[field] === undefined)
      complain(
        `${at}.authority`,
        `${field} is no column of ${full}`,
        `one of: ${Object.keys(table.columns).join(', ')}`,
      )
    else if (table.key.includes(field) || table.key.length === 0)
      complain(
        `${at}.authority`,
        `${field} is what rows of ${full} are found by, so it never differs`,
        'drop it; `rows` says which side is right about which rows there are',
      )
    else if (item.ignore.includes(field))
      complain(`${at}.authority`, `${field} is not compared`, 'drop it, or compare it')
  }
  if (!Number.isSafeInteger(rule.maxRows) || rule.maxRows < 1)
    complain(`${at}.maxRows`, `${rule.maxRows} is no number of rows`, 'a whole number from 1 on')
  if (!/^\d+(\.\d+)?$/.test(rule.maxAmount))
    complain(
      `${at}.maxAmount`,
      `${JSON.stringify(rule.maxAmount)} is no plain positive decimal`,
      "such as '1000.00'",
    )
  if (item.target.kind !== 'target' || job.load.kind !== 'postgres')
    complain(at, 'is about a target that this job does not load', "compare the job's own target, or drop it")
  else if (rule.rows === 'source' && item.source.kind !== 'mapped')
    complain(
      `${at}.rows`,
      "lets rows be loaded again that are not the job's own records",
      'compare the mapped records, or drop it',
    )
}
