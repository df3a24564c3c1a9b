/**
 * A difference over its whole life, through real runs and the real commands: found, compared again,
 * acknowledged, changed, resolved. The rules themselves: test/integration/lib/ledger/break-ledger.test.ts.
 */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { orders, ratesCsv, ratesXml, someLines } from '../support/night-deliveries.ts'

const night = await openNight()

const JOB = 'fx-rates'
const DATE = '2026-11-03'
const NONE = { new: 0, persisting: 0, changed: 0, resolved: 0, reopened: 0, acknowledged: 0 }

interface Told {
  readonly data: {
    readonly breaks?: readonly Record<string, unknown>[]
    readonly break?: Record<string, unknown>
    readonly nights?: readonly Record<string, unknown>[]
  }
}

async function breaks(...args: readonly string[]): Promise<{ code: number | null; data: Told['data'] }> {
  const { code, stdout } = await command(night, ['breaks', ...args, '--json'])
  return { code, data: (JSON.parse(stdout) as Told).data }
}

const lastMail = () => night.smtp.received.at(-1)!.mail

test('a difference is found, stays new when compared again, is acknowledged, and names who moved in the end', async () => {
  const rates = { USD: '1.1', JPY: '170.25' }
  await night.deliver('ecb', 'eurofxref-hist-90d_20261103.xml', ratesXml(DATE, rates))
  await night.deliver('ecb', 'eurofxref-hist_20261103.csv', ratesCsv(DATE, rates))
  assert.deepEqual((await night.run(JOB, DATE)).reconcile?.breaks, NONE)

  await night.rows("UPDATE treasury.fx_rate SET rate = 1.2 WHERE currency = 'USD'")
  for (let times = 0; times < 2; times += 1) {
    const { reconcile } = await night.rerun(JOB, DATE, { from: 'reconcile' })
    assert.deepEqual(reconcile?.breaks, { ...NONE, new: 1 })
  }
  assert.match(lastMail().subject!, /^\[BREAKS\] fx-rates 2026-11-03: 1 new/)
  const [listed] = (await breaks('list', '--job', JOB)).data.breaks!
  assert.deepEqual(
    [listed!.state, listed!.firstSeen, listed!.ages],
    ['new', DATE, { calendarDays: 0, businessDays: 0, runs: 1 }],
  )
  const id = (listed!.id as string).slice(0, 10)
  assert.match(lastMail().text!, new RegExp(`breaks ack ${listed!.id as string}`.slice(0, 22)))

  const given = ['--until', '2026-12-31', '--reason', 'the bank corrects it', '--by', 'kim']
  assert.equal((await breaks('ack', id, ...given)).code, 0)
  const compared = await command(night, ['reconcile', JOB, '--date', DATE, '--json'])
  assert.equal(compared.code, 0, compared.stderr)
  const [run] = (JSON.parse(compared.stdout) as { data: { runs: { reconcile: unknown }[] } }).data.runs
  assert.deepEqual(run!.reconcile, {
    outcome: 'BREAKS',
    severity: 'warn',
    breaks: { ...NONE, acknowledged: 1 },
    unexplained: '0',
  })
  assert.match(lastMail().subject!, /all 1 acknowledged/)
  assert.match(lastMail().text!.replaceAll(/\s+/g, ' '), /owner kim.*until 2026-12-31: the bank corrects it/)
  assert.match(lastMail().text!, /Nothing to do: somebody stands for each difference/)

  await night.rows("UPDATE treasury.fx_rate SET rate = 1.3 WHERE currency = 'USD'")
  const changed = await command(night, ['rerun', JOB, '--date', DATE, '--from', 'reconcile'])
  assert.equal(changed.code, 4, 'other values are not what was acknowledged')

  await night.rows("UPDATE treasury.fx_rate SET rate = 1.1 WHERE currency = 'USD'")
  const { reconcile } = await night.rerun(JOB, DATE, { from: 'reconcile' })
  assert.deepEqual(reconcile, {
    outcome: 'CLEAN',
    severity: 'within',
    breaks: { ...NONE, resolved: 1 },
    unexplained: '0',
  })
  const shown = (await breaks('show', id)).data.break!
  assert.deepEqual([shown.state, shown.cause, shown.acknowledgement], ['resolved', 'target', null])
  const { nights } = (await breaks('history', id)).data
  assert.deepEqual(
    nights!.map(({ date, state, withdrawn }) => [date, state, withdrawn]),
    [[DATE, 'resolved', true]],
  )
  assert.equal((await breaks('ack', id, ...given)).code, 2, 'a resolved break is not acknowledged')
})

test('the next night sees what the night before left, and an old date that is corrected is told to both', async () => {
  const rates = (date: string) => [date, ratesXml(date, { USD: '2' })] as const
  await night.deliver('ecb', 'eurofxref-hist-90d_20261104.xml', rates('2026-11-04')[1])
  await night.deliver('ecb', 'eurofxref-hist_20261104.csv', ratesCsv('2026-11-04', { USD: '2', JPY: '3' }))
  const first = await night.run(JOB, '2026-11-04')
  assert.deepEqual(first.reconcile?.breaks, NONE, 'only the keys of the XML are compared')
  const orderDates = ['2026-11-05', '2026-11-06'] as const
  for (const date of orderDates)
    await night.deliver('portal', `orders_${date.replaceAll('-', '')}.csv`, orders(date, someLines(3)))
  await night.run('portal-orders', orderDates[0])
  await night.rows('DELETE FROM sales.order_line WHERE business_date = $1', [orderDates[0]])
  const broken = await night.rerun('portal-orders', orderDates[0], { from: 'reconcile' })
  assert.equal(broken.reconcile?.outcome, 'INCONCLUSIVE', 'an empty side proves nothing')
  assert.deepEqual(broken.reconcile?.breaks, NONE)
  await night.rerun('portal-orders', orderDates[0], { fromArchive: true, force: true })
  await night.rows(
    'DELETE FROM sales.order_line WHERE ctid = (SELECT min(ctid) FROM sales.order_line WHERE business_date = $1)',
    [orderDates[0]],
  )
  const one = await night.rerun('portal-orders', orderDates[0], { from: 'reconcile' })
  assert.deepEqual(one.reconcile?.breaks, { ...NONE, new: 1 })
  const next = await night.run('portal-orders', orderDates[1])
  assert.deepEqual(next.reconcile?.breaks, NONE, 'it is out of the scope of the next date, not resolved')
  const [open] = (await breaks('list', '--job', 'portal-orders')).data.breaks!
  assert.deepEqual([open!.state, open!.firstSeen, open!.asOf], ['out_of_scope', ...orderDates])
  const asOf = await breaks('list', '--job', 'portal-orders', '--date', orderDates[0])
  assert.deepEqual(
    asOf.data.breaks!.map(({ state, asOf: on }) => [state, on]),
    [['new', orderDates[0]]],
  )
  const healed = await night.rerun('portal-orders', orderDates[0], { fromArchive: true, force: true })
  assert.deepEqual(healed.reconcile?.breaks, { ...NONE, resolved: 1 })
  assert.match(lastMail().text!, /target moved/)
  const left = await readdir(night.engine.folders.work)
  assert.deepEqual(
    left.filter(name => /^(sightings|asked)-/.test(name)),
    [],
    'nothing is left in the work folder',
  )
})
