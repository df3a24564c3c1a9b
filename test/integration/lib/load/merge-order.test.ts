/**
 * The merge depends on the set alone: rows in any order, in any number of files, loaded once or again,
 * leave the same table and the same counts. Order between dates is key-versions.test.ts.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { counts, countsOf, loadSample, plain } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const DATE = '2026-11-20'
const columns = {
  day: column.date({ doc: 'Business date.' }),
  ref: column.text({ doc: 'Reference.' }),
  state: column.text({ doc: 'State.', nullable: true }),
}

type Row = readonly [ref: string, state: string | null]

const REFS = ['a', 'b', 'c', 'd', 'e', 'f', 'ä', '']
const state = fc.constantFrom('x', 'y', null)
/** One state per key, so that no row contradicts another; the same row may come several times. */
const set = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...REFS), state), {
    minLength: 1,
    maxLength: 8,
    selector: ([ref]) => ref,
  })
  .chain(rows =>
    fc.tuple(fc.constant(rows), fc.subarray(rows)).map(([all, again]): Row[] => [...all, ...again]),
  )

/** The same rows, in another order and cut into files at other places. */
const arranged = (rows: readonly Row[]): fc.Arbitrary<Row[][]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...rows], { minLength: rows.length }),
      fc.array(fc.nat(rows.length), { maxLength: 2 }),
    )
    .map(([shuffled, cuts]) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), rows.length]
      return at.slice(1).map((end, index) => shuffled.slice(at[index], end))
    })
    .map(files => files.filter(file => file.length > 0))
    // Two files of the same content are one delivery that came twice, and no larger set.
    .filter(files => new Set(files.map(file => JSON.stringify(file))).size === files.length)

const example = fc.record({
  mode: fc.constantFrom('upsert' as const, 'mirror' as const, 'replace' as const),
  before: fc.uniqueArray(fc.tuple(fc.constantFrom(...REFS), state), {
    maxLength: 5,
    selector: ([ref]) => ref,
  }),
  arrangements: set.chain(rows => fc.tuple(fc.constant([rows]), arranged(rows))),
})

let tables = 0

/** Loads the files over what is there, and again by force; gives both counts and the table. */
async function outcome(
  mode: 'upsert' | 'mirror' | 'replace',
  before: readonly Row[],
  files: readonly Row[][],
) {
  tables += 1
  const name = `merged_${tables}`
  const table = defineTable('erp', name, columns, { doc: 'A table of the tests.', key: ['day', 'ref'] })
  const spec = postgres({
    table,
    mode,
    maxDeletePercent: 100,
    ...(mode === 'replace' ? { scope: 'day' } : {}),
  })
  await database.use(async connection => {
    await createTarget(connection, spec)
    const rows = [...before.map(row => [DATE, ...row]), ['2026-11-19', 'a', 'of another date']]
    for (const row of rows) await connection.query(`INSERT INTO erp.${name} VALUES ($1, $2, $3)`, row)
  })
  const load = async (force: boolean) =>
    countsOf(
      await loadSample(database, spec, {
        ...{ job: name, businessDate: DATE, perDate: 'many', force },
        files: files.map((file, at) => ({
          name: `${at}.csv`,
          records: plain(...file.map(row => [DATE, ...row])),
        })),
      }),
    )
  const first = await load(false)
  await database.use(c => c.query(`UPDATE tallyman.revision SET state = 'finished' WHERE feed = $1`, [name]))
  const again = await load(true)
  const { rows } = await database.use(c =>
    c.query(`SELECT day, ref, state FROM erp.${name} ORDER BY day, ref COLLATE "C"`),
  )
  await database.use(c => c.query(`DROP TABLE erp.${name}`))
  return { first, again, rows }
}

test('rows in any order and in any number of files, loaded once or again, leave the same table and the same counts', async () => {
  await fc.assert(
    fc.asyncProperty(example, async ({ mode, before, arrangements: [plainly, otherwise] }) => {
      const one = await outcome(mode, before, plainly)
      const other = await outcome(mode, before, otherwise)
      assert.deepEqual(other, one)
      const { mapped, collapsed } = one.first
      assert.deepEqual(one.again, counts({ mapped, collapsed, unchanged: mapped - collapsed }))
    }),
    { numRuns: 6, seed: 20261120 },
  )
})
