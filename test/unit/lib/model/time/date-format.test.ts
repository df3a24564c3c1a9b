/** Formats of dates: exactly what they say, and only days that exist. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dateFormat, dateText } from '../../../../../lib/model/time/date-format.ts'
import { instantReader } from '../../../../../lib/model/time/local-time.ts'

const date = (format: string, text: string): string | null => {
  const parts = dateFormat(format).parse(text)
  return parts === null ? null : dateText(parts)
}

const instant = (zone: string, text: string, format = 'yyyy-MM-dd HH:mm:ss'): string => {
  const parts = dateFormat(format).parse(text)
  if (parts === null) return 'unreadable'
  const read = instantReader(zone, 'issue', 'issue')(parts)
  return typeof read === 'string' ? read : read.why
}

test('a date format reads exactly its own texts', () => {
  assert.equal(date('yyyy-MM-dd', '2026-11-20'), '2026-11-20')
  assert.equal(date('dd.MM.yyyy', '20.11.2026'), '2026-11-20')
  assert.equal(date('d.M.yyyy', '1.2.2026'), '2026-02-01')
  assert.equal(date('yyyyMMdd', '20261120'), '2026-11-20')
  assert.equal(date('dd-MMM-yyyy', '20-Nov-2026'), '2026-11-20')
  assert.equal(date("'on 'yyyy-MM-dd", 'on 2026-11-20'), '2026-11-20')
  for (const text of [
    '2026-11-20 ',
    ' 2026-11-20',
    '2026-1-20',
    '26-11-20',
    '2026/11/20',
    '',
    '2026-11-20T00:00',
  ])
    assert.equal(date('yyyy-MM-dd', text), null, text)
})

test('a day or time that does not exist is refused, never shifted', () => {
  for (const text of [
    '2026-02-30',
    '2025-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '0000-01-01',
  ])
    assert.equal(date('yyyy-MM-dd', text), null, text)
  assert.equal(date('yyyy-MM-dd', '2024-02-29'), '2024-02-29')
  assert.equal(date('yyyy-MM-dd', '2000-02-29'), '2000-02-29')
  for (const text of ['2026-11-20T25:00', '2026-11-20T12:60', '2026-11-20T12:00:60', '2026-11-20T24:00:01'])
    assert.equal(date('ISO', text), null, text)
})

test('formats that would guess are refused when they are defined', () => {
  for (const format of [
    'yy-MM-dd',
    'y-MM-dd',
    'MM-dd',
    'yyyy-MM-dd hh:mm',
    'yyyy-MM-dd QQ',
    "yyyy-MM-dd 'x",
    'yyyy-MM-dd MM',
  ])
    assert.throws(() => dateFormat(format), { code: 'CONFIG_DATE_FORMAT_INVALID' }, format)
})

test('local times become instants by the rules of their zone on that day', () => {
  assert.equal(instant('Europe/Berlin', '2026-11-20 06:00:00'), '2026-11-20T05:00:00Z')
  assert.equal(instant('Europe/Berlin', '2026-07-20 06:00:00'), '2026-07-20T04:00:00Z')
  assert.equal(instant('Asia/Kolkata', '2026-07-20 06:00:00'), '2026-07-20T00:30:00Z')
  assert.equal(
    instant('UTC', '2026-07-20 06:00:00.250', 'yyyy-MM-dd HH:mm:ss.SSS'),
    '2026-07-20T06:00:00.250000Z',
  )
  assert.equal(instant('Africa/Monrovia', '1960-01-01 00:00:00'), '1960-01-01T00:44:30Z')
  assert.equal(instant('UTC', '11/20/2026 12:30 AM', 'MM/dd/yyyy hh:mm a'), '2026-11-20T00:30:00Z')
})

test('a local time in a gap or an overlap is told apart unless the mapping says which', () => {
  assert.equal(instant('Europe/Berlin', '2026-03-29 02:30:00'), 'missing')
  assert.equal(instant('Europe/Berlin', '2026-10-25 02:30:00'), 'ambiguous')
  assert.equal(instant('Europe/Berlin', '2026-10-25 01:59:59'), '2026-10-24T23:59:59Z')
  assert.equal(instant('Europe/Berlin', '2026-10-25 03:00:00'), '2026-10-25T02:00:00Z')
  const parts = dateFormat('ISO').parse('2026-10-25T02:30:00')!
  assert.equal(instantReader('Europe/Berlin', 'earlier', 'issue')(parts), '2026-10-25T00:30:00Z')
  assert.equal(instantReader('Europe/Berlin', 'later', 'issue')(parts), '2026-10-25T01:30:00Z')
  const gap = dateFormat('ISO').parse('2026-03-29T02:30:00')!
  assert.equal(instantReader('Europe/Berlin', 'issue', 'later')(gap), '2026-03-29T01:30:00Z')
})

test('an offset in the text wins over the zone, and more than microseconds is not cut off', () => {
  const berlin = instantReader('Europe/Berlin', 'issue', 'issue')
  const read = (text: string): string => {
    const instant = berlin(dateFormat('ISO').parse(text)!)
    return typeof instant === 'string' ? instant : instant.why
  }
  assert.equal(read('2023-02-01T09:58:05+01:00'), '2023-02-01T08:58:05Z')
  assert.equal(read('2023-10-09T23:59:00.000Z'), '2023-10-09T23:59:00Z')
  assert.equal(read('2023-02-01T24:00:00+01:00'), '2023-02-01T23:00:00Z')
  assert.equal(read('2025-07-24T06:10:29.000000000'), '2025-07-24T04:10:29Z')
  assert.equal(read('2025-07-24T06:10:29.0000001'), 'too-precise')
})

test('each instant of a century written in local time is read back, or told to be ambiguous', () => {
  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Casablanca',
  ]
  const readers = new Map(zones.map(zone => [zone, instantReader(zone, 'issue', 'issue')]))
  const format = dateFormat('yyyy-MM-dd HH:mm:ss')
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 4_000_000_000 }), (zone, seconds) => {
      const local = new Date(seconds * 1000).toLocaleString('sv-SE', { timeZone: zone })
      const got = readers.get(zone)!(format.parse(local)!)
      const expected = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
      assert.ok(
        got === expected || (typeof got === 'object' && got.why === 'ambiguous'),
        `${zone} ${local}: ${JSON.stringify(got)} for ${expected}`,
      )
    }),
    { numRuns: 400 },
  )
})

test('a date parser never throws, whatever the text', () => {
  const formats = ['ISO', 'yyyy-MM-dd', 'd.M.yyyy H:mm', 'yyyyMMdd ZZ', 'dd MMM yyyy hh:mm a'].map(dateFormat)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...formats), (text, format) => {
      format.parse(text)
    }),
  )
})
