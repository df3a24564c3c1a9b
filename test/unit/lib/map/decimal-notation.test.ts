/** Numbers as partners write them: exact in each declared notation, an issue in any other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  canonicalDecimal,
  type DecimalNotation,
  decimalReader,
} from '../../../../lib/map/decimal-notation.ts'
import { compareDecimals, decimal, parseDecimal, toText } from '../../../../lib/model/decimal.ts'

const readAs = (notation: DecimalNotation, text: string, precision = 30, scale = 10): string => {
  const value = decimalReader(notation, precision, scale)(text)
  return typeof value === 'string' ? value : value.code
}

const separators = { point: '.', comma: ',', space: '\u202f', apostrophe: '’' } as const

/** Writes canonical text in a notation, with as many signs of it as the notation has. */
function write(text: string, { comma = false, thousands, negative = 'leading' }: DecimalNotation): string {
  const [whole = '', fraction] = text.replace('-', '').split('.')
  const separator = thousands === undefined ? '' : separators[thousands]
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, separator)
  const number = fraction === undefined ? grouped : `${grouped}${comma ? ',' : '.'}${fraction}`
  if (!text.startsWith('-')) return number
  return { leading: `-${number}`, trailing: `${number}-`, parentheses: `(${number})` }[negative]
}

const notations: DecimalNotation[] = [true, false].flatMap(comma =>
  ([undefined, 'point', 'comma', 'space', 'apostrophe'] as const)
    .filter(thousands => thousands !== (comma ? 'comma' : 'point'))
    .flatMap(thousands =>
      (['leading', 'trailing', 'parentheses'] as const).map(negative => ({
        comma,
        negative,
        ...(thousands === undefined ? {} : { thousands }),
      })),
    ),
)

const canonicalText = fc
  .tuple(fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }), fc.integer({ min: 0, max: 10 }))
  .map(([unscaled, scale]) => toText({ unscaled, scale }))

test('any decimal written in any declared notation is read back to the last digit', () => {
  fc.assert(
    fc.property(canonicalText, fc.constantFrom(...notations), (text, notation) => {
      assert.equal(readAs(notation, write(text, notation)), text)
    }),
    { numRuns: 2_000 },
  )
})

test('plain decimals mean the same to the mapping and to the exact arithmetic', () => {
  const plain = fc.stringMatching(/^[+-]?\d{0,12}(\.\d{0,6})?$/)
  fc.assert(
    fc.property(plain, text => {
      const value = readAs({}, text)
      const exact = parseDecimal(text)
      if (exact === null) assert.equal(value, 'MAP_NOT_A_DECIMAL')
      else {
        assert.equal(value, toText(exact))
        assert.equal(compareDecimals(decimal(value), exact), 0)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a notation that was not declared is an issue, not a guess', () => {
  for (const text of [
    '1,5',
    '1.234,56',
    '1 234',
    '(5)',
    '5-',
    '1e3',
    '0x10',
    '',
    '.',
    '-',
    '--1',
    '1.2.3',
    ' 1',
    '1\u00a0',
    '١',
    'NaN',
    'Infinity',
  ])
    assert.equal(readAs({}, text), 'MAP_NOT_A_DECIMAL', JSON.stringify(text))
  const german: DecimalNotation = { comma: true, thousands: 'point' }
  for (const text of ['1.23,4', '1234.567', '12.3456', '1,234.56', '.123', '1..234'])
    assert.equal(readAs(german, text), 'MAP_NOT_A_DECIMAL', text)
  assert.equal(readAs(german, '1.234'), '1234')
  assert.equal(readAs(german, '1234,5'), '1234.5')
  for (const text of ['(5', '5)', '-5'])
    assert.equal(readAs({ negative: 'parentheses' }, text), 'MAP_NOT_A_DECIMAL', text)
})

test('digits that the column can not hold are never rounded silently', () => {
  assert.equal(readAs({}, '1.005', 10, 2), 'MAP_TOO_MANY_DECIMALS')
  assert.equal(readAs({}, '1.500', 10, 2), '1.5')
  assert.equal(readAs({}, '123456789', 10, 2), 'MAP_OUT_OF_RANGE')
  assert.equal(readAs({}, '0000012345678.90', 10, 2), '12345678.9')
  assert.equal(readAs({ round: 'half-up' }, '1.005', 10, 2), '1.01')
  assert.equal(readAs({ round: 'half-even' }, '1.005', 10, 2), '1')
  assert.equal(readAs({ round: 'half-even' }, '-1.015', 10, 2), '-1.02')
  assert.equal(readAs({ round: 'half-even' }, '1.0050000001', 10, 2), '1.01')
  assert.equal(readAs({ round: 'half-up' }, '99999999.995', 10, 2), 'MAP_OUT_OF_RANGE')
  assert.equal(readAs({ round: 'half-up' }, '-0.004', 10, 2), '0')
  assert.equal(readAs({ round: 'half-up' }, '9.5', 5, 0), '10')
})

test('seventeen digits survive, and minus zero is zero', () => {
  const read = canonicalDecimal(38, 18, null)
  assert.equal(read('12345678901234567.890123456789012345'), '12345678901234567.890123456789012345')
  for (const text of ['-0', '-0.00', '+0', '000', '-.0']) assert.equal(read(text), '0')
})
