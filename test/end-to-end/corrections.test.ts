/**
 * Deliveries of one date after another, through all six steps: laws, corrections, duplicates, dry
 * runs and forced reruns. What each step does alone is tested in its own folder.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RunSummary } from '../../lib/run/summary.ts'
import { openNight } from '../support/night.ts'
import {
  hours,
  type OrderLine,
  orders,
  ratesCsv,
  ratesXml,
  someLines,
  statements,
} from '../support/night-deliveries.ts'
import { filesOf, tablesOf } from '../support/night-state.ts'
import { ROOT } from '../support/source-facts.ts'

const night = await openNight()

const FIRST: readonly OrderLine[] = [...someLines(5), ['OLD', 7]]
const SECOND: readonly OrderLine[] = [...someLines(5), ['NEW', 9], ['NEWER', 1]]

function deliver(date: string, lines: readonly OrderLine[], suffix = ''): Promise<void> {
  return night.deliver('portal', `orders_${date.replaceAll('-', '')}${suffix}.csv`, orders(date, lines))
}

/** Articles and quantities of a date in the target. */
async function articles(date: string): Promise<string[]> {
  const rows = await night.rows<{ line: string }>(
    `SELECT stock_code || ' ' || quantity AS line FROM sales.order_line WHERE business_date = $1 ORDER BY 1`,
    [date],
  )
  return rows.map(({ line }) => line)
}

const linesOf = (lines: readonly OrderLine[]): string[] =>
  lines.map(([article, quantity]) => `${article} ${quantity}`).sort()

const lastMail = () => night.smtp.received.at(-1)!.mail
const mailsOf = (date: string) => night.smtp.received.filter(({ mail }) => mail.subject?.includes(date))

const verdictsOf = (summary: RunSummary) => summary.files.map(({ name, verdict }) => `${name} ${verdict}`)

test('every run of every job prints laws that add up', async () => {
  const date = '2026-11-02'
  const rates = { USD: '1.1', JPY: '170.25', GBP: '0.88' }
  await deliver(date, [...someLines(4), ['BAD', 'many']])
  await night.deliver('ecb', 'eurofxref-hist-90d_20261102.xml', ratesXml(date, rates))
  await night.deliver('ecb', 'eurofxref-hist_20261102.csv', ratesCsv(date, rates))
  await night.deliver(
    'bank',
    'camt053_20261102_a.xml',
    statements(date, [
      { id: 'TIES', opening: 10, entries: [5, 7], closing: 22 },
      { id: 'GAP', opening: 10, entries: [5], closing: 16 },
    ]),
  )
  await night.deliver('payroll', 'hours_20261102.csv', hours(date, ['00000001', '00000002', '99999999']))
  for (const [server, file, of] of [
    ['sanctions', 'consolidated', 'ofac/ofac-list/bad-alias-takes-its-entry'],
    ['sanctions', 'cons_prim', 'ofac/ofac-prim/three-entries'],
    ['sanctions', 'cons_add', 'ofac/ofac-add/party-without-address'],
    ['sanctions', 'cons_alt', 'ofac/ofac-alt/strong-aliases'],
    ['erp', 'PurchaseOrderDetail', 'erp/purchase-order-lines/bad-line-takes-its-order'],
    ['erp', 'PurchaseOrderHeader', 'erp/purchase-orders/one-does-not-add-up'],
  ] as const) {
    const ending = file === 'consolidated' ? 'xml' : 'csv'
    const text = readFileSync(join(ROOT, 'fixtures', of, `${file}_20261119.${ending}`))
    await night.deliver(server, `${file}_20261102.${ending}`, text)
  }
  const summaries: RunSummary[] = []
  for (const { job } of night.timetable.jobs) summaries.push(await night.run(job.name, date))
  for (const { job, counts, tables, laws } of summaries) {
    assert.equal(counts.read, counts.mapped + counts.rejected + counts.filtered, job)
    assert.equal(laws.length, 1 + tables.length, job)
    for (const law of laws) {
      const [whole, ...parts] = law
        .split(';')[0]!
        .split(/ = | \+ /)
        .map(term => Number(/\d[\d,]*$/.exec(term)![0].replaceAll(',', '')))
      assert.equal(
        whole,
        parts.reduce((sum, part) => sum + part, 0),
        law,
      )
    }
  }
  assert.deepEqual(
    summaries.map(({ job, counts }) => [job, ...Object.values(counts)]),
    [
      ['portal-orders', 5, 4, 1, 0],
      ['fx-rates', 3, 3, 0, 0],
      ['bank-statements', 7, 4, 3, 0],
      ['payroll-hours', 3, 2, 0, 1],
      ['sanctions-list', 8, 2, 6, 0],
      ['purchase-order-lines', 5, 2, 3, 0],
      ['purchase-orders', 5, 2, 3, 0],
    ],
  )
  assert.deepEqual(
    summaries.map(({ reconcile }) => reconcile?.outcome ?? null),
    ['CLEAN', 'CLEAN', 'CLEAN', null, 'INCONCLUSIVE', 'CLEAN', 'CLEAN'],
  )
})

