/**
 * The independent checker finds nothing in a right night, and every kind of damage that is planted in
 * it: a checker that can't find proves nothing. What it works out of a partner's file: golden/checker.test.ts.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, test } from 'node:test'
import { FINDING_KINDS, type Finding, type FindingKind } from '../support/checker/spec.ts'
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
import { type SpecChanges, watchNight } from '../support/run-check.ts'

const night = await openNight({
  changes: { 'portal-orders': { after: { move: 'done' } }, 'bank-statements': { after: 'delete' } },
})
const watched = await watchNight(night)
const sql = (text: string) => night.database.use(connection => connection.query(text))
const inData = (...names: string[]): string => path.join(night.environment.dataFolder, ...names)
const atPartner = (...names: string[]): string => path.join(night.folder, 'remote', ...names)

/** Two equal lines, which are legitimate, and one that is rejected. */
const LINES: readonly OrderLine[] = [...someLines(4), ['A1', 1], ['BAD', 'many']]

async function order(name: string, date: string, lines: readonly OrderLine[]): Promise<void> {
  await watched.deliver('portal', name, orders(date, lines))
  await night.run('portal-orders', date)
}

before(async () => {
  await order('orders_20261119.csv', '2026-11-19', LINES)
  await order('orders_20261119_again.csv', '2026-11-19', LINES)
  await order('orders_20261119_corrected.csv', '2026-11-19', [...someLines(6), ['A1', 1]])
  await order('orders_20261120.csv', '2026-11-20', LINES)
  const [date, day] = ['2026-11-20', '20261120']
  const rates = { USD: '1.0850', JPY: '164.20', CHF: '0.9365' }
  await watched.deliver('ecb', `eurofxref-hist-90d_${day}.xml`, ratesXml(date, rates))
  await watched.deliver('ecb', `eurofxref-hist_${day}.csv`, ratesCsv(date, rates))
  const ties = { id: 'S1', opening: 100, entries: [1.5, 2.25], closing: 103.75 }
  const off = { id: 'S2', opening: 100, entries: [1.5], closing: 103.75 }
  await watched.deliver('bank', `camt053_${day}_a.xml`, statements(date, [ties, off]))
  const people = ['00000001', '00000002', '99999999']
  await watched.deliver('payroll', `hours_${day}.csv`, hours(date, people))
  for (const job of ['fx-rates', 'bank-statements', 'payroll-hours']) await night.run(job, date)
})

test('a right night of four jobs, with rejects, a correction and a duplicate, gives the checker no finding', async () => {
  assert.deepEqual(await watched.findings(), [])
})

/** Damage, how it is mended, and the kinds of findings that it must give. */
interface Plant {
  readonly kinds: readonly FindingKind[]
  readonly plant: () => unknown
  readonly mend: () => unknown
}

function inTable(plant: string, mend: string, kinds: FindingKind | readonly FindingKind[]): Plant {
  return { kinds: [kinds].flat(), plant: () => sql(plant), mend: () => sql(mend) }
}

/** Takes some rows of a table away. */
function lost(table: string, where: string, ...kinds: FindingKind[]): Plant {
  const saved = `saved_${table.replace('.', '_')}`
  return inTable(
    `CREATE TABLE ${saved} AS SELECT * FROM ${table} WHERE ${where}; DELETE FROM ${table} WHERE ${where}`,
    `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM ${saved}; DROP TABLE ${saved}`,
    kinds,
  )
}

/** Adds a file that must not be there. */
function litter(file: string, ...kinds: FindingKind[]): Plant {
  return { kinds, plant: () => writeFileSync(file, 'x'), mend: () => rmSync(file) }
}

/** Kinds that were planted and found so far. */
const found = new Set<FindingKind>()

/** Plants all, looks once, mends all. Each must be found, and nothing that was not planted. */
async function assertFound(plants: readonly Plant[], changes: SpecChanges = {}): Promise<Finding[]> {
  for (const { plant } of plants) await plant()
  const findings = await watched.findings(changes)
  for (const { mend } of plants.toReversed()) await mend()
  assert.deepEqual(findings.map(({ kind }) => kind).sort(), plants.flatMap(({ kinds }) => kinds).sort())
  for (const { kind } of findings) found.add(kind)
  return findings
}

