/**
 * All or nothing, one at a time, and fast enough: crashes at every point, two loads of one target,
 * users without the CREATE right, many rows.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import type { PostgresLoadOutcome } from '../../../../lib/load/load-input.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { armFailpoint, disarmFailpoint } from '../../../../lib/model/failpoint.ts'
import type { PostgresLoad } from '../../../../lib/model/job.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { counts, countsOf, loadSample, plain } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

async function target(name: string, mode: PostgresLoad['mode'] = 'upsert'): Promise<PostgresLoad> {
  const table = defineTable(
    'erp',
    name,
    {
      ref: column.text({ doc: 'Reference.' }),
      amount: column.decimal({ doc: 'Amount.', precision: 12, scale: 2, nullable: true }),
    },
    { doc: 'A table of the tests.', key: ['ref'], totals: { amount: { sum: ['amount'] } } },
  )
  const spec = postgres({ table, mode })
  await database.use(connection => createTarget(connection, spec))
  return spec
}

const count = (sql: string): Promise<number> =>
  database.use(async c =>
    Number((await c.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`)).rows[0]!.n),
  )

/** Failpoints of the load's own files, as they stand in the source; api and repairs (resolve-killed.test.ts) have their own tests. */
function failpoints(): string[] {
  const folder = new URL('../../../../lib/load/', import.meta.url)
  return readdirSync(folder)
    .filter(name => !name.startsWith('api') && !name.includes('into-api'))
    .flatMap(name => [
      ...readFileSync(new URL(name, folder), 'utf8').matchAll(/failpoint\('(load\.[^']+)'\)/g),
    ])
    .map(match => match[1]!)
}

test('A8, A10: a crash at any point of the load leaves nothing or all, and the next attempt finishes it', async () => {
  const spec = await target('crashed')
  // one record is refused, so that the points on that way are passed too
  await database.use(c => c.query('ALTER TABLE erp.crashed ADD CONSTRAINT lucky CHECK (amount <> 13)'))
  const points = failpoints()
  assert.ok(points.length >= 10, points.join())
  // two megabytes a row by its unit, so that one COPY is sent before the stream ends
  const wide = 'x'.repeat(2_200_000)
  for (const [at, point] of points.entries()) {
    const records = plain([`${at}a`, '1'], [`${at}b`, '2'], [`${at}c`, '3'], [`${at}x`, '13'])
    records.push(
      { rows: { rows: [[`${at}d`, null]] }, unit: wide },
      { rows: { rows: [[`${at}e`, null]] }, unit: wide },
    )
    const load = () =>
      loadSample(database, spec, { job: `crash-${at}`, files: [{ name: 'F.csv', records }], blockSize: 1 })
    const before = await count('erp.crashed')
    armFailpoint(`${point}:1:throw`)
    await assert.rejects(load(), { message: `failpoint ${point}` })
    disarmFailpoint()
    const committed = point === 'load.after-commit'
    assert.equal(await count('erp.crashed'), before + (committed ? 5 : 0), point)
    assert.equal(await count("pg_class WHERE relname LIKE 'staging_%'"), 0, point)
    if (committed) continue
    assert.deepEqual(countsOf(await load()), counts({ mapped: 5, inserted: 5 }), point)
  }
})

test('two loads of one target at once run one after the other and lose nothing', async () => {
  const spec = await target('shared')
  const load = (job: string, businessDate: string, first: number) =>
    loadSample(database, spec, {
      job,
      businessDate,
      files: [
        {
          name: 'F.csv',
          records: plain(...Array.from({ length: 200 }, (_, at) => [`r${first + at}`, String(at)])),
        },
      ],
    })
  const outcomes = await Promise.all([
    load('shared-a', '2026-11-20', 0),
    load('shared-b', '2026-11-21', 100),
    load('shared-c', '2026-11-22', 200),
  ])
  const inserted = outcomes.reduce((sum, outcome) => sum + countsOf(outcome).inserted, 0)
  assert.equal(inserted, 400)
  assert.equal(await count('erp.shared'), 400)
})

