/**
 * Whole nights on real public files whose answers are known (INDEX.md beside them), asserted in the
 * database. The files are no part of the project: without them these tests are skipped.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { ROOT } from '../support/source-facts.ts'

const DATA = join(ROOT, '..', 'shared', 'data')
const there = existsSync(DATA)
const skip = there ? false : 'the real data in ../shared/data is not there'
const night = there ? await openNight({ releaseMail: false }) : null!

/** The day on which all rates and statements arrive. */
const DATE = '2025-05-09'
const STAMP = '20250509'

const filesOf = (set: string, names: RegExp): string[] =>
  readdirSync(join(DATA, set))
    .filter(name => names.test(name))
    .sort()

/** One row of one query. */
async function one(sql: string): Promise<Record<string, unknown>> {
  const [row] = await night.rows<Record<string, unknown>>(sql)
  return row!
}

async function deliverStatements(set: string, names: RegExp): Promise<void> {
  for (const name of filesOf(set, names))
    await night.deliver('bank', `camt053_${STAMP}_${name}`, readFileSync(join(DATA, set, name)))
}

test('44 days of real orders are in the table to the line and the penny, and a second run of all of them changes nothing', {
  skip,
}, async () => {
  const days = filesOf('uci-online-retail-daily', /^\d{4}-\d{2}-\d{2}\.csv$/).map(name => name.slice(0, 10))
  assert.equal(days.length, 44)
  for (const day of days) {
    const content = readFileSync(join(DATA, 'uci-online-retail-daily', `${day}.csv`))
    await night.deliver('portal', `orders_${day.replaceAll('-', '')}.csv`, content)
    const { reconcile, counts } = await night.run('portal-orders', day)
    assert.deepEqual([reconcile?.outcome, reconcile?.unexplained, counts.rejected], ['CLEAN', '0', 0], day)
  }
  const table = `SELECT count(*)::int AS rows, sum(quantity * unit_price)::numeric(20, 2)::text AS value,
    count(DISTINCT business_date)::int AS days, count(*) FILTER (WHERE customer_no IS NULL)::int AS without,
    md5(string_agg(l::text, '' ORDER BY l::text)) AS digest FROM sales.order_line l`
  const first = await one(table)
  const { digest, ...known } = first
  assert.deepEqual(known, { rows: 77_628, value: '1308957.28', days: 44, without: 28_866 })

  const version = `SELECT max(xmin::text::bigint)::text AS newest FROM sales.order_line`
  const before = await one(version)
  for (const day of days) {
    const again = await night.run('portal-orders', day)
    assert.deepEqual(
      [again.state, again.files.map(file => file.verdict)],
      ['nothing-to-do', ['duplicate']],
      day,
    )
  }
  assert.deepEqual(await one(table), { ...known, digest })
  assert.deepEqual(await one(version), before, 'no row was written again')
  const loads = await one(`SELECT count(*)::int AS loads FROM tallyman.load`)
  assert.deepEqual(loads, { loads: 44 })
})

test('10,659 real rates of six files are loaded and clean against the whole history of the ECB', {
  skip,
}, async () => {
  for (const name of filesOf('ecb-fx', /^eurofxref-hist.*\.xml$|^eurofxref-hist_2025-05\.csv$/)) {
    const [stem, extension] = name.split('.')
    const content = readFileSync(join(DATA, 'ecb-fx', name))
    await night.deliver('ecb', `${stem}_${STAMP}.${extension}`, content)
  }
  const summary = await night.run('fx-rates', DATE)
  assert.equal(summary.files.length, 6)
  assert.equal(summary.counts.mapped, 10_659)
  assert.equal(summary.reconcile?.outcome, 'CLEAN')
  assert.ok(Object.values(summary.reconcile.breaks).every(count => count === 0))
  const stored = await one(`SELECT count(*)::int AS rates, count(DISTINCT (currency, date))::int AS keys,
    min(date)::text AS first, max(date)::text AS last FROM treasury.fx_rate`)
  const { inserted, collapsed } = summary.tables[0]!
  assert.equal(stored.rates, inserted)
  assert.equal(stored.keys, stored.rates)
  assert.equal(inserted + collapsed + summary.tables[0]!.unchanged, 10_659)
  const compared = await night.rows(
    `SELECT reconciliation, r.outcome, breaks_total::int AS breaks, (result -> 'right' ->> 'scope') AS scope
     FROM tallyman.comparison_result r JOIN tallyman.comparison c ON c.id = r.comparison
     JOIN tallyman.run ON run.id = c.run WHERE run.job = 'fx-rates' ORDER BY reconciliation`,
  )
  const clean = { outcome: 'CLEAN', breaks: 0, scope: 'keys of source' }
  assert.deepEqual(compared, [
    { reconciliation: 'fx-rates.ecb_history', ...clean },
    { reconciliation: 'fx-rates.fx_rate', ...clean },
  ])
})

