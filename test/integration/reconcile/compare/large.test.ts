/**
 * Sizes: a run in which every row is a break, a key with very many rows, and the memory they take.
 */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { Value } from '../../../../lib/model/table.ts'
import { compareSides } from '../../../../reconcile/compare/compare-sides.ts'
import { planFor, quietContext, reconcileFolder, snapshotOf } from '../../../support/compared.ts'

const folder = reconcileFolder()
const kinds = { id: 'integer', amount: 'decimal', name: 'text' } as const
const totals = { amount: { sum: ['amount'] } } as const

/** Memory that DuckDB may use here, and what Node may take besides. */
const LIMIT_MB = 128
const BESIDES_MB = 250

function* rows(count: number, cents: string): Generator<Value[]> {
  for (let i = 0; i < count; i += 1)
    yield [i, `${i}.${cents}`, `a name of some length, so that rows weigh something ${i % 777}`]
}

async function lineCount(file: string): Promise<number> {
  let count = 0
  for await (const _ of createInterface({ input: createReadStream(file) })) count += 1
  return count
}

test('fifty thousand rows that all differ are all written, in bounded memory', async () => {
  const input = { kinds, key: ['id'], totals }
  const left = await snapshotOf(folder, 'source', input, rows(50_000, '25'))
  const right = await snapshotOf(folder, 'target', input, rows(50_000, '75'))
  const before = process.memoryUsage().rss
  let peak = before
  const watch = (): void => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  const context = { ...quietContext, progress: watch }
  const options = {
    run: null,
    workFolder: path.join(folder, 'work'),
    breaksFile: path.join(folder, 'all.csv'),
    breaksInMemory: 100,
    limits: { memoryMb: LIMIT_MB },
  }
  const result = await compareSides(left, right, planFor(input), options, context)
  assert.deepEqual([result.breaksTotal, result.breaks.length], [50_000, 100])
  assert.equal(await lineCount(result.breaksFile!), 50_001)
  assert.deepEqual(result.proof[0]!.explained, { value_mismatch: '25000' })
  assert.ok(
    peak - before < (LIMIT_MB + BESIDES_MB) * 1_048_576,
    `grew by ${Math.round((peak - before) / 1_048_576)} MB`,
  )
})

test('a key with a hundred thousand rows is one break', async () => {
  const input = { kinds, key: ['id'], totals }
  const many = function* (): Generator<Value[]> {
    for (let i = 0; i < 100_000; i += 1) yield [1, `${i}`, 'x']
  }
  const left = await snapshotOf(folder, 'source', input, many())
  const right = await snapshotOf(folder, 'target', input, [
    [1, '5', 'x'],
    [2, '1', 'x'],
  ])
  const options = { run: null, workFolder: path.join(folder, 'work'), breaksFile: null }
  const result = await compareSides(left, right, planFor(input), options, quietContext)
  assert.deepEqual(
    [result.counts.duplicate, result.rows.left.duplicate, result.rows.left.identical],
    [1, 99_999, 1],
  )
  assert.equal(result.breaks[0]!.hint, '100000 in the source, 1 in the target, conflicting')
})

test('an aborted comparison leaves no file behind', async () => {
  const input = { kinds, key: ['id'], totals }
  const left = await snapshotOf(folder, 'source', input, rows(20_000, '1'))
  const right = await snapshotOf(folder, 'target', input, rows(20_000, '2'))
  const controller = new AbortController()
  const context = {
    ...quietContext,
    signal: controller.signal,
    progress: () => controller.abort(new Error('the lease was lost')),
  }
  const breaksFile = path.join(folder, 'aborted.csv')
  const options = { run: null, workFolder: path.join(folder, 'work'), breaksFile }
  await assert.rejects(compareSides(left, right, planFor(input), options, context), /the lease was lost/)
  await assert.rejects(lineCount(breaksFile), { code: 'ENOENT' })
  await assert.rejects(lineCount(`${breaksFile}.part`), { code: 'ENOENT' })
})
