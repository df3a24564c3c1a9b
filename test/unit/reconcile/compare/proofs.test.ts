/**
 * The proofs can fail: a row counted twice or not at all, and an amount that no break explains, are told
 * as our own bugs and never become a result.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breakIdentity } from '../../../../reconcile/compare/identity.ts'
import { planColumns } from '../../../../reconcile/compare/plan.ts'
import { type Amounts, ProofBook } from '../../../../reconcile/compare/proof.ts'
import { Tally } from '../../../../reconcile/compare/tally.ts'

const plan = planColumns({
  name: 'job.orders',
  key: ['id'],
  all: [
    { name: 'id', kind: 'text', rule: {} },
    { name: 'amount', kind: 'decimal', rule: {} },
    { name: 'currency', kind: 'text', rule: {} },
  ],
  ignore: [],
  totals: { amount: { sum: ['amount'], per: 'currency' } },
})
const side = (rows: number) => ({ rows, unreadable: 0, keyInvalid: 0 })
const sum = (amount: string) => [{ total: 'amount', group: 'EUR', amount }]

test('a row that was counted in no kind stops the comparison', () => {
  const tally = new Tally()
  tally.key('missing_in_target', 1, 0)
  assert.throws(() => tally.close({ left: side(5), right: side(3) }, { left: 2, right: 0 }), {
    code: 'BUG_RECONCILE_ROWS',
  })
})

test('a row that was counted in two kinds stops the comparison', () => {
  const tally = new Tally()
  tally.key('missing_in_target', 1, 0)
  tally.pairs('identical', 1)
  assert.throws(() => tally.close({ left: side(4), right: side(3) }, { left: 1, right: 1 }), {
    code: 'BUG_RECONCILE_ROWS',
  })
})

test('equal rows that are not the same number on both sides stop the comparison', () => {
  const tally = new Tally()
  assert.throws(() => tally.close({ left: side(4), right: side(3) }, { left: 0, right: 0 }), {
    code: 'BUG_RECONCILE_ROWS',
  })
  tally.close({ left: side(3), right: side(3) }, { left: 0, right: 0 })
  assert.equal(tally.rows.left.identical, 3)
})

test('a cent that no break explains stops the comparison', () => {
  const book = new ProofBook(plan)
  const amounts: Amounts = new Map()
  book.gather(amounts, 'left', ['a', '1', 'EUR'])
  book.gather(amounts, 'right', ['a', '1.5', 'EUR'])
  book.explain('value_mismatch', amounts)
  assert.equal(book.lines(sum('10'), sum('10.5'))[0]!.unexplained, '0')
  assert.throws(() => book.lines(sum('10'), sum('10.51')), {
    code: 'BUG_RECONCILE_UNEXPLAINED',
    message: /amount EUR: 0\.01/,
  })
})

test('an identity lasts while key and family of kind last, and tells neighbours apart', () => {
  const of = (kind: Parameters<typeof breakIdentity>[1], ...values: (string | null)[]): string =>
    breakIdentity(
      'job.orders',
      kind,
      values.map(value => ({ kind: 'text', value })),
    )
  assert.equal(of('value_mismatch', 'a', 'b'), of('value_mismatch', 'a', 'b'))
  const identities = [
    of('value_mismatch', 'a', 'b'),
    of('value_mismatch', 'ab', ''),
    of('value_mismatch', 'a', null, 'b'),
    of('value_mismatch', 'a;1:b'),
    of('value_mismatch', 'null'),
    of('value_mismatch', null),
    of('missing_in_target', 'a', 'b'),
    of('missing_in_source', 'a', 'b'),
    of('duplicate', 'a', 'b'),
    breakIdentity('job.order', 'value_mismatch', [
      { kind: 'text', value: 'a' },
      { kind: 'text', value: 'b' },
    ]),
    breakIdentity('job.orders', 'value_mismatch', [
      { kind: 'integer', value: 'a' },
      { kind: 'text', value: 'b' },
    ]),
  ]
  assert.equal(new Set(identities).size, identities.length)
})
