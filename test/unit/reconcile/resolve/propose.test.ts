/**
 * What is proposed for a break by declared authority, and what never is.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Break, BreakColumn } from '../../../../lib/model/break.ts'
import type { ResolveRule } from '../../../../lib/model/resolution.ts'
import { propose, type Standing } from '../../../../reconcile/resolve/propose.ts'

const column = (name: string, left: string | null, right: string | null, nature = 'amount'): BreakColumn => ({
  ...{ name, left, right, nature },
  delta: left !== null && right !== null && nature === 'amount' ? String(Number(right) - Number(left)) : null,
})
const found = (kind: Break['kind'], columns: readonly BreakColumn[], leftRows = 1): Break => ({
  ...{ identity: 'ab', kind, key: { no: '1' }, columns, leftRows, rightRows: 1, hint: '' },
  origin: { file: 'a.csv', line: 7 },
})
const standing = (rule: Partial<ResolveRule> | undefined, more: Partial<Standing> = {}): Standing => ({
  ...{ reconciliation: 'j.t', table: 's.t', acknowledged: null, totals: {}, ownRecords: true },
  rule: rule === undefined ? undefined : { authority: {}, maxRows: 9, maxAmount: '9', ...rule },
  ...more,
})

test('each column goes by its own authority, and a column that nobody decides about stays', () => {
  const differing = [
    column('amount', '10', '12'),
    column('owner', 'kim', 'alex', 'text'),
    column('note', 'a', 'b', 'text'),
  ]
  const { change, tell, not } = propose(
    found('value_mismatch', differing),
    standing({ authority: { amount: 'source', owner: 'target' } }),
  )
  assert.deepEqual(
    [change!.operation, change!.columns, change!.amount],
    ['update', [{ name: 'amount', old: '12', new: '10' }], '2'],
  )
  assert.deepEqual(
    tell.map(one => [one.column, one.has, one.should]),
    [['owner', 'kim', 'alex']],
  )
  assert.deepEqual(
    not.map(one => [one.column, one.why]),
    [['note', 'no authority is declared for note']],
  )
})

test('an amount in another currency is never changed', () => {
  const differing = [column('amount', '10', '12'), column('currency', 'EUR', 'USD', 'currency')]
  const { change, not } = propose(
    found('value_mismatch', differing),
    standing({ authority: { amount: 'source' } }),
  )
  assert.equal(change, null)
  assert.match(not.at(-1)!.why, /currency differs/)
})

test('a row that the target lacks is reloaded only where the source decides and the records are our own', () => {
  const missing = found('missing_in_target', [column('amount', '10', null)], 2)
  assert.deepEqual(propose(missing, standing({ rows: 'source' })).change!.columns, [
    { name: 'amount', old: null, new: '10' },
  ])
  assert.equal(propose(missing, standing({ rows: 'source' })).change!.amount, '20')
  assert.equal(propose(missing, standing({ rows: 'source' }, { ownRecords: false })).change, null)
  assert.equal(propose(missing, standing({ rows: 'target' })).tell[0]!.should, 'no row')
  assert.match(propose(missing, standing({})).not[0]!.why, /does not say which side/)
})

test('a row is worth what it adds to the money totals of its table', () => {
  const missing = found('missing_in_target', [column('pieces', '3', null), column('price', '2.50', null)], 2)
  const totals = {
    value: { sum: ['pieces', 'price'] as const },
    pieces: { sum: ['pieces'] as const, of: 'quantity' as const },
  }
  assert.equal(propose(missing, standing({ rows: 'source' }, { totals })).change!.amount, '15')
})

test('nothing is ever deleted, and neither what somebody stands for nor what no authority covers is proposed', () => {
  const extra = found('missing_in_source', [column('amount', null, '10')])
  for (const rows of ['source', 'target', undefined] as const)
    assert.equal(propose(extra, standing(rows === undefined ? {} : { rows })).change, null)
  assert.match(propose(extra, standing({ rows: 'source' })).not[0]!.why, /nothing is ever deleted/)
  const differs = found('value_mismatch', [column('amount', '10', '12')])
  assert.equal(propose(differs, standing(undefined)).change, null)
  const stands = standing({ authority: { amount: 'source' } }, { acknowledged: 'kim stands for it' })
  assert.deepEqual(
    propose(differs, stands).not.map(({ why }) => why),
    ['kim stands for it'],
  )
  for (const kind of ['duplicate', 'unreadable', 'key_invalid', 'control_total', 'net_budget'] as const)
    assert.equal(
      propose(found(kind, []), standing({ authority: { amount: 'source' }, rows: 'source' })).change,
      null,
    )
})
