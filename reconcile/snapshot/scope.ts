/**
 * Which rows of a side take part, as SQL over its spooled rows, and in words for the mail. The scope
 * of a database table is applied where the table is (target.ts), except for keys of the other side.
 */
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import type { Scope } from '../../lib/model/job.ts'
import { normalised } from '../compare/normalise.ts'
import type { ComparePlan } from '../compare/plan.ts'
import { ofSide } from '../compare/side-rows.ts'
import type { SnapshotColumn } from './columns.ts'
import type { Snapshot } from './manifest.ts'

/** A scope with what it refers to. */
export type AppliedScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'businessDate'; readonly field: string; readonly businessDate: string }
  | { readonly kind: 'keysOfOther'; readonly other: Snapshot; readonly plan: ComparePlan }

/** The scope of a side, ready to be applied. @throws CONFIG_SCOPE_INVALID for keys of the other side where rows have no key. */
export function applicableScope(
  scope: Scope,
  given: { readonly plan: ComparePlan; readonly businessDate: string; readonly other: Snapshot | null },
): AppliedScope {
  if (scope === 'all') return { kind: 'all' }
  if (typeof scope === 'object') {
    return { kind: 'businessDate', field: scope.businessDate, businessDate: given.businessDate }
  }
  if (given.plan.key.length === 0 || given.other === null) {
    throw new ConfigError(
      'CONFIG_SCOPE_INVALID',
      `The comparison ${given.plan.name} limits a side to the keys of the other, but ${given.other === null ? 'both sides say so' : 'its rows have no key'}. Nothing was compared.`,
    )
  }
  return { kind: 'keysOfOther', other: given.other, plan: given.plan }
}

/** The scope in words. */
export function describeScope(scope: AppliedScope): string {
  if (scope.kind === 'all') return 'all'
  if (scope.kind === 'businessDate') return `${scope.field} = ${scope.businessDate}`
  return `keys of ${scope.other.manifest.side}`
}

/** What a scope condition calls the rows that it is about: both sides may have columns of one name. */
export const SCOPED = 'scoped'

/** SQL condition over the rows called SCOPED, whose columns have their stored names; unreadable rows are always in scope. */
export function scopeCondition(scope: AppliedScope, columns: readonly SnapshotColumn[]): string {
  if (scope.kind === 'all') return 'true'
  const stored = (name: string, of: readonly SnapshotColumn[]): string => {
    const column = of.find(candidate => candidate.name === name)
    if (column !== undefined) return quoteName(column.stored)
    throw new ConfigError(
      'CONFIG_SCOPE_INVALID',
      `A scope names ${name}, which is no column of its side. Nothing was compared.`,
    )
  }
  if (scope.kind === 'businessDate') {
    return `(_issue is not null or ${stored(scope.field, columns)} = ${quoteText(scope.businessDate)})`
  }
  const { plan, other } = scope
  const match = plan.key
    .map(column => {
      const [mine, others] =
        other.manifest.side === 'source' ? (['right', 'left'] as const) : (['left', 'right'] as const)
      const value = normalised(ofSide(column, mine), `${SCOPED}.${stored(column.name, columns)}`)
      return `${value} = ${normalised(ofSide(column, others), `o.${stored(column.name, other.manifest.columns)}`)}`
    })
    .join(' and ')
  return `(${SCOPED}._issue is not null or exists (select 1 from read_parquet(${quoteText(other.path)}) o where o._issue is null and ${match}))`
}
