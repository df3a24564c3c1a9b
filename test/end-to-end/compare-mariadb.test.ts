/**
 * A job that only compares a MariaDB with a file that its owner exports: values to the last digit, one picture
 * while others write, a wire that is cut. The server is Debian's, started for this file.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openOther } from '../../lib/db/other/other-database.ts'
import { folder, settled } from '../../lib/fetch/sources.ts'
import { defineMapping, read } from '../../lib/map/index.ts'
import { defineComparisonJob } from '../../lib/model/define-job.ts'
import type { OtherDatabase } from '../../lib/model/environment.ts'
import { Secret } from '../../lib/model/secret.ts'
import { column, defineTable } from '../../lib/model/table.ts'
import { csv } from '../../lib/parse/csv.ts'
import { queryOf } from '../../reconcile/sides/declare.ts'
import { comparison, files, snapshots } from '../../reconcile/snapshots.ts'
import { openComparing } from '../support/comparing.ts'
import { type MariaDb, noMariaDb, startMariaDb } from '../support/mariadb.ts'

const skip = noMariaDb
const DATE = '2026-11-20'
const maria = skip === false ? await startMariaDb() : ({} as MariaDb)
const { host, port, user, password, database } = maria
const erp = {
  ...{ kind: 'mysql' as const, host, port, user, database, tls: 'none' as const, zone: 'Europe/Berlin' },
  password: { literal: password },
} satisfies OtherDatabase
const world = skip === false ? await openComparing({ databases: { erp } }) : null

const payment = defineTable(
  'erp',
  'payment',
  {
    no: column.integer({ doc: 'number' }),
    name: column.text({ doc: 'name' }),
    amount: column.decimal({ doc: 'amount', precision: 38, scale: 10 }),
    paidOn: column.date({ doc: 'day', nullable: true }),
    changedAt: column.timestamp({ doc: 'instant' }),
    open: column.boolean({ doc: 'open' }),
  },
  { doc: 'Payments.', key: ['no'], totals: { amount: { sum: ['amount'] } } },
)

const exported = defineMapping({
  name: 'export',
  version: 1,
  doc: 'x',
  source: ['No', 'Name', 'Amount', 'Paid', 'Changed', 'Open'],
  table: payment,
  fields: {
    no: read.integer('No', { doc: 'x' }),
    name: read.text('Name', { doc: 'x' }),
    amount: read.decimal('Amount', { doc: 'x' }),
    paidOn: read.date('Paid', { optional: true, doc: 'x' }),
    changedAt: read.timestamp('Changed', { doc: 'x' }),
    open: read.boolean('Open', { yes: ['y'], no: ['n'], doc: 'x' }),
  },
})

const job = defineComparisonJob({
  name: 'erp-payments',
  purpose: 'The export has what the ERP has.',
  owner: 'audit',
  ifLate: 'Nothing.',
  reconcile: snapshots(
    comparison({
      table: payment,
      source: queryOf('erp', 'select no, name, amount, paid_on, changed_at, open from payment'),
      target: files({
        fetch: folder({
          folder: 'incoming',
          feed: 'erp-export',
          files: 'payments_{yyyyMMdd}.csv',
          completeWhen: settled({ forMs: 5 }),
        }),
        parse: csv(),
        map: exported,
      }),
    }),
  ),
  report: { to: 'audit' },
})

if (skip === false)
  await maria.sql(`create table payment (no bigint primary key, name varchar(50), amount decimal(38, 10),
    paid_on date, changed_at datetime(6), open tinyint(1)) engine=innodb;
    insert into payment values
    (1, 'Zoë 𝒵', 1234567890123456789012345678.0123456789, '2026-11-20', '2026-11-20 10:00:00.25', 1),
    (2, 'it''s', -0.1, null, '2026-07-01 00:30:00', 0);`)

test('MariaDB and a file are proved equal: 38 digits, four-byte letters, dates and local times as they are', {
  skip,
}, async () => {
  await world!.deliver(
    'payments_20261120.csv',
    `No,Name,Amount,Paid,Changed,Open\n1,Zoë 𝒵,1234567890123456789012345678.0123456789,2026-11-20,2026-11-20T09:00:00.250Z,y\n2,it's,-0.10,,2026-06-30T22:30:00Z,n\n`,
  )
  const summary = await world!.run(job, DATE)
  assert.deepEqual([summary.reconcile?.outcome, summary.reconcile?.unexplained], ['CLEAN', '0'])
})

test('a value that no date can be and an hour that comes twice are unreadable, not guessed', {
  skip,
}, async () => {
  await maria.sql(`set sql_mode = ''; update payment set paid_on = '0000-00-00' where no = 1;
    update payment set changed_at = '2026-10-25 02:30:00' where no = 2;`)
  const summary = await world!.rerun(job, DATE)
  assert.equal(summary.reconcile?.outcome, 'BREAKS')
  const kinds = await world!.rows<{ kind: string; n: string }>(
    `SELECT kind, count(*)::text AS n FROM tallyman.break b JOIN tallyman.comparison_result x ON x.id = b.result
     WHERE x.comparison = (SELECT max(id) FROM tallyman.comparison) GROUP BY kind ORDER BY kind`,
  )
  assert.deepEqual(kinds, [
    { kind: 'missing_in_source', n: '2' },
    { kind: 'unreadable', n: '2' },
  ])
})

test('what others commit while a side is read is not in its picture', { skip }, async () => {
  await maria.sql(
    'create table many (no bigint primary key, t varchar(200)); insert into many select seq, repeat("x", 200) from seq_1_to_60000',
  )
  const session = await openOther('erp', erp, new Secret(password), new AbortController().signal)
  try {
    await maria.sql('delete from many where no > 10')
    let rows = 0
    const from = 'select * from many'
    for await (const block of session.rows({
      columns: [{ sqlName: 'no', kind: 'integer' }],
      from,
      onDate: null,
    }))
      rows += block.length
    assert.equal(rows, 60_000)
    assert.match(session.asOf, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  } finally {
    await session.close()
  }
})

test('a login that is refused is told without its password, a server that dies in the middle is tried again', {
  skip,
}, async () => {
  const signal = new AbortController().signal
  const refused = await openOther('erp', erp, new Secret('wrong-password'), signal).catch(
    (error: unknown) => error,
  )
  assert.match(String(refused), /Access denied/)
  assert.doesNotMatch(String(refused), /wrong-password/)
  await maria.sql('replace into many select seq, repeat("x", 200) from seq_1_to_60000')
  const session = await openOther('erp', erp, new Secret(password), signal)
  const from = 'select * from many'
  const columns = [
    { sqlName: 'no', kind: 'integer' as const },
    { sqlName: 't', kind: 'text' as const },
  ]
  const reading = async (): Promise<number> => {
    let rows = 0
    for await (const block of session.rows({ columns, from, onDate: null })) {
      if (rows === 0) await maria.kill()
      rows += block.length
    }
    return rows
  }
  await assert.rejects(reading(), { code: 'RECONCILE_SIDE_UNREACHABLE', retry: 'backoff' })
  await session.close()
  await assert.rejects(openOther('erp', erp, new Secret(password), signal), {
    code: 'RECONCILE_SIDE_UNREACHABLE',
  })
})
