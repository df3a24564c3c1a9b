/**
 * What each mode does to the target, over a real database and a real run ledger.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { counts, countsOf, loadSample, plain } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const columns = {
  day: column.date({ doc: 'Business date.' }),
  ref: column.text({ doc: 'Reference.', max: 20 }),
  amount: column.decimal({ doc: 'Amount.', precision: 12, scale: 2, nullable: true }),
}
const options = { doc: 'A table of the tests.', totals: { amount: { sum: ['amount'] as const } } }

async function target<S extends ReturnType<typeof postgres>>(spec: S): Promise<S> {
  await database.use(connection => createTarget(connection, spec))
  return spec
}

async function rowsOf(table: string): Promise<unknown[][]> {
  const { rows } = await database.use(c =>
    c.query<Record<string, unknown>>(`SELECT day, ref, amount FROM erp.${table} ORDER BY day, ref, amount`),
  )
  return rows.map(row => Object.values(row))
}

/** Physical addresses of rows: equal before and after means that nothing was rewritten. */
async function addresses(table: string, where = 'true'): Promise<string[]> {
  const { rows } = await database.use(c =>
    c.query<{ at: string }>(
      `SELECT ctid::text || xmin::text AS at FROM erp.${table} WHERE ${where} ORDER BY 1`,
    ),
  )
  return rows.map(row => row.at)
}

test('append adds rows and does not add the same file a second time', async () => {
  const table = defineTable('erp', 'appended', columns, { ...options, key: [] })
  const spec = await target(postgres({ table, mode: 'append' }))
  const one = { name: 'A.csv', records: plain(['2026-11-20', 'x', '1.5'], ['2026-11-20', 'x', '1.5']) }
  const two = { name: 'B.csv', records: plain(['2026-11-20', 'y', null]) }
  const first = await loadSample(database, spec, { job: 'append', files: [one], perDate: 'many' })
  assert.deepEqual(countsOf(first), counts({ mapped: 2, inserted: 2 }))
  const second = await loadSample(database, spec, { job: 'append', files: [one, two], perDate: 'many' })
  assert.deepEqual(countsOf(second), counts({ mapped: 1, inserted: 1 }))
  assert.equal((await rowsOf('appended')).length, 3)
})

test('an append of a file that is applied already is refused by the load itself', async () => {
  const table = defineTable('erp', 'appended_twice', columns, { ...options, key: [] })
  const spec = await target(postgres({ table, mode: 'append' }))
  const file = { name: 'A.csv', records: plain(['2026-11-20', 'x', '1']) }
  await assert.rejects(
    loadSample(database, spec, {
      job: 'append-twice',
      files: [file],
      change: input => ({
        ...input,
        revision: { ...input.revision, files: input.revision.files.map(f => ({ ...f, state: 'applied' })) },
      }),
    }),
    { code: 'LOAD_APPEND_APPLIED' },
  )
  assert.equal((await rowsOf('appended_twice')).length, 0)
})

for (const keeping of ['column', 'beside'] as const) {
  test(`F13: upsert writes only what differs, and an older date never overwrites a newer one (${keeping})`, async () => {
    const name = keeping === 'column' ? 'upserted' : 'upserted_beside'
    const table =
      keeping === 'column'
        ? defineTable('erp', name, columns, { ...options, key: ['ref'], asOf: 'version' })
        : defineTable('erp', name, columns, { ...options, key: ['ref'] })
    const spec = await target(postgres({ table, mode: 'upsert' }))
    const load = (businessDate: string, ...rows: [string, string | null][]) =>
      loadSample(database, spec, {
        job: name,
        businessDate,
        files: [
          {
            name: `${businessDate}.csv`,
            records: plain(...rows.map(([ref, amount]) => ['2026-01-01', ref, amount])),
          },
        ],
      })
    const first = await load('2026-11-20', ['a', '1'], ['b', '2'], ['c', null])
    assert.deepEqual(countsOf(first), counts({ mapped: 3, inserted: 3 }))
    const newer = await load('2026-11-22', ['a', '1'], ['b', '22'], ['d', '4'])
    assert.deepEqual(countsOf(newer), counts({ mapped: 3, inserted: 1, updated: 1, unchanged: 1 }))
    const between = await load('2026-11-21', ['a', '-1'], ['b', '-1'], ['c', '3'], ['e', '5'])
    assert.deepEqual(countsOf(between), counts({ mapped: 4, inserted: 1, updated: 1, outdated: 2 }))
    assert.deepEqual(await rowsOf(name), [
      ['2026-01-01', 'a', '1.00'],
      ['2026-01-01', 'b', '22.00'],
      ['2026-01-01', 'c', '3.00'],
      ['2026-01-01', 'd', '4.00'],
      ['2026-01-01', 'e', '5.00'],
    ])
    if (between.kind === 'done-before') assert.fail('done before')
    assert.deepEqual(between.result.totals, [
      { table: `erp.${name}`, total: 'amount', group: '', amount: '8' },
    ])
  })
}

