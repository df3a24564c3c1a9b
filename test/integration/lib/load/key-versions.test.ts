/**
 * Older never overwrites newer, for any order of loads: the database against a model that knows each
 * key's version, where the database keeps only what differs from a floor.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { loadSample, plain } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const columns = {
  ref: column.decimal({
    doc: 'Reference, a number to see that 1.50 and 1.5 are one key.',
    precision: 4,
    scale: 2,
  }),
  state: column.text({ doc: 'State.' }),
}

/** Keys by their bits: sets of all keys are frequent, as they are at night. */
const file = fc.array(fc.tuple(fc.constantFrom('1', '2', '3.5', '4.5'), fc.constantFrom('x', 'y')), {
  maxLength: 4,
})
const wholeFile = fc
  .constantFrom('x', 'y')
  .map(state => ['1', '2', '3.5', '4.5'].map((ref): [string, string] => [ref, state]))
const night = fc.record({
  day: fc.integer({ min: 10, max: 14 }),
  files: fc.array(fc.oneof(file, wholeFile), { minLength: 1, maxLength: 2 }),
})

let tables = 0

async function holds(
  asOf: boolean,
  nights: readonly { day: number; files: [string, string][][] }[],
): Promise<void> {
  tables += 1
  const name = `states_${tables}`
  const table = defineTable('erp', name, columns, {
    doc: 'A table of the tests.',
    key: ['ref'],
    ...(asOf ? { asOf: 'version' } : {}),
  })
  const spec = postgres({ table, mode: 'upsert' })
  await database.use(connection => createTarget(connection, spec))
  const model = new Map<string, { state: string; version: number }>()
  let arrivals = 0
  for (const [at, { day, files }] of nights.entries()) {
    const sets = files.map(rows => new Map(rows))
    for (const set of sets) {
      arrivals += 1
      for (const [ref, state] of set) {
        const version = day * 1000 + arrivals
        if ((model.get(ref)?.version ?? 0) <= version) model.set(ref, { state, version })
      }
    }
    await loadSample(database, spec, {
      job: `${name}-${at}`,
      businessDate: `2026-11-${day}`,
      perDate: 'many',
      // a row of its own file number keeps contents apart; 99 is no key of the model
      files: sets.map((set, position) => ({
        name: `${position}.csv`,
        records: plain(['99', `${at} ${position}`], ...[...set].map(([ref, state]) => [ref, state])),
      })),
    })
    const { rows } = await database.use(c =>
      c.query<{ ref: string; state: string }>(
        `SELECT trim_scale(ref)::text AS ref, state FROM erp.${name} WHERE ref <> 99 ORDER BY ref`,
      ),
    )
    assert.deepEqual(
      rows.map(row => [row.ref, row.state]),
      [...model].map(([ref, { state }]) => [ref, state]).sort(([a], [b]) => Number(a) - Number(b)),
    )
  }
}

for (const asOf of [true, false]) {
  test(`whatever the order of dates, each key shows its newest version (${asOf ? 'in a column' : 'kept beside'})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(night, { minLength: 4, maxLength: 7 }), nights => holds(asOf, nights)),
      { numRuns: 6, endOnFailure: true },
    )
  })
}

test('a nightly file of all keys writes one row about its versions, a small delta only its own', async () => {
  const table = defineTable('erp', 'floor', columns, { doc: 'A table of the tests.', key: ['ref'] })
  const spec = postgres({ table, mode: 'upsert' })
  await database.use(connection => createTarget(connection, spec))
  const load = (day: number, ...refs: string[]) =>
    loadSample(database, spec, {
      job: 'floor',
      businessDate: `2026-11-${day}`,
      files: [{ name: 'F.csv', records: plain(...refs.map(ref => [ref, `${day}`])) }],
    })
  const marks = async () => {
    const { rows } = await database.use(c =>
      c.query<{ key: string }>("SELECT key FROM tallyman.key_as_of WHERE target = 'erp.floor' ORDER BY key"),
    )
    return rows.map(row => row.key)
  }
  await load(10, '1', '2', '3', '4')
  assert.deepEqual(await marks(), [])
  await load(12, '4')
  assert.deepEqual(await marks(), ['[4]'])
  await load(13, '1', '2', '4')
  assert.deepEqual(await marks(), ['[3]'])
  await load(14, '1', '2', '3', '4')
  assert.deepEqual(await marks(), [])
})
