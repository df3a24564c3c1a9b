/**
 * Exact control totals of a set of rows: the sum of a column, or of the product of two, by group.
 * DuckDB adds as long as nothing can overflow (its wide sums do); beyond that BigInt does.
 */
import type { Cell, DuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteText } from '../../lib/format/duckdb/sql.ts'
import { add, type Decimal, decimal, multiply, toText, ZERO } from '../../lib/model/decimal.ts'
import type { TotalRule } from '../../lib/model/table.ts'
import type { SnapshotTotal } from './manifest.ts'

/** A number of usual size: its cast is exact and takes no measuring. 12 and 6 digits are what a DECIMAL(18,6) holds. */
const USUAL = '-?[0-9]{1,12}(\\.[0-9]{1,6})?'

/** Digits that DuckDB's widest integer holds, less one. */
const SAFE_DIGITS = 37

/** A total over SQL expressions that give canonical decimal text or null. */
export interface TotalExpressions {
  readonly total: string
  readonly factors: readonly string[]
  /** Expression of the group; null where there is none. */
  readonly group: string | null
}

/** The expressions of a total rule. `of` gives the SQL of a column's canonical text: as a factor null where it is no number, as a group as it is. */
export function totalExpressions(
  total: string,
  rule: TotalRule,
  of: (field: string, as: 'factor' | 'group') => string,
): TotalExpressions {
  return {
    total,
    factors: rule.sum.map(field => of(field, 'factor')),
    group: rule.per === undefined ? null : of(rule.per, 'group'),
  }
}

/** The totals of the rows of `from` (a table, view or subquery), ordered by name and group. A null factor counts as zero. */
export async function sumTotals(
  db: DuckDb,
  from: string,
  totals: readonly TotalExpressions[],
): Promise<SnapshotTotal[]> {
  const results: SnapshotTotal[] = []
  for (const total of totals) results.push(...(await sumTotal(db, from, total)))
  return results
}

async function sumTotal(db: DuckDb, from: string, total: TotalExpressions): Promise<SnapshotTotal[]> {
  const { factors, group } = total
  const names = factors.map((_, index) => `f${index}`)
  const values = factors.map((factor, index) => `${factor} as ${names[index]}`)
  const rows = `(select ${group === null ? "''" : `coalesce(${group}, '')`} as g, ${values.join(', ')} from ${from})`
  const usual = names.length === 1 ? await addUsual(db, rows) : null
  if (usual !== null) return told(total.total, usual)
  const widths = names.flatMap(name => [
    `max(strlen(ltrim(split_part(${name}, '.', 1), '-')))`,
    `max(strlen(split_part(${name}, '.', 2)))`,
  ])
  const [measured] = await db.rows(`select count(*), ${widths.join(', ')} from ${rows}`)
  const [count, ...digits] = measured!.map(Number)
  const scales = names.map((_, i) => digits[i * 2 + 1] ?? 0)
  const needed = digits.reduce((sum, width) => sum + width, 0) + String(count).length
  const sums =
    needed <= SAFE_DIGITS ? await addInDuckDb(db, rows, names, scales) : await addInBigInt(db, rows, names)
  return told(total.total, sums)
}

function told(total: string, sums: ReadonlyMap<string, Decimal>): SnapshotTotal[] {
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([group, amount]) => ({ total, group, amount: toText(amount) }))
}

/** The sums of a column in one pass; null when one of its numbers is of unusual size. */
async function addUsual(db: DuckDb, rows: string): Promise<Map<string, Decimal> | null> {
  const sums = await db.rows(
    `select g, bool_or(not regexp_full_match(f0, ${quoteText(USUAL)})), coalesce(sum(try_cast(f0 as decimal(18, 6))), 0)::varchar
     from ${rows} group by g`,
  )
  if (sums.some(([, unusual]) => unusual === true)) return null
  return new Map(sums.map(([group, , sum]) => [String(group), decimal(String(sum))]))
}

async function addInDuckDb(
  db: DuckDb,
  rows: string,
  names: readonly string[],
  scales: readonly number[],
): Promise<Map<string, Decimal>> {
  // Through unscaled integers: reading text as a decimal of more than 18 digits takes 8 s per million rows.
  const product = names.map(
    (name, i) =>
      `(split_part(${name}, '.', 1) || rpad(split_part(${name}, '.', 2), ${scales[i]}, '0'))::hugeint`,
  )
  const sums = await db.rows(
    `select g, coalesce(sum(${product.join(' * ')}), 0)::varchar from ${rows} group by g`,
  )
  const scale = scales.reduce((sum, width) => sum + width, 0)
  return new Map(sums.map(([group, sum]) => [String(group), { unscaled: BigInt(String(sum)), scale }]))
}

async function addInBigInt(
  db: DuckDb,
  rows: string,
  names: readonly string[],
): Promise<Map<string, Decimal>> {
  const sums = new Map<string, Decimal>()
  for await (const [groups, ...factors] of db.stream(`select g, ${names.join(', ')} from ${rows}`)) {
    for (let row = 0; row < groups!.length; row += 1) {
      const group = String(groups![row])
      sums.set(group, add(sums.get(group) ?? ZERO, productOf(factors, row)))
    }
  }
  return sums
}

function productOf(factors: readonly (readonly Cell[])[], row: number): Decimal {
  let product: Decimal = { unscaled: 1n, scale: 0 }
  for (const factor of factors) {
    const value = factor[row]
    if (typeof value !== 'string') return ZERO
    product = multiply(product, decimal(value))
  }
  return product
}
