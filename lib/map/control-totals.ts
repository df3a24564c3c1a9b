/**
 * The control totals that tables declare, summed over mapped rows, exactly and per group.
 * lib/load finds the same totals in its staging; both must agree.
 */
import { toText } from '../model/decimal.ts'
import type { TotalResult } from '../model/run.ts'
import { type Column, qualifiedName, type TableDefinition, type Value } from '../model/table.ts'
import { ExactSum, scaled } from './exact-sum.ts'
import { fieldsOf } from './plan.ts'

interface Total {
  readonly id: string
  readonly name: string
  /** Positions and scales of one or two factors. */
  readonly factors: readonly { readonly position: number; readonly scale: number }[]
  readonly per: number | null
}

const scaleOf = (column: Column): number => (column.type.kind === 'decimal' ? column.type.scale : 0)

/** What is summed of one table. */
export class TableTotals {
  readonly #table: TableDefinition<unknown>
  readonly #totals: readonly Total[]

  constructor(name: string, table: TableDefinition<unknown>) {
    this.#table = table
    const fields = fieldsOf(table)
    this.#totals = Object.entries(table.totals).map(([total, rule]) => ({
      id: `${name}/${total}`,
      name: total,
      factors: rule.sum.map(field => ({
        position: fields.indexOf(field),
        scale: scaleOf(table.columns[field]!),
      })),
      per: rule.per === undefined ? null : fields.indexOf(rule.per),
    }))
  }

  /** Adds a row to the sums it belongs to. A null factor adds nothing. */
  add(row: readonly Value[], sums: TotalSums): void {
    for (const total of this.#totals) addTo(sums.groupsOf(total), total, row)
  }

  /** As add, for many rows of the same sums: a total after the other. */
  addAll(rows: readonly (readonly Value[])[], sums: TotalSums): void {
    for (const total of this.#totals) {
      const groups = sums.groupsOf(total)
      for (let index = 0; index < rows.length; index += 1) addTo(groups, total, rows[index]!)
    }
  }

  /** The results, groups in order; a total without rows and without groups is 0. */
  results(sums: TotalSums): TotalResult[] {
    return this.#totals.flatMap(total => {
      const groups = sums.groups(total)
      if (groups.length === 0 && total.per === null) groups.push(['', new ExactSum(0)])
      return groups.map(([group, sum]) => ({
        table: qualifiedName(this.#table),
        total: total.name,
        group,
        amount: toText(sum.value()),
      }))
    })
  }
}

function addTo(groups: Map<string, ExactSum>, total: Total, row: readonly Value[]): void {
  const { factors, per } = total
  const first = row[factors[0]!.position]
  if (typeof first !== 'string' && typeof first !== 'number') return
  const of = per === null ? '' : row[per]
  const group = typeof of === 'string' ? of : String(of ?? '')
  let sum = groups.get(group)
  if (sum === undefined) {
    sum = new ExactSum(factors.reduce((scale, factor) => scale + factor.scale, 0))
    groups.set(group, sum)
  }
  const second = factors[1]
  if (second === undefined) {
    sum.add(scaled(first, factors[0]!.scale))
    return
  }
  const other = row[second.position]
  if (typeof other !== 'string' && typeof other !== 'number') return
  sum.addProduct(scaled(first, factors[0]!.scale), scaled(other, second.scale))
}

/** Sums by total and group: of a whole load, or of one unit. */
export class TotalSums {
  readonly #sums = new Map<string, Map<string, ExactSum>>()

  /** The sums of a total by group. */
  groupsOf(total: Total): Map<string, ExactSum> {
    let groups = this.#sums.get(total.id)
    if (groups === undefined) {
      groups = new Map()
      this.#sums.set(total.id, groups)
    }
    return groups
  }

  /** Groups of a total, by name. */
  groups(total: Total): [string, ExactSum][] {
    return [...(this.#sums.get(total.id) ?? [])].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** Adds all sums of another. */
  addAll(other: TotalSums): void {
    for (const [id, groups] of other.#sums) {
      const mine = this.#sums.get(id)
      if (mine === undefined) {
        this.#sums.set(id, new Map(groups))
        continue
      }
      for (const [group, sum] of groups) {
        const there = mine.get(group)
        if (there === undefined) mine.set(group, sum)
        else there.addSum(sum)
      }
    }
  }
}
