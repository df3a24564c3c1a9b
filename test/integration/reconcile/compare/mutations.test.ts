/**
 * The seeded-mutation oracle: tables of drawn shapes get a known list of edits, and exactly that list must
 * come back. What is proved of each group of seeds: test/support/mutation-proof.ts. More seeds:
 * `npm run seeds -- --seeds 5000`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compared, reconcileFolder } from '../../../support/compared.ts'
import { proveSeeds } from '../../../support/mutation-proof.ts'
import { editedTables } from '../../../support/mutations.ts'
import { agreement } from '../../../support/oracle/agreed.ts'

const folder = reconcileFolder()
const agree = await agreement()

/** Shapes and the seeds in each; each shape takes some five seconds of processor time. */
const SHAPES = 5
const SEEDS = 40

const seedsFrom = (from: number): number[] => Array.from({ length: SEEDS }, (_, i) => from + i)

test(`the edits of ${SHAPES * SEEDS} seeded tables come back exactly, and nothing else, both ways and in any order`, async () => {
  const kinds = new Set<string>()
  for (let shapeSeed = 0; shapeSeed < SHAPES; shapeSeed += 1) {
    const seeds = seedsFrom(shapeSeed * SEEDS)
    for (const { kind } of editedTables(shapeSeed, seeds, 4).expected) kinds.add(kind)
    assert.ok((await proveSeeds(agree, { shapeSeed, seeds })) > SEEDS)
  }
  assert.equal(kinds.size, 6, 'the edits reach all kinds of breaks')
})

test('the same sides and rules give the same bytes', async () => {
  const { shape, left, right } = editedTables(5, seedsFrom(4000), 24)
  const first = await compared(folder, { ...shape, left, right })
  const second = await compared(folder, { ...shape, left, right })
  assert.equal(second.csv, first.csv)
  assert.deepEqual(second, first)
})
