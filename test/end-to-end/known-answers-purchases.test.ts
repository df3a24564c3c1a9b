/**
 * A night on the purchase orders of AdventureWorks, whose answers are known (INDEX.md beside them). The
 * files are no part of the project: without them this test is skipped.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { reconcileAgain } from '../../lib/run/reconcile-again.ts'
import { openNight } from '../support/night.ts'
import { ROOT } from '../support/source-facts.ts'

const DATA = join(ROOT, '..', 'shared', 'data', 'adventureworks')
const there = existsSync(DATA)
const skip = there ? false : 'the real data in ../shared/data is not there'
const night = there ? await openNight({ releaseMail: false }) : null!
const DATE = '2026-11-19'

const compared = () =>
  night.rows<Record<string, unknown>>(
    `SELECT DISTINCT ON (reconciliation) reconciliation, r.outcome, breaks_total::int AS breaks
     FROM tallyman.comparison_result r JOIN tallyman.comparison c ON c.id = r.comparison
     ORDER BY reconciliation, c.id DESC`,
  )

test('4,012 of 4,012 real purchase orders tie to their 8,845 lines, and a line whose price is changed by hand shows as the one order that does not', {
  skip,
}, async () => {
  for (const name of ['PurchaseOrderHeader', 'PurchaseOrderDetail'])
    await night.deliver('erp', `${name}_20261119.csv`, readFileSync(join(DATA, `${name}.csv`)))
  const lines = await night.run('purchase-order-lines', DATE)
  const orders = await night.run('purchase-orders', DATE)
  assert.deepEqual(lines.counts, { read: 8_845, mapped: 8_845, rejected: 0, filtered: 0 })
  assert.deepEqual(orders.counts, { read: 4_012, mapped: 4_012, rejected: 0, filtered: 0 })
  assert.deepEqual([orders.reconcile?.outcome, orders.reconcile?.unexplained], ['CLEAN', '0'])
  assert.deepEqual(await compared(), [
    { reconciliation: 'purchase-order-lines.purchase_order_line', outcome: 'CLEAN', breaks: 0 },
    { reconciliation: 'purchase-orders.purchase_order', outcome: 'CLEAN', breaks: 0 },
    { reconciliation: 'purchase-orders.sums_of_lines', outcome: 'CLEAN', breaks: 0 },
  ])
  const [stored] = await night.rows(
    `SELECT count(*)::int AS orders, sum(sub_total)::text AS sub_total, sum(total_due)::text AS due,
       (SELECT count(*)::int FROM purchasing.purchase_order_line) AS lines FROM purchasing.purchase_order`,
  )
  assert.deepEqual(stored, {
    ...{ orders: 4_012, sub_total: '63791994.8380', due: '70479332.6383', lines: 8_845 },
  })

  await night.rows(
    `UPDATE purchasing.purchase_order_line SET line_total = line_total + 0.01 WHERE line_no = 2`,
  )
  await reconcileAgain(night.engine, night.job('purchase-orders'), DATE, { stored: false })
  const [, , sums] = await compared()
  assert.deepEqual(sums, { reconciliation: 'purchase-orders.sums_of_lines', outcome: 'BREAKS', breaks: 1 })
})
