/**
 * The pure rules of the break ledger: who could have seen a break, who moved, how old it is, when an
 * acknowledgement holds and when it takes two.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BreakColumn } from '../../../../lib/model/break.ts'
import { toText } from '../../../../lib/model/decimal.ts'
import type { Acknowledgement, Course, Sighting } from '../../../../lib/model/lasting-break.ts'
import { amountOf, holding, needsFourEyes } from '../../../../reconcile/breaks/acknowledge.ts'
import { ageCounter } from '../../../../reconcile/breaks/ages.ts'
import { causeOf, type Sight, sightOf } from '../../../../reconcile/breaks/cause.ts'
import { step } from '../../../../reconcile/breaks/fold.ts'
import { markOf } from '../../../../reconcile/breaks/marks.ts'

const ALL: Sight = { sees: 'all', driving: 'source' }
const marks = (source: string | null, target: string | null) => ({ source, target })

test('who moved follows from the marks of both sides before and now', () => {
  const before = marks('1', '2')
  const causes = [marks('2', '2'), marks('1', '1'), marks('3', '3'), marks(null, null), before].map(now =>
    causeOf(before, now, ALL, false),
  )
  assert.deepEqual(causes, ['source', 'target', 'both', 'gone', 'rules'])
  assert.equal(causeOf(null, marks('2', '2'), ALL, false), 'unknown')
})

test('a night sees only what its scope lets it see', () => {
  const keys = sightOf({ scope: 'all' }, { scope: 'keys of source' })
  assert.deepEqual(keys, { sees: 'keys', driving: 'source' })
  assert.equal(causeOf(marks('1', '2'), marks(null, '2'), keys, true), null)
  assert.deepEqual(sightOf({ scope: 'keys of target' }, { scope: 'all' }).driving, 'target')
  const dated = sightOf({ scope: 'all' }, { scope: 'orderDate = 2026-11-20' })
  assert.equal(dated.sees, 'date')
  assert.equal(causeOf(marks('1', '2'), marks(null, null), dated, false), null)
  assert.equal(causeOf(marks('1', '2'), marks(null, null), dated, true), 'gone')
  assert.equal(sightOf({ scope: 'all' }, { scope: 'all' }).sees, 'all')
})

const seen = (source: string, target: string): Sighting => ({
  sight: 'seen',
  marks: marks(source, target),
  columns: null,
  cause: null,
})

test('a break first seen by a comparison that was replaced is new on the next date, with its first date kept', () => {
  const night = { date: '2026-11-02', sees: 'all' as const }
  const withdrawn = step(null, night, {
    sight: 'withdrawn',
    marks: marks('1', '2'),
    columns: null,
    cause: 'source',
  })
  assert.deepEqual([withdrawn?.state, withdrawn?.runs, withdrawn?.cause], ['resolved', 0, 'source'])
  const next = step(withdrawn, { ...night, date: '2026-11-03' }, seen('1', '2'))
  assert.deepEqual([next?.state, next?.firstSeen, next?.reopened], ['new', '2026-11-02', 0])
})

test('who moved is not known when the values before are no longer those that were looked up', () => {
  const first = step(null, { date: '2026-11-02', sees: 'all' }, seen('1', '3'))
  const answer: Sighting = { sight: 'gone', marks: marks('1', '2'), columns: null, cause: 'target' }
  assert.equal(step(first, { date: '2026-11-03', sees: 'all' }, answer)?.cause, 'unknown')
})

test('business days skip weekends and holidays over a month end, and a resolved break grows no older', () => {
  const ages = ageCounter({ name: 'test', weekend: [6, 7], holidays: ['2026-12-01'] })
  const course = step(null, { date: '2026-11-27', sees: 'all' }, seen('1', '2'))!
  assert.deepEqual(ages(course, '2026-11-27'), { calendarDays: 0, businessDays: 0, runs: 1 })
  assert.deepEqual(ages(course, '2026-11-29'), { calendarDays: 2, businessDays: 0, runs: 1 })
  assert.deepEqual(ages(course, '2026-12-02'), { calendarDays: 5, businessDays: 2, runs: 1 })
  const resolved = step(course, { date: '2026-11-30', sees: 'all' }, null)!
  assert.deepEqual(ages(resolved, '2027-06-30'), { calendarDays: 3, businessDays: 1, runs: 1 })
})

const COURSE: Course = step(null, { date: '2026-11-02', sees: 'all' }, seen('1', '2'))!
const ACKNOWLEDGEMENT: Acknowledgement = {
  ...{ id: '1', on: '2026-11-03', until: '2026-11-10', marks: marks('1', '2'), owner: 'kim', by: 'kim' },
  ...{ reason: 'known', needsConfirmation: false, confirmedBy: null, endedOn: null },
}

test('an acknowledgement holds from its night to its end, for its values, once confirmed', () => {
  const holds = (change: Partial<Acknowledgement>, date: string, course: Partial<Course> = {}): boolean =>
    holding({ ...COURSE, ...course }, [{ ...ACKNOWLEDGEMENT, ...change }], date) !== null
  assert.deepEqual(
    ['2026-11-02', '2026-11-03', '2026-11-10', '2026-11-11'].map(date => holds({}, date)),
    [false, true, true, false],
  )
  assert.equal(holds({}, '2026-11-05', { marks: marks('1', '3') }), false)
  assert.equal(holds({}, '2026-11-05', { valuesSince: '2026-11-04' }), false, 'changed and changed back')
  assert.equal(holds({}, '2026-11-05', { state: 'resolved' }), false)
  assert.equal(holds({ endedOn: '2026-11-05' }, '2026-11-05'), false)
  assert.equal(holds({ endedOn: '2026-11-05' }, '2026-11-04'), true)
  assert.equal(holds({ needsConfirmation: true }, '2026-11-05'), false)
  assert.equal(holds({ needsConfirmation: true, confirmedBy: 'lee' }, '2026-11-05'), true)
})

const column = (nature: string, left: string | null, right: string | null, delta: string | null = null) =>
  ({ name: 'v', left, right, nature, delta }) satisfies BreakColumn

test('four eyes look at the difference of a pair, at the whole amount of a lone row, and at all that can not be told', () => {
  const pair = { kind: 'value_mismatch' as const, columns: [column('amount', '5000', '5010', '10')] }
  const lone = { kind: 'missing_in_target' as const, columns: [column('amount', '-5000', null)] }
  assert.deepEqual([toText(amountOf(pair)!), toText(amountOf(lone)!)], ['10', '5000'])
  assert.deepEqual([needsFourEyes(pair, '10'), needsFourEyes(pair, '9.99')], [false, true])
  assert.deepEqual([needsFourEyes(lone, '100'), needsFourEyes(lone, null)], [true, false])
  const currency = { ...pair, columns: [column('currency', 'EUR', 'USD')] }
  assert.equal(needsFourEyes(currency, '1000000'), true)
  assert.equal(needsFourEyes({ kind: 'duplicate', columns: [] }, '1000000'), true)
  assert.equal(needsFourEyes({ ...pair, columns: [column('text', 'a', 'b')] }, '0'), false)
  assert.equal(needsFourEyes({ ...pair, columns: [column('null_vs_value', null, '700')] }, '100'), true)
})

test('a mark names its columns, so that other columns never look like the same values', () => {
  const all = [
    markOf(['a', 'b'], ['1', null]),
    markOf(['b', 'a'], ['1', null]),
    markOf(['a', 'b'], ['1', '']),
  ]
  assert.equal(new Set(all).size, 3)
  for (const mark of all) assert.equal(BigInt.asIntN(64, BigInt(mark)), BigInt(mark))
})
