/**
 * How much differences count, over the nights of a real job: within limits, pending, above a budget, too old,
 * too few rows. The target is compared with another system's table, so that both sides go on from night to night.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, sftp } from '../../lib/fetch/sources.ts'
import { latestComparison } from '../../lib/ledger/comparison.ts'
import { postgres } from '../../lib/load/postgres.ts'
import { defineMapping, read } from '../../lib/map/index.ts'
import { defineJob } from '../../lib/model/define-job.ts'
import type { ScheduledJob } from '../../lib/model/job.ts'
import { silentLog } from '../../lib/model/progress.ts'
import { column, defineTable } from '../../lib/model/table.ts'
import { csv } from '../../lib/parse/csv.ts'
import { mail } from '../../lib/report/mail.ts'
import { proveNight } from '../../lib/run/prove-night.ts'
import { runJob } from '../../lib/run/run-job.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import { comparison, query, snapshots } from '../../reconcile/snapshots.ts'
import { openNight } from '../support/night.ts'

const night = await openNight()

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

const toPayment = defineMapping({
  name: 'to-payment',
  version: 2,
  doc: 'x',
  source: ['id', 'amount', 'currency', 'paid_at'],
  table: payment,
  fields: {
    id: read.text('id', { doc: 'x' }),
    amount: read.decimal('amount', { doc: 'x' }),
    currency: read.text('currency', { doc: 'x' }),
    paidAt: read.timestamp('paid_at', { doc: 'x' }),
  },
})

const payments = defineJob({
  name: 'payments',
  purpose: 'What we paid has left the bank.',
  owner: 'treasury',
  ifLate: 'Nothing.',
  fetch: sftp({
    endpoint: 'bank',
    feed: 'payments',
    files: 'payments_{yyyyMMdd}.csv',
    completeWhen: settled({ forMs: 5 }),
  }),
  parse: csv({ trailer: { starts: 'T', count: 2 } }),
  map: toPayment,
  load: postgres({ table: payment, mode: 'upsert' }),
  reconcile: snapshots(
    comparison({
      table: payment,
      name: 'bank',
      source: { kind: 'target', scope: 'all' },
      target: query('SELECT id, amount, currency, paid_at FROM bank.paid'),
      compare: { amount: { within: '0.01', netBudget: { EUR: '0.02' } } },
      totals: { currencies: { measure: 'distinct', of: 'currency' } },
      pending: { column: 'paidAt', graceHours: 24 },
      gates: { rowBandPercent: 60 },
      limits: { missing_in_target: { warn: { count: 1 }, fail: { businessDays: 1 } } },
    }),
    comparison({ table: payment, name: 'delivered', scope: 'keysOfOther' }),
  ),
  report: mail({ to: 'treasury' }),
})

const scheduled: ScheduledJob = {
  job: payments,
  cron: null,
  zone: 'Europe/Berlin',
  calendar: { name: 'weekdays', weekend: [6, 7], holidays: [] },
  businessDate: 'same-day',
  catchUp: 'latest',
  fileUntil: null,
}

await night.rows('CREATE SCHEMA bank')
await night.rows(
  'CREATE TABLE bank.paid (id text PRIMARY KEY, amount numeric, currency text, paid_at timestamptz)',
)

const LONG_AGO = '2026-01-02T00:00:00Z'

/** Paid now, so that the bank has a day to show it, whatever the clock says. */
const NOW = `${new Date(Date.now()).toISOString().slice(0, 19)}Z`

type Line = readonly [id: string, amount: string, paidAt: string]

async function deliver(date: string, lines: readonly Line[]): Promise<void> {
  const rows = lines.map(([id, amount, paidAt]) => `${id},${amount},EUR,${paidAt}`)
  const text = ['id,amount,currency,paid_at', ...rows, `T,${lines.length}`, ''].join('\n')
  await night.deliver('bank', `payments_${date.replaceAll('-', '')}.csv`, text)
}

async function atTheBank(lines: readonly Line[]): Promise<void> {
  for (const line of lines)
    await night.rows(
      `INSERT INTO bank.paid VALUES ($1, $2, 'EUR', $3) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, paid_at = excluded.paid_at`,
      line,
    )
}

const run = (date: string): Promise<RunSummary> =>
  runJob(night.engine, scheduled, date, { trigger: 'manual', createTarget: true })

async function bankResult(date: string) {
  const [row] = await night.rows<{ id: string }>(
    "SELECT id FROM tallyman.run WHERE job = 'payments' AND business_date = $1",
    [date],
  )
  const { results } = await night.database.use(connection => latestComparison(connection, row!.id))
  return results.find(({ reconciliation }) => reconciliation === 'payments.bank')!
}

/** The text of the last mail in one line. */
const mailText = (): string => night.smtp.received.at(-1)!.mail.text!.replaceAll(/\s+/g, ' ')
const subject = (): string => night.smtp.received.at(-1)!.mail.subject!

const MANY: readonly Line[] = ['a', 'b', 'c', 'd', 'e', 'f'].map(id => [id, '5', LONG_AGO])

