/**
 * Snapshots of a real Postgres: canonical text, one instant, scopes, and the comparison with mapped rows.
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'
import { compareSides } from '../../../../reconcile/compare/compare-sides.ts'
import { planOf } from '../../../../reconcile/compare/plan.ts'
import { columnsOfTable } from '../../../../reconcile/snapshot/columns.ts'
import type { Snapshot } from '../../../../reconcile/snapshot/manifest.ts'
import { applicableScope } from '../../../../reconcile/snapshot/scope.ts'
import {
  type CopySession,
  rowsOfQuery,
  rowsOfTable,
  snapshotDatabase,
} from '../../../../reconcile/snapshot/target.ts'
import { openSnapshotWriter } from '../../../../reconcile/snapshot/writer.ts'
import { comparison, within } from '../../../../reconcile/snapshots.ts'
import { countsOf, quietContext, reconcileFolder } from '../../../support/compared.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase({ empty: true })
const folder = reconcileFolder()
const place = { folder: path.join(folder, 'snapshots'), workFolder: path.join(folder, 'work') }

const table = defineTable(
  'sales',
  'shipment',
  {
    carrierRef: column.text({ doc: 'reference' }),
    pieces: column.integer({ doc: 'pieces' }),
    weightKg: column.decimal({ doc: 'weight', precision: 30, scale: 6, nullable: true }),
    shipDay: column.date({ doc: 'day' }),
    scannedAt: column.timestamp({ doc: 'instant', nullable: true }),
    express: column.boolean({ doc: 'express' }),
    note: column.text({ doc: 'note', nullable: true }),
  },
  { doc: 'Shipments.', key: ['carrierRef'], asOf: 'loadedAs', totals: { weight: { sum: ['weightKg'] } } },
)
const rules = comparison({ table, compare: { weightKg: within('0.001') } })
const plan = planOf(rules, 'carrier', table)

const ROWS: readonly Value[][] = [
  [
    'A|1',
    3,
    '1234567890123456789012.5',
    '2026-11-20',
    '2026-11-20T04:05:06.12Z',
    true,
    'line\r\nbreak, "quoted"',
  ],
  ['B', -2, '-0.000001', '2026-11-20', null, false, '\\N'],
  ['C', 0, null, '2026-11-19', '2026-10-25T00:30:00Z', false, ''],
  ['D', 9, '100', '2026-11-20', '2026-11-20T00:00:00Z', true, null],
]

const session = await database.connect()
test.after(() => session.close())
await session.query('create schema sales')
await session.query(`create table sales.shipment (carrier_ref text primary key, pieces bigint not null, weight_kg numeric(30, 6),
  ship_day date not null, scanned_at timestamptz, express boolean not null, note text, loaded_as text)`)
for (const row of ROWS) {
  await session.query('insert into sales.shipment values ($1, $2, $3, $4, $5, $6, $7)', row)
}

const facts = { job: 'carrier', businessDate: '2026-11-20', mappingVersion: 1, files: [] } as const

async function sourceOf(rows: readonly Value[][]): Promise<Snapshot> {
  const writer = await openSnapshotWriter(
    place,
    { ...facts, side: 'source', name: 'mapped records', files: ['f.csv'] },
    columnsOfTable(table),
    table.totals,
  )
  const order = rows.map((_, i) => i)
  await writer.push(0, {
    rows: rows.map(row => [...row]),
    lines: order.map(i => i + 2),
    ordinals: order,
    units: rows.map(() => null),
  })
  return writer.finish({ asOf: '2026-11-21T00:00:00Z' })
}

function targetOf(scope: Parameters<typeof rowsOfTable>[1], from: CopySession = session): Promise<Snapshot> {
  return snapshotDatabase(
    place,
    { ...facts, side: 'target', name: 'sales.shipment' },
    from,
    rowsOfTable(table, scope),
  )
}

const compareWith = (left: Snapshot, right: Snapshot) =>
  compareSides(left, right, plan, { run: null, workFolder: place.workFolder, breaksFile: null }, quietContext)

test('rows as mapped and rows as stored by Postgres have the same digest', async () => {
  const source = await sourceOf(ROWS)
  await session.query("set timezone = 'Asia/Kolkata'")
  await session.query("set datestyle = 'German'")
  const target = await targetOf({ kind: 'all' })
  assert.equal(target.manifest.digest, source.manifest.digest)
  assert.deepEqual(target.manifest.totals, source.manifest.totals)
  assert.match(target.manifest.asOf, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const result = await compareWith(source, target)
  assert.deepEqual([result.outcome, countsOf(result)], ['CLEAN', { identical: 4 }])
})

test('a target limited to a business date or to the keys of the source says so and leaves the rest out', async () => {
  const given = { plan, businessDate: '2026-11-20', other: await sourceOf(ROWS.slice(0, 1)) }
  const dated = await targetOf(applicableScope({ businessDate: 'shipDay' }, given))
  assert.deepEqual([dated.manifest.rows, dated.manifest.scope], [3, 'shipDay = 2026-11-20'])
  const keyed = await targetOf(applicableScope('keysOfOther', given))
  assert.deepEqual(
    [keyed.manifest.rows, keyed.manifest.outOfScope, keyed.manifest.scope],
    [1, 3, 'keys of source'],
  )
  assert.equal((await compareWith(given.other, keyed)).outcome, 'CLEAN')
  assert.throws(() => applicableScope('keysOfOther', { ...given, plan: { ...plan, key: [] } }), {
    code: 'CONFIG_SCOPE_INVALID',
  })
})

test('a target is seen as of one instant, whatever is committed while it is copied', async () => {
  const other = await database.connect()
  const meddling: CopySession = {
    query: (sql, params) => session.query(sql, params),
    transaction: work => session.transaction(work),
    copyOut: async function* (sql) {
      await other.query("insert into sales.shipment values ('LATE', 1, 1, '2026-11-20', null, false)")
      yield* session.copyOut(sql)
    },
  }
  const target = await targetOf({ kind: 'all' }, meddling)
  await other.query("delete from sales.shipment where carrier_ref = 'LATE'")
  await other.close()
  assert.equal(target.manifest.rows, 4)
})

test('a value changed in the target by hand is the break, with its column and delta', async () => {
  const source = await sourceOf(ROWS)
  await session.query("update sales.shipment set weight_kg = 100.01 where carrier_ref = 'D'")
  await session.query("update sales.shipment set weight_kg = -0.0005 where carrier_ref = 'B'")
  const result = await compareWith(source, await targetOf({ kind: 'all' }))
  await session.query("update sales.shipment set weight_kg = 100 where carrier_ref = 'D'")
  await session.query("update sales.shipment set weight_kg = -0.000001 where carrier_ref = 'B'")
  assert.deepEqual(countsOf(result), { value_mismatch: 1, within_tolerance: 1, identical: 2 })
  const [found] = result.breaks
  assert.deepEqual(found!.columns, [
    { name: 'weightKg', left: '100', right: '100.01', nature: 'amount', delta: '0.01' },
  ])
  assert.deepEqual(found!.origin, { file: 'f.csv', line: 5 })
  assert.deepEqual(result.proof[0]!.explained, { value_mismatch: '0.01', within_tolerance: '-0.000499' })
})

test('numbers that are none in Postgres are unreadable, not zero', async () => {
  await session.query("update sales.shipment set weight_kg = 'NaN' where carrier_ref = 'D'")
  const result = await compareWith(await sourceOf(ROWS), await targetOf({ kind: 'all' }))
  await session.query("update sales.shipment set weight_kg = 100 where carrier_ref = 'D'")
  assert.deepEqual(countsOf(result), { unreadable: 1, missing_in_target: 1, identical: 3 })
})

test('a query is a side too', async () => {
  const sql = "select *, 'x' as more from sales.shipment where express -- only these"
  const rows = rowsOfQuery(sql, table, { kind: 'all' })
  const target = await snapshotDatabase(place, { ...facts, side: 'target', name: 'query' }, session, rows)
  const result = await compareWith(await sourceOf(ROWS.filter(row => row[5] === true)), target)
  assert.equal(result.outcome, 'CLEAN')
})
