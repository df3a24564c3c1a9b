/**
 * Business dates: what people may write for a date, and counting in a calendar.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Calendar } from '../../../../../lib/model/job.ts'
import {
  addBusinessDays,
  addDays,
  businessDaysBetween,
  dateRange,
  isBusinessDay,
  previousBusinessDay,
  resolveDate,
} from '../../../../../lib/model/time/business-date.ts'

const calendar: Calendar = {
  name: 'de',
  weekend: [6, 7],
  holidays: ['2026-12-25', '2026-12-26', '2027-01-01'],
}
// A Sunday; already Monday in Auckland.
const now = Date.parse('2026-11-22T12:30:00Z')
const frame = { zone: 'Europe/Berlin', calendar, now }

test('today and yesterday are days of the zone and not of the machine', () => {
  assert.equal(resolveDate('today', frame), '2026-11-22')
  assert.equal(resolveDate('today', { ...frame, zone: 'Pacific/Auckland' }), '2026-11-23')
  assert.equal(resolveDate('yesterday', frame), '2026-11-21')
})

test('-1bd on a Sunday is the Friday before, -3d counts all days', () => {
  assert.equal(resolveDate('-1bd', frame), '2026-11-20')
  assert.equal(resolveDate('-2bd', frame), '2026-11-19')
  assert.equal(resolveDate('-3d', frame), '2026-11-19')
  assert.equal(resolveDate('+1bd', frame), '2026-11-23')
  assert.equal(resolveDate('2026-02-28', frame), '2026-02-28')
})

test('a date that does not exist or is no date is refused as configuration', () => {
  for (const text of [
    '2026-02-30',
    '2026-13-01',
    '20261120',
    'tomorrow',
    '',
    '-bd',
    '0026-01-01',
    '2026-1-1',
  ]) {
    assert.throws(() => resolveDate(text, frame), { code: 'CONFIG_DATE_INVALID' }, text)
  }
  assert.throws(() => resolveDate('today', { ...frame, zone: 'Europe/Atlantis' }), {
    code: 'CONFIG_ZONE_UNKNOWN',
  })
})

test('business days jump over weekends and holidays in both directions', () => {
  assert.equal(previousBusinessDay('2026-12-28', calendar), '2026-12-24')
  assert.equal(addBusinessDays('2026-12-24', 1, calendar), '2026-12-28')
  assert.equal(isBusinessDay('2026-12-25', calendar), false)
  assert.deepEqual(businessDaysBetween('2026-12-24', '2026-12-29', calendar), [
    '2026-12-24',
    '2026-12-28',
    '2026-12-29',
  ])
})

test('a calendar without any business day is refused and does not hang', () => {
  const never = { name: 'never', weekend: [1, 2, 3, 4, 5, 6, 7], holidays: [] }
  assert.throws(() => previousBusinessDay('2026-11-20', never), { code: 'CONFIG_CALENDAR_INVALID' })
})

test('days are added over month ends, leap days and clock changes', () => {
  assert.equal(addDays('2028-02-28', 1), '2028-02-29')
  assert.equal(addDays('2026-03-29', 1), '2026-03-30')
  assert.deepEqual(dateRange('2026-10-24', '2026-10-26'), ['2026-10-24', '2026-10-25', '2026-10-26'])
  assert.deepEqual(dateRange('2026-10-26', '2026-10-24'), [])
})
