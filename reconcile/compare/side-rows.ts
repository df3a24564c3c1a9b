/**
 * The SQL view of one side: raw values, key parts under their rules, and which rows can't be read or
 * have no valid key. Everything else in compare/ reads it, by position of columnsOf(plan).
 */
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import type { Snapshot } from '../snapshot/manifest.ts'
import { blank, normalised, rowJson, rowText, unreadable } from './normalise.ts'
import { type ComparePlan, columnsOf, isNumeric, type PlannedColumn } from './plan.ts'

/** Left is the source, right the target. */
export const SIDES = ['left', 'right'] as const
export type SideName = (typeof SIDES)[number]

/** The column as a side writes it: with that side's value map. */
export function ofSide(column: PlannedColumn, side: SideName): PlannedColumn {
  const values = column.rule.values?.[side === 'left' ? 'source' : 'target']
  return values === undefined ? column : { ...column, values }
}

/** Names of the key parts in the views; without a declared key the whole row is the key. */
export function keyParts(plan: ComparePlan): string[] {
  return keyColumns(plan).map((_, i) => `k${i}`)
}

/** The columns that rows are matched by. */
export function keyColumns(plan: ComparePlan): readonly PlannedColumn[] {
  return plan.key.length > 0 ? plan.key : plan.columns
}

/**
 * SQL that makes the view `left` or `right`: `v0`.. raw values, `k0`.. key parts under their rules, `unread` (why it can't be
 * read, null when it can), `invalid` (readable, but a key part is null or blank), `_file`, `_line`, `_raw`.
 */
export function sideView(side: SideName, plan: ComparePlan, snapshot: Snapshot): string {
  const columns = columnsOf(plan).map(column => ofSide(column, side))
  const raw = columns.map((column, i) => `${storedName(snapshot, column)} as v${i}`)
  const reasons = columns.flatMap((column, i) => {
    const condition = unreadable(column, `v${i}`)
    return condition === null ? [] : [`when ${condition} then ${quoteText(unreadableReason(column))}`]
  })
  const parts = keyColumns(plan).map((column, i) => `${normalised(ofSide(column, side), `v${i}`)} as k${i}`)
  // Without a declared key a null is a value like any other.
  const invalid =
    plan.key.length === 0 ? 'false' : `unread is null and (${keyParts(plan).map(blank).join(' or ')})`
  return `create temp view ${side}_rows as select *, ${invalid} as invalid from (
    select *, case when _issue is not null then _issue ${reasons.join(' ')} end as unread, ${parts.join(', ')} from (
      select ${raw.join(', ')}, _file, _line, _issue, _raw from read_parquet(${quoteText(snapshot.path)})))`
}

function unreadableReason({ name, kind, values }: PlannedColumn): string {
  return values === undefined ? `${name} is no ${kind}` : `${name} is no value of the map of this side`
}

/** Positions of the columns whose value under rules may differ from the raw one. */
export function ruledColumns(plan: ComparePlan): number[] {
  return columnsOf(plan).flatMap(({ kind, rule }, i) => {
    if (kind === 'text' || kind === 'timestamp' || isNumeric(kind)) return [i]
    return rule.trim === true || rule.collapse === true || (rule.nullTokens?.length ?? 0) > 0 ? [i] : []
  })
}

/** SQL for a column's value under its rules; the raw one where it can't be read. */
export function ruledValue(column: PlannedColumn, value: string): string {
  const condition = unreadable(column, value)
  const ruled = normalised(column, value)
  return condition === null ? ruled : `case when ${condition} then ${value} else ${ruled} end`
}

/** SQL for what a column adds to a total: canonical decimal text, null where it can't be read. */
export function totalValue(column: PlannedColumn, value: string): string {
  const condition = unreadable(column, value)
  const ruled = normalised(column, value)
  return condition === null ? ruled : `case when ${condition} then null else ${ruled} end`
}

/** SQL for a 128-bit digest that tells whether two rows have to be looked at. */
export function skipDigestOf(values: readonly string[]): string {
  return `md5_number(${rowJson(values)})`
}

/** SQL for the 128-bit digest of some values by which rows of one key are ordered. */
export function digestOf(values: readonly string[]): string {
  return `md5_number(${rowText(values)})`
}

function storedName(snapshot: Snapshot, { name }: PlannedColumn): string {
  return quoteName(snapshot.manifest.columns.find(column => column.name === name)!.stored)
}
