/**
 * The express lane gives exactly what csv-split.ts and csv-read.ts give: values, lines, raw texts,
 * rejects, warnings, errors. A record end that never occurs keeps a dialect out of the express lane.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expressReader } from '../../../../lib/format/csv-express.ts'
import { TallymanError } from '../../../../lib/model/errors.ts'
import type { CsvSpec } from '../../../../lib/model/job.ts'
import { type CsvOptions, csv } from '../../../../lib/parse/csv.ts'
import { parsed, refused, rows } from '../../../support/parsed.ts'

const NEVER = '\u0007\u0007'

/** The same dialect by the long way. */
function longWay(spec: CsvSpec): CsvSpec {
  return { ...spec, recordEnds: [...(spec.recordEnds ?? ['\r\n', '\n', '\r']), NEVER] }
}

async function outcome(text: string, spec: CsvSpec, chunks: readonly number[]): Promise<unknown> {
  try {
    const file = await parsed(text, spec, { chunks })
    const raws = file.records.map(record => record.raw())
    return [rows(file), raws, refused(file), file.rejects, file.summary, file.columns]
  } catch (error) {
    return error instanceof TallymanError ? [error.code, error.message] : Promise.reject(error)
  }
}

const rules = { width: 2, maxLength: 1000, header: null, starts: [] }

test('the express lane is for plain dialects only', () => {
  for (const options of [{}, { delimiter: ';' }, { delimiter: '\t', quote: null }, { recordEnds: ['\n'] }]) {
    assert.notEqual(expressReader(csv(options), rules), null, JSON.stringify(options))
  }
  const others: CsvOptions[] = [
    { delimiter: '||' },
    { quote: "'" },
    { escape: '\\' },
    { recordEnds: ['|\n'] },
    { recordEnds: ['\n', NEVER] },
  ]
  for (const options of others)
    assert.equal(expressReader(csv(options), rules), null, JSON.stringify(options))
  assert.equal(expressReader(csv(), { ...rules, width: 1 }), null)
})

const cell = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', 'a', 'bc', '12.50', '2026-11-20', 'é', 'Łódź', '😀', ' x ') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '""',
      '"a"',
      '"a,b"',
      '"a;b"',
      '"a""b"',
      '""""',
      '"x\ny"',
      '"x\r\ny"',
      '"x\ry"',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a"b', '"a"b', '"', '"\n', '\0', '"\0"', '\u001a', '\r', 'T', 'x'.repeat(50)),
  },
)

const file = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 8, arbitrary: fc.array(cell, { minLength: 3, maxLength: 3 }) },
        { weight: 1, arbitrary: fc.array(cell, { maxLength: 5 }) },
        { weight: 1, arbitrary: fc.constantFrom(['h1', 'h2', 'h3'], ['T', '3', 'x'], ['Total', '', '1']) },
      ),
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('\n', '\r\n') },
        { weight: 1, arbitrary: fc.constantFrom('\r', '\n\n', '') },
      ),
    ),
    { maxLength: 14 },
  )
  .map(lines => (delimiter: string) => lines.map(([cells, end]) => cells.join(delimiter) + end).join(''))

const option = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  quote: fc.constantFrom('"', '"', '"', null),
  recordEnds: fc.constantFrom(null, null, ['\n'], ['\r\n'], ['\r\n', '\n'], ['\r'], ['\r', '\n']),
  header: fc.constantFrom<'first' | string[]>(['h1', 'h2', 'h3'], 'first'),
  footer: fc.constantFrom([], [], ['Total']),
  trailer: fc.constantFrom(null, null, { starts: 'T' }),
  maxRecordBytes: fc.constantFrom(1_000_000, 12),
})

test('the express lane and the long way give the same of any file, in any chunks', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(file, option, sizes, fc.boolean(), async (write, options, chunks, early) => {
      const spec = csv({ ...options, allowEmpty: true })
      // The first kilobyte is read at once; behind a preamble, records meet the borders of small chunks.
      const preamble = early ? 0 : 400
      const text = `x\r\n`.repeat(preamble) + write(spec.delimiter)
      const late = { ...spec, preamble: spec.recordEnds?.join() === '\r' ? 0 : preamble }
      assert.deepEqual(await outcome(text, late, chunks), await outcome(text, longWay(late), chunks))
    }),
    { numRuns: 600 },
  )
})

test('a long file keeps its order and its lines where plain records and others alternate', async () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => {
    if (n % 97 === 5) return `${n},"unsound"x,${n}`
    if (n % 41 === 3) return `${n},"two\nlines ""${n}""",é`
    return n % 53 === 7 ? `${n},ragged` : `${n},plain,${n * 2}`
  })
  const text = `a,b,c\n${lines.join('\n')}\n`
  const whole = await outcome(text, longWay(csv()), [1e6])
  for (const chunks of [[1e6], [1000], [4096, 77]])
    assert.deepEqual(await outcome(text, csv(), chunks), whole)
})