test('real statements of five banks: those that tie are loaded, two fall with their difference, three identical files count once', {
  skip,
}, async () => {
  await deliverStatements('camt-swiss-pairs', /_C053_.*\.xml$/)
  await deliverStatements('camt-real-banks', /camt.*\.xml$/)
  const summary = await night.run('bank-statements', DATE)
  assert.equal(summary.reconcile?.outcome, 'CLEAN')
  const rejected = await night.rows(
    `SELECT unit, count(*)::int AS records, issues -> 0 ->> 'code' AS code,
       substring(min(issues -> 0 ->> 'message') FROM 'off by (-?[0-9.]+ [A-Z]{3})') AS difference
     FROM tallyman.reject WHERE state = 'open' GROUP BY unit, code ORDER BY unit`,
  )
  const code = 'MAP_UNIT_DOES_NOT_TIE'
  assert.deepEqual(rejected, [
    { unit: '258158850', records: 19, code, difference: '-3009.89 USD' },
    { unit: '9740092650', records: 10, code, difference: '108.35 GBP' },
  ])
  assert.deepEqual(
    summary.files.filter(file => file.verdict === 'duplicate').map(file => file.note),
    Array(2).fill(`same content as camt053_${STAMP}_goldman_sachs__camt_053_uk_v2_1.xml`),
  )

  // What remains ties, by the database's own arithmetic: opening (or previous closing) + booked entries = closing.
  const statements = await night.rows<{ statement: string; entries: number; off: string }>(
    `SELECT b.statement_id AS statement, count(e.*)::int AS entries,
       max(b.closing - b.opening)::numeric(20, 2) - coalesce(sum(e.amount) FILTER (WHERE e.status = 'BOOK'), 0)::numeric(20, 2) AS off
     FROM (SELECT account, statement_id, max(amount) FILTER (WHERE type IN ('OPBD', 'PRCD')) AS opening,
             max(amount) FILTER (WHERE type = 'CLBD') AS closing FROM finance.bank_balance WHERE NOT interim GROUP BY 1, 2) b
     LEFT JOIN finance.bank_entry e USING (account, statement_id) GROUP BY b.account, b.statement_id ORDER BY 1`,
  )
  assert.deepEqual(
    statements.map(({ statement, entries, off }) => [statement, entries, Number(off)]),
    [
      ...[
        ['0002302010957001', 1, 0],
        ['0002302010958001', 1, 0],
      ], // the Swiss pair
      ['0574908765.2013-04-02', 13, 0], // ABN, which states a previous closing balance for an opening one
      ['201401030009999', 9, 0], // ING
      ['2019-05-09-04.44.12-EUR0574', 6, 0], // Nordea
      ['9740092600', 0, 0], // Goldman UK, the sister of the statement that falls
    ],
  )

  // The Swiss pair: a batch of eight payments told in version 04 and in version 08, on two days of one account.
  const facts = await night.rows<{ amount: string; transactions: number }>(
    `SELECT DISTINCT account, entry_no::int, amount::text, currency, value_on::text, booked_on::text, status, reversal, transactions::int, text
     FROM finance.bank_entry WHERE statement_id IN ('0002302010957001', '0002302010958001')`,
  )
  assert.equal(facts.length, 1, 'both versions give equal rows')
  assert.deepEqual([facts[0]!.amount, facts[0]!.transactions], ['-80.00000', 8])
})
