/**
 * Proves some seeds of one shape: the engine finds exactly the edits, in both directions and in any order of
 * rows, finds nothing between a side and itself, and agrees with the oracle on every line.
 */
import assert from 'node:assert/strict'
import type { Break, Comparison } from '../../lib/model/break.ts'
import type { Value } from '../../lib/model/table.ts'
import type { Compared } from './compared.ts'
import { type Expected, editedTables, mirrored, rngOf, shuffled } from './mutations.ts'
import type { Agree } from './oracle/agreed.ts'

/** Rows of one seed. */
const ROWS = 24

/** Which seeds, in which shape. */
export interface SeedGroup {
  readonly shapeSeed: number
  readonly seeds: readonly number[]
}

/** Proves a group; gives the number of edits that were found. @throws AssertionError naming shape and seeds */
export async function proveSeeds(agree: Agree, { shapeSeed, seeds }: SeedGroup): Promise<number> {
  const table = editedTables(shapeSeed, seeds, ROWS)
  const input = (left: readonly Value[][], right: readonly Value[][]): Compared => ({
    ...table.shape,
    left,
    right,
  })
  const subject = `shape ${shapeSeed}, seeds ${seeds[0]} to ${seeds.at(-1)}`
  const there = await agree(input(table.left, table.right))
  assert.deepEqual(sorted(there.breaks.map(told)), sorted(table.expected), subject)
  rowsAddUp(there, subject)
  const back = await agree(input(table.right, table.left))
  assert.deepEqual(
    sorted(back.breaks.map(told)),
    sorted(table.expected.map(mirrored)),
    `${subject}, turned around`,
  )
  const random = rngOf(shapeSeed + 3)
  const mixed = await agree(input(shuffled(table.left, random), shuffled(table.right, random)), false)
  assert.deepEqual(withoutOrigins(mixed), withoutOrigins(there), `${subject}, in another order`)
  const same = await agree(input(table.left, table.left), false)
  const unusable = same.breaks.filter(({ kind }) => kind !== 'unreadable' && kind !== 'key_invalid')
  assert.deepEqual(unusable, [], `${subject}, a side with itself`)
  return table.expected.length
}

/** What a break says, apart from where it came from. */
function told(found: Break): Expected {
  const values =
    found.kind === 'value_mismatch'
      ? found.columns.map(({ name, left, right }) => `${name}: ${left} -> ${right}`)
      : []
  const key = JSON.stringify(Object.values(found.key))
  return { kind: found.kind, key, rows: [found.leftRows, found.rightRows], values }
}

function sorted(list: readonly Expected[]): string[] {
  return list.map(one => JSON.stringify(one)).sort()
}

/** Everything that may not depend on the order of rows. */
function withoutOrigins({
  breaks,
  rows,
  counts,
  proof,
  rulesUsed,
  tolerated,
  left,
  right,
}: Comparison): unknown {
  const nowhere = breaks.map(found => ({ ...found, origin: null }))
  return [nowhere, rows, counts, proof, rulesUsed, tolerated, left.digest, right.digest]
}

function rowsAddUp({ rows, left, right }: Comparison, subject: string): void {
  const sum = (kinds: Readonly<Record<string, number>>): number =>
    Object.values(kinds).reduce((a, b) => a + b, 0)
  assert.deepEqual([sum(rows.left), sum(rows.right)], [left.rows, right.rows], subject)
}
