/**
 * The seeded-mutation oracle: tables of mixed types get a known list of edits, and exactly that list
 * must come back, in both directions, in any order of rows. A seed is a part of the key, so that hundreds
 * of small tables are compared at once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Break, Comparison } from '../../../../lib/model/break.ts'
import type { Value } from '../../../../lib/model/table.ts'
import { type Compared, compared, countsOf, reconcileFolder } from '../../../support/compared.ts'
import { type Expected, editTable, KINDS, mirrored, rngOf, shuffled } from '../../../support/mutations.ts'

const folder = reconcileFolder()

/** Tables per run and rows per table. Raised to thousands where the time is there. */
const SEEDS = 1000
const ROWS = 24

const RULES = { amount: { within: '0.01' }, name: { trim: true, nullTokens: ['N.A.'] } } as const

function tables(from: number, to: number): { left: Value[][]; right: Value[][]; expected: Expected[] } {
  const left: Value[][] = []
  const right: Value[][] = []
  const expected: Expected[] = []
  for (let seed = from; seed < to; seed += 1) {
    const table = editTable(seed, ROWS)
    left.push(...table.left)
    right.push(...table.right)
    expected.push(...table.expected)
  }
  return { left, right, expected }
}

function input(left: readonly Value[][], right: readonly Value[][]): Compared {
  return {
    kinds: KINDS,
    key: ['seed', 'id'],
    rules: RULES,
    totals: { amount: { sum: ['amount'], per: 'currency' }, value: { sum: ['amount', 'quantity'] } },
    left,
    right,
  }
}

/** What a break says, apart from where it came from. */
function told(found: Break): Expected {
  const values =
    found.kind === 'value_mismatch'
      ? found.columns.map(({ name, left, right }) => `${name}: ${left} -> ${right}`)
      : []
  return {
    kind: found.kind,
    key: Object.values(found.key).join('/'),
    rows: [found.leftRows, found.rightRows],
    values,
  }
}

function sorted(list: readonly Expected[]): string[] {
  return list.map(one => JSON.stringify(one)).sort()
}

function withoutOrigins({ csv }: { readonly csv: string }): string {
  return csv.replaceAll(/,(source|target)\.csv,\d+,/g, ',,,')
}

function rowsAddUp({ rows, left, right }: Comparison): void {
  for (const [kinds, side] of [
    [rows.left, left],
    [rows.right, right],
  ] as const) {
    assert.equal(
      Object.values(kinds).reduce((sum, count) => sum + count, 0),
      side.rows,
    )
  }
}

test(`the edits of ${SEEDS} seeded tables come back exactly, and nothing else`, async () => {
  const { left, right, expected } = tables(0, SEEDS)
  const result = await compared(folder, input(left, right))
  assert.deepEqual(sorted(result.breaks.map(told)), sorted(expected))
  assert.ok(new Set(expected.map(({ kind }) => kind)).size >= 6, 'the edits reach all kinds of breaks')
  assert.ok((countsOf(result).within_tolerance ?? 0) > 0 && (countsOf(result).equal_after_rules ?? 0) > 0)
  rowsAddUp(result)
})

test('turning the sides around mirrors every break', async () => {
  const { left, right, expected } = tables(1000, 1060)
  const result = await compared(folder, input(right, left))
  assert.deepEqual(sorted(result.breaks.map(told)), sorted(expected.map(mirrored)))
  const there = await compared(folder, input(left, right))
  assert.deepEqual(
    there.proof.map(({ difference }) => difference),
    result.proof.map(({ difference }) =>
      difference === '0' ? '0' : difference.startsWith('-') ? difference.slice(1) : `-${difference}`,
    ),
  )
})

test('a side compared with itself has no break', async () => {
  const { left, right } = tables(2000, 2040)
  for (const side of [left, right]) {
    const clean = side.filter(row => row[1] !== null && row[3] !== 'n/a')
    const result = await compared(folder, input(clean, clean))
    assert.deepEqual([result.outcome, countsOf(result)], ['CLEAN', { identical: clean.length }])
    assert.equal(result.left.digest, result.right.digest)
  }
})

test('the order of rows changes neither breaks nor digests', async () => {
  const { left, right } = tables(3000, 3040)
  const random = rngOf(7)
  const first = await compared(folder, input(left, right))
  const second = await compared(folder, input(shuffled(left, random), shuffled(right, random)))
  assert.equal(withoutOrigins(second), withoutOrigins(first))
  assert.deepEqual([second.left.digest, second.right.digest], [first.left.digest, first.right.digest])
})

test('the same sides and rules give the same bytes', async () => {
  const { left, right } = tables(4000, 4020)
  const first = await compared(folder, input(left, right))
  const second = await compared(folder, input(left, right))
  assert.equal(second.csv, first.csv)
  assert.deepEqual(second, first)
})
