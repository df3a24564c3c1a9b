/**
 * What comes late and what is asked for again: corrections of earlier dates seen by a later night,
 * a rerun that compares afresh, a comparison of a date that was never loaded.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcileAgain } from '../../lib/run/reconcile-again.ts'
import { rerunJob } from '../../lib/run/rerun.ts'
import { openNight } from '../support/night.ts'
import { orders, someLines } from '../support/night-deliveries.ts'

const night = await openNight()
const orderFile = (date: string, suffix = ''): string => `orders_${date.replaceAll('-', '')}${suffix}.csv`
const owed = async (): Promise<string[]> => {
  const rows = await night.rows<{ d: string }>(
    'SELECT business_date::text AS d FROM tallyman.run WHERE owed ORDER BY 1',
  )
  return rows.map(({ d }) => d)
}
const again = { from: 'fetch', fromArchive: false, force: false, dryRun: false, say: () => {} }

test('B10: a correction of an earlier date is owed as soon as a later night lists the folder, and older files are not', async () => {
  await night.deliver('portal', orderFile('2026-11-01'), orders('2026-11-01', someLines(2)))
  await night.deliver('portal', orderFile('2026-11-03'), orders('2026-11-03', someLines(3)))
  await night.run('portal-orders', '2026-11-03')
  await night.deliver('portal', orderFile('2026-11-04'), orders('2026-11-04', someLines(3)))
  await night.run('portal-orders', '2026-11-04')
  assert.deepEqual(await owed(), [])
  await night.deliver('portal', orderFile('2026-11-03', '_corrected'), orders('2026-11-03', someLines(4)))
  await night.deliver('portal', orderFile('2026-11-05'), orders('2026-11-05', someLines(3)))
  await night.run('portal-orders', '2026-11-05')
  assert.deepEqual(await owed(), ['2026-11-03'])
  const corrected = await night.run('portal-orders', '2026-11-03')
  assert.equal(corrected.tables[0]?.inserted, 1)
  assert.deepEqual(await owed(), [])
})

test('a rerun with the same files compares both sides afresh and loads nothing', async () => {
  const date = '2026-11-04'
  const job = night.job('portal-orders')
  await night.rows(`UPDATE sales.order_line SET quantity = quantity + 1 WHERE business_date = $1`, [date])
  const broken = await rerunJob(night.engine, job, date, again)
  assert.equal(broken.reconcile?.outcome, 'BREAKS')
  assert.equal(broken.revision, 1)
  const mended = await rerunJob(night.engine, job, date, { ...again, force: true, fromArchive: true })
  assert.equal(mended.reconcile?.outcome, 'CLEAN')
  assert.equal(mended.revision, 2)
})

test('comparing a date that was never loaded changes nothing in the run ledger', async () => {
  const count = async (): Promise<string> =>
    (await night.rows<{ n: string }>('SELECT count(*) AS n FROM tallyman.run'))[0]!.n
  const before = await count()
  await assert.rejects(
    reconcileAgain(night.engine, night.job('portal-orders'), '2026-12-24', { stored: true }),
    {
      code: 'RECONCILE_NOTHING_STORED',
    },
  )
  assert.equal(await count(), before)
})
