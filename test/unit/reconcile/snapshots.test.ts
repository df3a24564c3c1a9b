/**
 * The builder of the reconcile step: defaults, several comparisons, and what the compiler refuses.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { column, defineTable } from '../../../lib/model/table.ts'
import { planOf, tableOf } from '../../../reconcile/compare/plan.ts'
import { comparison, relative, snapshots, within } from '../../../reconcile/snapshots.ts'

const orders = defineTable(
  'sales',
  'order_line',
  {
    orderNo: column.text({ doc: 'number' }),
    orderDay: column.date({ doc: 'day' }),
    amount: column.decimal({ doc: 'amount', precision: 12, scale: 2 }),
  },
  { doc: 'Order lines.', key: ['orderNo'], asOf: 'loadedAs' },
)
const mapping = { name: 'orders', tables: { rows: orders } } as unknown as Parameters<typeof tableOf>[1]

test('a comparison is of the mapped records with the whole target table unless it says otherwise', () => {
  const [one] = snapshots({
    table: orders,
    scope: { businessDate: 'orderDay' },
    compare: { amount: within('0.01') },
  }).comparisons
  assert.deepEqual(one, {
    name: 'order_line',
    table: 'sales.order_line',
    source: { kind: 'mapped' },
    target: { kind: 'target', scope: { businessDate: 'orderDay' } },
    rules: { amount: { within: '0.01' } },
    ignore: [],
    definition: orders,
  })
  assert.equal(tableOf(one!, mapping), orders)
  const plan = planOf(one!, 'portal-orders', orders)
  assert.deepEqual(
    [plan.name, plan.columns.map(({ name }) => name)],
    ['portal-orders.order_line', ['orderDay', 'amount']],
  )
  assert.deepEqual(snapshots({ table: orders }).comparisons[0]!.target, { kind: 'target', scope: 'all' })
})

test('the compiler refuses rules over columns that the table does not have', () => {
  // @ts-expect-error amunt is no column
  const wrongRule = (): unknown => snapshots({ table: orders, compare: { amunt: relative('0.1') } })
  // @ts-expect-error orderDate is no column
  const wrongScope = (): unknown => snapshots({ table: orders, scope: { businessDate: 'orderDate' } })
  // @ts-expect-error nothing is no column
  const wrongIgnore = (): unknown => snapshots({ table: orders, ignore: ['nothing'] })
  assert.ok([wrongRule, wrongScope, wrongIgnore].every(made => typeof made === 'function'))
  const smuggled = comparison({ table: orders, ignore: ['nothing' as 'amount'] })
  assert.throws(() => planOf(smuggled, 'portal-orders', orders), {
    code: 'CONFIG_COMPARE_RULE_INVALID',
    message: /nothing is no column/,
  })
})

test('two comparisons of one name are refused, because the name is part of each identity', () => {
  const one = comparison({ table: orders })
  assert.throws(() => snapshots(one, one), { code: 'CONFIG_COMPARE_RULE_INVALID' })
  assert.equal(snapshots(one, comparison({ table: orders, name: 'again' })).comparisons.length, 2)
  assert.throws(
    () =>
      comparison({ table: orders, scope: 'all', target: { kind: 'query', sql: 'select 1', scope: 'all' } }),
    {
      code: 'CONFIG_COMPARE_RULE_INVALID',
    },
  )
})

test('a reconciliation of a table that the mapping does not make is refused', () => {
  const other = { ...comparison({ table: orders }), table: 'sales.other' }
  assert.throws(() => tableOf(other, mapping), {
    code: 'CONFIG_RECONCILE_TABLE_UNKNOWN',
    message: /makes rows/,
  })
})
