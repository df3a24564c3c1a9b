/**
 * What is judged of a comparison as a whole: limits and severities, control totals, budgets, unreadable
 * rows, pending rows, and what many breaks have in common. Real Parquet, real DuckDB.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Value } from '../../../../lib/model/table.ts'
import { type Compared, compared, countsOf, planFor, reconcileFolder } from '../../../support/compared.ts'

const folder = reconcileFolder()

const payments = {
  kinds: { id: 'text', amount: 'decimal', currency: 'text', paidAt: 'timestamp' },
  key: ['id'],
  totals: { amount: { sum: ['amount'], per: 'currency' } },
} as const satisfies Partial<Compared>

const at = '2026-11-20T10:00:00Z'

test('breaks within the declared limits are CLEAN, and are written down all the same', async () => {
  const rows: Value[][] = Array.from({ length: 100 }, (_, i) => [`k${i}`, '10', 'EUR', at])
  const input = { ...payments, left: rows, right: rows.slice(2) }
  const within = await compared(folder, {
    ...input,
    whole: { limits: { missing_in_target: { warn: { count: 2, percent: 2, amount: { EUR: '20' } } } } },
  })
  assert.deepEqual([within.outcome, within.severity, within.breaksTotal], ['CLEAN', 'within', 2])
  assert.equal(within.csv.trim().split('\n').length, 3)
  assert.deepEqual(within.verdicts, [
    { kind: 'missing_in_target', count: 2, severity: 'within', why: 'within its limits' },
  ])
  for (const [limit, why] of [
    [{ count: 1 }, '2, more than 1'],
    [{ percent: 1.9 }, '2 of 100 rows, more than 1.9 %'],
    [{ amount: '19.99' }, 'amount EUR 20, more than 19.99'],
    [{ amount: { USD: '100' } }, 'amount EUR 20, more than 0'],
    [{ amountPercent: 1 }, 'amount EUR 20, more than 1 % of the total'],
  ] as const) {
    const above = await compared(folder, {
      ...input,
      whole: { limits: { missing_in_target: { fail: limit } } },
    })
    assert.deepEqual([above.outcome, above.severity, above.verdicts?.[0]?.why], ['BREAKS', 'fail', why])
  }
})

test('without limits any break warns, while duplicates and differing currencies fail', async () => {
  const row = (id: string, amount: string, currency = 'EUR'): Value[] => [id, amount, currency, at]
  const result = await compared(folder, {
    ...payments,
    left: [row('a', '1'), row('b', '1'), row('b', '1'), row('c', '1')],
    right: [row('a', '2'), row('b', '1'), row('c', '1', 'USD')],
  })
  assert.deepEqual(
    result.verdicts?.map(({ kind, count, severity }) => [kind, count, severity]),
    [
      ['duplicate', 1, 'fail'],
      ['value_mismatch', 2, 'warn'],
      ['currency', 1, 'fail'],
    ],
  )
  assert.equal(result.severity, 'fail')
})

test('a limit adds amounts up without their signs, where the proof lets them cancel', async () => {
  const result = await compared(folder, {
    ...payments,
    left: [
      ['a', '100', 'EUR', at],
      ['b', '100', 'EUR', at],
    ],
    right: [
      ['a', '160', 'EUR', at],
      ['b', '40', 'EUR', at],
    ],
    whole: { limits: { value_mismatch: { warn: { amount: '119.99' } } } },
  })
  assert.deepEqual(result.proof[0]!.explained, {})
  assert.equal(result.verdicts?.[0]?.why, 'amount EUR 120, more than 119.99')
})

test('control totals are compared by their groups and currencies, exactly, and what differs is a break', async () => {
  const input = {
    kinds: { id: 'text', shop: 'text', amount: 'decimal', currency: 'text', day: 'date' },
    key: ['id'],
    totals: { amount: { sum: ['amount'], per: 'currency' } },
    rules: { amount: { within: '1' } },
    left: [
      ['a', 's', '10', 'EUR', '2026-11-02'],
      ['b', 's', '9.99', 'EUR', '2026-11-10'],
      ['c', 't', '-3.5', 'USD', '2026-11-02'],
      ['d', 't', '99999999999999999999999999999999999999.5', 'USD', '2026-11-02'],
    ],
    right: [
      ['a', 's', '10', 'EUR', '2026-11-02'],
      ['b', 's', '10', 'EUR', '2026-11-10'],
      ['c', 't', '-3.5', 'USD', '2026-11-02'],
      ['d', 't', '99999999999999999999999999999999999999.5', 'USD', '2026-11-12'],
    ],
    ignore: ['day'],
    whole: {
      controlTotals: {
        rows: { measure: 'count' },
        value: { measure: 'sum', of: 'amount', by: ['shop'] },
        valueRounded: { measure: 'sum', of: 'amount', within: '0.01' },
        largest: { measure: 'max', of: 'amount' },
        smallest: { measure: 'min', of: 'amount' },
        lastDay: { measure: 'max', of: 'day', by: ['shop'] },
        days: { measure: 'distinct', of: 'day' },
      },
    },
  } as const satisfies Compared
  const result = await compared(folder, input)
  assert.deepEqual(countsOf(result), { within_tolerance: 1, identical: 3 })
  assert.deepEqual(result.controls, [
    { name: 'rows', groups: 1, differing: 0 },
    { name: 'value', groups: 2, differing: 1 },
    { name: 'valueRounded', groups: 2, differing: 0 },
    { name: 'largest', groups: 2, differing: 0 },
    { name: 'smallest', groups: 2, differing: 1 },
    { name: 'lastDay', groups: 2, differing: 1 },
    { name: 'days', groups: 1, differing: 1 },
  ])
  assert.deepEqual(
    result.breaks.map(({ kind, key, columns: [column] }) => [
      kind,
      key,
      column!.name,
      column!.left,
      column!.right,
      column!.delta,
    ]),
    [
      [
        'control_total',
        { total: 'value', shop: 's', currency: 'EUR' },
        'sum of amount',
        '19.99',
        '20',
        '0.01',
      ],
      ['control_total', { total: 'smallest', currency: 'EUR' }, 'min of amount', '9.99', '10', '0.01'],
      ['control_total', { total: 'lastDay', shop: 't' }, 'max of day', '2026-11-02', '2026-11-12', null],
      ['control_total', { total: 'days' }, 'distinct of day', '2', '3', '1'],
    ],
  )
  assert.deepEqual(
    result.verdicts?.map(({ kind, count, severity }) => [kind, count, severity]),
    [['control_total', 4, 'warn']],
  )
  const mirrored = await compared(folder, { ...input, left: input.right, right: input.left })
  assert.deepEqual(
    mirrored.breaks.map(({ identity }) => identity),
    result.breaks.map(({ identity }) => identity),
  )
})

test('the largest and smallest of negative, long and broken decimals are told exactly', async () => {
  const long = `${'9'.repeat(40)}.5`
  const extremes = async (values: readonly string[]): Promise<(string | null)[]> => {
    const result = await compared(folder, {
      kinds: { id: 'integer', v: 'decimal' },
      key: ['id'],
      left: values.map((value, id) => [id, value]),
      right: [[0, 'x']],
      whole: { controlTotals: { max: { measure: 'max', of: 'v' }, min: { measure: 'min', of: 'v' } } },
    })
    return result.breaks.filter(({ kind }) => kind === 'control_total').map(({ columns }) => columns[0]!.left)
  }
  assert.deepEqual(await extremes(['-1.5', `-${long}`, '-1.25']), ['-1.25', `-${long}`])
  assert.deepEqual(await extremes(['0.45', '0.5', '-0']), ['0.5', '0'])
  assert.deepEqual(await extremes([long, '10', '9', '-2']), [long, '-2'])
})

test('a group that only one side has differs from nothing', async () => {
  const result = await compared(folder, {
    ...payments,
    left: [['a', '0', 'CHF', at]],
    right: [['b', '5', 'EUR', at]],
    whole: {
      controlTotals: { sum: { measure: 'sum', of: 'amount' }, first: { measure: 'min', of: 'amount' } },
    },
  })
  assert.deepEqual(
    result.breaks
      .filter(({ kind }) => kind === 'control_total')
      .map(({ key, columns: [column], leftRows, rightRows }) => [
        key.total,
        key.currency,
        column!.left,
        column!.right,
        leftRows,
        rightRows,
      ]),
    [
      ['sum', 'EUR', '0', '5', 0, 1],
      ['first', 'CHF', '0', null, 1, 0],
      ['first', 'EUR', null, '5', 0, 1],
    ],
  )
})

test('many tolerated cents to one side break the budget, and as many to both sides do not', async () => {
  const rows = (amount: (i: number) => string): Value[][] =>
    Array.from({ length: 10 }, (_, i) => [`k${i}`, amount(i), i < 8 ? 'EUR' : 'USD', at])
  const input = {
    ...payments,
    rules: { amount: { within: '0.01', netBudget: { EUR: '0.07', USD: '0.02' } } },
    left: rows(() => '1'),
  }
  const drift = await compared(folder, { ...input, right: rows(() => '1.01') })
  assert.deepEqual([drift.outcome, drift.breaksTotal], ['BREAKS', 1])
  const [found] = drift.breaks
  assert.deepEqual(
    [found!.kind, found!.key, found!.columns[0]!.right, found!.leftRows, found!.hint],
    [
      'net_budget',
      { budget: 'amount', currency: 'EUR' },
      '0.08',
      8,
      '8 differences, 0.08 without signs; the budget is 0.07',
    ],
  )
  const noise = await compared(folder, { ...input, right: rows(i => (i % 2 === 0 ? '1.01' : '0.99')) })
  assert.equal(noise.outcome, 'CLEAN')
})

test('a budget is judged and kept however many breaks there are before it', async () => {
  const many: Value[][] = Array.from({ length: 30 }, (_, i) => [`m${i}`, '5', 'EUR', at])
  const result = await compared(folder, {
    ...payments,
    rules: { amount: { within: '0.01', netBudget: '0' } },
    left: [['a', '1', 'EUR', at], ...many],
    right: [['a', '1.01', 'EUR', at]],
    options: { breaksInMemory: 5 },
  })
  assert.deepEqual(
    result.breaks.map(({ kind }) => kind),
    [...Array.from({ length: 5 }, () => 'missing_in_target'), 'net_budget'],
  )
})

test('more unreadable rows than allowed prove nothing, and make no break', async () => {
  const input = {
    ...payments,
    left: [
      ['a', '1,5', 'EUR', at],
      ['b', 'x', 'EUR', at],
    ],
    right: [['a', '1.5', 'EUR', at]],
  }
  const result = await compared(folder, { ...input, whole: { gates: { maxUnreadable: 1 } } })
  assert.deepEqual([result.outcome, result.breaksTotal, result.csv], ['INCONCLUSIVE', 0, ''])
  assert.deepEqual(result.gates.at(-2), {
    name: 'left unreadable rows',
    state: 'failed',
    message: "2 rows can't be read, more than the 1 that are allowed.",
  })
  const allowed = await compared(folder, { ...input, whole: { gates: { maxUnreadable: 2 } } })
  assert.equal(allowed.outcome, 'BREAKS')
})

test('pending rows tell when they are due, the first and the last', async () => {
  const result = await compared(folder, {
    ...payments,
    left: [
      ['a', '1', 'EUR', '2026-11-21T02:30:00Z'],
      ['b', '1', 'EUR', '2026-11-20T20:00:00Z'],
      ['c', '1', 'EUR', '2026-11-20T23:30:00Z'],
    ],
    right: [['z', '1', 'EUR', at]],
    whole: { pending: { column: 'paidAt', graceMs: 4 * 3_600_000 } },
  })
  assert.deepEqual(countsOf(result), { pending: 2, missing_in_target: 1, missing_in_source: 1 })
  assert.deepEqual(
    [result.pending!.count, result.pending!.firstDue, result.pending!.lastDue],
    [2, '2026-11-21T03:30:00.000Z', '2026-11-21T06:30:00.000Z'],
  )
  assert.deepEqual(
    result.pending!.rows.map(({ key, due }) => [key.id, due.slice(11, 16)]),
    [
      ['a', '06:30'],
      ['c', '03:30'],
    ],
  )
})

test('rows whose key was changed are recognised by values that no other missing row has', async () => {
  const result = await compared(folder, {
    ...payments,
    left: [
      ['a', '17.35', 'EUR', at],
      ['b', '5', 'EUR', at],
      ['c', '5', 'EUR', at],
      ['d', null, null, at],
      ['same', '1', 'EUR', at],
    ],
    right: [
      ['A-1', '17.350', 'EUR', at],
      ['x', '5', 'EUR', at],
      ['y', null, null, at],
      ['same', '1', 'EUR', at],
    ],
  })
  assert.deepEqual(result.patterns!.rekeyed, {
    count: 1,
    pairs: [{ left: { id: 'a' }, right: { id: 'A-1' } }],
  })
  assert.deepEqual(
    countsOf(result),
    { missing_in_target: 4, missing_in_source: 3, identical: 1 },
    'they stay the breaks they are',
  )
})

test('a difference that is the amount of one open item is told, of a row and of a whole total', async () => {
  const result = await compared(folder, {
    ...payments,
    left: [
      ['a', '100', 'EUR', at],
      ['b', '1240', 'EUR', at],
      ['c', '7', 'EUR', at],
    ],
    right: [
      ['a', '1340', 'EUR', at],
      ['c', '7.5', 'EUR', at],
    ],
  })
  assert.deepEqual(result.patterns!.openItems, [
    { column: 'amount', delta: '1240', key: { id: 'a' }, item: { id: 'b' }, kind: 'missing_in_target' },
  ])
  const total = await compared(folder, {
    ...payments,
    left: [
      ['a', '100', 'EUR', at],
      ['b', '1240', 'EUR', at],
      ['c', '7', 'EUR', at],
    ],
    right: [
      ['a', '101', 'EUR', at],
      ['c', '6', 'EUR', at],
    ],
  })
  assert.deepEqual(total.patterns!.openItems, [
    { column: 'amount', delta: '-1240', key: null, item: { id: 'b' }, kind: 'missing_in_target' },
  ])
})

test('rules of the whole that can not be meant are refused before anything is read', () => {
  const refused = (whole: NonNullable<Compared['whole']>, message: RegExp): void => {
    assert.throws(() => planFor({ ...payments, whole }), { code: 'CONFIG_COMPARE_RULE_INVALID', message })
  }
  refused({ controlTotals: { t: { measure: 'sum', of: 'currency' } } }, /sum of currency, which is text/)
  refused({ controlTotals: { t: { measure: 'max', of: 'currency' } } }, /max of currency/)
  refused({ controlTotals: { t: { measure: 'count', of: 'amount' } } }, /counts rows/)
  refused({ controlTotals: { t: { measure: 'sum' } } }, /sum of nothing/)
  refused({ controlTotals: { t: { measure: 'count', by: ['gone'] } } }, /gone, which is no column/)
  refused({ pending: { column: 'amount', graceMs: 1 } }, /decimal and no time/)
})
