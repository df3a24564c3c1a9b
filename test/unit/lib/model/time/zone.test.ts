/**
 * Local times around clock changes: F1 (gap) and F2 (overlap) are decided here.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localDate, localToInstant } from '../../../../../lib/model/time/zone.ts'

const instant = (date: string, time: string, zone: string) =>
  new Date(localToInstant(date, time, zone)).toISOString()

test('F1: a local time in the gap is the first instant after it', () => {
  assert.equal(instant('2026-03-29', '02:30', 'Europe/Berlin'), '2026-03-29T01:00:00.000Z')
  assert.equal(instant('2026-03-29', '02:00', 'Europe/Berlin'), '2026-03-29T01:00:00.000Z')
  assert.equal(instant('2026-03-29', '03:00', 'Europe/Berlin'), '2026-03-29T01:00:00.000Z')
  assert.equal(instant('2026-03-08', '02:59', 'America/New_York'), '2026-03-08T07:00:00.000Z')
  assert.equal(
    instant('2011-12-30', '10:00', 'Pacific/Apia'),
    '2011-12-30T10:00:00.000Z',
    'a whole day is missing',
  )
  assert.equal(
    instant('2026-10-04', '02:15', 'Australia/Lord_Howe'),
    '2026-10-03T15:30:00.000Z',
    'half an hour',
  )
})

test('F2: a local time that exists twice is its first occurrence', () => {
  assert.equal(instant('2026-10-25', '02:30', 'Europe/Berlin'), '2026-10-25T00:30:00.000Z')
  assert.equal(instant('2026-11-01', '01:30', 'America/New_York'), '2026-11-01T05:30:00.000Z')
  assert.equal(instant('2026-10-25', '03:00', 'Europe/Berlin'), '2026-10-25T02:00:00.000Z')
})

test('local times without a clock change and local dates follow the zone', () => {
  assert.equal(instant('2026-11-20', '06:00', 'Europe/Berlin'), '2026-11-20T05:00:00.000Z')
  assert.equal(instant('2026-11-20', '23:59:59', 'UTC'), '2026-11-20T23:59:59.000Z')
  assert.equal(localDate(Date.parse('2026-11-20T23:30:00Z'), 'Europe/Berlin'), '2026-11-21')
})

test('a nonsense time, date or zone of a timetable is refused', () => {
  assert.throws(() => localToInstant('2026-11-20', '24:00', 'UTC'), { code: 'CONFIG_TIME_INVALID' })
  assert.throws(() => localToInstant('2026-11-2x', '06:00', 'UTC'), { code: 'CONFIG_TIME_INVALID' })
  assert.throws(() => localToInstant('2026-11-20', '06:00', '+01:00'), { code: 'CONFIG_ZONE_UNKNOWN' })
})