test('a night whose only open row may still arrive is CLEAN, and says until when', async () => {
  const lines: readonly Line[] = [...MANY, ['p1', '10', LONG_AGO], ['p3', '30', NOW]]
  await deliver('2026-11-17', lines)
  await atTheBank([...MANY, ['p1', '10.01', LONG_AGO]])
  const { reconcile } = await run('2026-11-17')
  assert.deepEqual([reconcile?.outcome, reconcile?.severity, reconcile?.breaks.new], ['CLEAN', 'within', 0])
  const result = await bankResult('2026-11-17')
  assert.deepEqual([result.counts.pending, result.counts.within_tolerance], [1, 1])
  assert.equal(Date.parse(result.pending!.firstDue) - Date.parse(NOW), 24 * 3_600_000)
  assert.deepEqual(result.controls, [{ name: 'currencies', groups: 1, differing: 0 }])
  assert.match(subject(), /^\[CLEAN\] payments 2026-11-17: 8 records, 0 breaks/)
  assert.match(mailText(), /Not due yet.*1 row of finance\.payment may still arrive in query/)
  const delivered = (
    await night.rows<{ gates: { name: string; state: string }[] }>(
      "SELECT result -> 'gates' AS gates FROM tallyman.comparison_result WHERE reconciliation = 'payments.delivered'",
    )
  )[0]!.gates.map(({ name, state }) => `${name} ${state}`)
  assert.ok(delivered.includes('left trailer passed'))
  assert.ok(delivered.includes('left file hash passed'))
})

test('the next night it is missing since then, within its limit; three tolerated cents are above their budget', async () => {
  const more: readonly Line[] = [
    ['p4', '40', LONG_AGO],
    ['p5', '50', LONG_AGO],
  ]
  await deliver('2026-11-18', [['p3', '30', LONG_AGO], ...more])
  await atTheBank([
    ['p4', '40.01', LONG_AGO],
    ['p5', '50.01', LONG_AGO],
  ])
  const { reconcile } = await run('2026-11-18')
  assert.deepEqual([reconcile?.outcome, reconcile?.severity, reconcile?.breaks.new], ['BREAKS', 'warn', 2])
  const result = await bankResult('2026-11-18')
  assert.deepEqual(
    result.verdicts?.map(({ kind, severity, why }) => [kind, severity, why]),
    [
      ['missing_in_target', 'within', 'within its limits'],
      ['net_budget', 'warn', '1, and any one counts'],
    ],
  )
  const open = await night.rows(
    `SELECT kind, key, first_seen FROM tallyman.lasting_break WHERE state <> 'resolved' ORDER BY kind`,
  )
  assert.deepEqual(open, [
    { kind: 'missing_in_target', key: { id: 'p3' }, first_seen: '2026-11-17' },
    { kind: 'net_budget', key: { budget: 'amount', currency: 'EUR' }, first_seen: '2026-11-18' },
  ])
  assert.match(subject(), /^\[BREAKS\] payments 2026-11-18: 2 new/)
  assert.match(mailText(), /What tolerances let pass is more than its budget/)
  assert.match(mailText(), /missing in query: within its limits \(does not count\)/)
})

test('what is within its count but too old fails; the same file twice warns', async () => {
  await deliver('2026-11-19', [
    ['p3', '30', LONG_AGO],
    ['p4', '40', LONG_AGO],
    ['p5', '50', LONG_AGO],
  ])
  await atTheBank([['p5', '50', LONG_AGO]])
  const { reconcile } = await run('2026-11-19')
  assert.deepEqual(
    [reconcile?.outcome, reconcile?.severity, reconcile?.breaks],
    ['BREAKS', 'fail', { new: 0, persisting: 1, changed: 0, resolved: 1, reopened: 0, acknowledged: 0 }],
  )
  const [budget] = await night.rows(
    "SELECT state, cause FROM tallyman.lasting_break WHERE kind = 'net_budget'",
  )
  assert.deepEqual(budget, { state: 'resolved', cause: 'unknown' })
  const result = await bankResult('2026-11-19')
  assert.deepEqual([result.outcome, result.outcomeBeforeAges], ['BREAKS', 'CLEAN'])
  assert.deepEqual(result.verdicts, [
    { kind: 'missing_in_target', count: 1, severity: 'fail', why: '1 older than 1 business day' },
  ])
  const context = {
    ...{ clock: night.clock, log: silentLog, signal: new AbortController().signal },
    progress: () => {},
  }
  const proved = await proveNight(night.engine, '2026-11-19', 'payments', context)
  assert.deepEqual(
    proved.map(({ verdict, what }) => [verdict, what]),
    [
      ['proved', ''],
      ['proved', ''],
    ],
    'the same comes out of the stored snapshots, though its ages are of the night',
  )
  assert.match(mailText(), /Not only a warning: missing in query/)
  assert.match(mailText(), /has the same content as payments_20261118\.csv of 2026-11-18/)
})

test('far fewer rows than in the nights before prove nothing, and touch no break', async () => {
  const before = await night.rows('SELECT * FROM tallyman.lasting_break ORDER BY identity')
  await deliver('2026-11-20', [['p6', '60', LONG_AGO]])
  await night.rows("DELETE FROM bank.paid WHERE id <> 'a'")
  const { reconcile } = await run('2026-11-20')
  assert.deepEqual([reconcile?.outcome, reconcile?.severity], ['INCONCLUSIVE', 'fail'])
  assert.match(
    mailText(),
    /query has 1 row; the median of the last 3 nights is \d+, and 60 % more or less are allowed/,
  )
  assert.deepEqual(await night.rows('SELECT * FROM tallyman.lasting_break ORDER BY identity'), before)
})