test('B7: a corrected file replaces exactly the rows of its date, and the mail says which file it replaces', async () => {
  const [date, other] = ['2026-11-03', '2026-11-04']
  await deliver(other, someLines(3, 'OTHER'))
  await night.run('portal-orders', other)
  await deliver(date, FIRST)
  await night.run('portal-orders', date)
  const before = await night.rows(
    `SELECT t::text FROM sales.order_line t WHERE business_date = $1 ORDER BY 1`,
    [other],
  )
  await deliver(date, SECOND, '_v2')
  const summary = await night.run('portal-orders', date)
  assert.deepEqual(await articles(date), linesOf(SECOND))
  assert.deepEqual(
    await night.rows(`SELECT t::text FROM sales.order_line t WHERE business_date = $1 ORDER BY 1`, [other]),
    before,
  )
  assert.deepEqual(verdictsOf(summary), ['orders_20261103_v2.csv correction'])
  assert.deepEqual(summary.replaces, ['orders_20261103_v2.csv replaces orders_20261103.csv'])
  const { text } = lastMail()
  assert.match(text!.replaceAll(/\s+/g, ' '), /replaces orders_20261103\.csv received/)
  assert.match(text!, /This report replaces the one of .* \(attempt 1\)/)
})

test('a dry run before a correction gives its counts and writes nothing at all', async () => {
  const date = '2026-11-05'
  await deliver(date, FIRST)
  await night.run('portal-orders', date)
  await deliver(date, SECOND, '_v2')
  const look = async () => ({
    tables: await tablesOf(night),
    files: await filesOf(night, 'archive', 'snapshots', 'outbox', 'bodies', 'work'),
    remote: await night.lies('portal'),
    mails: night.smtp.received.length,
  })
  const before = await look()
  const planned = await night.dry('portal-orders', date)
  assert.deepEqual(await look(), before)
  const made = await night.run('portal-orders', date)
  const counts = ({ counts, tables, replaces, laws }: RunSummary) => ({ counts, tables, replaces, laws })
  assert.deepEqual(counts(planned), counts(made))
  assert.deepEqual(
    planned.files.map(file => ({ ...file, id: '' })),
    made.files.map(file => ({ ...file, id: '' })),
  )
  assert.equal(planned.state, 'dry-run')
  assert.equal(planned.report, null)
})

test('a file that comes back after its correction is a correction again', async () => {
  const date = '2026-11-06'
  const seen: string[][] = []
  for (const [index, lines] of [FIRST, SECOND, FIRST].entries()) {
    await deliver(date, lines, `_${index}`)
    seen.push(verdictsOf(await night.run('portal-orders', date)))
    assert.deepEqual(await articles(date), linesOf(lines))
  }
  assert.deepEqual(seen, [
    ['orders_20261106_0.csv new'],
    ['orders_20261106_1.csv correction'],
    ['orders_20261106_2.csv correction'],
  ])
})

test('B6, F11: the same files again are nothing to do, said as duplicates in one mail however often they are run', async () => {
  const date = '2026-11-09'
  await deliver(date, FIRST)
  await night.run('portal-orders', date)
  const before = await night.rows('SELECT t::text, xmin::text FROM sales.order_line t ORDER BY 1')
  await deliver(date, FIRST, '_resent')
  for (const _ of [1, 2]) {
    const again = await night.run('portal-orders', date)
    assert.equal(again.state, 'nothing-to-do')
    assert.ok(
      again.files.every(({ verdict }) => verdict === 'duplicate'),
      verdictsOf(again).join(),
    )
    assert.equal(again.report?.state, 'delivered')
  }
  assert.deepEqual(await night.rows('SELECT t::text, xmin::text FROM sales.order_line t ORDER BY 1'), before)
  const subjects = mailsOf(date).map(({ mail }) => mail.subject)
  assert.equal(subjects.length, 2, subjects.join('\n'))
  assert.match(subjects[1]!, /NOTHING TO DO/)
})

test('a forced rerun loads the same files as the next revision, changes no row and replaces the earlier report', async () => {
  const date = '2026-11-10'
  await deliver(date, FIRST)
  await night.run('portal-orders', date)
  const said: string[] = []
  const again = await night.rerun('portal-orders', date, { force: true, say: line => said.push(line) })
  assert.equal(again.revision, 2)
  assert.deepEqual(await articles(date), linesOf(FIRST))
  assert.match(said.join(), /revision 1 with 6 mapped records; the next revision replaces what it applied/)
  assert.match(
    lastMail().text!.replaceAll(/\s+/g, ' '),
    /This report replaces the one of .* \(attempt 1\): 0 differences then, 0 differences now\. It tells of revision 2/,
  )
  assert.equal(new Set(mailsOf(date).map(({ mail }) => mail.messageId)).size, 2)
})

test('a correction whose first attempt was breached by its own rejects leaves the earlier rows', async () => {
  const date = '2026-11-11'
  await deliver(date, FIRST)
  await night.run('portal-orders', date)
  await deliver(
    date,
    someLines(60).map(([article]) => [article, 'many'] as const),
    '_bad',
  )
  const error = await night.fails('portal-orders', date)
  assert.equal(error.code, 'MAP_REJECT_LIMIT')
  assert.deepEqual(await articles(date), linesOf(FIRST))
  await deliver(date, SECOND, '_good')
  const mended = await night.run('portal-orders', date)
  assert.deepEqual(await articles(date), linesOf(SECOND))
  assert.deepEqual(verdictsOf(mended).at(-1), 'orders_20261111_good.csv correction')
})
