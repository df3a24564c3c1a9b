/**
 * Random records over two tables, one of which refers to itself and one to the other, with rows that a
 * rule refuses, missing parents, circles and units: what loads is exactly what can, decided by a second
 * way of thinking that takes out what can't be until nothing more has to go.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'
import { loadSample, type SampleRecord } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const SEEDS = 30

const table = (name: string) =>
  defineTable(
    'erp',
    name,
    {
      ref: column.text({ doc: 'Reference.' }),
      parent: column.text({ doc: 'A node.', nullable: true }),
      amount: column.integer({ doc: 'Amount.' }),
    },
    { doc: 'A table of the tests.', key: ['ref'], totals: { amount: { sum: ['amount'] } } },
  )
const spec = postgres({
  tables: { leaf: table('leaf'), node: table('node') },
  mode: 'upsert',
  rejects: { maxCount: 1_000, maxPercent: 100 },
})
await database.use(async c => {
  await createTarget(c, spec)
  await c.query(`ALTER TABLE erp.node ADD CONSTRAINT of_node FOREIGN KEY (parent) REFERENCES erp.node, ADD CHECK (amount >= 0);
    ALTER TABLE erp.leaf ADD CONSTRAINT of_node FOREIGN KEY (parent) REFERENCES erp.node, ADD CHECK (amount >= 0)`)
})

/** Numbers in [0, 1) that a seed decides. */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state =
      (Math.imul(state ^ (state >>> 15), state | 1) ^
        (state + Math.imul(state ^ (state >>> 7), state | 61))) >>>
      0
    state = (state + 0x6d2b79f5) >>> 0
    return (state % 1_000_003) / 1_000_003
  }
}

/** Records, of which some can't be loaded. */
function recordsOf(seed: number): SampleRecord[] {
  const random = randomOf(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const size = 5 + below(40)
  const parent = (): string | null => (random() < 0.3 ? null : random() < 0.05 ? 'nobody' : `n${below(size)}`)
  const row = (ref: string): Value[] => [ref, parent(), random() < 0.06 ? -1 : 1]
  return Array.from({ length: size }, (_, at) => ({
    ...(random() < 0.3 ? { unit: `u${below(8)}` } : {}),
    rows: {
      node: random() < 0.9 ? [row(`n${at}`)] : [],
      leaf: Array.from({ length: below(3) }, (__, nth) => row(`l${at}-${nth}`)),
    },
  }))
}

/** Positions of the records that can be loaded together. */
function loadable(records: readonly SampleRecord[]): Set<number> {
  const left = new Set(records.keys())
  const rowsOf = (at: number) => Object.values(records[at]!.rows!).flat()
  for (let before = -1; before !== left.size; ) {
    before = left.size
    const nodes = new Set([...left].flatMap(at => records[at]!.rows!.node!.map(([ref]) => ref)))
    const refused = [...left].filter(at =>
      rowsOf(at).some(([, parent, amount]) => Number(amount) < 0 || (parent !== null && !nodes.has(parent!))),
    )
    const units = new Set(refused.flatMap(at => records[at]!.unit ?? []))
    for (const at of [...left]) {
      if (refused.includes(at) || units.has(records[at]!.unit ?? '')) left.delete(at)
    }
  }
  return left
}

test(`what loads of ${SEEDS} random files is what can, and everything else is a reject`, async () => {
  let [some, all] = [0, 0]
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    await database.use(c => c.query('TRUNCATE erp.node, erp.leaf'))
    const records = recordsOf(seed)
    const expected = loadable(records)
    const job = `random-${seed}`
    const outcome = await loadSample(database, spec, { job, files: [{ name: 'R.csv', records }] })
    if (outcome.kind === 'done-before') assert.fail('done before')
    for (const name of ['node', 'leaf']) {
      const { rows } = await database.use(c => c.query<{ ref: string }>(`SELECT ref FROM erp.${name}`))
      const refs = [...expected].flatMap(at => records[at]!.rows![name]!.map(([ref]) => String(ref)))
      assert.deepEqual(rows.map(({ ref }) => ref).sort(), refs.sort(), `seed ${seed}, ${name}`)
    }
    // a record without rows has nothing that could be refused, unless its unit is
    const empty = [...records.keys()].filter(at => Object.values(records[at]!.rows!).flat().length === 0)
    const rejected = [...records.keys()].filter(at => !expected.has(at) && !empty.includes(at))
    const rejects = await database.use(c => listRejects(c, { job }))
    const lines = rejects.map(({ line }) => line - 2)
    const byNumber = (a: number, b: number): number => a - b
    assert.deepEqual(lines.sort(byNumber), rejected.sort(byNumber), `seed ${seed}, rejects`)
    if (rejected.length > 0) some += 1
    if (expected.size === 0) all += 1
  }
  assert.ok(some > SEEDS / 2 && all < SEEDS / 2, `${some} with rejects, ${all} without a row`)
})
