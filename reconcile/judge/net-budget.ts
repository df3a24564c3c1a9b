/**
 * What tolerances let pass, held against its budget: many differences of a cent, all to one side, are
 * money. What is above the budget is a break of the whole side.
 */
import type { Break, Comparison } from '../../lib/model/break.ts'
import { absolute, compareDecimals, decimal } from '../../lib/model/decimal.ts'
import { breakIdentity } from '../compare/identity.ts'
import { type ComparePlan, columnsOf } from '../compare/plan.ts'
import { amountFor } from './limits.ts'

/** One break for each column and currency whose net is above its budget. `date`: part of the identity where a night sees its own date only. */
export function budgetBreaks(
  plan: ComparePlan,
  tolerated: NonNullable<Comparison['tolerated']>,
  date: string | null,
): Break[] {
  const columns = columnsOf(plan)
  return tolerated.flatMap(({ column, group, count, net, gross }) => {
    const planned = columns.find(({ name }) => name === column)
    const budget = planned?.rule.netBudget
    if (planned === undefined || budget === undefined) return []
    const allowed = amountFor(budget, group)
    if (compareDecimals(absolute(decimal(net)), decimal(allowed)) <= 0) return []
    const key = {
      budget: column,
      ...(planned.groupedBy === undefined ? {} : { [planned.groupedBy]: group }),
      ...(date === null ? {} : { businessDate: date }),
    }
    const parts = [column, group, date].map(value => ({ kind: 'budget', value }))
    return [
      {
        identity: breakIdentity(plan.name, 'net_budget', parts),
        kind: 'net_budget',
        key,
        columns: [
          { name: `${column} within tolerance, net`, left: null, right: net, nature: 'amount', delta: net },
        ],
        leftRows: count,
        rightRows: count,
        origin: null,
        hint: `${count} differences, ${gross} without signs; the budget is ${allowed}`,
      },
    ]
  })
}
