/**
 * Which of several known things explains a break: the nearest cause, and none where nothing is known.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Break } from '../../../../lib/model/break.ts'
import { explain, type KnownOfBreak, type KnownOfNight } from '../../../../reconcile/explain/decide.ts'

const found = (kind: Break['kind']): Break => ({
  ...{ identity: 'ab', kind, key: { k: '1' }, columns: [], leftRows: 1, rightRows: 1, hint: '' },
  origin: { file: 'a.csv', line: 7 },
})
const nothing: KnownOfBreak = { rejected: null, version: null, earlier: null }
const rejected = { step: 'map', code: 'MAP_X', column: 'Rate', file: 'b.csv', line: 3 }
const night: KnownOfNight = {
  ...{ own: true, rejectedKinds: ['missing_in_source'], table: 's.t', mode: 'upsert' as const },
  ...{ latest: '2026-11-20#000000000002', load: 'revision 1', inFlight: { calls: 0, runs: [] } },
}
const causeOf = (kind: Break['kind'], known: Partial<KnownOfBreak>, of: Partial<KnownOfNight> = {}) =>
  explain(found(kind), { ...nothing, ...known }, { ...night, ...of })?.cause ?? null

test('a refused record explains only what the side lacks that would have had its row', () => {
  assert.equal(causeOf('missing_in_source', { rejected }), 'rejected')
  assert.equal(causeOf('missing_in_source', { rejected: { ...rejected, step: 'load' } }), 'refused')
  assert.equal(causeOf('value_mismatch', { rejected }), 'changed_after_load')
})

test('a version of tonight or before is no later load', () => {
  const version = (mark: string) => ({ version: { mark, file: null } })
  assert.equal(causeOf('value_mismatch', version('2026-11-21#000000000001')), 'later_load')
  assert.equal(causeOf('value_mismatch', version('2026-11-20#000000000002')), 'changed_after_load')
  assert.equal(causeOf('missing_in_source', version('2026-11-19#000000000001')), 'earlier_load')
  assert.equal(
    causeOf('value_mismatch', version('2026-11-21#000000000001'), { latest: null }),
    'changed_after_load',
  )
})

test('calls without an answer and loads at work come before a hand that changed the target', () => {
  assert.equal(
    causeOf('missing_in_target', {}, { own: false, inFlight: { calls: 2, runs: [] } }),
    'in_flight',
  )
  assert.equal(
    causeOf('missing_in_target', {}, { inFlight: { calls: 0, runs: ['2026-11-21'] } }),
    'in_flight',
  )
  const replacing = { mode: 'replace' as const, inFlight: { calls: 0, runs: ['2026-11-21'] } }
  assert.equal(
    causeOf('missing_in_target', {}, replacing),
    'changed_after_load',
    'other dates are not touched',
  )
})

test('nothing that is known is no explanation, and what is no single row has none', () => {
  assert.equal(causeOf('value_mismatch', {}, { own: false }), null)
  assert.equal(causeOf('missing_in_source', {}), null)
  for (const kind of ['duplicate', 'unreadable', 'key_invalid', 'control_total'] as const)
    assert.equal(causeOf(kind, { rejected }), null)
})