test('rows that are doubled, lost, changed or made up are found in every target', async () => {
  const a2 = `stock_code = 'A2' AND business_date = '2026-11-20'`
  const findings = await assertFound([
    inTable(
      `INSERT INTO sales.order_line SELECT * FROM sales.order_line WHERE ${a2}`,
      `DELETE FROM sales.order_line WHERE ctid = (SELECT max(ctid) FROM sales.order_line WHERE ${a2})`,
      ['row-doubled', 'rows-unaccounted'],
    ),
    // One of two equal lines.
    inTable(
      `UPDATE sales.order_line SET stock_code = 'A9' WHERE ctid = (SELECT min(ctid) FROM sales.order_line
         WHERE stock_code = 'A1' AND business_date = '2026-11-20')`,
      `UPDATE sales.order_line SET stock_code = 'A1' WHERE stock_code = 'A9'`,
      ['row-missing', 'row-unexplained'],
    ),
    lost('treasury.fx_rate', `currency = 'JPY'`, 'row-missing', 'rows-unaccounted'),
    inTable(
      `UPDATE treasury.fx_rate SET rate = rate + 0.0001 WHERE currency = 'USD'`,
      `UPDATE treasury.fx_rate SET rate = rate - 0.0001 WHERE currency = 'USD'`,
      'row-changed',
    ),
    inTable(
      `UPDATE finance.bank_balance SET statement_id = 'S9' WHERE balance_no = 2`,
      `UPDATE finance.bank_balance SET statement_id = 'S1' WHERE balance_no = 2`,
      ['row-missing', 'row-unexplained'],
    ),
    inTable(
      `UPDATE finance.bank_entry SET value_on = value_on + 1 WHERE entry_no = 1`,
      `UPDATE finance.bank_entry SET value_on = value_on - 1 WHERE entry_no = 1`,
      'row-changed',
    ),
  ])
  assert.match(findings.find(({ kind }) => kind === 'row-changed')!.message, /1\.0851.*must be.*1\.085"/)
})

const ofJob = (table: string, job: string): string =>
  `${table} = (SELECT max(v.id) FROM tallyman.revision v JOIN tallyman.run r ON r.id = v.run WHERE r.job = '${job}')`
const ofRun = (job: string): string => `run = (SELECT max(id) FROM tallyman.run WHERE job = '${job}')`
const runOf = (job: string): string => `id = (SELECT max(id) FROM tallyman.run WHERE job = '${job}')`

test('effects without their ledger rows, and ledger rows without their effects, are found', async () => {
  await assertFound([
    // The file has lost its load as well, and the table holds what no load accounts for.
    lost('tallyman.load', ofJob('revision', 'fx-rates'), 'effect-without-load', 'effect-without-load'),
    inTable(
      `UPDATE tallyman.revision SET state = 'frozen' WHERE ${ofJob('id', 'portal-orders')}`,
      `UPDATE tallyman.revision SET state = 'finished' WHERE ${ofJob('id', 'portal-orders')}`,
      ['load-without-effect', 'revision-left-frozen'],
    ),
    inTable(
      `UPDATE tallyman.revision SET state = 'published' WHERE ${ofJob('id', 'payroll-hours')}`,
      `UPDATE tallyman.revision SET state = 'finished' WHERE ${ofJob('id', 'payroll-hours')}`,
      'night-unfinished',
    ),
    inTable(
      `UPDATE tallyman.file SET state = 'received' WHERE remote_name = 'camt053_20261120_a.xml'`,
      `UPDATE tallyman.file SET state = 'applied' WHERE remote_name = 'camt053_20261120_a.xml'`,
      'file-not-applied',
    ),
    inTable(
      `UPDATE tallyman.file SET state = 'applied' WHERE remote_name = 'orders_20261119.csv'`,
      `UPDATE tallyman.file SET state = 'superseded' WHERE remote_name = 'orders_20261119.csv'`,
      'file-wrongly-applied',
    ),
    inTable(
      `UPDATE tallyman.attempt SET state = 'running' WHERE ${ofRun('fx-rates')}`,
      `UPDATE tallyman.attempt SET state = 'succeeded' WHERE state = 'running'`,
      'run-not-at-rest',
    ),
    inTable(
      `UPDATE tallyman.run SET owed = true WHERE ${runOf('bank-statements')}`,
      `UPDATE tallyman.run SET owed = false WHERE ${runOf('bank-statements')}`,
      'run-not-done',
    ),
    inTable(
      `UPDATE tallyman.comparison SET revision = NULL WHERE ${ofRun('bank-statements')}`,
      `UPDATE tallyman.comparison SET revision = (SELECT max(id) FROM tallyman.revision v WHERE v.run = comparison.run)
       WHERE ${ofRun('bank-statements')}`,
      'night-uncompared',
    ),
    // The file has no published load either.
    inTable(
      `UPDATE tallyman.load SET state = 'open' WHERE ${ofJob('revision', 'bank-statements')}`,
      `UPDATE tallyman.load SET state = 'published' WHERE ${ofJob('revision', 'bank-statements')}`,
      ['load-left-open', 'effect-without-load', 'effect-without-load'],
    ),
    inTable(
      `UPDATE tallyman.run SET job = 'nobody' WHERE ${runOf('payroll-hours')}`,
      `UPDATE tallyman.run SET job = 'payroll-hours' WHERE job = 'nobody'`,
      'run-missing',
    ),
  ])
  // Other bytes than the partner's: the ledger's file is nobody's, and the partner's is not there.
  const swap = (from: string, to: string): string =>
    `UPDATE tallyman.file SET raw_sha256 = '${to}' || substr(raw_sha256, ${from.length + 1})
     WHERE remote_name = 'hours_20261120.csv'`
  const { rows } = await sql(
    `SELECT left(raw_sha256, 1) AS first FROM tallyman.file WHERE remote_name = 'hours_20261120.csv'`,
  )
  const first = String(rows[0]!.first)
  await assertFound([
    inTable(swap('?', first === '0' ? '1' : '0'), swap('?', first), [
      ...(['file-unknown', 'file-unknown', 'archive-wrong'] as const),
      ...(['file-not-applied', 'file-wrongly-applied', 'effect-without-load'] as const),
    ]),
  ])
})

test('laws that do not hold, and rejects that are not those of the files, are found', async () => {
  const counts = (change: string, job: string): string =>
    `UPDATE tallyman.load SET result = ${change} WHERE ${ofJob('revision', job)}`
  const set = (where: string, value: number): string => `jsonb_set(result, '{${where}}', to_jsonb(${value}))`
  await assertFound([
    // read 6 = mapped 5 + rejected 1, made 7 = 6 + 1: the law holds, the file does not.
    inTable(
      counts(set('counts,read', 7).replace('(result', `(${set('counts,mapped', 6)}`), 'portal-orders'),
      counts(set('counts,read', 6).replace('(result', `(${set('counts,mapped', 5)}`), 'portal-orders'),
      'law-broken',
    ),
    // The table's law, and what the loads account for.
    inTable(
      counts(set('tables,0,inserted', 4), 'fx-rates'),
      counts(set('tables,0,inserted', 3), 'fx-rates'),
      ['law-broken', 'rows-unaccounted'],
    ),
    inTable(
      counts(set('counts,filtered', 0), 'payroll-hours'),
      counts(set('counts,filtered', 1), 'payroll-hours'),
      ['law-broken', 'law-broken'],
    ),
    inTable(
      `UPDATE tallyman.reject SET line = line + 1 WHERE id = (SELECT max(id) FROM tallyman.reject WHERE unit = 'S2')`,
      `UPDATE tallyman.reject SET line = line - 1 WHERE id = (SELECT max(id) FROM tallyman.reject WHERE unit = 'S2')`,
      'rejects-differ',
    ),
  ])
})

test('mails that are lost, doubled, unknown or never written are found', async () => {
  const [first, ...rest] = night.smtp.received
  const told = [inTable('SELECT 1', 'SELECT 1', 'mail-lost')]
  await assertFound(told, { mails: rest })
  await assertFound([inTable('SELECT 1', 'SELECT 1', 'mail-doubled')], {
    mails: [first!, ...night.smtp.received],
  })
  await assertFound([], { mails: [first!, ...night.smtp.received], lostMailAnswers: 1 })
  const newest = `id = (SELECT max(id) FROM tallyman.outbox)`
  await assertFound([
    inTable(
      `UPDATE tallyman.outbox SET message_id = 'x' || message_id WHERE ${newest}`,
      `UPDATE tallyman.outbox SET message_id = substr(message_id, 2) WHERE ${newest}`,
      ['mail-unknown', 'mail-lost'],
    ),
    inTable(
      `UPDATE tallyman.outbox SET kind = 'alert' WHERE ${newest}`,
      `UPDATE tallyman.outbox SET kind = 'report' WHERE ${newest}`,
      'night-untold',
    ),
  ])
  await assertFound([
    inTable(
      `UPDATE tallyman.outbox SET state = 'failed' WHERE ${newest}`,
      `UPDATE tallyman.outbox SET state = 'delivered' WHERE ${newest}`,
      'mail-failed',
    ),
  ])
})

test('remote files that lie wrong, archived bytes that changed, and leftovers are found', async () => {
  const aside = readdirSync(atPartner('portal', 'done')).find(name => name.startsWith('orders_20261120.csv'))!
  const archived = inData(
    'archive',
    'ecb-rates',
    '2026-11-20',
    readdirSync(inData('archive', 'ecb-rates', '2026-11-20'))[0]!,
  )
  const bytes = readFileSync(archived)
  const connection = await night.database.connect()
  await assertFound([
    {
      kinds: ['remote-wrong'],
      plant: () => renameSync(atPartner('portal', 'done', aside), atPartner('portal', 'orders_20261120.csv')),
      mend: () => renameSync(atPartner('portal', 'orders_20261120.csv'), atPartner('portal', 'done', aside)),
    },
    {
      kinds: ['archive-wrong'],
      plant: () => writeFileSync(archived, bytes.toString().replace('USD', 'USB')),
      mend: () => writeFileSync(archived, bytes),
    },
    litter(inData('archive', 'portal-orders', '2026-11-20', 'x.part'), 'part-left'),
    litter(inData('bodies', 'revision-1.rows'), 'body-left'),
    inTable(
      'CREATE UNLOGGED TABLE tallyman.staging_1_0_rows (a int)',
      'DROP TABLE tallyman.staging_1_0_rows',
      'staging-left',
    ),
    {
      kinds: ['transaction-open', 'lock-held'],
      plant: () => connection.query('BEGIN; SELECT pg_advisory_xact_lock(4711)'),
      mend: () => connection.close(),
    },
  ])
})

test('effects at the API that are doubled, changed, lost or in no call are found', async () => {
  const { rows, effects } = night.store
  const [one, two] = [...rows.keys()]
  const [row, other] = [rows.get(one!)!, rows.get(two!)!]
  await assertFound([
    {
      kinds: ['effect-doubled', 'row-changed'],
      plant: () => {
        effects.set(one!, 2)
        rows.set(one!, { ...row, hours: '9' })
      },
      mend: () => {
        effects.set(one!, 1)
        rows.set(one!, row)
      },
    },
    { kinds: ['row-missing'], plant: () => rows.delete(two!), mend: () => rows.set(two!, other) },
    lost('tallyman.call', 'true', 'effect-without-call'),
  ])
  await assertFound([
    inTable(
      `UPDATE tallyman.call SET state = 'unknown'`,
      `UPDATE tallyman.call SET state = 'answered'`,
      'call-undecided',
    ),
    inTable(
      `UPDATE tallyman.call SET body_sha256 = 'x' || body_sha256`,
      `UPDATE tallyman.call SET body_sha256 = substr(body_sha256, 2)`,
      'call-changed',
    ),
    inTable(
      `INSERT INTO tallyman.call (revision, attempt, endpoint, key, body_sha256, items, state)
       SELECT revision, attempt, endpoint, 'made up', body_sha256, items, 'answered' FROM tallyman.call LIMIT 1`,
      `DELETE FROM tallyman.call WHERE key = 'made up'`,
      'call-invented',
    ),
  ])
  assert.deepEqual(await watched.findings(), [], 'everything was mended')
})

test('every kind of finding that the checker can make was planted and found', () => {
  assert.deepEqual([...found].sort(), FINDING_KINDS)
})
