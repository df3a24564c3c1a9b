/** Occurrences around clock changes. Mirrors lib/schedule/occurrences.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localText } from '../../../../lib/model/time/zone.ts'
import { calendarNamed } from '../../../../lib/schedule/calendars.ts'
import { clockChange, occurrences } from '../../../../lib/schedule/occurrences.ts'

const instants = (cron: string, zone: string, from: string, count: number): string[] =>
  occurrences(cron, zone, Date.parse(from))
    .take(count)
    .map(item => new Date(item.at).toISOString().slice(0, 16))
    .toArray()

test('F1: a time in a gap comes once, at the first valid instant', () => {
  assert.deepEqual(instants('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ])
})

test('F1: several times in one gap are one occurrence', () => {
  assert.deepEqual(instants('*/20 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:00',
    '2026-03-30T00:00',
  ])
})

test('F2: a time in an overlap comes once, at its first occurrence', () => {
  assert.deepEqual(instants('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ])
})

test('a day that a zone skipped gives one occurrence together with the next day', () => {
  assert.deepEqual(instants('0 0 * * *', 'Pacific/Apia', '2011-12-29T11:00:00Z', 2), [
    '2011-12-30T10:00',
    '2011-12-31T10:00',
  ])
})

test('the instant asked from counts itself', () => {
  assert.deepEqual(instants('0 6 * * *', 'UTC', '2026-11-20T06:00:00Z', 1), ['2026-11-20T06:00'])
})

/** One zone for each set of rules: zones with the same offset in every month of 2026 change their clocks alike. */
function zonesByRules(): string[] {
  const byRules = new Map<string, string>()
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const months = Array.from({ length: 12 }, (_, month) =>
      localText(Date.UTC(2026, month, 15), zone).slice(10),
    )
    byRules.set(months.join(), zone)
  }
  return [...byRules.values()]
}

test('F4: over all zones, a daily job has one occurrence for each local day of both seasons of clock changes', () => {
  const zones = zonesByRules()
  assert.ok(zones.length > 40, `only ${zones.length} sets of rules`)
  for (const zone of zones) {
    for (const from of [Date.UTC(2026, 1, 25), Date.UTC(2026, 8, 1)]) {
      const found = occurrences('30 2 * * *', zone, from).take(70).toArray()
      assert.equal(new Set(found.map(item => item.local)).size, 70, zone)
      for (let index = 1; index < found.length; index++) {
        const hours = (found[index]!.at - found[index - 1]!.at) / 3_600_000
        assert.ok(hours >= 22 && hours <= 26, zone)
      }
    }
  }
})

test('what a clock change did to an occurrence is said', () => {
  const changes = (from: string): string[] =>
    occurrences('30 2 * * *', 'Europe/Berlin', Date.parse(from))
      .take(2)
      .map(item => clockChange(item, 'Europe/Berlin'))
      .toArray()
  assert.deepEqual(changes('2026-03-28T12:00:00Z'), ['gap', 'none'])
  assert.deepEqual(changes('2026-10-24T12:00:00Z'), ['overlap', 'none'])
})

test('TARGET2 passes over Good Friday and Easter Monday', () => {
  const days = occurrences(
    '0 6 * * *',
    'Europe/Berlin',
    Date.parse('2026-04-02T00:00:00Z'),
    calendarNamed('target2'),
  )
    .take(2)
    .map(item => item.local.slice(0, 10))
    .toArray()
  assert.deepEqual(days, ['2026-04-02', '2026-04-07'])
})

test('a wrong cron expression says what is wrong with it', () => {
  assert.throws(() => occurrences('99 2 * * *', 'UTC', 0).next(), {
    code: 'CONFIG_CRON_INVALID',
    message: /minute: 99/,
  })
  assert.throws(() => occurrences('* * * * * *', 'UTC', 0).next(), { code: 'CONFIG_CRON_INVALID' })
})
