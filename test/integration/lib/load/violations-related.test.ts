/**
 * Rows that the target refuses because of other rows, and rows that go with them: parents and children
 * in any order, constraints that wait for the end, units, equal rows, files of one set, deletes.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import type { PostgresLoad } from '../../../../lib/model/job.ts'
import type { Facts } from '../../../../lib/model/progress.ts'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'
import {
  counts,
  countsOf,
  loadSample,
  plain,
  type SampleOptions,
  type SampleRecord,
} from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const LENIENT = { maxCount: 10_000, maxPercent: 100 }

function table(name: string) {
  return defineTable(
    'erp',
    name,
    {
      ref: column.text({ doc: 'Reference.' }),
      parent: column.text({ doc: 'Another one.', nullable: true }),
      serial: column.integer({ doc: 'A number.', nullable: true }),
    },
    { doc: 'A table of the tests.', key: ['ref'], totals: { serial: { sum: ['serial'] } } },
  )
}

async function created<S extends PostgresLoad>(spec: S, ...rules: string[]): Promise<S> {
  await database.use(async connection => {
    await createTarget(connection, spec)
    for (const rule of rules) await connection.query(`ALTER TABLE erp.${rule}`)
  })
  return spec
}

const single = (name: string, ...rules: string[]): Promise<PostgresLoad> =>
  created(
    postgres({ table: table(name), mode: 'upsert', rejects: LENIENT }),
    ...rules.map(rule => `${name} ${rule}`),
  )

const SELF = 'ADD CONSTRAINT known FOREIGN KEY (parent) REFERENCES'

async function rowsOf(name: string): Promise<string[]> {
  const { rows } = await database.use(c => c.query(`SELECT * FROM erp.${name} ORDER BY 1`))
  return rows.map(row => Object.values(row).join(' ').trim())
}

/** Loads, and gives lines and codes of the rejects with the outcome. */
async function loaded(
  spec: PostgresLoad,
  options: Omit<SampleOptions, 'files'> & { records: SampleRecord[] },
) {
  const { records, ...rest } = options
  const outcome = await loadSample(database, spec, { ...rest, files: [{ name: 'F.csv', records }] })
  if (outcome.kind === 'done-before') assert.fail('done before')
  return { outcome, result: outcome.result, rejects: await rejectsOf(options.job!, options.businessDate) }
}

async function rejectsOf(job: string, businessDate?: string): Promise<string[]> {
  const filter = businessDate === undefined ? { job } : { job, businessDate }
  const rejects = await database.use(c => listRejects(c, filter, { limit: 100_000 }))
  return rejects.map(({ line, issues }) => `${line} ${issues[0]!.code.replace('LOAD_', '')}`).sort()
}

test('a parent may follow its child in the file, and what hangs on a refused row is refused with it', async () => {
  const spec = await single('tree', `${SELF} erp.tree`, 'ADD CONSTRAINT positive CHECK (serial >= 0)')
  // twenty levels, leaves first; n0 is the root, and the parent of a row stands some thousand rows later
  const n = 20_000
  const parent = (at: number): number => Math.floor((at * 19) / 20)
  const bad = new Set([4_000, 12_000])
  const rows = Array.from({ length: n }, (_, at): Value[] => [
    `n${at}`,
    at === 0 ? null : `n${parent(at)}`,
    at,
  ])
  rows[4_000]![1] = 'nobody'
  rows[12_000]![2] = -1
  for (let at = 1; at < n; at += 1) if (at !== 4_000 && bad.has(parent(at))) bad.add(at)
  const warnings = new Map<string, Facts>()
  const { outcome, rejects } = await loaded(spec, {
    job: 'tree',
    records: plain(...rows.toReversed()),
    blockSize: 5_000,
    warnings,
  })
  assert.deepEqual(countsOf(outcome), counts({ mapped: n - bad.size, inserted: n - bad.size }))
  assert.deepEqual(rejects, [...bad].map(at => `${n - 1 - at + 2} CONSTRAINT_VIOLATED`).sort())
  const { tries } = warnings.get('load.records-refused') as { tries: number }
  assert.ok(tries < bad.size * 2 * Math.log2(n) + 20, `${tries} tries for ${bad.size}`)
})

