/**
 * Limits of age: from which first date on a break is too old, and what that makes of a verdict.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Comparison } from '../../../../lib/model/break.ts'
import { ageCounter } from '../../../../reconcile/breaks/ages.ts'
import { ageLimits, withAges } from '../../../../reconcile/judge/ages.ts'

const calendar = { name: 'weekdays', weekend: [6, 7], holidays: ['2026-11-18'] }

test('the first date that is too old is the one whose age is just above the limit', () => {
  const age = ageCounter(calendar)
  for (let businessDays = 0; businessDays < 8; businessDays += 1) {
    for (const date of ['2026-11-20', '2026-11-21', '2026-11-23']) {
      const [limit] = ageLimits({ value_mismatch: { fail: { businessDays } } }, calendar, date)
      const days = (firstSeen: string): number =>
        age({ state: 'persisting', firstSeen, stateSince: date, runs: 1 } as Parameters<typeof age>[0], date)
          .businessDays
      const after = new Date(Date.parse(limit!.firstSeenUntil) + 86_400_000).toISOString().slice(0, 10)
      assert.ok(days(limit!.firstSeenUntil) > businessDays)
      assert.ok(days(after) <= businessDays)
    }
  }
})

test('a break that is too old makes its kind count, and a comparison that was CLEAN is not', () => {
  const limits = { value_mismatch: { warn: { count: 5, businessDays: 2 }, fail: { businessDays: 9 } } }
  const found = {
    outcome: 'CLEAN',
    severity: 'within',
    verdicts: [{ kind: 'value_mismatch', count: 3, severity: 'within', why: 'within its limits' }],
  } as unknown as Comparison
  const judged = (warned: number, failed: number): Comparison =>
    withAges(
      found,
      ageLimits(limits, calendar, '2026-11-20').map(limit => ({
        ...limit,
        count: limit.level === 'warn' ? warned : failed,
      })),
    )
  assert.equal(judged(0, 0), found)
  const old = judged(2, 0)
  assert.deepEqual([old.outcome, old.severity, old.outcomeBeforeAges], ['BREAKS', 'warn', 'CLEAN'])
  assert.equal(old.verdicts![0]!.why, '2 older than 2 business days')
  assert.equal(judged(2, 1).severity, 'fail')
  const twice = withAges(
    {
      ...found,
      outcome: 'BREAKS',
      severity: 'fail',
      verdicts: [{ kind: 'value_mismatch', count: 3, severity: 'fail', why: '3, more than 1' }],
    },
    [{ kind: 'value_mismatch', level: 'warn', businessDays: 1, firstSeenUntil: '2026-11-16', count: 1 }],
  )
  assert.equal(twice.verdicts![0]!.why, '3, more than 1; 1 older than 1 business day')
  assert.equal(twice.outcomeBeforeAges, undefined)
})
