/**
 * Records that may not be loaded, and rows that share a key: units, conflicts, collapsed rows, files
 * of one set, several tables.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { decimal } from '../../../../lib/model/decimal.ts'
import type { PostgresLoad } from '../../../../lib/model/job.ts'
import type { UnitRule } from '../../../../lib/model/mapping.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { counts, countsOf, loadSample, plain, type SampleRecord } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const LENIENT = { maxCount: 100, maxPercent: 100 }

async function created<S extends PostgresLoad>(spec: S): Promise<S> {
  await database.use(connection => createTarget(connection, spec))
  return spec
}

function keyed(name: string) {
  return defineTable(
    'erp',
    name,
    {
      ref: column.text({ doc: 'Reference.' }),
      amount: column.decimal({ doc: 'Amount.', precision: 12, scale: 2, nullable: true }),
    },
    { doc: 'A table of the tests.', key: ['ref'], totals: { amount: { sum: ['amount'] } } },
  )
}

async function rowsOf(table: string): Promise<unknown[][]> {
  const { rows } = await database.use(c => c.query(`SELECT * FROM erp.${table} ORDER BY 1, 2`))
  return rows.map(row => Object.values(row))
}

async function rejectsOf(job: string) {
  return await database.use(c => listRejects(c, { job }))
}

test('equal rows with one key collapse, within a file and across files', async () => {
  const spec = await created(postgres({ table: keyed('collapsed'), mode: 'upsert' }))
  const outcome = await loadSample(database, spec, {
    job: 'collapsed',
    perDate: 'many',
    files: [
      { name: '1.csv', records: plain(['a', '1'], ['a', '1.00'], ['b', null], ['b', null]) },
      { name: '2.csv', records: plain(['a', '1.0'], ['c', '3']) },
    ],
  })
  assert.deepEqual(countsOf(outcome), counts({ mapped: 6, inserted: 3, collapsed: 3 }))
  assert.deepEqual(await rowsOf('collapsed'), [
    ['a', '1.00'],
    ['b', null],
    ['c', '3.00'],
  ])
})

test('rows of one file that contradict each other about a key are all rejected, with their lines', async () => {
  const spec = await created(postgres({ table: keyed('conflicting'), mode: 'upsert', rejects: LENIENT }))
  const outcome = await loadSample(database, spec, {
    job: 'conflicting',
    files: [{ name: '1.csv', records: plain(['a', '1'], ['b', '2'], ['a', '1'], ['a', '-1'], ['c', null]) }],
  })
  assert.deepEqual(countsOf(outcome), counts({ mapped: 2, inserted: 2 }))
  assert.deepEqual(
    (await rowsOf('conflicting')).map(row => row[0]),
    ['b', 'c'],
  )
  const rejects = await rejectsOf('conflicting')
  assert.deepEqual(
    rejects.map(({ line, raw, step }) => ({ line, raw, step })),
    [
      { line: 2, raw: 'raw of 1.csv:2', step: 'load' },
      { line: 4, raw: 'raw of 1.csv:4', step: 'load' },
      { line: 5, raw: 'raw of 1.csv:5', step: 'load' },
    ],
  )
  assert.equal(rejects[0]!.issues[0]!.code, 'LOAD_KEY_CONFLICT')
  assert.match(rejects[0]!.issues[0]!.message, /line 2, 4, 5/)
  assert.equal(rejects[0]!.issues[0]!.value, 'a')
})

test('records that share a line are told apart', async () => {
  const spec = await created(postgres({ table: keyed('one_line'), mode: 'upsert', rejects: LENIENT }))
  const outcome = await loadSample(database, spec, {
    job: 'one-line',
    files: [{ name: '1.xml', records: plain(['a', '1'], ['b', '2'], ['a', '2'], ['c', '3']) }],
    change: input => ({
      ...input,
      blocks: (async function* () {
        for await (const block of input.blocks) {
          block.tables.rows!.lines.fill(1)
          yield block
        }
      })(),
      rawOf: async (_file, records) => new Map(records.map(({ ordinal }) => [ordinal, `record ${ordinal}`])),
    }),
  })
  assert.deepEqual(countsOf(outcome), counts({ mapped: 2, inserted: 2 }))
  assert.deepEqual(
    (await rejectsOf('one-line')).map(({ line, raw }) => [line, raw]),
    [
      [1, 'record 0'],
      [1, 'record 2'],
    ],
  )
})

test('across the files of a set the later wins, and the earlier is outdated, not rejected', async () => {
  const spec = await created(postgres({ table: keyed('later'), mode: 'upsert' }))
  const outcome = await loadSample(database, spec, {
    job: 'later',
    perDate: 'many',
    files: [
      { name: '1.csv', records: plain(['a', '1'], ['b', '1']) },
      { name: '2.csv', records: plain(['a', '2']) },
    ],
  })
  assert.deepEqual(countsOf(outcome), counts({ mapped: 3, inserted: 2, outdated: 1 }))
  assert.deepEqual(await rowsOf('later'), [
    ['a', '2.00'],
    ['b', '1.00'],
  ])
  assert.deepEqual(await rejectsOf('later'), [])
})

test('the key of a rejected record is never gone, and a record without a readable key forbids all deletes', async () => {
  const spec = await created(
    postgres({ table: keyed('kept'), mode: 'mirror', rejects: LENIENT, maxDeletePercent: 100 }),
  )
  const load = (businessDate: string, records: SampleRecord[]) =>
    loadSample(database, spec, { job: 'kept', businessDate, files: [{ name: 'K.csv', records }] })
  await load('2026-11-20', plain(['a', '1'], ['b', '1'], ['c', '1'], ['d', '1']))
  const conflict = await load('2026-11-21', plain(['a', '1'], ['b', '1'], ['b', '2']))
  assert.deepEqual(countsOf(conflict), counts({ mapped: 1, unchanged: 1, deleted: 2 }))
  assert.deepEqual(
    (await rowsOf('kept')).map(row => row[0]),
    ['a', 'b'],
  )
  const unreadable = await load('2026-11-22', [...plain(['a', '2']), { reject: true }])
  assert.deepEqual(countsOf(unreadable), counts({ mapped: 1, updated: 1 }))
  assert.equal(unreadable.kind === 'loaded' && unreadable.withheldDeletes, 1)
  assert.deepEqual(await rowsOf('kept'), [
    ['a', '2.00'],
    ['b', '1.00'],
  ])
})

const balance = defineTable(
  'erp',
  'balance',
  {
    statement: column.text({ doc: 'Statement.' }),
    amount: column.decimal({ doc: 'Closing less opening.', precision: 12, scale: 2 }),
  },
  { doc: 'Balances.', key: ['statement'] },
)
const entry = defineTable(
  'erp',
  'entry',
  {
    statement: column.text({ doc: 'Statement.' }),
    number: column.integer({ doc: 'Number within it.' }),
    amount: column.decimal({ doc: 'Amount.', precision: 12, scale: 2 }),
  },
  { doc: 'Entries.', key: ['statement', 'number'], totals: { amount: { sum: ['amount'] } } },
)
const tie: UnitRule = {
  name: 'statement',
  doc: 'A statement.',
  law: 'entries = balance',
  stated: [],
  onFailure: 'unit',
  terms: (table, row) => {
    const amount = decimal(row.amount as string)
    return table === 'balance'
      ? [{ group: '', label: 'balance', amount: { ...amount, unscaled: -amount.unscaled } }]
      : [{ group: '', label: 'entry', amount }]
  },
}
/** A statement as records: its balance, and an entry per amount. */
function statement(name: string, total: string, ...amounts: string[]): SampleRecord[] {
  return [
    { unit: name, rows: { balance: [[name, total]] } },
    ...amounts.map((amount, at) => ({ unit: name, rows: { entry: [[name, at, amount]] } })),
  ]
}

