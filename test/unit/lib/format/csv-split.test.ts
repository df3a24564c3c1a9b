/**
 * Where records end when their quoting is bad: decided only where it is certain, told with its line
 * where it is not, and always the same in any chunks.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TallymanError } from '../../../../lib/model/errors.ts'
import { csv } from '../../../../lib/parse/csv.ts'
import { parseChunks } from '../../../../lib/parse/parse-file.ts'
import { behindPreamble, inChunks, type Parsed, parsed, refused, rows } from '../../../support/parsed.ts'

const head = 'a,b,c\n'

test('text after a closed quote rejects its record alone when its end is certain', async () => {
  const file = await parsed(`${head}1,"2" x,3\n4,5,6\n`, csv())
  assert.deepEqual(refused(file), [[2, 'PARSE_QUOTE_CLOSED_EARLY', '1,"2" x,3']])
  assert.deepEqual(rows(file), [[3, '4', '5', '6']])
})

test('inch marks inside a quoted cell reject one record, not its neighbours', async () => {
  const file = await parsed(`${head}1,"pipe 5" wide",3\n4,"say "hi" there",6\n7,8,9\n`, csv())
  assert.deepEqual(
    refused(file).map(reject => (reject as unknown[])[0]),
    [2, 3],
  )
  assert.deepEqual(rows(file), [[4, '7', '8', '9']])
})

test('a quote that closed early in a cell of two lines takes both lines along when only that fits', async () => {
  const file = await parsed(`${head}1,"say "hi\nthere",3\n4,5,6\n`, csv())
  assert.deepEqual(refused(file), [[2, 'PARSE_QUOTE_CLOSED_EARLY', '1,"say "hi\nthere",3']])
  assert.deepEqual(rows(file), [[4, '4', '5', '6']])
})

test('bad quoting after which two record ends are possible refuses the file and names the line', async () => {
  await assert.rejects(parsed(`${head}1,2,"x"y\n4,5,"z"\n`, csv()), (error: TallymanError) => {
    assert.equal(error.code, 'PARSE_QUOTE_DISPUTED')
    assert.match(error.message, /delivery\.csv, line 2:/)
    return true
  })
})

test('a quote within an unquoted cell rejects its record', async () => {
  const file = await parsed(`${head}1,24" wide,3\n4,5,6\n`, csv())
  assert.deepEqual(refused(file), [[2, 'PARSE_QUOTE_STRAY', '1,24" wide,3']])
  assert.deepEqual(rows(file), [[3, '4', '5', '6']])
})

test('a quote is only a character where none is declared', async () => {
  const file = await parsed(`${head}1,"2,3\n`, csv({ quote: null }))
  assert.deepEqual(rows(file), [[2, '1', '"2', '3']])
})

test('B21: an unclosed quote names the line on which it was opened', async () => {
  await assert.rejects(parsed(`${head}1,2,3\n4,"5,6\n7,8,9\n`, csv()), {
    code: 'PARSE_QUOTE_UNCLOSED',
    message: /the quote opened on line 3 is not closed up to the end/,
  })
})

test('B21: an unclosed quote is noticed within the longest record, not at the end of a huge file', async () => {
  const long = Buffer.from(`${head}1,"2,3\n${'4,5,6\n'.repeat(2000)}`)
  let given = 0
  async function* pieces(): AsyncGenerator<Buffer> {
    for await (const piece of inChunks(long, [100])) {
      given += piece.length
      yield piece
    }
  }
  const source = { file: 0, neededColumns: {}, name: 'delivery.csv' }
  const { blocks } = parseChunks(pieces(), csv({ maxRecordBytes: 1000 }), source)
  await assert.rejects(Array.fromAsync(blocks), {
    code: 'PARSE_QUOTE_UNCLOSED',
    message: /opened on line 2 is not closed within 1000 characters/,
  })
  // The first kilobyte is read at once to judge the charset.
  assert.ok(given <= 2_400, `${given} of ${long.length} bytes were read`)
})

test('an overlong line without quotes is one reject and the next line is read', async () => {
  const file = await parsed(`${head}1,${'x'.repeat(3000)},3\n4,5,6\n`, csv({ maxRecordBytes: 1000 }), {
    chunks: [100],
  })
  assert.equal(file.rejects[0]!.issues[0]!.code, 'PARSE_RECORD_TOO_LONG')
  assert.deepEqual(rows(file), [[3, '4', '5', '6']])
})

test('an overlong record with quotes refuses the file, because its end can not be trusted', async () => {
  const file = `${head}"1",${'x'.repeat(3000)},3\n4,5,6\n`
  for (const chunks of [[100], [10_000]]) {
    await assert.rejects(parsed(file, csv({ maxRecordBytes: 1000 }), { chunks }), {
      code: 'PARSE_RECORD_TOO_LONG',
    })
  }
})

test('an escape that escapes nothing is never swallowed', async () => {
  const file = await parsed(`${head}1,"C:\\temp",3\n4,"a\\"b\\\\c",6\n`, csv({ escape: '\\' }))
  assert.deepEqual(refused(file), [[2, 'PARSE_ESCAPE_UNKNOWN', '1,"C:\\temp",3']])
  assert.deepEqual(rows(file), [[3, '4', 'a"b\\c', '6']])
})

test('B20: CRLF, LF and CR may be mixed in one file', async () => {
  const file = await parsed('a,b\r\n1,2\n3,4\r5,"6\r\n7"\r\n8,9', csv())
  assert.deepEqual(rows(file), [
    [2, '1', '2'],
    [3, '3', '4'],
    [4, '5', '6\r\n7'],
    [6, '8', '9'],
  ])
})

test('record ends and delimiters of several characters are read, and lines are still physical ones', async () => {
  const spec = csv({ delimiter: '+|', recordEnds: ['&|\n'], quote: null, header: ['id', 'text'] })
  const file = await parsed('1+|one\ntwo &\nthree&|\n2+|&| "x&|\n', spec)
  assert.deepEqual(rows(file), [
    [1, '1', 'one\ntwo &\nthree'],
    [4, '2', '&| "x'],
  ])
})

async function outcome(work: Promise<Parsed>): Promise<unknown> {
  try {
    const file = await work
    return [rows(file), refused(file), file.summary, file.records.map(record => record.raw())]
  } catch (error) {
    return error instanceof TallymanError ? [error.code, error.message] : Promise.reject(error)
  }
}

test('any text, however broken, parses alike in any chunks and loses no character', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '"', '"', ',', ',', '\n', '\r', '\\', '\0', 'é'),
    maxLength: 50,
  })
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 })
  const specs = [
    csv({ header: ['x', 'y'] }),
    csv({ header: ['x', 'y'], escape: '\\' }),
    csv({ header: ['x', 'y', 'z'], maxRecordBytes: 9 }),
    csv({ header: ['x'], quote: null, recordEnds: ['\n'] }),
    csv({ header: ['x', 'y'], footer: ['ab'], trailer: { starts: 'b' }, allowEmpty: true }),
  ]
  await fc.assert(
    fc.asyncProperty(text, sizes, fc.constantFrom(...specs), async (given, chunks, spec) => {
      const late = behindPreamble(given, spec)
      const whole = await outcome(parsed(...late))
      assert.deepEqual(await outcome(parsed(...late, { chunks })), whole)
    }),
    { numRuns: 1500 },
  )
})

test('records, rejects and what lies between them make up the whole file', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\n'), maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(text, async given => {
      const file = await parsed(given, csv({ header: ['x', 'y'], allowEmpty: true })).catch(
        (error: unknown) => {
          if (error instanceof TallymanError) return null
          throw error
        },
      )
      if (file === null) return
      const pieces = [
        ...file.records.map(record => [record.line, record.raw()] as const),
        ...file.rejects.map(reject => [reject.line, reject.raw] as const),
      ]
      const inOrder = pieces.sort((a, b) => a[0] - b[0]).map(piece => piece[1])
      assert.equal(inOrder.join('\n').replaceAll('\n', ''), given.replaceAll('\n', ''))
      assert.equal(file.summary.read, pieces.length)
    }),
    { numRuns: 500 },
  )
})
