/**
 * What csv-write.ts writes comes back equal through csv-split.ts and csv-read.ts, in any dialect and
 * in any chunks; and csv-read.ts is a second opinion that notices what it can't read.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvParseReader } from '../../../../lib/format/csv-read.ts'
import { RFC_4180, writeCsv } from '../../../../lib/format/csv-write.ts'
import { csv } from '../../../../lib/parse/csv.ts'
import { behindPreamble, parsed } from '../../../support/parsed.ts'

const dialect = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|', '+|', '||', '::', '|~|'),
  quote: fc.constantFrom('"', "'"),
  escapeWith: fc.constantFrom('quote', '\\'),
  recordEnd: fc.constantFrom('\n', '\r\n', '\r', '&|\n', '~\r\n'),
  declared: fc.boolean(),
})

const cell = fc.oneof(
  fc.constantFrom(
    '',
    '"',
    '""',
    "'",
    '\\',
    '\\"',
    '\n',
    '\r\n',
    '\r',
    ',',
    ';',
    '+',
    '&',
    '|',
    '+|',
    '&|',
    '\u001a',
    ' ',
    'ü€😀',
    '\ufeff',
  ),
  fc.string({
    unit: fc.constantFrom(
      'a',
      '"',
      "'",
      '\\',
      '\n',
      '\r',
      ',',
      '|',
      '+',
      '&',
      '~',
      ':',
      ';',
      '\t',
      'é',
      '😀',
    ),
    maxLength: 8,
  }),
)

test('any table written in any dialect is read back equal, in any chunks', async () => {
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain(width =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
    )
  const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      table,
      dialect,
      sizes,
      async (given, { delimiter, quote, escapeWith, recordEnd, declared }, chunks) => {
        const escaper = escapeWith === 'quote' ? quote : escapeWith
        const text = writeCsv(given, { delimiter, quote, escape: escaper, recordEnd, neutralise: [] })
        // Only line ends that need no declaration may be left undeclared.
        const recordEnds = declared || recordEnd.length > 2 ? [recordEnd] : null
        const header = given[0]!.map((_, index) => `c${index}`)
        const spec = csv({ delimiter, quote, escape: escaper, recordEnds, header })
        const back = await parsed(...behindPreamble(text, spec), { chunks })
        assert.deepEqual(back.rejects, [])
        assert.deepEqual(
          back.records.map(record => record.values),
          given.map(row => row.map(value => (value === '' ? null : value))),
        )
      },
    ),
    { numRuns: 400 },
  )
})

test('a text cell that a spreadsheet would run is neutralised, a declared number is not', () => {
  const text = writeCsv(
    [
      ['=1+1', '-12.50'],
      ['@x', '+5'],
      ['plain', null],
    ],
    { ...RFC_4180, neutralise: [0] },
  )
  assert.equal(text, "'=1+1,-12.50\r\n'@x,+5\r\nplain,\r\n")
})

test('empty text is quoted and null is not', () => {
  assert.equal(writeCsv([['', null]]), '"",\r\n')
})

test('a dialect without quotes refuses a cell that would need them', () => {
  const bare = { ...RFC_4180, quote: null, delimiter: '||' }
  assert.equal(writeCsv([['a"b', 'c']], bare), 'a"b||c\r\n')
  // `a|` before the delimiter would be read as `a` and a cell that begins with `|`.
  for (const value of ['a||b', 'a|', 'a\nb']) assert.throws(() => writeCsv([[value, 'x']], bare), RangeError)
})

test('a block with one unreadable record gives all its other records', () => {
  const reader = csvParseReader(csv(), 2)
  const rows = reader.read(['1,2', '3,"4"5', '6,7', '8,9,10'])
  assert.deepEqual(
    [rows[0], rows[2]],
    [
      ['1', '2'],
      ['6', '7'],
    ],
  )
  assert.ok(rows[1] !== undefined && 'problem' in rows[1])
  assert.deepEqual(rows[3], { problem: 'it has 3 cells' })
})
