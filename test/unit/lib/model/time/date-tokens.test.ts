/**
 * File names and their dates: what a pattern accepts, and what it must not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dateByTokens, namePattern } from '../../../../../lib/model/time/date-tokens.ts'

test('a pattern finds the file of a date and tells the date of any file', () => {
  const pattern = namePattern('SHIP_{yyyyMMdd}_*.csv')
  assert.equal(pattern.glob('2026-11-20'), 'SHIP_20261120_*.csv')
  assert.equal(pattern.matches('SHIP_20261120_01.csv', '2026-11-20'), true)
  assert.equal(pattern.matches('SHIP_20261120_01.csv', '2026-11-21'), false)
  assert.equal(pattern.dateOf('SHIP_20261121_02.csv'), '2026-11-21')
  assert.equal(pattern.dateOf('SHIP_20260230_02.csv'), null)
  assert.equal(pattern.dateOf('ship_20261121_02.csv'), null)
  assert.equal(pattern.dateOf('xSHIP_20261121_02.csv'), null)
})

test('only star, question mark and brackets are special in a pattern', () => {
  const pattern = namePattern('a+(b).[0-9]?$^*{yyyy-MM-dd}.txt')
  assert.equal(pattern.dateOf('a+(b).7x$^2026-11-20.txt'), '2026-11-20')
  assert.equal(pattern.dateOf('aa(b).7x$^2026-11-20.txt'), null)
  assert.equal(pattern.dateOf('a+(b).xx$^2026-11-20.txt'), null)
  assert.equal(namePattern('x[!a].csv').matchesAny('x!.csv'), true)
  assert.equal(namePattern('x[^&]').matchesAny('x&'), true)
  assert.equal(namePattern('x[!a].csv').matchesAny('xb.csv'), false)
})

test('day of the year, short year, split tokens and single digits are read', () => {
  assert.equal(dateByTokens('26324', 'yyooo'), '2026-11-20')
  assert.equal(dateByTokens('26366', 'yyooo'), null, '2026 has 365 days')
  assert.equal(dateByTokens('20.11.2026', 'dd.MM.yyyy'), '2026-11-20')
  assert.equal(dateByTokens('3/2/2026', 'd/M/yyyy'), '2026-02-03')
  assert.equal(namePattern('{yyyy}/{yyyyMMdd}').dateOf('2025/20261120'), null, 'two years that differ')
})

test('a pattern that tells only the month matches all days of the month and tells no date', () => {
  const pattern = namePattern('month-{yyyyMM}.csv')
  assert.equal(pattern.tellsDate, false)
  assert.equal(pattern.matches('month-202611.csv', '2026-11-20'), true)
  assert.equal(pattern.matches('month-202611.csv', '2026-12-01'), false)
  assert.equal(pattern.dateOf('month-202611.csv'), null)
})

test('a pattern with an unknown token or an open brace is refused', () => {
  for (const source of ['{yyyyMMdd', '{HHmm}.csv', 'a[b', 'a[9-0]', '{-}']) {
    assert.throws(() => namePattern(source), { code: 'CONFIG_FILE_PATTERN_INVALID' }, source)
  }
})
