/**
 * Jobs that only compare, over whole nights: SQLite against Postgres, an API against a table, a table against
 * how it was stored the business day before. Shadow mode is shadow.test.ts.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { defineMapping, read } from '../../lib/map/index.ts'
import { defineComparisonJob } from '../../lib/model/define-job.ts'
import { column, defineTable } from '../../lib/model/table.ts'
import { reconcileAgain } from '../../lib/run/reconcile-again.ts'
import { http, json, queryOf, snapshot } from '../../reconcile/sides/declare.ts'
import { comparison, query, snapshots } from '../../reconcile/snapshots.ts'
import { openComparing, planned } from '../support/comparing.ts'
import { startPagePeer } from '../support/page-peer.ts'

const DATE = '2026-11-20'

const booking = defineTable(
  'ledger',
  'booking',
  {
    bookingNo: column.integer({ doc: 'number' }),
    bookedOn: column.date({ doc: 'day' }),
    changedAt: column.timestamp({ doc: 'instant', nullable: true }),
    amount: column.decimal({ doc: 'amount', precision: 38, scale: 10 }),
    currency: column.text({ doc: 'currency' }),
    settled: column.boolean({ doc: 'settled' }),
    remark: column.text({ doc: 'remark', nullable: true }),
  },
  { doc: 'Bookings.', key: ['bookingNo'], totals: { amount: { sum: ['amount'], per: 'currency' } } },
)

const fromApi = defineMapping({
  name: 'api-to-booking',
  version: 3,
  doc: 'x',
  source: ['no', 'day', 'changed', 'money/amount', 'money/currency', 'settled', 'remark'],
  table: booking,
  fields: {
    bookingNo: read.integer('no', { doc: 'x' }),
    bookedOn: read.date('day', { doc: 'x' }),
    changedAt: read.timestamp('changed', { optional: true, doc: 'x' }),
    amount: read.decimal('money/amount', { doc: 'x' }),
    currency: read.text('money/currency', { doc: 'x' }),
    settled: read.boolean('settled', { yes: ['true'], no: ['false'], doc: 'x' }),
    remark: read.text('remark', { optional: true, doc: 'x' }),
  },
})

const words = {
  purpose: 'Two systems have the same bookings.',
  owner: 'audit',
  ifLate: 'Nothing.',
  report: { to: 'audit' },
}

const pages = new Map<string, string>()
const peer = await startPagePeer(url => ({ body: pages.get(url.searchParams.get('after') ?? '') ?? '{}' }))
const legacy = path.join(await mkdtemp(path.join(tmpdir(), 'tallyman-sqlite-')), 'legacy.db')
const world = await openComparing({
  databases: { legacy: { kind: 'sqlite', file: legacy, zone: 'Europe/Berlin' } },
  api: { books: { baseUrl: peer.baseUrl, token: { literal: 'canary-books-token' } } },
})
after(() => rm(path.dirname(legacy), { recursive: true, force: true }))

await world.rows(`CREATE SCHEMA ledger`)
await world.rows(`CREATE TABLE ledger.booking (booking_no bigint PRIMARY KEY, booked_on date NOT NULL,
  changed_at timestamptz, amount numeric(38, 10) NOT NULL, currency text NOT NULL, settled boolean NOT NULL, remark text)`)
await world.rows(`INSERT INTO ledger.booking VALUES
  (1, '2026-11-20', '2026-11-20 09:00:00+00', 10.10, 'EUR', true, 'Zoë'),
  (2, '2026-11-20', '2026-11-20 09:00:00.25+00', 0.1, 'EUR', false, ''),
  (3, '2026-11-20', NULL, 1234567890123456789012345678.0123456789, 'USD', false, NULL),
  (9007199254740993, '2026-11-20', NULL, -0.5, 'EUR', false, NULL)`)

const old = new DatabaseSync(legacy)
old.exec(`CREATE TABLE bookings (no INTEGER, day TEXT, changed TEXT, amount TEXT, cur TEXT, done INTEGER, remark TEXT);
  INSERT INTO bookings VALUES
  (1, '2026-11-20', '2026-11-20 10:00:00', '10.1', 'EUR', 1, 'Zoë'),
  (2, '2026-11-20', '2026-11-20 10:00:00.250', '0.10', 'EUR', 0, ''),
  (3, '2026-11-20', NULL, '1234567890123456789012345678.0123456789', 'USD', 0, NULL),
  (9007199254740993, '2026-11-20', NULL, '-0.50', 'EUR', 0, NULL),
  (4, '2026-11-19', NULL, '1', 'EUR', 0, NULL)`)

const OLD = `select no as booking_no, day as booked_on, changed as changed_at, amount, cur as currency,
  done as settled, remark from bookings`

const sqlite = defineComparisonJob({
  ...words,
  name: 'legacy-bookings',
  reconcile: snapshots(
    comparison({
      table: booking,
      source: queryOf('legacy', OLD, { businessDate: 'bookedOn' }),
      scope: { businessDate: 'bookedOn' },
    }),
  ),
})

test('a job that only compares proves SQLite and Postgres equal to the last digit, and mails it', async () => {
  const summary = await world.run(sqlite, DATE)
  assert.equal(summary.reconcile?.outcome, 'CLEAN')
  assert.deepEqual([summary.state, summary.revision, summary.counts.read], ['succeeded', null, 0])
  const { subject, text } = await world.lastMail()
  assert.match(subject, /^\[CLEAN\] legacy-bookings 2026-11-20/)
  assert.match(text.replaceAll(/\s+/g, ' '), /legacy and ledger\.booking agree in 4 rows.*to the last digit/)
  assert.doesNotMatch(text, /loaded|record to load/)
})

test('what differs between two systems is a break with exact values, lasts, and is resolved', async () => {
  old.exec(
    `UPDATE bookings SET amount = '10.11', changed = '2026-11-20 10:00:01' WHERE no = 1; DELETE FROM bookings WHERE no = 2`,
  )
  const broken = await world.run(sqlite, DATE)
  assert.equal(broken.reconcile?.breaks.new, 2)
  const { text } = await world.lastMail()
  assert.match(text, /10\.11/)
  assert.match(text.replaceAll(/\s+/g, ' '), /have the other side corrected/)
  assert.doesNotMatch(text, /load it again|--force/)
  const [mismatch] = await world.rows<{ columns: readonly { name: string; left: string; right: string }[] }>(
    `SELECT columns FROM tallyman.break WHERE kind = 'value_mismatch' ORDER BY id DESC LIMIT 1`,
  )
  assert.deepEqual(
    mismatch!.columns.map(({ name, left, right }) => [name, left, right]),
    [
      ['changedAt', '2026-11-20T09:00:01Z', '2026-11-20T09:00:00Z'],
      ['amount', '10.11', '10.1'],
    ],
  )
  const stored = await reconcileAgain(world.engine, planned(sqlite), DATE, { stored: true })
  assert.equal(stored.reconcile?.breaks.new, 2, 'what is stored is compared again without asking anybody')
  old.exec(`UPDATE bookings SET amount = '10.10', changed = '2026-11-20 10:00:00' WHERE no = 1;
    INSERT INTO bookings VALUES (2, '2026-11-20', '2026-11-20 10:00:00.25', '.1', 'EUR', 0, '')`)
  const again = await world.rerun(sqlite, DATE)
  assert.deepEqual([again.reconcile?.outcome, again.reconcile?.breaks.resolved], ['CLEAN', 2])
  assert.equal(again.attempt, 4)
})

test('a database that can not be asked fails the attempt, and nothing is proved', async () => {
  const asked = (database: string, sql: string) =>
    defineComparisonJob({
      ...words,
      name: 'legacy-refused',
      reconcile: snapshots(comparison({ table: booking, source: queryOf(database, sql) })),
    })
  await assert.rejects(world.run(asked('legacy', 'select nowhere from bookings'), DATE), {
    code: 'RECONCILE_SIDE_REFUSED',
    message: /database says no such column/,
  })
  const [run] = await world.rows<{ state: string }>(
    `SELECT state FROM tallyman.run WHERE job = 'legacy-refused'`,
  )
  assert.equal(run!.state, 'failed')
  assert.match((await world.lastMail()).subject, /^\[FAILED\] legacy-refused/)
})

test('pages of an API are compared with a table, numbers as they were sent', async () => {
  const item = (no: string, rest: string): string => `{"no":${no},"day":"2026-11-20",${rest}}`
  pages.set(
    '',
    `{"data":{"items":[${item('1', '"changed":"2026-11-20T10:00:00+01:00","money":{"amount":10.10,"currency":"EUR"},"settled":true,"remark":"Zoë"')}]},"next":"p2"}`,
  )
  pages.set(
    'p2',
    `{"data":{"items":[${item('2', '"changed":"2026-11-20T09:00:00.250Z","money":{"amount":0.1,"currency":"EUR"},"settled":false,"remark":""')},
    ${item('3', '"money":{"amount":1234567890123456789012345678.0123456789,"currency":"USD"},"settled":false')}]},"next":null}`,
  )
  const job = defineComparisonJob({
    ...words,
    name: 'api-bookings',
    reconcile: snapshots(
      comparison({
        table: booking,
        source: http({
          endpoint: 'books',
          path: 'v1/bookings?date={date}',
          read: json('data/items'),
          pages: { kind: 'cursor', parameter: 'after', next: 'next' },
          map: fromApi,
        }),
        scope: 'keysOfOther',
        // An empty text comes as null from the mapping.
        compare: { remark: { nullTokens: [''] } },
      }),
    ),
  })
  const clean = await world.run(job, DATE)
  assert.equal(clean.reconcile?.outcome, 'CLEAN')
  assert.deepEqual(peer.asked, ['/v1/bookings?date=2026-11-20', '/v1/bookings?date=2026-11-20&after=p2'])
  assert.deepEqual(new Set(peer.tokens), new Set(['Bearer canary-books-token']))
  pages.set('p2', '{"data":[]}')
  const unproved = await world.run(job, DATE)
  assert.equal(unproved.reconcile?.outcome, 'INCONCLUSIVE', 'a page that is none proves nothing')
  assert.match((await world.lastMail()).text.replaceAll(/\s+/g, ' '), /it has no list at data\/items/)
})

test('a table is compared with how it was stored the business day before', async () => {
  const held = query('select * from ledger.booking')
  const job = defineComparisonJob({
    ...words,
    name: 'nothing-vanishes',
    reconcile: snapshots(
      comparison({ table: booking, name: 'today', source: held, target: held }),
      comparison({
        table: booking,
        name: 'since_yesterday',
        source: snapshot({ comparison: 'today', side: 'target' }),
        target: query('select * from ledger.booking', 'keysOfOther'),
      }),
    ),
  })
  const friday = await world.run(job, '2026-11-20')
  assert.equal(friday.reconcile?.outcome, 'INCONCLUSIVE', 'of Thursday nothing is stored')
  assert.match((await world.lastMail()).text.replaceAll(/\s+/g, ' '), /of 2026-11-19: .*was not compared yet/)
  await world.rows(`INSERT INTO ledger.booking VALUES (7, '2026-11-23', NULL, 5, 'EUR', true, NULL)`)
  const monday = await world.run(job, '2026-11-23')
  assert.equal(monday.reconcile?.outcome, 'CLEAN', 'what is new since Friday is out of scope')
  await world.rows(`DELETE FROM ledger.booking WHERE booking_no = 2`)
  const again = await world.run(job, '2026-11-23')
  assert.deepEqual([again.reconcile?.outcome, again.reconcile?.breaks.new], ['BREAKS', 1])
})