test('a load waits for another writer of its target, and for its commit', async () => {
  const spec = await target('written')
  const other = await database.connect()
  let loading: Promise<PostgresLoadOutcome> | null = null
  await other.transaction(async () => {
    await other.query("INSERT INTO erp.written VALUES ('a', 1)")
    loading = loadSample(database, spec, {
      job: 'written',
      files: [{ name: 'F.csv', records: plain(['a', '2']) }],
    })
    let waits = false
    for (let asked = 0; asked < 1_000 && !waits; asked += 1) {
      waits = (await count("pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'")) > 0
    }
    assert.ok(waits, 'the load did not wait for its target')
  })
  await other.close()
  assert.deepEqual(countsOf(await loading!), counts({ mapped: 1, updated: 1 }))
})

test('tables are locked in one order, however a job lists them, so that two loads never lock each other out', async () => {
  const table = (name: string) =>
    defineTable(
      'erp',
      name,
      { ref: column.text({ doc: 'Reference.' }) },
      { doc: 'A table of the tests.', key: ['ref'] },
    )
  const spec = postgres({ tables: { last: table('zebra'), first: table('aardvark') }, mode: 'upsert' })
  await database.use(connection => createTarget(connection, spec))
  const other = await database.connect()
  let pid = 0
  let loading: Promise<PostgresLoadOutcome> | null = null
  await other.transaction(async () => {
    await other.query("SELECT pg_advisory_xact_lock(hashtextextended('tallyman.target erp.aardvark', 0))")
    loading = loadSample(database, spec, {
      job: 'ordered',
      files: [{ name: 'F.csv', records: [{ rows: { last: [['a']], first: [['a']] } }] }],
      change: input => {
        pid = input.connection.pid
        return input
      },
    })
    const locks = (granted: boolean) =>
      count(`pg_locks WHERE locktype = 'advisory' AND pid = ${pid} AND granted = ${granted}`)
    let waits = false
    for (let asked = 0; asked < 5_000 && !waits; asked += 1) waits = (await locks(false)) > 0
    assert.ok(waits, 'the load did not wait for its first table')
    assert.equal(await locks(true), 0, 'it holds another table while it waits')
  })
  await other.close()
  assert.deepEqual(countsOf(await loading!), counts({ mapped: 1, inserted: 1 }))
})

test('a user without the right to create tables loads through temporary ones', async () => {
  const spec = await target('narrow')
  await database.use(async c => {
    await c.query('CREATE ROLE loader NOLOGIN')
    await c.query('GRANT USAGE ON SCHEMA tallyman, erp TO loader')
    await c.query('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tallyman, erp TO loader')
    await c.query('GRANT USAGE ON ALL SEQUENCES IN SCHEMA tallyman TO loader')
  })
  const outcome = await loadSample(database, spec, {
    job: 'narrow',
    files: [{ name: 'F.csv', records: plain(['a', '1'], ['a', '1'], ['b', '2']) }],
    change: input => ({
      ...input,
      blocks: (async function* () {
        assert.equal(await count("pg_class WHERE relname LIKE 'staging%' AND relpersistence = 'u'"), 0)
        yield* input.blocks
      })(),
      // the role is taken before the transaction begins
      connection: narrowed(input.connection),
    }),
  })
  assert.deepEqual(countsOf(outcome), counts({ mapped: 3, inserted: 2, collapsed: 1 }))
  await database.use(async c => {
    await c.query('DROP OWNED BY loader')
    await c.query('DROP ROLE loader')
  })
})

function narrowed<C extends { query(sql: string): Promise<unknown> }>(connection: C): C {
  void connection.query('SET ROLE loader')
  return connection
}

test('200,000 rows load, load again unchanged, and load with one in a hundred changed, in seconds', async () => {
  const spec = await target('many')
  const load = (businessDate: string, changed: boolean) =>
    loadSample(database, spec, {
      job: 'many',
      businessDate,
      blockSize: 1_000,
      files: [
        {
          name: 'F.csv',
          records: Array.from({ length: 200_000 }, (_, at) => ({
            rows: { rows: [[`r${at}`, changed && at % 100 === 0 ? '-1' : `${at}.25`]] },
          })),
        },
      ],
    })
  const started = performance.now()
  assert.equal(countsOf(await load('2026-11-20', false)).inserted, 200_000)
  assert.equal(countsOf(await load('2026-11-21', false)).unchanged, 200_000)
  const third = countsOf(await load('2026-11-22', true))
  assert.deepEqual(third, counts({ mapped: 200_000, updated: 2_000, unchanged: 198_000 }))
  const seconds = (performance.now() - started) / 1000
  assert.ok(seconds < 60, `${seconds} s`)
})
