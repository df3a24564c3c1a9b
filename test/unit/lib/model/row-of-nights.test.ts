/** Nights in a row: what counts, what ends the row, what mends it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ProvedNight, rowOfNights } from '../../../../lib/model/row-of-nights.ts'

/** Newest first: `C` clean, `B` breaks, `-` nothing proved; dates count down from the 20th. */
const nights = (letters: string): ProvedNight[] =>
  letters.split('').map((letter, index) => ({
    date: `2026-11-${20 - index}`,
    outcome: letter === 'C' ? 'CLEAN' : letter === 'B' ? 'BREAKS' : null,
  }))

test('a row of nights ends at breaks and at what is not proved, and says which of both', () => {
  const cases: [string, number, number, string | null][] = [
    ['', 0, 0, null],
    ['C', 1, 0, null],
    ['CCB', 2, 0, null],
    ['CC-CC', 2, 0, '2026-11-18'],
    ['BCCC', 0, 3, null],
    ['-CCB', 0, 2, null],
    ['--C', 0, 0, null],
  ]
  for (const [letters, inARow, before, unproved] of cases) {
    const row = rowOfNights(nights(letters))
    assert.deepEqual([row.inARow, row.before, row.unproved], [inARow, before, unproved], letters)
  }
  assert.equal(rowOfNights(nights('CCCB')).since, '2026-11-18')
})