test('rows that refer to each other in a circle load together, or not at all', async () => {
  const spec = await single('circle', `${SELF} erp.circle DEFERRABLE INITIALLY DEFERRED`)
  const { outcome, rejects } = await loaded(spec, {
    job: 'circle',
    records: plain(['a', 'b', 1], ['x', 'nobody', 1], ['b', 'a', 1], ['c', 'c', 1]),
  })
  assert.deepEqual(rejects, ['3 CONSTRAINT_VIOLATED'])
  assert.deepEqual(countsOf(outcome), counts({ mapped: 3, inserted: 3 }))
})

test('constraints that wait for the end of the transaction name their rows too', async () => {
  const spec = await single(
    'waiting',
    'ADD CONSTRAINT one_serial UNIQUE (serial) DEFERRABLE INITIALLY DEFERRED',
  )
  await loaded(spec, { job: 'waiting', records: plain(['a', null, 1], ['b', null, 2], ['c', null, 3]) })
  // a and b exchange their numbers, d takes the one that c keeps
  const { outcome, rejects } = await loaded(spec, {
    ...{ job: 'waiting', businessDate: '2026-11-21' },
    records: plain(['a', null, 2], ['b', null, 1], ['d', null, 3], ['e', null, 4]),
  })
  assert.deepEqual(rejects, ['4 CONSTRAINT_VIOLATED'])
  assert.deepEqual(countsOf(outcome), counts({ mapped: 3, updated: 2, inserted: 1 }))
  assert.deepEqual(await rowsOf('waiting'), ['a  2', 'b  1', 'c  3', 'e  4'])
})

test('values that move along a chain are written in an order in which the target takes them', async () => {
  const spec = await single('chain', 'ADD CONSTRAINT chain_serial UNIQUE (serial)')
  const rows = (by: number): Value[][] =>
    Array.from({ length: 30 }, (_, at) => [`r${String(at).padStart(2, '0')}`, null, at + by])
  await loaded(spec, { job: 'chain', records: plain(...rows(0)) })
  const { outcome, rejects } = await loaded(spec, {
    ...{ job: 'chain', businessDate: '2026-11-21' },
    records: plain(...rows(1)),
  })
  assert.deepEqual(rejects, [])
  assert.deepEqual(countsOf(outcome), counts({ mapped: 30, updated: 30 }))
  assert.deepEqual((await rowsOf('chain')).slice(0, 2), ['r00  1', 'r01  2'])
})

test('a chain too long to be found in proportion fails the load and says so', async () => {
  const spec = await single('long_chain', 'ADD CONSTRAINT long_chain_serial UNIQUE (serial)')
  const rows = (by: number): Value[][] =>
    Array.from({ length: 300 }, (_, at) => [`r${String(at).padStart(3, '0')}`, null, at + by])
  await loaded(spec, { job: 'long-chain', records: plain(...rows(0)) })
  const moved = loaded(spec, {
    ...{ job: 'long-chain', businessDate: '2026-11-21' },
    records: plain(...rows(1)),
  })
  await assert.rejects(moved, { code: 'LOAD_CONSTRAINT_VIOLATED', message: /tries it is still open/ })
  assert.equal((await rowsOf('long_chain'))[0], 'r000  0')
})

async function family(name: string, rule = ''): Promise<PostgresLoad> {
  const tables = { child: table(`${name}_child`), parent: table(`${name}_parent`) }
  return await created(
    postgres({ tables, mode: 'upsert', rejects: LENIENT }),
    `${name}_child ADD CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES erp.${name}_parent ${rule}`,
    `${name}_parent ADD CONSTRAINT positive CHECK (serial >= 0)`,
  )
}