async function statements(): Promise<PostgresLoad> {
  const spec = await created(postgres({ tables: { entry, balance }, mode: 'upsert', rejects: LENIENT }))
  await database.use(c => c.query('TRUNCATE erp.entry, erp.balance'))
  return spec
}

test('a unit that does not tie is taken out of all tables, the rest loads', async () => {
  const spec = await statements()
  const outcome = await loadSample(database, spec, {
    job: 'units',
    unit: tie,
    files: [
      { name: 'S.xml', records: [...statement('s1', '3', '1', '2'), ...statement('s2', '5', '1', '2')] },
    ],
  })
  if (outcome.kind === 'done-before') assert.fail('done before')
  assert.deepEqual(outcome.result.counts, { read: 6, mapped: 3, rejected: 3, filtered: 0 })
  assert.equal(outcome.result.failedUnits, 1)
  assert.deepEqual(await rowsOf('balance'), [['s1', '3.00']])
  assert.deepEqual(
    (await rowsOf('entry')).map(row => row[0]),
    ['s1', 's1'],
  )
  assert.deepEqual(
    (await rejectsOf('units')).map(({ line, unit }) => [line, unit]),
    [
      [5, 's2'],
      [6, 's2'],
      [7, 's2'],
    ],
  )
  assert.deepEqual(outcome.result.totals, [{ table: 'erp.entry', total: 'amount', group: '', amount: '3' }])
})

