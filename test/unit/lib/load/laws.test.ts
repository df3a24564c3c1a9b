/** The laws of a load, each term broken. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRecordLaw, assertTableLaw } from '../../../../lib/load/laws.ts'

const balanced = {
  table: 'erp.t',
  mapped: 15,
  inserted: 1,
  updated: 2,
  unchanged: 3,
  collapsed: 4,
  outdated: 5,
  deleted: 99,
}

test('the law of a table holds without its deletes and breaks with each of its terms', () => {
  assertTableLaw(balanced)
  for (const term of ['mapped', 'inserted', 'updated', 'unchanged', 'collapsed', 'outdated'] as const) {
    assert.throws(() => assertTableLaw({ ...balanced, [term]: balanced[term] + 1 }), {
      code: 'BUG_LAW_BROKEN',
    })
  }
})

test('the law of records breaks with each of its terms, and with a reject that was not kept', () => {
  const counts = { read: 6, mapped: 1, rejected: 2, filtered: 3 }
  assertRecordLaw(counts, 2)
  for (const term of ['read', 'mapped', 'rejected', 'filtered'] as const) {
    assert.throws(() => assertRecordLaw({ ...counts, [term]: counts[term] + 1 }, counts.rejected), {
      code: 'BUG_LAW_BROKEN',
    })
  }
  assert.throws(() => assertRecordLaw(counts, 1), { code: 'BUG_LAW_BROKEN' })
})
