/**
 * What `check` says about the rules of whole comparisons: each mistake at its place with its fix, and nothing
 * about rules that can be meant.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkColumnRule, checkWhole } from '../../../../lib/config/check-whole.ts'
import type { CompareRule } from '../../../../lib/model/comparison-rules.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { type ComparisonOptions, comparison } from '../../../../reconcile/snapshots.ts'

const payment = defineTable(
  'finance',
  'payment',
  {
    id: column.text({ doc: 'id' }),
    amount: column.decimal({ doc: 'amount', precision: 12, scale: 2 }),
    currency: column.text({ doc: 'currency' }),
    paidAt: column.timestamp({ doc: 'paid at' }),
  },
  { doc: 'Payments.', key: ['id'], totals: { amount: { sum: ['amount'], per: 'currency' } } },
)

type Options = Omit<ComparisonOptions<typeof payment extends { row?: infer Row } ? Row : never>, 'table'>

function complaints(options: Options): string[] {
  const said: string[] = []
  const item = comparison({ table: payment, ...options } as Parameters<typeof comparison>[0])
  checkWhole(item, payment as never, (at, problem) =>
    said.push(`${at.replace('reconcile.payment.', '')}: ${problem}`),
  )
  return said
}

test('rules of the whole that can be meant are not complained about', () => {
  assert.deepEqual(
    complaints({
      totals: { rows: { measure: 'count', by: ['currency'] }, last: { measure: 'max', of: 'paidAt' } },
      pending: { column: 'paidAt', graceHours: 36 },
      gates: { rowBandPercent: 40, maxUnreadable: 0, asOf: { fromHours: 0, untilHours: 30 } },
      limits: {
        missing_in_target: { warn: { count: 5, amount: { EUR: '10.00' } }, fail: { businessDays: 3 } },
        duplicate: { fail: { percent: 0.1 } },
      },
    }),
    [],
  )
})

test('each rule of the whole that can not be meant is named with its place', () => {
  assert.deepEqual(
    complaints({
      totals: {
        a: { measure: 'sum' },
        b: { measure: 'count', of: 'id' },
        c: { measure: 'min', of: 'id', within: '-1' },
      },
      gates: { rowBandPercent: 0, maxUnreadable: 1.5 },
      limits: {
        unreadable: { warn: {} },
        currency: { fail: { businessDays: 1, amount: '1' } },
        net_budget: { warn: { count: -1 } },
      },
    }),
    [
      'totals.a: does not say what it is the sum of',
      'totals.b: counts rows, and names a column',
      'totals.c: is the min of id, which is text',
      'totals.c: the tolerance "-1" is no plain positive decimal',
      'limits.unreadable.warn: has no limit in it',
      'limits.currency.fail: limits an amount, and breaks of this kind have none',
      'limits.currency.fail: limits the age of a kind that the break ledger keeps as value_mismatch',
      'limits.net_budget.warn: count is -1',
      'gates.rowBandPercent: is 0',
      'gates.maxUnreadable: is 1.5',
    ],
  )
})

test('seconds, budgets and value maps are judged with the type of their column', () => {
  const said = (rule: CompareRule, type: string, isKey = false): string[] => {
    const problems: string[] = []
    checkColumnRule(rule, type, isKey, problem => problems.push(problem))
    return problems
  }
  assert.deepEqual(said({ withinSeconds: 2 }, 'timestamp'), [])
  assert.match(said({ withinSeconds: 2 }, 'date').join(), /for instants, and this is date/)
  assert.match(said({ withinSeconds: 2 }, 'timestamp', true).join(), /a key has no tolerance/)
  assert.match(said({ withinSeconds: 2, precision: 'second' }, 'timestamp').join(), /cut to a precision/)
  assert.deepEqual(said({ within: '0.01', netBudget: { EUR: '1' } }, 'decimal'), [])
  assert.match(said({ netBudget: '1' }, 'decimal').join(), /no tolerance/)
  assert.match(said({ within: '1', netBudget: '1 EUR' }, 'decimal').join(), /"1 EUR" is no plain/)
  assert.match(said({ values: { source: {} } }, 'text').join(), /source is empty/)
  assert.match(said({ values: {} }, 'text').join(), /neither side/)
  assert.match(said({ values: { target: { a: 'b' } } }, 'date').join(), /for text, and this is date/)
})