test('a unit that fails its file publishes nothing, and its records are kept as rejects', async () => {
  const spec = await statements()
  const attempt = loadSample(database, spec, {
    job: 'unit-file',
    unit: { ...tie, onFailure: 'file' },
    files: [{ name: 'S.xml', records: [...statement('s1', '3', '1', '2'), ...statement('s2', '5', '1')] }],
  })
  await assert.rejects(attempt, { code: 'MAP_UNIT_FAILS_FILE' })
  assert.deepEqual(await rowsOf('balance'), [])
  assert.deepEqual(
    (await rejectsOf('unit-file')).map(({ line }) => line),
    [5, 6],
  )
})

test('a conflict inside a unit takes the whole unit along', async () => {
  const spec = await statements()
  const twice = { unit: 's1', rows: { entry: [['s1', 0, '2']] } }
  const outcome = await loadSample(database, spec, {
    job: 'unit-conflict',
    unit: tie,
    files: [{ name: 'S.xml', records: [...statement('s1', '3', '1'), twice, ...statement('s2', '1', '1')] }],
  })
  if (outcome.kind === 'done-before') assert.fail('done before')
  assert.deepEqual(outcome.result.counts, { read: 5, mapped: 2, rejected: 3, filtered: 0 })
  assert.deepEqual(await rowsOf('balance'), [['s2', '1.00']])
  const codes = (await rejectsOf('unit-conflict')).map(({ line, issues }) => [line, issues[0]!.code])
  assert.deepEqual(codes, [
    [2, 'LOAD_UNIT_INCOMPLETE'],
    [3, 'LOAD_KEY_CONFLICT'],
    [4, 'LOAD_KEY_CONFLICT'],
  ])
})

test('several tables are written parents first, whatever order they are declared in', async () => {
  const spec = await statements()
  await database.use(c =>
    c.query('ALTER TABLE erp.entry ADD CONSTRAINT of_balance FOREIGN KEY (statement) REFERENCES erp.balance'),
  )
  const outcome = await loadSample(database, spec, {
    job: 'parents',
    files: [{ name: 'S.xml', records: statement('s1', '1', '1') }],
  })
  await database.use(c => c.query('ALTER TABLE erp.entry DROP CONSTRAINT of_balance'))
  if (outcome.kind === 'done-before') assert.fail('done before')
  assert.deepEqual(
    outcome.result.tables.map(({ table, inserted }) => [table, inserted]),
    [
      ['erp.entry', 1],
      ['erp.balance', 1],
    ],
  )
})
