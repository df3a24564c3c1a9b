/**
 * Rules, tolerances, natures and proofs over whole comparisons.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsOf, planFor } from '../../../support/compared.ts'
import { agreement } from '../../../support/oracle/agreed.ts'

const agree = await agreement()

test('an absolute tolerance includes its bound and sums what it let pass', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal' },
    key: ['id'],
    rules: { amount: { within: '0.01' } },
    totals: { amount: { sum: ['amount'] } },
    left: [
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
      ['d', '-1'],
    ],
    right: [
      ['a', '1.01'],
      ['b', '1.0100000001'],
      ['c', '1'],
      ['d', '-1.005'],
    ],
  })
  assert.deepEqual(countsOf(result), { value_mismatch: 1, within_tolerance: 2, identical: 1 })
  assert.deepEqual(result.tolerated, [
    { column: 'amount', group: '', count: 2, net: '0.005', gross: '0.015' },
  ])
  assert.deepEqual(result.proof[0]!.explained, { value_mismatch: '0.0100000001', within_tolerance: '0.005' })
})

test('a relative tolerance is of the larger value and includes its bound', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal' },
    key: ['id'],
    rules: { amount: { relative: '0.01' } },
    left: [
      ['a', '99'],
      ['b', '98.99'],
      ['c', '0'],
      ['d', '-100'],
    ],
    right: [
      ['a', '100'],
      ['b', '100'],
      ['c', '0.0001'],
      ['d', '-99'],
    ],
  })
  assert.deepEqual(
    result.breaks.map(({ key }) => key.id),
    ['b', 'c'],
  )
})

test('text rules work together and each equality names those that made it', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    rules: {
      name: { trim: true, collapse: true, foldCase: true, stripAccents: true, nullTokens: ['N.A.', '-'] },
    },
    left: [
      ['a', ' Jos\u00e9  Maria'],
      ['b', 'N.A.'],
      ['c', 'X'],
      ['d', '- '],
      ['e', 'a'],
      ['f', '-'],
    ],
    right: [
      ['a', 'JOSE MARIA'],
      ['b', '-'],
      ['c', 'x'],
      ['d', null],
      ['e', 'b'],
      ['f', ''],
    ],
  })
  assert.deepEqual(
    result.breaks.map(({ key }) => key.id),
    ['e', 'f'],
  )
  assert.deepEqual(result.rulesUsed, [
    { rule: 'fold case', column: 'name', count: 1 },
    { rule: 'null token', column: 'name', count: 1 },
    { rule: 'trim + collapse + strip accents + fold case', column: 'name', count: 1 },
    { rule: 'trim + null token', column: 'name', count: 1 },
  ])
})

test('instants are cut only to a declared precision', async () => {
  const input = {
    kinds: { id: 'text', at: 'timestamp' },
    key: ['id'],
    left: [
      ['a', '2026-11-20T10:05:59.9Z'],
      ['b', '2026-11-20T10:05:59Z'],
    ],
    right: [
      ['a', '2026-11-20T10:05:59Z'],
      ['b', '2026-11-20T10:06:00Z'],
    ],
  } as const
  assert.equal((await agree(input)).breaksTotal, 2)
  const cut = await agree({ ...input, rules: { at: { precision: 'second' } } })
  assert.deepEqual(countsOf(cut), { value_mismatch: 1, within_tolerance: 1 })
})

test('an amount in another currency has no delta, and the proof moves it between the currencies', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal', currency: 'text' },
    key: ['id'],
    totals: { amount: { sum: ['amount'], per: 'currency' } },
    left: [['a', '100', 'EUR']],
    right: [['a', '110', 'USD']],
  })
  assert.deepEqual(
    result.breaks[0]!.columns.map(({ nature, delta }) => [nature, delta]),
    [
      ['amount', null],
      ['currency', null],
    ],
  )
  assert.deepEqual(
    result.proof.map(({ group, explained }) => [group, explained]),
    [
      ['EUR', { value_mismatch: '-100' }],
      ['USD', { value_mismatch: '110' }],
    ],
  )
})

test('a total over ignored columns is proved all the same', async () => {
  const result = await agree({
    kinds: { id: 'text', quantity: 'integer', price: 'decimal', name: 'text' },
    key: ['id'],
    ignore: ['price'],
    totals: { value: { sum: ['quantity', 'price'] } },
    left: [
      ['a', 3, '1.10', 'x'],
      ['b', 2, '5', 'x'],
    ],
    right: [
      ['a', 3, '1.20', 'x'],
      ['b', 2, '5', 'x'],
    ],
  })
  assert.equal(result.outcome, 'CLEAN')
  assert.deepEqual([result.proof[0]!.difference, result.proof[0]!.explained], ['0.3', { identical: '0.3' }])
})

test('rows too young for the target are pending, not missing', async () => {
  const result = await agree({
    kinds: { id: 'text', booked: 'timestamp' },
    key: ['id'],
    left: [
      ['a', '2026-11-21T02:30:00Z'],
      ['b', '2026-11-21T01:00:00Z'],
      ['c', null],
    ],
    right: [['z', '2026-11-20T00:00:00Z']],
    options: { pending: { column: 'booked', graceMs: 3_600_000 } },
  })
  assert.deepEqual(countsOf(result), { pending: 1, missing_in_target: 2, missing_in_source: 1 })
})

test('likely causes are named', async () => {
  const pairs = [
    ['1234.56', '1243.56', 'transposed digits'],
    ['100', '-100', 'opposite sign'],
    ['12', '24', 'the target is exactly double'],
    ['1.5', '150', 'the target is 100 times the source'],
    ['7', '8', ''],
  ] as const
  const result = await agree({
    kinds: { id: 'integer', amount: 'decimal' },
    key: ['id'],
    left: pairs.map(([left], id) => [id, left]),
    right: pairs.map(([, right], id) => [id, right]),
  })
  assert.deepEqual(
    result.breaks.map(({ hint }) => hint),
    pairs.map(([, , hint]) => hint),
  )
})

test('rules that can not be meant are refused before anything is read', () => {
  const kinds = { id: 'text', name: 'text', at: 'timestamp' } as const
  const refused = (rules: Parameters<typeof planFor>[0]['rules'], message: RegExp): void => {
    assert.throws(() => planFor({ kinds, key: ['id'], ...(rules === undefined ? {} : { rules }) }), {
      code: 'CONFIG_COMPARE_RULE_INVALID',
      message,
    })
  }
  refused({ name: { within: '0.01' } }, /no number/)
  refused({ id: { within: '0.01' } }, /key column/)
  refused({ name: { precision: 'day' } }, /no timestamp/)
  assert.throws(() => planFor({ kinds, key: ['id'], totals: { t: { sum: ['name'] } } }), {
    code: 'CONFIG_COMPARE_RULE_INVALID',
  })
})
