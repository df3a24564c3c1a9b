/**
 * Deliveries that can't be used, through all six steps: each with its own clear error or its rejects,
 * nothing lost, nothing loaded that should not be, and the corrected delivery taken by the next run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { hours, orders, ratesCsv, ratesXml, someLines, statements } from '../support/night-deliveries.ts'

const night = await openNight()

const compact = (date: string): string => date.replaceAll('-', '')

const lastMail = () => night.smtp.received.at(-1)!.mail
const mailsOf = (job: string, date: string) =>
  night.smtp.received.filter(({ mail }) => mail.subject?.includes(`${job} ${date}`))

/** State and reason of a feed's files of a date. */
function filesOf(feed: string, date: string): Promise<{ state: string; reason: string }[]> {
  return night.rows(
    `SELECT state, reason FROM tallyman.file WHERE feed = $1 AND business_date = $2::date ORDER BY id`,
    [feed, date],
  )
}

async function orderRows(date: string): Promise<number> {
  const [table] = await night.rows<{ exists: boolean }>(
    `SELECT to_regclass('sales.order_line') IS NOT NULL AS exists`,
  )
  if (!table!.exists) return 0
  const [row] = await night.rows<{ count: number }>(
    'SELECT count(*)::int AS count FROM sales.order_line WHERE business_date = $1::date',
    [date],
  )
  return row!.count
}

/** Delivers an order file that must be refused as a whole, and gives the error. */
async function refusedOrders(date: string, content: string | Buffer, suffix = '') {
  await night.deliver('portal', `orders_${compact(date)}${suffix}.csv`, content)
  const before = await orderRows(date)
  const error = await night.fails('portal-orders', date)
  assert.equal(await orderRows(date), before, 'rows were loaded')
  assert.ok(lastMail().subject!.startsWith('[FAILED] portal-orders'), lastMail().subject)
  assert.ok(lastMail().text!.includes(error.code))
  return error
}

test('B9: a missing file means waiting inside its window, and is a failure told once it has closed', async () => {
  const date = '2026-11-02'
  const open = await night.run('portal-orders', date, { waitUntil: Date.now() + 3_600_000 })
  assert.equal(open.state, 'waiting')
  assert.equal(mailsOf('portal-orders', date).length, 0)
  const error = await night.fails('portal-orders', date, { waitUntil: Date.now() - 1 })
  assert.equal(error.code, 'FETCH_FILE_MISSING')
  assert.match(error.message, /orders_20261102\*\.csv/)
  assert.equal(mailsOf('portal-orders', date).length, 1)
  await night.deliver('portal', `orders_${compact(date)}.csv`, orders(date, someLines(2)))
  assert.equal((await night.run('portal-orders', date)).state, 'succeeded')
  assert.equal(await orderRows(date), 2)
})

test('B5: a file cut off by its sender is quarantined, and the whole one under its name is taken by the next run', async () => {
  const date = '2026-11-03'
  const name = `hours_${compact(date)}.csv`
  await night.deliver('payroll', name, hours(date, ['00000001'], null))
  const cut = await night.fails('payroll-hours', date)
  assert.equal(cut.code, 'PARSE_TRAILER_MISSING')
  assert.equal(night.store.rows.size, 0)
  const [file] = await filesOf('payroll-hours', date)
  assert.equal(file!.state, 'quarantined')
  assert.match(file!.reason, /PARSE_TRAILER_MISSING/)
  const again = await night.fails('payroll-hours', date)
  assert.equal(again.code, 'FETCH_FILE_QUARANTINED')
  assert.ok(again.message.includes(cut.message), again.message)
  await night.deliver('payroll', name, hours(date, ['00000001', '00000002']))
  const whole = await night.run('payroll-hours', date)
  assert.deepEqual(whole.warnings, [])
  assert.equal(whole.counts.mapped, 2)
  assert.equal(night.store.rows.size, 2)
  assert.deepEqual(
    (await filesOf('payroll-hours', date)).map(({ state }) => state),
    ['superseded', 'applied'],
  )
})

test('a rerun judges a quarantined file anew, from the archive too', async () => {
  const date = '2026-11-04'
  await night.deliver('payroll', `hours_${compact(date)}.csv`, hours(date, ['00000001'], 5))
  assert.equal((await night.fails('payroll-hours', date)).code, 'PARSE_COUNT_MISMATCH')
  assert.equal((await night.fails('payroll-hours', date)).code, 'FETCH_FILE_QUARANTINED')
  for (const fromArchive of [false, true]) {
    await assert.rejects(night.rerun('payroll-hours', date, { fromArchive }), {
      code: 'PARSE_COUNT_MISMATCH',
    })
  }
  const [file] = await filesOf('payroll-hours', date)
  assert.equal(file!.state, 'quarantined')
})

test('B18: a file in another charset than declared is refused, never read with wrong letters', async () => {
  const date = '2026-11-05'
  const utf8 = Buffer.from(hours(date, ['00000001']).toString('latin1'), 'utf8')
  await night.deliver('payroll', `hours_${compact(date)}.csv`, utf8)
  assert.equal((await night.fails('payroll-hours', date)).code, 'PARSE_CHARSET_IS_UTF8')
  const latin = Buffer.from(orders(date, [['CAFÉ', 1]]), 'latin1')
  const error = await refusedOrders(date, latin)
  assert.equal(error.code, 'PARSE_UNDECODABLE')
  assert.match(error.message, /line 2/)
})

