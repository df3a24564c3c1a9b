/**
 * The trap corpus: inputs that make comparisons lie when they are built naively. One named test each.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsOf } from '../../../support/compared.ts'
import { agreement } from '../../../support/oracle/agreed.ts'

const agree = await agreement()

test('ten times 0.1 against 1 proves to the last digit', async () => {
  const result = await agree({
    kinds: { id: 'integer', amount: 'decimal' },
    key: ['id'],
    totals: { amount: { sum: ['amount'] } },
    left: Array.from({ length: 10 }, (_, id) => [id, '0.1']),
    right: Array.from({ length: 10 }, (_, id) => [
      id,
      id === 0 ? '0.1000000000000000055511151231257827' : '0.1',
    ]),
  })
  assert.deepEqual(countsOf(result), { value_mismatch: 1, identical: 9 })
  const [line] = result.proof
  assert.deepEqual(
    [line!.left, line!.difference, line!.unexplained],
    ['1', '0.0000000000000000055511151231257827', '0'],
  )
})

test('decimals that differ in the seventeenth digit are not equal', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal' },
    key: ['id'],
    left: [
      ['a', '12345678901234.561'],
      ['b', '99999999999999999999999999999999999999.01'],
    ],
    right: [
      ['a', '12345678901234.562'],
      ['b', '99999999999999999999999999999999999999.02'],
    ],
  })
  assert.deepEqual(
    result.breaks.map(({ columns }) => columns[0]!.delta),
    ['0.001', '0.01'],
  )
})

test('sums beyond 38 digits stay exact', async () => {
  const nines = '9'.repeat(38)
  const result = await agree({
    kinds: { id: 'integer', amount: 'decimal', price: 'decimal' },
    key: ['id'],
    totals: { amount: { sum: ['amount'] }, value: { sum: ['amount', 'price'] } },
    left: [
      [1, nines, '0.5'],
      [2, nines, '0.5'],
      [3, `-${nines}.5`, '2'],
    ],
    right: [
      [1, nines, '0.5'],
      [2, nines, '0.5'],
      [3, `-${nines}.5`, '2'],
    ],
  })
  assert.equal(result.outcome, 'CLEAN')
  const sums = Object.fromEntries(result.proof.map(({ total, left }) => [total, left]))
  assert.deepEqual(sums, { amount: `${BigInt(nines) - 1n}.5`, value: `-${BigInt(nines) + 1n}` })
})

test('1.50 is 1.5 and -0 is 0 where a column is a number', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal' },
    key: ['id'],
    left: [
      ['a', '1.50'],
      ['b', '-0'],
      ['c', '+007.10'],
      ['d', '.5'],
    ],
    right: [
      ['a', '1.5'],
      ['b', '0'],
      ['c', '7.1'],
      ['d', '0.50'],
    ],
  })
  assert.equal(result.outcome, 'CLEAN')
  assert.deepEqual(countsOf(result), { equal_after_rules: 4 })
  assert.deepEqual(result.rulesUsed, [{ rule: 'same number', column: 'amount', count: 4 }])
})

test('a row that was exchanged twice for another does not cancel out', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    left: [
      ['a', 'x'],
      ['a', 'x'],
      ['b', 'y'],
      ['b', 'y'],
    ],
    right: [
      ['a', 'z'],
      ['a', 'z'],
      ['b', 'y'],
      ['b', 'y'],
    ],
  })
  assert.deepEqual(countsOf(result), { duplicate: 1, identical: 2 })
  assert.notEqual(result.left.digest, result.right.digest)
})

test("('a|b', 'c') is another key than ('a', 'b|c')", async () => {
  const result = await agree({
    kinds: { first: 'text', second: 'text', value: 'text' },
    key: ['first', 'second'],
    left: [
      ['a|b', 'c', 'v'],
      ['1', '11', 'v'],
      ['x', 'y:z', 'v'],
    ],
    right: [
      ['a', 'b|c', 'v'],
      ['11', '1', 'v'],
      ['x:y', 'z', 'v'],
    ],
  })
  assert.deepEqual(countsOf(result), { missing_in_target: 3, missing_in_source: 3 })
  assert.equal(new Set(result.breaks.map(({ identity }) => identity)).size, 6)
})

test('a null or blank part of a composite key never joins, not even with another null', async () => {
  const result = await agree({
    kinds: { first: 'text', second: 'text', value: 'text' },
    key: ['first', 'second'],
    left: [
      ['a', null, 'v'],
      ['a', ' \u00a0', 'w'],
      ['a', 'b', 'v'],
    ],
    right: [
      ['a', null, 'v'],
      ['a', 'b', 'v'],
    ],
  })
  assert.deepEqual(countsOf(result), { key_invalid: 3, identical: 1 })
  assert.deepEqual([result.rows.left.key_invalid, result.rows.right.key_invalid], [2, 1])
})

test('a column that is null everywhere equals itself and differs from empty text', async () => {
  const same = await agree({
    kinds: { id: 'text', note: 'text' },
    key: ['id'],
    left: [
      ['a', null],
      ['b', null],
    ],
    right: [
      ['a', null],
      ['b', null],
    ],
  })
  assert.equal(same.outcome, 'CLEAN')
  const empty = await agree({
    kinds: { id: 'text', note: 'text' },
    key: ['id'],
    left: [
      ['a', null],
      ['b', null],
    ],
    right: [
      ['a', ''],
      ['b', null],
    ],
  })
  assert.deepEqual(empty.breaks[0]!.columns, [
    { name: 'note', left: null, right: '', nature: 'null_vs_value', delta: null },
  ])
})

test('five equal rows against one leave one break of four rows', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal' },
    key: ['id'],
    totals: { amount: { sum: ['amount'] } },
    left: Array.from({ length: 5 }, () => ['a', '10']),
    right: [['a', '10']],
  })
  assert.deepEqual(countsOf(result), { duplicate: 1, identical: 1 })
  assert.deepEqual([result.breaks[0]!.leftRows, result.breaks[0]!.rightRows], [4, 0])
  assert.equal(result.breaks[0]!.hint, '5 in the source, 1 in the target, all equal')
  assert.deepEqual(result.proof[0]!.explained, { duplicate: '-40' })
})

test('duplicates whose last rows differ become one flagged mismatch', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    left: [
      ['a', 'x'],
      ['a', 'y'],
    ],
    right: [
      ['a', 'z'],
      ['a', 'x'],
    ],
  })
  assert.deepEqual(countsOf(result), { value_mismatch: 1, identical: 1 })
  assert.match(result.breaks[0]!.hint, /duplicates were cancelled/)
})

test('without a key, rows are compared as bags and what is left is missing', async () => {
  const result = await agree({
    kinds: { sku: 'text', quantity: 'integer' },
    key: [],
    totals: { quantity: { sum: ['quantity'] } },
    left: [
      ['a', 1],
      ['a', 1],
      ['a', 1],
      [null, 2],
      ['c', 3],
    ],
    right: [
      ['a', 1],
      [null, 2],
      ['d', 4],
    ],
  })
  assert.deepEqual(countsOf(result), { missing_in_target: 2, missing_in_source: 1, identical: 2 })
  assert.equal(result.rows.left.missing_in_target, 3)
  assert.deepEqual(
    result.breaks.map(({ key, leftRows }) => [key.sku, leftRows]),
    [
      ['a', 2],
      ['c', 1],
      ['d', 0],
    ],
  )
})

test('keys that differ in case are different keys', async () => {
  const input = {
    kinds: { id: 'text', v: 'text' },
    key: ['id'],
    left: [['ab', 'x']],
    right: [['AB', 'x']],
  } as const
  assert.deepEqual(countsOf(await agree(input)), { missing_in_target: 1, missing_in_source: 1 })
  const folded = await agree({ ...input, rules: { id: { foldCase: true } } })
  assert.deepEqual(countsOf(folded), { equal_after_rules: 1 })
})

test('padding counts unless a rule says otherwise, and the rule is counted', async () => {
  const input = {
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    left: [
      ['a  ', 'Müller   '],
      ['b', 'x'],
    ],
    right: [
      ['a', 'Müller'],
      ['b', 'x'],
    ],
  } as const
  assert.deepEqual(countsOf(await agree(input)), {
    missing_in_target: 1,
    missing_in_source: 1,
    identical: 1,
  })
  const trimmed = await agree({ ...input, rules: { id: { trim: true }, name: { trim: true } } })
  assert.deepEqual(countsOf(trimmed), { equal_after_rules: 1, identical: 1 })
  assert.deepEqual(trimmed.rulesUsed, [
    { rule: 'trim', column: 'id', count: 1 },
    { rule: 'trim', column: 'name', count: 1 },
  ])
})

test('the hour that comes twice is two instants, and a shift by it is named', async () => {
  const result = await agree({
    kinds: { id: 'text', at: 'timestamp' },
    key: ['id'],
    left: [
      ['a', '2026-10-25T00:30:00Z'],
      ['b', '2026-10-25T00:30:00.500Z'],
    ],
    right: [
      ['a', '2026-10-25T01:30:00Z'],
      ['b', '2026-10-25T00:30:00.5Z'],
    ],
  })
  assert.deepEqual(countsOf(result), { value_mismatch: 1, equal_after_rules: 1 })
  assert.equal(result.breaks[0]!.hint, 'whole-hour shift (+1 h)')
})

test('the same letters composed in two ways are equal by a counted rule', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text' },
    key: ['id'],
    left: [['Caf\u00e9', 'M\u00fcller']],
    right: [['Cafe\u0301', 'Mu\u0308ller']],
  })
  assert.deepEqual(countsOf(result), { equal_after_rules: 1 })
  assert.deepEqual(
    result.rulesUsed.map(({ rule }) => rule),
    ['nfc', 'nfc'],
  )
})

test('codes keep their leading zeros', async () => {
  const result = await agree({
    kinds: { id: 'text', code: 'text' },
    key: ['id'],
    left: [
      ['a', '008'],
      ['007', 'x'],
    ],
    right: [
      ['a', '8'],
      ['7', 'x'],
    ],
  })
  assert.deepEqual(countsOf(result), { missing_in_target: 1, missing_in_source: 1, value_mismatch: 1 })
  const mismatch = result.breaks.find(({ kind }) => kind === 'value_mismatch')
  assert.deepEqual([mismatch!.columns[0]!.nature, mismatch!.columns[0]!.delta], ['reference', null])
})

test('a side without rows proves nothing', async () => {
  const result = await agree({
    kinds: { id: 'text', v: 'text' },
    key: ['id'],
    left: [['a', 'x']],
    right: [],
    options: { allowEmpty: false },
  })
  assert.deepEqual([result.outcome, result.breaksTotal, result.breaksFile], ['INCONCLUSIVE', 0, null])
  assert.match(result.gates.find(({ state }) => state === 'failed')!.message, /no row in scope/)
})

test('a side that does not meet its stated count and sum proves nothing', async () => {
  const input = {
    kinds: { id: 'text', amount: 'decimal' },
    key: ['id'],
    totals: { amount: { sum: ['amount'] } },
    left: [
      ['a', '1'],
      ['b', '2.50'],
    ],
    right: [
      ['a', '1'],
      ['b', '2.5'],
    ],
  } as const
  const stated = (rows: string, amount: string) => ({
    stated: [
      { side: 'left', total: 'rows', group: '', amount: rows },
      { side: 'left', total: 'amount', group: '', amount },
    ] as const,
  })
  assert.equal((await agree({ ...input, options: stated('2', '3.5') })).outcome, 'CLEAN')
  assert.equal((await agree({ ...input, options: stated('3', '3.5') })).outcome, 'INCONCLUSIVE')
  assert.equal((await agree({ ...input, options: stated('2', '3.51') })).outcome, 'INCONCLUSIVE')
})

test('values that are not what their column is are unreadable on each side, even when equal', async () => {
  const result = await agree({
    kinds: { id: 'text', amount: 'decimal', day: 'date', at: 'timestamp', open: 'boolean', n: 'integer' },
    key: ['id'],
    totals: { amount: { sum: ['amount'] } },
    left: [
      ['a', 'NaN', '2026-02-28', '2026-02-28T10:00:00Z', true, 1],
      ['b', '1e5', '2026-02-30', '2026-02-28T10:00:00Z', true, 1],
      ['c', '--5', '2026-02-28', '2026-02-28 10:00:00', true, 1],
      ['d', '1,5', '2026-02-28', '2026-02-28T10:00:00Z', 'yes', '1.0'],
      ['e', '1.5', '2026-02-28', '2026-02-28T10:00:00Z', false, 1],
      ['f', null, null, null, null, null],
    ],
    right: [
      ['a', 'NaN', '2026-02-28', '2026-02-28T10:00:00Z', true, 1],
      ['e', '1.5', '2026-02-28', '2026-02-28T10:00:00Z', false, 1],
      ['f', null, null, null, null, null],
    ],
  })
  assert.deepEqual(countsOf(result), { unreadable: 5, identical: 2 })
  assert.deepEqual([result.rows.left.unreadable, result.rows.right.unreadable], [4, 1])
})

test('a cell that a spreadsheet would run is disarmed in the breaks file, a negative amount is not', async () => {
  const result = await agree({
    kinds: { id: 'text', name: 'text', amount: 'decimal' },
    key: ['id'],
    left: [['=cmd()', '+49 30', '-12.5']],
    right: [['=cmd()', '@x', '-12.4']],
  })
  const lines = result.csv.split('\n')
  assert.match(lines[1]!, /^value_mismatch,'=cmd\(\),name,'\+49 30,'@x,/)
  assert.match(lines[2]!, /,amount,-12\.5,-12\.4,amount,0\.1,/)
})
