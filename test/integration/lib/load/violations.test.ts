/**
 * Rows that the target refuses, among many others: found exactly, by few tries, kept as rejects with
 * their rule and key, while the rest loads; or nothing at all beyond the limit.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import type { RefusedRecords } from '../../../../lib/load/load-input.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import type { RejectLimit } from '../../../../lib/model/job.ts'
import type { Facts } from '../../../../lib/model/progress.ts'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'
import { counts, countsOf, loadSample, plain } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const ANY: RejectLimit = { maxCount: 100_000, maxPercent: 100, minRecords: 0 }

/** What is done to a row so that a rule refuses it, and what its reject says. */
const KINDS: Record<string, { spoil: (row: Value[]) => void; says: RegExp }> = {
  check: { spoil: row => (row[3] = '-1'), says: /violates no_refunds \(new row for relation/ },
  unique: {
    spoil: row => (row[1] = Number(row[1]) - 1),
    says: /violates \w+_one_serial \(duplicate key value/,
  },
  'foreign key': { spoil: row => (row[2] = 'nobody'), says: /violates known_owner \(insert or update/ },
  'not null': { spoil: row => (row[1] = null), says: /violates serial \(null value in column "serial"/ },
  'too long': {
    spoil: row => (row[4] = 'n'.repeat(11)),
    says: /\(value too long for type character varying\(10\)\)/,
  },
}

async function target(name: string, rejects: Partial<RejectLimit>) {
  const table = defineTable(
    'erp',
    name,
    {
      ref: column.text({ doc: 'Reference.', max: 20 }),
      serial: column.integer({ doc: 'Unique besides the key.' }),
      owner: column.text({ doc: 'Stands in another table.' }),
      amount: column.decimal({ doc: 'Amount.', precision: 12, scale: 2 }),
      note: column.text({ doc: 'Note.', max: 10 }),
    },
    { doc: 'A table of the tests.', key: ['ref'], totals: { amount: { sum: ['amount'] } } },
  )
  const spec = postgres({ table, mode: 'upsert', rejects })
  await database.use(connection => createTarget(connection, spec))
  await database.use(c =>
    c.query(`CREATE TABLE IF NOT EXISTS erp.owner (name text PRIMARY KEY);
      INSERT INTO erp.owner VALUES ('somebody') ON CONFLICT DO NOTHING;
      ALTER TABLE erp.${name} ADD CONSTRAINT no_refunds CHECK (amount >= 0),
        ADD CONSTRAINT ${name}_one_serial UNIQUE (serial),
        ADD CONSTRAINT known_owner FOREIGN KEY (owner) REFERENCES erp.owner`),
  )
  return spec
}

/** As many rows, of which `each` per kind are spoiled, spread evenly; with the line of each spoiled row and its kind. */
function spoiled(count: number, each: number) {
  const rows = Array.from({ length: count }, (_, at): Value[] => [`r${at}`, at, 'somebody', `${at}.25`, null])
  for (const row of rows) row[4] = 'short'
  const expected = new Map<number, string>()
  for (const [position, [kind, { spoil }]] of Object.entries(KINDS).entries()) {
    for (let nth = 0; nth < each; nth += 1) {
      // 7 apart, so that no spoiled row is the neighbour that another one repeats
      const at = Math.floor(((nth + 0.5) * count) / each) + position * 7
      spoil(rows[at]!)
      expected.set(at + 2, kind)
    }
  }
  return { rows, expected }
}

for (const [each, count] of [
  [1, 30_000],
  [2, 30_000],
  [50, 30_000],
  [1_000, 100_000],
] as const) {
  test(`D12: ${each} of each kind of violator among ${count} rows are the rejects, and all other rows load`, async () => {
    const name = `spoiled_${each}`
    const spec = await target(name, ANY)
    const { rows, expected } = spoiled(count, each)
    const warnings = new Map<string, Facts>()
    let statements = 0
    let excluded: RefusedRecords | null = null
    const outcome = await loadSample(database, spec, {
      job: name,
      files: [{ name: 'V.csv', records: plain(...rows) }],
      blockSize: 5_000,
      warnings,
      change: input => {
        const query = input.connection.query.bind(input.connection)
        input.connection.query = async (sql: string, params?: readonly unknown[]) => {
          statements += 1
          return await query(sql, params)
        }
        return {
          ...input,
          sourceSnapshot: async refused => {
            excluded = refused
            return null
          },
        }
      },
    })
    const good = count - expected.size
    assert.deepEqual(countsOf(outcome), counts({ mapped: good, inserted: good }))
    if (outcome.kind !== 'loaded') assert.fail(outcome.kind)
    assert.deepEqual(outcome.result.counts, {
      read: count,
      mapped: good,
      rejected: expected.size,
      filtered: 0,
    })
    const rejects = await database.use(c => listRejects(c, { job: name }, { limit: count }))
    assert.deepEqual(
      rejects.map(({ line }) => line).sort((a, b) => a - b),
      [...expected.keys()].sort((a, b) => a - b),
    )
    for (const { line, raw, step, issues } of rejects) {
      assert.equal(issues[0]!.code, 'LOAD_CONSTRAINT_VIOLATED')
      assert.match(issues[0]!.message, KINDS[expected.get(line)!]!.says)
      assert.match(
        issues[0]!.message,
        new RegExp(`^The row with ref = r${line - 2} is refused by erp.${name}:`),
      )
      assert.deepEqual([raw, step], [`raw of V.csv:${line}`, 'load'])
    }
    assert.deepEqual(
      excluded!.records.map(({ ordinal }) => ordinal + 2).sort((a, b) => a - b),
      [...expected.keys()].sort((a, b) => a - b),
    )
    const sum = await database.use(c => c.query<{ sum: string }>(`SELECT sum(amount) FROM erp.${name}`))
    assert.equal(outcome.result.totals[0]!.amount, String(Number(sum.rows[0]!.sum)))
    // found by halves: at worst two tries per level and violator, and as many as violators to try them again
    const { tries } = warnings.get('load.records-refused')! as { tries: number }
    const most = expected.size * (2 * Math.log2(count / expected.size) + 6) + 20
    assert.ok(tries <= most, `${tries} tries for ${expected.size} violators, ${most} at most`)
    assert.ok(statements < 150, `${statements} statements`)
  })
}

test('more violators than the limit publish nothing, and the search ends with the first one too many', async () => {
  const spec = await target('unlimited', { maxCount: 20, maxPercent: 100 })
  const { rows } = spoiled(100_000, 1_000)
  const load = loadSample(database, spec, {
    job: 'unlimited',
    files: [{ name: 'V.csv', records: [...plain(...rows), { reject: true }] }],
    blockSize: 5_000,
  })
  await assert.rejects(load, {
    code: 'LOAD_REJECT_LIMIT',
    message: /^21 of 100001 records were rejected, and the limit is 20 records/,
  })
  const left = await database.use(c => c.query('SELECT FROM erp.unlimited LIMIT 1'))
  assert.equal(left.rowCount, 0)
  const rejects = await database.use(c => listRejects(c, { job: 'unlimited' }))
  assert.equal(rejects.length, 21)
})