test('B19, B23: ragged rows and rows with a NUL byte are rejects with line and text; all other rows are loaded', async () => {
  const date = '2026-11-06'
  const lines = orders(date, someLines(4)).trimEnd().split('\n')
  lines.splice(2, 0, 'too,few,cells', `${lines[1]!.replace('THING', 'TH\0NG')}`)
  lines.push(`${lines[1]},one too many`)
  await night.deliver('portal', `orders_${compact(date)}.csv`, `${lines.join('\n')}\n`)
  const summary = await night.run('portal-orders', date)
  assert.deepEqual(summary.counts, { read: 7, mapped: 4, rejected: 3, filtered: 0 })
  assert.equal(await orderRows(date), 4)
  const rejects = await night.rows<{ line: number; code: string; raw: string }>(
    `SELECT line::int, issues -> 0 ->> 'code' AS code, raw FROM tallyman.reject ORDER BY line`,
  )
  assert.deepEqual(
    rejects.map(({ line, code }) => [line, code]),
    [
      [3, 'PARSE_RAGGED'],
      [4, 'PARSE_NUL'],
      [8, 'PARSE_RAGGED'],
    ],
  )
  assert.equal(rejects[0]!.raw, 'too,few,cells')
  assert.match(lastMail().subject!, /REJECTS.*3 of 7 records refused/)
})

test('B13: a doubled header is refused, and the earlier rows of its date stay', async () => {
  const date = '2026-11-09'
  await night.deliver('portal', `orders_${compact(date)}.csv`, orders(date, someLines(3)))
  await night.run('portal-orders', date)
  const head = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Country'
  const error = await refusedOrders(date, orders(date, someLines(2), head), '_v2')
  assert.equal(error.code, 'PARSE_HEADER_DOUBLED')
  assert.match(error.message, /Country/)
  assert.equal(await orderRows(date), 3)
})

test('a date whose correction is in quarantine is not called fine by the next run', async () => {
  const date = '2026-11-09'
  const error = await night.fails('portal-orders', date)
  assert.equal(error.code, 'FETCH_FILE_QUARANTINED')
  assert.match(error.message, /besides what is loaded .*orders_20261109_v2\.csv.*What is loaded stays/)
  await assert.rejects(night.dry('portal-orders', date), { code: 'FETCH_FILE_QUARANTINED' })
  await night.deliver('portal', `orders_${compact(date)}_v3.csv`, orders(date, someLines(4)))
  const mended = await night.run('portal-orders', date)
  assert.deepEqual(mended.warnings, [])
  assert.equal(await orderRows(date), 4)
  assert.equal((await night.run('portal-orders', date)).state, 'nothing-to-do')
})

test('B25, B26: malformed XML is refused with line and column, and a DOCTYPE is refused; nothing of either is loaded', async () => {
  const date = '2026-11-10'
  const name = `eurofxref-hist-90d_${compact(date)}.xml`
  const whole = ratesXml(date, { USD: '1.1', JPY: '170' })
  await night.deliver('ecb', name, whole.replace('currency="JPY"', 'currency=JPY'))
  const malformed = await night.fails('fx-rates', date)
  assert.equal(malformed.code, 'PARSE_XML_MALFORMED')
  assert.match(malformed.message, /line 5, column \d+/)
  await night.deliver(
    'ecb',
    name,
    whole.replace('?>\n', '?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n'),
  )
  const doctype = await night.fails('fx-rates', date)
  assert.equal(doctype.code, 'PARSE_XML_DOCTYPE')
  const [table] = await night.rows<{ name: string | null }>(
    `SELECT to_regclass('treasury.fx_rate')::text AS name`,
  )
  const loaded = table!.name === null ? [] : await night.rows('SELECT 1 FROM treasury.fx_rate')
  assert.deepEqual(loaded, [])
  await night.deliver('ecb', name, whole)
  await night.deliver(
    'ecb',
    `eurofxref-hist_${compact(date)}.csv`,
    ratesCsv(date, { USD: '1.1', JPY: '170' }),
  )
  assert.equal((await night.run('fx-rates', date)).reconcile?.outcome, 'CLEAN')
})

test('of several files of a date a bad one is kept out and told in summary and mail, the others are loaded', async () => {
  const date = '2026-11-11'
  const good = statements(date, [{ id: 'GOOD', opening: 1, entries: [2], closing: 3 }])
  await night.deliver('bank', `camt053_${compact(date)}_bad.xml`, `${good.slice(0, -20)}`)
  await night.deliver('bank', `camt053_${compact(date)}_good.xml`, good)
  const first = await night.fails('bank-statements', date)
  assert.equal(first.code, 'PARSE_XML_MALFORMED')
  const second = await night.run('bank-statements', date)
  assert.equal(second.counts.mapped, 3)
  assert.equal(second.warnings.length, 1)
  assert.match(second.warnings[0]!, /^Not loaded: camt053_20261111_bad\.xml, line/)
  assert.match(lastMail().text!.replaceAll(/\s+/g, ' '), /Not loaded: camt053_20261111_bad\.xml/)
  assert.equal((await night.fails('bank-statements', date)).code, 'FETCH_FILE_QUARANTINED')
})

test('when the second source of a comparison is unreadable the load stands and nothing is called proved', async () => {
  const date = '2026-11-12'
  await night.deliver('ecb', `eurofxref-hist-90d_${compact(date)}.xml`, ratesXml(date, { USD: '1.2' }))
  await night.deliver('ecb', `eurofxref-hist_${compact(date)}.csv`, 'Date,USD\n2026-11-12,1.2\n')
  const summary = await night.run('fx-rates', date)
  assert.equal(summary.state, 'succeeded')
  assert.equal(summary.reconcile?.outcome, 'INCONCLUSIVE')
  assert.match(lastMail().text!, /PARSE_COLUMN_MISSING/)
})