test('unchanged rows of an upsert are not rewritten', async () => {
  const table = defineTable('erp', 'upserted_same', columns, { ...options, key: ['ref'] })
  const spec = await target(postgres({ table, mode: 'upsert' }))
  const records = plain(['2026-01-01', 'a', '1.5'], ['2026-01-01', 'b', null])
  const load = (businessDate: string) =>
    loadSample(database, spec, { job: 'same', businessDate, files: [{ name: 'F.csv', records }] })
  await load('2026-11-20')
  const before = await addresses('upserted_same')
  assert.deepEqual(countsOf(await load('2026-11-21')), counts({ mapped: 2, unchanged: 2 }))
  assert.deepEqual(await addresses('upserted_same'), before)
})

test('mirror makes the table equal to the set, and refuses an older set unless forced', async () => {
  const table = defineTable('erp', 'mirrored', columns, { ...options, key: ['ref'] })
  const spec = await target(postgres({ table, mode: 'mirror' }))
  const load = (businessDate: string, force: boolean, ...rows: [string, string][]) =>
    loadSample(database, spec, {
      job: 'mirror',
      businessDate,
      force,
      files: [{ name: 'M.csv', records: plain(...rows.map(([ref, amount]) => ['2026-01-01', ref, amount])) }],
    })
  await load('2026-11-20', false, ['a', '1'], ['b', '2'], ['c', '3'])
  const next = await load('2026-11-21', false, ['b', '2'], ['c', '30'], ['d', '4'])
  assert.deepEqual(countsOf(next), counts({ mapped: 3, inserted: 1, updated: 1, unchanged: 1, deleted: 1 }))
  await assert.rejects(load('2026-11-19', false, ['z', '0'], ['b', '2'], ['c', '3']), {
    code: 'LOAD_MIRROR_OUTDATED',
  })
  assert.deepEqual(
    (await rowsOf('mirrored')).map(row => row[1]),
    ['b', 'c', 'd'],
  )
  const forced = await load('2026-11-18', true, ['b', '2'], ['c', '3'])
  assert.deepEqual(countsOf(forced), counts({ mapped: 2, updated: 1, unchanged: 1, deleted: 1 }))
})

for (const keyed of [true, false]) {
  const name = keyed ? 'replaced' : 'replaced_bag'
  test(`A -> B -> A through replace ends where it began, other dates untouched (${keyed ? 'keyed' : 'a bag'})`, async () => {
    const table = defineTable('erp', name, columns, { ...options, key: keyed ? ['day', 'ref'] : [] })
    const spec = await target(postgres({ table, mode: 'replace', scope: 'day' }))
    const load = (businessDate: string, dryRun: boolean, ...rows: [string, string | null][]) =>
      loadSample(database, spec, {
        job: name,
        businessDate,
        dryRun,
        files: [
          { name: 'R.csv', records: plain(...rows.map(([ref, amount]) => [businessDate, ref, amount])) },
        ],
      })
    await load('2026-11-19', false, ['a', '9'], ['b', '9'])
    const otherDate = await addresses(name, "day = '2026-11-19'")
    const a: [string, string | null][] = [
      ['a', '1'],
      ['b', null],
      ['c', '3'],
      ['d', '4'],
    ]
    await load('2026-11-20', false, ...a)
    const atA = await rowsOf(name)
    const kept = await addresses(name, "day = '2026-11-20' AND ref IN ('b', 'c', 'd')")
    const b = await load('2026-11-20', false, ['a', '10'], ...a.slice(1), ['e', '5'])
    assert.deepEqual(
      countsOf(b),
      keyed
        ? counts({ mapped: 5, inserted: 1, updated: 1, unchanged: 3 })
        : counts({ mapped: 5, inserted: 2, unchanged: 3, deleted: 1 }),
    )
    assert.deepEqual(await addresses(name, "day = '2026-11-20' AND ref IN ('b', 'c', 'd')"), kept)
    await load('2026-11-20', false, ...a)
    assert.deepEqual(await rowsOf(name), atA)
    assert.deepEqual(await addresses(name, "day = '2026-11-19'"), otherDate)
  })
}

