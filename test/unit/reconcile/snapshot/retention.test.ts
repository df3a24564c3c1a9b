/**
 * Which dates keep their snapshots by age alone.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { keptByAge } from '../../../../reconcile/snapshot/retention.ts'

/** Consecutive days from a first one. */
function days(first: string, count: number): string[] {
  const start = Date.parse(`${first}T00:00:00Z`)
  return Array.from({ length: count }, (_, index) =>
    new Date(start + index * 86_400_000).toISOString().slice(0, 10),
  )
}

const nowhere = <T>(kept: ReadonlyMap<string, T>, dates: readonly string[]): string[] =>
  dates.filter(date => !kept.has(date))

test('the 35 newest compared dates are kept, however many days lie between them', () => {
  const monthly = Array.from({ length: 40 }, (_, month) =>
    new Date(Date.UTC(2020, month, 15)).toISOString().slice(0, 10),
  )
  const kept = keptByAge(monthly)
  assert.deepEqual(nowhere(kept, monthly), monthly.slice(0, 5))
  assert.ok(monthly.slice(5).every(date => kept.get(date) === 'daily'))
})

test('of two years of nights 35 days and the last night of each of 13 ended months are kept', () => {
  const nights = days('2024-12-01', 721)
  assert.equal(nights.at(-1), '2026-11-21')
  const kept = keptByAge(nights)
  const monthEnds = [...kept].filter(([, why]) => why === 'month-end').map(([date]) => date)
  assert.deepEqual(monthEnds.sort(), [
    ...['2025-10-31', '2025-11-30', '2025-12-31', '2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30'],
    ...['2026-05-31', '2026-06-30', '2026-07-31', '2026-08-31', '2026-09-30'],
  ])
  // October's last night is the 13th month-end and one of the 35 days.
  assert.equal(kept.get('2026-10-31'), 'daily')
  assert.equal(kept.size, 35 + 12)
})

test('a month ends with its last compared date, and the month that still runs has no end', () => {
  const early = ['2026-01-29', '2026-01-30', '2026-02-03']
  const kept = keptByAge([...early, ...days('2026-03-01', 35)])
  assert.deepEqual([kept.get('2026-01-30'), kept.get('2026-02-03')], ['month-end', 'month-end'])
  assert.deepEqual(nowhere(kept, early), ['2026-01-29'])
})

test('what is kept today and is not among the newest tomorrow stays kept as long as its month counts', () => {
  let stored: readonly string[] = []
  for (const night of days('2025-01-01', 400)) {
    const kept = keptByAge([...stored, night])
    stored = [...stored, night].filter(date => kept.has(date))
  }
  assert.deepEqual(
    [...stored].sort(),
    [...keptByAge(days('2025-01-01', 400)).keys()].sort(),
    'purging night by night keeps what purging once at the end would',
  )
})
