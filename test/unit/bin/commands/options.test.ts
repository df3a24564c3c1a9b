/** Business dates that nobody typed, and those that were typed in words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { businessDateFor, jobNamed } from '../../../../bin/commands/options.ts'
import timetable from '../../../../jobs.config.ts'

function dates(at: string, text?: string): Record<string, string> {
  const now = Date.parse(at)
  const clock = { now: () => now, monotonicMs: () => 0, sleep: async () => {} }
  return Object.fromEntries(
    timetable.jobs.map(one => [one.job.name, businessDateFor(one, text, clock, { note: () => {} })]),
  )
}

test('without a date a command means the latest business date that was due by the timetable', () => {
  // Monday 23 November 2026, 08:00 in Berlin: orders of Sunday, rates of Friday, statements of Friday, hours of Sunday, today's list and orders.
  assert.deepEqual(dates('2026-11-23T07:00:00Z'), {
    'portal-orders': '2026-11-22',
    'fx-rates': '2026-11-20',
    'bank-statements': '2026-11-20',
    'payroll-hours': '2026-11-22',
    'sanctions-list': '2026-11-23',
    'purchase-order-lines': '2026-11-23',
    'purchase-orders': '2026-11-23',
  })
  assert.equal(dates('2026-11-23T16:00:00Z')['fx-rates'], '2026-11-23')
})

test('a date in words is taken in the zone and calendar of each job, and said; one in figures is not', () => {
  assert.equal(dates('2026-11-23T07:00:00Z', '-1bd')['fx-rates'], '2026-11-20')
  assert.equal(dates('2026-11-23T07:00:00Z', '-1bd')['portal-orders'], '2026-11-22')
  // 23:30 UTC is the next day in Berlin and not yet in London.
  const late = dates('2026-11-23T23:30:00Z', 'today')
  assert.deepEqual([late['fx-rates'], late['portal-orders']], ['2026-11-24', '2026-11-23'])
  const said: string[] = []
  const clock = { now: () => Date.parse('2026-11-23T07:00:00Z'), monotonicMs: () => 0, sleep: async () => {} }
  const job = jobNamed(timetable, 'fx-rates')
  businessDateFor(job, 'yesterday', clock, { note: line => said.push(line) })
  businessDateFor(job, '2026-11-20', clock, { note: line => said.push(line) })
  assert.deepEqual(said, ['fx-rates: business date 2026-11-22 (yesterday, Europe/Berlin)'])
})