test('a violator takes its record along in all tables, and the rows of other records that need it', async () => {
  const spec = await family('two')
  const { result, rejects } = await loaded(spec, {
    job: 'two',
    records: [
      { rows: { child: [['c0', 'p2', 1]] } },
      { rows: { parent: [['p1', null, 1]], child: [['c1', 'p1', 1]] } },
      {
        rows: {
          parent: [['p2', null, -1]],
          child: [
            ['c2', 'p1', 1],
            ['c3', 'p2', 1],
          ],
        },
      },
      {
        rows: {
          child: [
            ['c4', 'p1', 1],
            ['c5', 'p2', 1],
          ],
        },
      },
      { rows: { parent: [['p3', null, 1]], child: [['c6', 'p1', 1]] } },
    ],
  })
  assert.deepEqual(result.counts, { read: 5, mapped: 2, rejected: 3, filtered: 0 })
  assert.deepEqual(rejects, ['2 CONSTRAINT_VIOLATED', '4 CONSTRAINT_VIOLATED', '5 CONSTRAINT_VIOLATED'])
  assert.deepEqual(await rowsOf('two_parent'), ['p1  1', 'p3  1'])
  assert.deepEqual(await rowsOf('two_child'), ['c1 p1 1', 'c6 p1 1'])
  assert.deepEqual(
    result.totals.map(({ total, amount, table: name }) => `${name} ${total} ${amount}`),
    ['erp.two_child serial 2', 'erp.two_parent serial 2'],
  )
})

test('tables that refer to each other in a circle are tried record by record', async () => {
  const spec = await family('ring', 'DEFERRABLE INITIALLY DEFERRED')
  await created(
    spec,
    'ring_parent ADD CONSTRAINT of_child FOREIGN KEY (parent) REFERENCES erp.ring_child DEFERRABLE INITIALLY DEFERRED',
  )
  const record = (at: number): SampleRecord => ({
    rows: { parent: [[`p${at}`, `c${at}`, at === 7 ? -1 : 1]], child: [[`c${at}`, `p${at}`, 1]] },
  })
  const { result, rejects } = await loaded(spec, {
    job: 'ring',
    records: Array.from({ length: 20 }, (_, at) => record(at)),
  })
  assert.deepEqual(rejects, ['9 CONSTRAINT_VIOLATED'])
  assert.deepEqual(
    result.tables.map(({ inserted }) => inserted),
    [19, 19],
  )
})

test('a violator takes its unit along, and what needed a record of that unit falls in the next round', async () => {
  const spec = await family('unit')
  const { result, rejects } = await loaded(spec, {
    job: 'unit',
    records: [
      { unit: 'u1', rows: { parent: [['p1', null, 1]] } },
      { unit: 'u1', rows: { child: [['c1', 'p1', 1]] } },
      { unit: 'u1', rows: { parent: [['p2', null, -1]] } },
      { unit: 'u2', rows: { child: [['c2', 'p1', 1]] } },
      { unit: 'u2', rows: { parent: [['p3', null, 1]] } },
      { unit: 'u3', rows: { parent: [['p4', null, 1]], child: [['c3', 'p4', 1]] } },
    ],
  })
  assert.deepEqual(rejects, [
    '2 UNIT_INCOMPLETE',
    '3 UNIT_INCOMPLETE',
    '4 CONSTRAINT_VIOLATED',
    '5 CONSTRAINT_VIOLATED',
    '6 UNIT_INCOMPLETE',
  ])
  assert.deepEqual(result.counts, { read: 6, mapped: 1, rejected: 5, filtered: 0 })
  assert.deepEqual(await rowsOf('unit_parent'), ['p4  1'])
  assert.deepEqual(await rowsOf('unit_child'), ['c3 p4 1'])
})

test('records equal to a refused one are refused with it, and an older file takes its place', async () => {
  const spec = await single('places', 'ADD CONSTRAINT positive CHECK (serial >= 0)')
  const outcome = await loadSample(database, spec, {
    job: 'places',
    perDate: 'many',
    files: [
      { name: '1.csv', records: plain(['a', null, 1], ['b', null, 1], ['c', null, 1]) },
      { name: '2.csv', records: plain(['a', null, -1], ['a', null, -1], ['b', null, 2], ['d', null, -1]) },
    ],
  })
  if (outcome.kind === 'done-before') assert.fail('done before')
  assert.deepEqual(await rejectsOf('places'), [
    '2 CONSTRAINT_VIOLATED',
    '3 CONSTRAINT_VIOLATED',
    '5 CONSTRAINT_VIOLATED',
  ])
  assert.deepEqual(countsOf(outcome), counts({ mapped: 4, inserted: 3, outdated: 1 }))
  assert.deepEqual(await rowsOf('places'), ['a  1', 'b  2', 'c  1'])
  assert.deepEqual(outcome.result.totals[0]!.amount, '4')
})