test('a bag keeps how often a row is there, and adds or takes away only the surplus', async () => {
  const table = defineTable('erp', 'bag', columns, { ...options, key: [] })
  const spec = await target(postgres({ table, mode: 'replace', scope: 'day' }))
  const load = (...amounts: (string | null)[]) =>
    loadSample(database, spec, {
      job: 'bag',
      files: [{ name: 'B.csv', records: plain(...amounts.map(amount => ['2026-11-20', 'x', amount])) }],
    })
  await load('1', '1', null, null)
  assert.deepEqual(
    countsOf(await load('1', '1.0', '1.00', null)),
    counts({ mapped: 4, inserted: 1, unchanged: 3, deleted: 1 }),
  )
  assert.deepEqual(
    (await rowsOf('bag')).map(row => row[2]),
    ['1.00', '1.00', '1.00', null],
  )
})

test('rows of a partitioned bag are found in their own partitions', async () => {
  const table = defineTable('erp', 'parted', columns, { ...options, key: [] })
  const spec = postgres({ table, mode: 'mirror' })
  await database.use(async c => {
    await c.query('CREATE SCHEMA IF NOT EXISTS erp')
    await c.query(`CREATE TABLE erp.parted (day date NOT NULL, ref varchar(20) NOT NULL, amount numeric(12,2))
      PARTITION BY LIST (day)`)
    await c.query("CREATE TABLE erp.parted_1 PARTITION OF erp.parted FOR VALUES IN ('2026-11-20')")
    await c.query("CREATE TABLE erp.parted_2 PARTITION OF erp.parted FOR VALUES IN ('2026-11-21')")
  })
  const load = (businessDate: string, ...rows: [string, string][]) =>
    loadSample(database, spec, {
      job: 'parted',
      businessDate,
      files: [{ name: 'P.csv', records: plain(...rows.map(([day, ref]) => [day, ref, '1'])) }],
    })
  await load('2026-11-20', ['2026-11-20', 'a'], ['2026-11-21', 'a'], ['2026-11-21', 'b'])
  const next = await load('2026-11-21', ['2026-11-20', 'a'], ['2026-11-21', 'b'])
  assert.deepEqual(countsOf(next), counts({ mapped: 2, unchanged: 2, deleted: 1 }))
  assert.deepEqual(
    (await rowsOf('parted')).map(row => row.slice(0, 2)),
    [
      ['2026-11-20', 'a'],
      ['2026-11-21', 'b'],
    ],
  )
})

test('an append with a scope replaces its date when a correction comes', async () => {
  const table = defineTable('erp', 'appended_scoped', columns, { ...options, key: [] })
  const spec = await target(postgres({ table, mode: 'append', scope: 'day' }))
  const load = (ref: string) =>
    loadSample(database, spec, {
      job: 'append-scoped',
      files: [{ name: 'A.csv', records: plain(['2026-11-20', ref, '1'], ['2026-11-20', 'z', '2']) }],
    })
  await load('wrong')
  assert.deepEqual(
    countsOf(await load('right')),
    counts({ mapped: 2, inserted: 1, unchanged: 1, deleted: 1 }),
  )
  assert.deepEqual(
    (await rowsOf('appended_scoped')).map(row => row[1]),
    ['right', 'z'],
  )
})

test('a dry run tells the counts that the load then has, and writes nothing anywhere', async () => {
  const table = defineTable('erp', 'dry', columns, { ...options, key: ['day', 'ref'] })
  const spec = await target(postgres({ table, mode: 'replace', scope: 'day' }))
  const load = (dryRun: boolean, force: boolean, ...rows: [string, string][]) =>
    loadSample(database, spec, {
      job: 'dry',
      dryRun,
      force,
      files: [{ name: 'D.csv', records: plain(...rows.map(([ref, amount]) => ['2026-11-20', ref, amount])) }],
    })
  await load(false, false, ['a', '1'], ['b', '2'], ['c', '3'])
  const before = await addresses('dry')
  const ledger = () =>
    database.use(async c => (await c.query('SELECT state, result FROM tallyman.load ORDER BY revision')).rows)
  const ledgerBefore = await ledger()
  const change: [string, string][] = [
    ['a', '1'],
    ['b', '20'],
    ['d', '4'],
  ]
  const planned = await load(true, false, ...change)
  assert.equal(planned.kind, 'planned')
  assert.deepEqual(await addresses('dry'), before)
  assert.deepEqual(await ledger(), ledgerBefore)
  const staging = "SELECT relname FROM pg_class WHERE relname LIKE 'staging%'"
  assert.deepEqual(await database.use(async c => (await c.query(staging)).rows), [])
  const loaded = await load(false, true, ...change)
  assert.deepEqual(countsOf(planned), countsOf(loaded))
  assert.deepEqual(countsOf(loaded), counts({ mapped: 3, inserted: 1, updated: 1, unchanged: 1, deleted: 1 }))
})
