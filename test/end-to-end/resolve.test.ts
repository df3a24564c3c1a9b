/**
 * Breaks resolved by a plan, through real runs: changed and deleted rows of the target are put back from the
 * source, and the comparison afterwards is empty. Killed at each point: resolve-killed.test.ts.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { RunData } from '../../bin/commands/run-data.ts'
import type { AppliedChange, ChangeOutcome } from '../../lib/model/resolution.ts'
import type { AppliedPlan } from '../../lib/run/apply-plan.ts'
import type { PlannedResolution } from '../../lib/run/plan-resolution.ts'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { orders, ratesXml } from '../support/night-deliveries.ts'
import { applied, planFor, RATES, ratesNight, ratesOf, touchRates } from '../support/resolve-night.ts'

const night = await openNight()

const lastMail = () => night.smtp.received.at(-1)!.mail
const lastText = () => lastMail().text!.replaceAll(/\s+/g, ' ')

/** Key part, what was to be done and what became of it, sorted. */
function told(
  { plan }: PlannedResolution,
  { changes }: Pick<AppliedPlan, 'changes'>,
  key: string,
): (readonly [string | null | undefined, string, ChangeOutcome, AppliedChange['found']])[] {
  return changes
    .map(({ position, outcome, found }) => {
      const change = plan!.changes[position]!
      return [change.key[key], change.operation, outcome, found] as const
    })
    .toSorted(([a], [b]) => String(a).localeCompare(String(b)))
}

test('what was changed and deleted in the target is put back by a plan, and the comparison afterwards is empty', async () => {
  const date = '2026-11-03'
  await ratesNight(night, date)
  const touched = { USD: '1.2', JPY: '17025', GBP: null }
  await touchRates(night, date, touched)
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const folder = path.join(night.folder, 'plan')
  const on = ['--job', 'fx-rates', '--date', date]
  const made = await command(night, ['breaks', 'resolve', ...on, '--plan', folder, '--json', '--by', 'kim'])
  assert.equal(made.code, 0, made.stderr)
  const { plan, files } = (JSON.parse(made.stdout) as { data: PlannedResolution }).data
  assert.deepEqual(
    Object.fromEntries(
      plan!.changes.map(({ operation, key, columns }) => [key.currency, { operation, columns }]),
    ),
    {
      GBP: { operation: 'reload', columns: [{ name: 'rate', old: null, new: '0.85' }] },
      JPY: { operation: 'update', columns: [{ name: 'rate', old: '17025', new: '170.25' }] },
      USD: { operation: 'update', columns: [{ name: 'rate', old: '1.2', new: '1.1' }] },
    },
  )
  assert.deepEqual([plan!.amount, plan!.madeBy], ['16855.7', 'kim'])
  assert.match(await readFile(path.join(folder, 'changes.csv'), 'utf8'), /update,.*,rate,1\.2,1\.1,1,0\.1,/)
  assert.deepEqual(
    await ratesOf(night, date),
    { CHF: '0.95', JPY: '17025', USD: '1.2' },
    'a plan changes nothing',
  )

  const done = await command(night, ['breaks', 'resolve', '--apply', files[0]!, '--json', '--by', 'alex'])
  assert.equal(done.code, 0, done.stderr)
  const { data } = JSON.parse(done.stdout) as {
    data: { runs: RunData[]; outcomes: Record<ChangeOutcome, number> }
  }
  assert.deepEqual(data.outcomes, { applied: 3, unchanged: 0, refused: 0, outdated: 0 })
  const [run] = data.runs
  assert.deepEqual([run!.reconcile?.outcome, run!.reconcile?.breaks.resolved], ['CLEAN', 3])
  assert.deepEqual(run!.counts, { read: 3, mapped: 3, rejected: 0, filtered: 0 })
  assert.deepEqual([run!.tables[0]!.inserted, run!.tables[0]!.updated], [1, 2])
  assert.deepEqual(await ratesOf(night, date), RATES)
  const versions = await night.rows('SELECT DISTINCT as_of FROM treasury.fx_rate WHERE date = $1', [date])
  assert.equal(versions.length, 1, 'a reloaded row has the version of its file')
  assert.match(lastMail().subject!, /^\[CLEAN\] fx-rates 2026-11-03/)
  assert.match(lastText(), /3 changes of a plan are applied/)
  const again = await command(night, ['breaks', 'resolve', '--apply', files[0]!])
  assert.match(again.stderr, /was applied before/)
  assert.equal((await night.run('fx-rates', date)).state, 'nothing-to-do', 'a plan is no new file')
})