test('a row that stood for an equal one of a refused record gives its place to that one', async () => {
  const spec = await family('stand')
  const { result, rejects } = await loaded(spec, {
    job: 'stand',
    records: [
      {
        rows: {
          parent: [
            ['p1', null, 1],
            ['p2', null, -1],
          ],
        },
      },
      { rows: { parent: [['p1', null, 1]], child: [['c1', 'p1', 1]] } },
    ],
  })
  assert.deepEqual(rejects, ['2 CONSTRAINT_VIOLATED'])
  assert.deepEqual(await rowsOf('stand_parent'), ['p1  1'])
  assert.deepEqual(
    result.tables.map(({ mapped, collapsed }) => [mapped, collapsed]),
    [
      [1, 0],
      [1, 0],
    ],
  )
})

test('the key of a record that the target refuses is not gone, and a refused delete fails the load', async () => {
  const spec = await created(
    postgres({ table: table('kept_key'), mode: 'mirror', rejects: LENIENT, maxDeletePercent: 100 }),
    'kept_key ADD CONSTRAINT positive CHECK (serial >= 0)',
  )
  const load = (businessDate: string, ...rows: Value[][]) =>
    loaded(spec, { job: 'kept-key', businessDate, records: plain(...rows) })
  await load('2026-11-20', ['a', null, 1], ['b', null, 1], ['c', null, 1])
  const { outcome } = await load('2026-11-21', ['a', null, 2], ['b', null, -1])
  assert.deepEqual(countsOf(outcome), counts({ mapped: 1, updated: 1, deleted: 1 }))
  assert.deepEqual(await rowsOf('kept_key'), ['a  2', 'b  1'])
  await database.use(c =>
    c.query(`CREATE TABLE erp.referring AS SELECT ref FROM erp.kept_key;
      ALTER TABLE erp.referring ADD CONSTRAINT referring FOREIGN KEY (ref) REFERENCES erp.kept_key DEFERRABLE INITIALLY DEFERRED`),
  )
  await assert.rejects(load('2026-11-22', ['a', null, 3], ['d', null, -1]), {
    code: 'LOAD_CONSTRAINT_VIOLATED',
    message: /^Deleting rows of erp\.kept_key that are no longer in the set violates referring/,
  })
  assert.deepEqual(await rowsOf('kept_key'), ['a  2', 'b  1'])
})

test("a trigger's refusal and a value too large for an index are rejects without personal words", async () => {
  const people = defineTable(
    'erp',
    'person',
    {
      name: column.text({ doc: 'Name.', pii: 'personal' }),
      words: column.text({ doc: 'Words.', nullable: true }),
    },
    { doc: 'People.', key: ['name'] },
  )
  const spec = await created(
    postgres({ table: people, mode: 'append', rejects: LENIENT }),
    'person ADD CONSTRAINT one_text UNIQUE (words)',
  )
  await database.use(c =>
    c.query(`CREATE FUNCTION erp.nobody() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.name = 'Nobody' THEN RAISE 'Nobody is no name'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER nobody BEFORE INSERT ON erp.person FOR EACH ROW EXECUTE FUNCTION erp.nobody()`),
  )
  const random = Array.from({ length: 9_000 }, (_, at) =>
    String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000)),
  )
  await loaded(spec, {
    job: 'person',
    records: plain(['Ann', 'a'], ['Nobody', null], ['Tell', random.join('')], ['Bob', 'b']),
  })
  const rejects = await database.use(c => listRejects(c, { job: 'person' }))
  const said = rejects.map(({ issues }) => issues[0]!.message)
  assert.equal(
    said[0],
    'The row with name [masked] is refused by erp.person: it violates a rule of the table.',
  )
  assert.match(
    said[1]!,
    /^The row with name \[masked\] is refused by erp\.person: it violates .* \(index row/,
  )
  assert.equal(rejects.length, 2)
})

test('a dry run writes nothing, so it counts what the target would refuse as loaded', async () => {
  const spec = await single('dry', 'ADD CONSTRAINT positive CHECK (serial >= 0)')
  const records = plain(['a', null, 1], ['b', null, -1])
  const planned = await loaded(spec, { job: 'dry', records, dryRun: true })
  assert.deepEqual(countsOf(planned.outcome), counts({ mapped: 2, inserted: 2 }))
  const { outcome } = await loaded(spec, { job: 'dry', records })
  assert.deepEqual(countsOf(outcome), counts({ mapped: 1, inserted: 1 }))
})
