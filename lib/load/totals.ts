/**
 * Control totals of the tables, summed by the database over what it holds and compared with what map
 * summed. Both are exact; that they are equal proves that COPY stored what was sent and that the
 * target took what staging held.
 */
import type { Connection } from '../db/connection.ts'
import { quoted } from '../db/identifiers.ts'
import { add, compareDecimals, type Decimal, decimal, toText, ZERO } from '../model/decimal.ts'
import { LoadError } from '../model/errors.ts'
import type { TotalResult } from '../model/run.ts'
import { snakeCase, type TotalRule } from '../model/table.ts'
import { literal, type TargetColumn, type TargetTable } from './target-table.ts'

/** Sums by total name and group; a group without rows is absent. */
export type Sums = Map<string, Map<string, Decimal>>

/** Adds an amount to a sum. */
function addTo(sums: Sums, total: string, group: string, amount: Decimal): void {
  let groups = sums.get(total)
  if (groups === undefined) {
    groups = new Map()
    sums.set(total, groups)
  }
  groups.set(group, add(groups.get(group) ?? ZERO, amount))
}

/** The totals that map summed for a table. */
export function totalsFrom(table: TargetTable, results: readonly TotalResult[]): Sums {
  const sums: Sums = new Map()
  for (const { total, group, amount, table: name } of results) {
    if (name === table.name) addTo(sums, total, group, decimal(amount))
  }
  return sums
}

/** The columns that the control totals of a table are made of; none without rules. */
export function totalsColumns(table: TargetTable): TargetColumn[] {
  const rules = Object.values(table.definition.totals)
  const fields = new Set(rules.flatMap(({ sum, per }) => (per === undefined ? sum : [...sum, per])))
  return table.columns.filter(column => fields.has(column.field))
}

/** A query giving `total, "group", amount` of all rules over a row source that has the columns of totalsColumns; null without rules. */
export function totalsQuery(table: TargetTable, from: string): string | null {
  const rules = Object.entries(table.definition.totals)
  if (rules.length === 0) return null
  return rules
    .map(([total, rule]) => {
      const group = rule.per === undefined ? "''::text" : `COALESCE(${quoted(snakeCase(rule.per))}::text, '')`
      return `SELECT ${literal(total)}::text AS total, ${group} AS "group", (${sumOf(rule)})::text AS amount FROM ${from} GROUP BY 2`
    })
    .join(' UNION ALL ')
}

function sumOf(rule: TotalRule): string {
  // numeric before the product: two bigints could overflow
  return `sum(${rule.sum.map(field => `${quoted(snakeCase(field))}::numeric`).join(' * ')})`
}

/** A row of totalsQuery. A sum over nothing but nulls is null. */
export interface TotalRow {
  readonly total: string
  readonly group: string
  readonly amount: string | null
}

/** Rows of totalsQuery as sums. */
export function sumsOf(rows: readonly TotalRow[]): Sums {
  const sums: Sums = new Map()
  for (const { total, group, amount } of rows) {
    if (amount !== null) addTo(sums, total, group, decimal(amount))
  }
  return sums
}

/** Runs totalsQuery. */
export async function readTotals(
  connection: Connection,
  table: TargetTable,
  from: string,
  params: readonly unknown[] = [],
): Promise<Sums> {
  const sql = totalsQuery(table, from)
  return sql === null ? new Map() : sumsOf((await connection.query<TotalRow>(sql, params)).rows)
}

/**
 * Refuses sums that differ; a missing group counts as zero.
 * @throws LOAD_TOTALS_DIFFER naming the first difference.
 */
export function assertSameTotals(table: TargetTable, expected: Sums, found: Sums, where: string): void {
  for (const total of new Set([...expected.keys(), ...found.keys()])) {
    const left = expected.get(total) ?? new Map<string, Decimal>()
    const right = found.get(total) ?? new Map<string, Decimal>()
    for (const group of new Set([...left.keys(), ...right.keys()])) {
      const want = left.get(group) ?? ZERO
      const have = right.get(group) ?? ZERO
      if (compareDecimals(want, have) === 0) continue
      const name = group === '' ? total : `${total} ${group}`
      throw new LoadError(
        'LOAD_TOTALS_DIFFER',
        `The control total ${name} of ${table.name} is ${toText(have)} ${where}, but ${toText(want)} was sent. Something changes the values on their way, a trigger for instance. Nothing of this load was published.`,
        { details: { table: table.name, total, group, sent: toText(want), found: toText(have) } },
      )
    }
  }
}

/** Sums as a result tells them, in a stable order. */
export function totalResults(table: TargetTable, sums: Sums): TotalResult[] {
  return [...sums]
    .flatMap(([total, groups]) =>
      [...groups].map(([group, amount]) => ({ table: table.name, total, group, amount: toText(amount) })),
    )
    .sort((a, b) => compareTexts(a.total, b.total) || compareTexts(a.group, b.group))
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