test('a row that was changed again since is left alone and told, the other changes are made', async () => {
  const date = '2026-11-04'
  await ratesNight(night, date)
  await touchRates(night, date, { USD: '1.2', JPY: '17025', GBP: null, CHF: '1' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const made = await planFor(night, 'fx-rates', date)
  await touchRates(night, date, { JPY: '171', GBP: '0.9', CHF: '0.95' })
  const done = await applied(night, made)
  assert.deepEqual(told(made, done, 'currency'), [
    ['CHF', 'update', 'unchanged', null],
    ['GBP', 'reload', 'refused', { rate: '0.9' }],
    ['JPY', 'update', 'refused', { rate: '171' }],
    ['USD', 'update', 'applied', null],
  ])
  assert.deepEqual(done.summary.counts, { read: 4, mapped: 2, rejected: 0, filtered: 2 })
  assert.equal(done.summary.reconcile?.outcome, 'BREAKS', 'the rows that were left alone still differ')
  assert.deepEqual(await ratesOf(night, date), { ...RATES, GBP: '0.9', JPY: '171' })
  assert.match(lastText(), /2 of 4 changes of a plan are applied/)
  assert.match(
    lastText(),
    /Not changed: treasury\.fx_rate, currency JPY, date 2026-11-04\. rate was 17025 and is 171 now/,
  )
  assert.match(lastText(), /Not reloaded: treasury\.fx_rate, currency GBP/)
})

test('a row that a later load has written is not put back to what an older date had', async () => {
  const date = '2026-11-09'
  await ratesNight(night, date)
  await touchRates(night, date, { USD: '1.2', CHF: '1' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const made = await planFor(night, 'fx-rates', date)
  // The next day's file tells this day's rate once more, and it is the one that somebody had typed.
  await night.deliver('ecb', 'eurofxref-hist-90d_20261110.xml', ratesXml(date, { USD: '1.2' }))
  await night.run('fx-rates', '2026-11-10')
  const done = await applied(night, made)
  assert.deepEqual(
    told(made, done, 'currency').map(([currency, , outcome]) => [currency, outcome]),
    [
      ['CHF', 'applied'],
      ['USD', 'outdated'],
    ],
  )
  assert.deepEqual(await ratesOf(night, date), { ...RATES, USD: '1.2' })
})

test('lines of a table without a key come back as often as they are missing, and nothing is deleted', async () => {
  const date = '2026-11-05'
  const lines = [
    ['A1', 1],
    ['A2', 2],
    ['A3', 3],
  ] as const
  await night.deliver('portal', 'orders_20261105.csv', orders(date, lines))
  await night.run('portal-orders', date)
  await night.rows(
    `UPDATE sales.order_line SET quantity = 9 WHERE business_date = $1 AND stock_code <> 'A2'`,
    [date],
  )
  await night.rows(`DELETE FROM sales.order_line WHERE business_date = $1 AND stock_code = 'A2'`, [date])
  await night.rerun('portal-orders', date, { from: 'reconcile' })
  const made = await planFor(night, 'portal-orders', date)
  assert.deepEqual([made.plan!.changes.length, made.plan!.amount, made.notProposed], [3, '15', 2])
  const done = await applied(night, made)
  assert.deepEqual(
    told(made, done, 'stockCode').map(([code, , outcome]) => [code, outcome]),
    [
      ['A1', 'applied'],
      ['A2', 'applied'],
      ['A3', 'applied'],
    ],
  )
  const rows = await night.rows<{ quantity: number }>(
    'SELECT quantity::int FROM sales.order_line WHERE business_date = $1 ORDER BY 1',
    [date],
  )
  assert.deepEqual(
    rows.map(({ quantity }) => quantity),
    [1, 2, 3, 9, 9],
  )
})

test('a plan that was edited, overtaken or is beyond the caps is refused, and nothing is changed', async () => {
  const date = '2026-11-06'
  await ratesNight(night, date)
  await touchRates(night, date, { USD: '1.2' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const made = await planFor(night, 'fx-rates', date)
  const [file] = made.files
  const text = await readFile(file!, 'utf8')
  const refused = async (code: string, content: string): Promise<void> => {
    await writeFile(file!, content)
    await assert.rejects(applied(night, made), { code })
  }
  await refused('CONFIG_PLAN_EDITED', text.replace('"new": "1.1"', '"new": "9.9"'))
  await refused('CONFIG_PLAN_UNREADABLE', text.slice(0, 100))
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  await refused('CONFIG_PLAN_STALE', text)
  await touchRates(night, date, { JPY: '200000' })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  await assert.rejects(planFor(night, 'fx-rates', date), { code: 'CONFIG_RESOLVE_OVER_CAP' })
  assert.deepEqual(await ratesOf(night, date), { ...RATES, USD: '1.2', JPY: '200000' })
  const attempts = await night.rows(
    `SELECT FROM tallyman.attempt WHERE trigger = 'repair' AND run =
    (SELECT id FROM tallyman.run WHERE job = 'fx-rates' AND business_date = $1)`,
    [date],
  )
  assert.equal(attempts.length, 0, 'what is refused is no attempt')
})
