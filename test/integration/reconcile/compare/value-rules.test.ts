/**
 * Rules that need to know more than two texts: value maps by side, tolerances of seconds, and what
 * tolerances let pass in each currency.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compared, countsOf, planFor, reconcileFolder } from '../../../support/compared.ts'

const folder = reconcileFolder()

test('each side may write an enumeration in its own way, and what its map lacks can not be read', async () => {
  const result = await compared(folder, {
    kinds: { id: 'text', state: 'text' },
    key: ['id'],
    rules: {
      state: {
        foldCase: true,
        values: { source: { O: 'open', C: 'closed' }, target: { '1': 'OPEN', '2': 'closed' } },
      },
    },
    left: [
      ['a', 'O'],
      ['b', 'c'],
      ['c', 'O'],
      ['d', null],
      ['e', 'X'],
      ['f', 'O'],
    ],
    right: [
      ['a', '1'],
      ['b', '2'],
      ['c', '2'],
      ['d', null],
      ['e', '1'],
      ['f', 'O'],
    ],
  })
  assert.deepEqual(countsOf(result), {
    unreadable: 2,
    missing_in_source: 1,
    missing_in_target: 1,
    value_mismatch: 1,
    equal_after_rules: 2,
    identical: 1,
  })
  assert.deepEqual(
    result.breaks.map(({ kind, key, hint }) => [kind, key.id, hint]),
    [
      ['unreadable', 'e', 'state is no value of the map of this side'],
      ['unreadable', 'f', 'state is no value of the map of this side'],
      ['value_mismatch', 'c', ''],
      ['missing_in_source', 'e', ''],
      ['missing_in_target', 'f', ''],
    ],
  )
  const [mismatch] = result.breaks[2]!.columns
  assert.deepEqual([mismatch!.left, mismatch!.right], ['O', '2'], 'values are shown as they were received')
  assert.deepEqual(result.rulesUsed, [
    { rule: 'fold case + value map', column: 'state', count: 1 },
    { rule: 'value map', column: 'state', count: 1 },
  ])
})

test('one text that means two things differs, and two texts that mean one thing join as keys', async () => {
  const result = await compared(folder, {
    kinds: { shop: 'text', flag: 'text' },
    key: ['shop'],
    rules: {
      shop: { values: { source: { '01': 'Bonn' } } },
      flag: { values: { source: { '1': 'yes' }, target: { '1': 'no', '2': 'yes' } } },
    },
    left: [['01', '1']],
    right: [['Bonn', '1']],
  })
  assert.deepEqual(countsOf(result), { value_mismatch: 1 })
  assert.deepEqual(
    result.breaks[0]!.columns.map(({ name, left, right }) => [name, left, right]),
    [['flag', '1', '1']],
  )
})

test('instants may lie apart by declared seconds, the bound included, and the seconds are added up', async () => {
  const result = await compared(folder, {
    kinds: { id: 'text', at: 'timestamp' },
    key: ['id'],
    rules: { at: { withinSeconds: 2 } },
    left: [
      ['a', '2026-11-20T10:00:00Z'],
      ['b', '2026-11-20T10:00:00Z'],
      ['c', '2026-11-20T10:00:01.5Z'],
      ['d', null],
    ],
    right: [
      ['a', '2026-11-20T10:00:02Z'],
      ['b', '2026-11-20T10:00:02.000000001Z'],
      ['c', '2026-11-20T10:00:00.25Z'],
      ['d', '2026-11-20T10:00:00Z'],
    ],
  })
  assert.deepEqual(countsOf(result), { value_mismatch: 2, within_tolerance: 2 })
  assert.deepEqual(
    result.breaks.map(({ key }) => key.id),
    ['b', 'd'],
  )
  assert.deepEqual(result.tolerated, [{ column: 'at', group: '', count: 2, net: '0.75', gross: '3.25' }])
  assert.deepEqual(result.rulesUsed, [{ rule: 'within 2 s', column: 'at', count: 2 }])
})

test('what a tolerance lets pass is added up in each currency', async () => {
  const result = await compared(folder, {
    kinds: { id: 'text', amount: 'decimal', currency: 'text' },
    key: ['id'],
    rules: { amount: { within: '0.01' } },
    totals: { amount: { sum: ['amount'], per: 'currency' } },
    left: [
      ['a', '1', 'EUR'],
      ['b', '1', 'EUR'],
      ['c', '1', 'USD'],
    ],
    right: [
      ['a', '1.01', 'EUR'],
      ['b', '0.995', 'EUR'],
      ['c', '1.01', 'USD'],
    ],
  })
  assert.deepEqual(result.tolerated, [
    { column: 'amount', group: 'EUR', count: 2, net: '0.005', gross: '0.015' },
    { column: 'amount', group: 'USD', count: 1, net: '0.01', gross: '0.01' },
  ])
})

test('maps, seconds and budgets that can not be meant are refused', () => {
  const kinds = { id: 'text', name: 'text', at: 'timestamp', amount: 'decimal' } as const
  const refused = (rules: NonNullable<Parameters<typeof planFor>[0]['rules']>, message: RegExp): void => {
    assert.throws(() => planFor({ kinds, key: ['id'], rules }), {
      code: 'CONFIG_COMPARE_RULE_INVALID',
      message,
    })
  }
  refused({ amount: { values: { source: { '1': '2' } } } }, /value map but is decimal/)
  refused({ name: { withinSeconds: 1 } }, /no timestamp/)
  refused({ at: { withinSeconds: 1, precision: 'second' } }, /take one/)
  refused({ amount: { netBudget: '1' } }, /no tolerance/)
})
