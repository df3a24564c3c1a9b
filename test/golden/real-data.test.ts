/**
 * Parse and map on real public files, whose answers are known (INDEX.md beside them). The files are no
 * part of the project: without them these tests are skipped.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MapResult } from '../../lib/map/map-tally.ts'
import { issueOfUnit } from '../../lib/map/unit-fold.ts'
import { add, decimal, toText, ZERO } from '../../lib/model/decimal.ts'
import type { MappedBlock } from '../../lib/model/mapping.ts'
import type { Value } from '../../lib/model/table.ts'
import { type FeedRules, feedsOfJobs, mapFiles } from '../support/golden-case.ts'

const DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'data')
const skip = existsSync(DATA) ? false : 'the real data in ../shared/data is not there'
const feeds = await feedsOfJobs()

const filesOf = (set: string, names: RegExp): string[] =>
  readdirSync(join(DATA, set))
    .filter(name => names.test(name))
    .sort()
    .map(name => join(DATA, set, name))

interface Outcome {
  readonly result: MapResult
  /** Rows by field names, by table. */
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>
}

async function run(feed: string, paths: readonly string[]): Promise<Outcome> {
  const rules = feeds.get(feed)!
  const blocks: MappedBlock[] = []
  const { tally } = await mapFiles(rules, paths, block => blocks.push(block))
  return { result: tally.result(), rows: named(rules, blocks) }
}

function named(rules: FeedRules, blocks: readonly MappedBlock[]): Outcome['rows'] {
  return Object.fromEntries(
    Object.entries(rules.map.tables).map(([name, table]) => {
      const fields = Object.keys(table.columns).filter(field => field !== table.asOf)
      const rows = blocks.flatMap(block => block.tables[name]!.rows)
      return [name, rows.map(row => Object.fromEntries(fields.map((field, index) => [field, row[index]!])))]
    }),
  )
}

const failures = (feed: string, { result }: Outcome): string[] =>
  result.failedUnits.map(failed => issueOfUnit(failed, feeds.get(feed)!.map.unit!).message)

test('44 days of real orders map without a reject to their known count and value', { skip }, async () => {
  const { result, rows } = await run('portal-orders', filesOf('uci-online-retail-daily', /\.csv$/))
  assert.deepEqual(result.counts, { read: 77_628, mapped: 77_628, rejected: 0, filtered: 0 })
  assert.equal(result.totals[0]?.amount, '1308957.28')
  const lines = rows.rows!
  const count = (is: (row: Readonly<Record<string, Value>>) => boolean): number => lines.filter(is).length
  assert.equal(
    count(row => row.customerNo === null),
    28_866,
  )
  assert.equal(
    count(row => Number(row.quantity) < 0),
    1_595,
  )
  assert.equal(
    count(row => row.cancellation === true),
    1_429,
  )
  assert.equal(
    count(row => Number(row.unitPrice) <= 0),
    413,
  )
  assert.ok(lines.every(row => row.customerNo === null || /^\d{5}$/.test(String(row.customerNo))))
})

test('10,659 real rates say the same in XML and in the wide CSV', { skip }, async () => {
  const xml = await run('ecb-rates', filesOf('ecb-fx', /hist.*\.xml$/))
  const csv = await run('ecb-history', filesOf('ecb-fx', /hist_2025-05\.csv$/))
  assert.equal(xml.result.counts.mapped, 10_659)
  assert.deepEqual([csv.result.counts.read, csv.result.rows.rows], [6_747, 210_545])
  const known = new Map(csv.rows.rows!.map(({ currency, date, rate }) => [`${currency} ${date}`, rate]))
  const different = xml.rows.rows!.filter(
    ({ currency, date, rate }) => known.get(`${currency} ${date}`) !== rate,
  )
  assert.deepEqual(different, [])
})

test('a Swiss statement says the same in versions 04 and 08', { skip }, async () => {
  const [v04, v08] = filesOf('camt-swiss-pairs', /C053_001_0[48].*\.xml$/)
  const old = await run('bank-statements', [v04!])
  const young = await run('bank-statements', [v08!])
  assert.deepEqual([old.result.failedUnits, young.result.failedUnits], [[], []])
  // The pair are two statements of one day: the earlier one closes where the later one opens.
  const facts = ({ rows }: Outcome) =>
    rows.entries!.map(row => ({ ...row, statementId: '', bankReference: '' }))
  assert.deepEqual(facts(old), facts(young))
  assert.equal(old.rows.entries![0]!.transactions, 8)
  const balance = ({ rows }: Outcome, type: string) => rows.balances!.find(row => row.type === type)?.amount
  assert.equal(balance(young, 'CLBD'), balance(old, 'OPBD'))
  assert.deepEqual(Object.keys(old.rows.balances![0]!), Object.keys(young.rows.balances![0]!))
})

test('real statements of ABN, ING and Nordea tie to the cent', { skip }, async () => {
  const outcome = await run('bank-statements', filesOf('camt-real-banks', /__example_camt\.xml$/))
  assert.deepEqual(failures('bank-statements', outcome), [])
  assert.deepEqual(outcome.result.rows, { entries: 28, balances: 14 })
  const sum = outcome.rows.entries!.reduce((total, row) => add(total, decimal(String(row.amount))), ZERO)
  assert.equal(toText(sum), '8305')
})

test('the real statement that is off by 108.35 falls alone, and its sister is loaded', { skip }, async () => {
  const outcome = await run('bank-statements', filesOf('camt-real-banks', /uk_v2_1\.xml$/))
  assert.deepEqual(failures('bank-statements', outcome), [
    'statement 9740092650 does not tie: opening + movements = closing is off by 108.35 GBP; all its 10 records are rejected.',
  ])
  assert.deepEqual(outcome.result.counts, { read: 14, mapped: 4, rejected: 10, filtered: 0 })
  const other = await run('bank-statements', filesOf('camt-real-banks', /camt_053_us.*\.xml$/))
  assert.match(failures('bank-statements', other)[0]!, /258158850 does not tie: .* off by -3009\.89 USD/)
})

test('8 of 26 synthetic statements fail the balance check', { skip }, async () => {
  const messages: string[] = []
  for (const path of filesOf('camt-genkgo', /\.xml$/)) {
    // Reports (camt.052) and notifications (camt.054) hold no statement, and are refused by parse.
    const outcome = await run('bank-statements', [path]).catch((error: { code?: string }) => error.code)
    if (typeof outcome === 'object') messages.push(...failures('bank-statements', outcome))
    else assert.equal(outcome, 'PARSE_NO_RECORDS', path)
  }
  assert.equal(messages.filter(message => message.includes('does not tie')).length, 8)
  // Two more state no closing balance, so that nothing can be proved about them.
  assert.equal(messages.length, 10)
})
