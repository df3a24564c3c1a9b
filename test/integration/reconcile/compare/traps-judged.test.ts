/**
 * Traps in what is judged: columns that only totals need, values at the ends of their types, rows that can't
 * be read but count. Each one was seen to go wrong, or is one rule away from it.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { compareSides } from '../../../../reconcile/compare/compare-sides.ts'
import { openFileSide } from '../../../../reconcile/sides/file-side.ts'
import { countsOf, planFor, quietContext, reconcileFolder, snapshotOf } from '../../../support/compared.ts'
import { agreement } from '../../../support/oracle/agreed.ts'

const agree = await agreement()
const folder = reconcileFolder()

test('an instant at the end of all days is readable, hour 24 and year 0 are not', async () => {
  const rows = [
    ['a', '9999-12-31T23:59:59.999999999Z'],
    ['b', '0001-01-01T00:00:00Z'],
    ['c', '2026-11-20T24:00:00Z'],
    ['d', '0000-01-01T00:00:00Z'],
    ['e', '2026-11-20T23:59:60Z'],
  ]
  const result = await agree({ kinds: { id: 'text', at: 'timestamp' }, key: ['id'], left: rows, right: rows })
  assert.deepEqual(countsOf(result), { unreadable: 6, identical: 2 })
})

test('a number with a fraction in a column of integers counts nowhere, also not in a total', async () => {
  const result = await agree({
    kinds: { id: 'text', quantity: 'integer', group: 'integer' },
    key: ['id'],
    totals: { quantity: { sum: ['quantity'], per: 'group' } },
    left: [
      ['a', '1.0', 'x'],
      ['b', '2.', '7'],
      ['c', '3', '7'],
    ],
    right: [['c', '3', '7']],
  })
  assert.deepEqual(countsOf(result), { unreadable: 2, identical: 1 })
  assert.deepEqual(
    result.proof.map(({ group, left, unexplained }) => [group, left, unexplained]),
    [
      ['7', '3', '0'],
      ['x', '0', '0'],
    ],
  )
})

test('rows that differ only in a column that is not compared cancel, and what that is worth is explained', async () => {
  const input = {
    kinds: { id: 'text', name: 'text', price: 'decimal' },
    ignore: ['price'],
    totals: { price: { sum: ['price'] } },
    left: [
      ['a', 'x', '1.10'],
      ['a', 'x', '1.30'],
      ['b', 'y', '5'],
    ],
    right: [
      ['a', 'x', '1.20'],
      ['a', 'x', '1.50'],
      ['b', 'y', '6'],
    ],
  } as const
  for (const key of [['id'], []]) {
    const result = await agree({ ...input, key })
    assert.deepEqual([result.outcome, countsOf(result)], ['CLEAN', { identical: 3 }])
    assert.deepEqual(result.proof[0]!.explained, { identical: '1.3' })
  }
})

test('a row that one side has more often is told with a line of its own side', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    left: [['a', 'x']],
    right: [
      ['z', 'x'],
      ['a', 'x'],
      ['a', 'x'],
    ],
  })
  assert.deepEqual(
    result.breaks.map(({ kind, origin }) => [kind, origin]),
    [
      ['duplicate', { file: 'target.csv', line: 3 }],
      ['missing_in_source', { file: 'target.csv', line: 2 }],
    ],
  )
})

test('an instant that was cut to a precision is pending by UTC, wherever it is compared', async () => {
  const result = await agree({
    kinds: { id: 'text', booked: 'timestamp' },
    key: ['id'],
    rules: { booked: { precision: 'minute' } },
    left: [
      ['a', '2026-11-21T02:30:00Z'],
      ['b', '2026-11-21T01:59:00Z'],
    ],
    right: [['z', '2026-11-20T00:00:00Z']],
    options: { pending: { column: 'booked', graceMs: 3_600_000 } },
  })
  assert.deepEqual(countsOf(result), { pending: 1, missing_in_target: 1, missing_in_source: 1 })
})

test('a rule for texts is not said to have made two instants equal', async () => {
  const result = await agree({
    kinds: { id: 'text', at: 'timestamp' },
    key: ['id'],
    rules: { at: { foldCase: true, stripAccents: true } },
    left: [['a', '2026-11-21T02:30:00.50Z']],
    right: [['a', '2026-11-21T02:30:00.5Z']],
  })
  assert.deepEqual(result.rulesUsed, [{ rule: 'same instant', column: 'at', count: 1 }])
})

test('marks that can be written in any order, alone or in a syllable are compared as one writing', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    rules: { name: { stripAccents: true, foldCase: true } },
    left: [
      ['a', '\u1ea5\u0323'],
      ['b', '\uac01'],
      ['c', '\u01d6 \u0130 \u1e9e'],
      ['d', '\ufb01'],
    ],
    right: [
      ['a', 'a'],
      ['b', '\u1100\u1161\u11a8'],
      ['c', 'u i \u00df'],
      ['d', 'fi'],
    ],
  })
  assert.deepEqual(
    result.breaks.map(({ key }) => key.id),
    ['d'],
  )
})

test('columns that stand in another order on the other side are compared by their names', async () => {
  const kinds = { id: 'text', amount: 'decimal', name: 'text' } as const
  const turned = { name: 'text', amount: 'decimal', id: 'text' } as const
  const left = await snapshotOf(folder, 'source', { kinds }, [['a', '1.50', 'x']])
  const right = await snapshotOf(folder, 'target', { kinds: turned }, [['x', '1.50', 'a']])
  const options = { run: null, workFolder: path.join(folder, 'work'), breaksFile: null }
  const result = await compareSides(left, right, planFor({ kinds, key: ['id'] }), options, quietContext)
  assert.deepEqual([result.outcome, countsOf(result)], ['CLEAN', { identical: 1 }])
})

test('a file that ends within a quoted cell is no side of a comparison', async () => {
  const file = path.join(folder, 'cut.csv')
  writeFileSync(file, 'id,name\na,x\nb,"y and')
  const place = { folder, workFolder: path.join(folder, 'work'), where: null }
  await assert.rejects(openFileSide(place, file, {}, quietContext), { code: 'PARSE_QUOTE_UNCLOSED' })
})
