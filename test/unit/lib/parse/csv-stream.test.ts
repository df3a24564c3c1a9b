/**
 * Delimited files as records: what is a record, what is a reject, what refuses the whole file.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csv } from '../../../../lib/parse/csv.ts'
import { parsed, refused, rows } from '../../../support/parsed.ts'

test('a ragged row is a reject with its line and raw text, and all other rows are read', async () => {
  const file = await parsed('id,name\n1,"two\nlines"\n2\n3,c\n4,d,e\n', csv())
  assert.deepEqual(rows(file), [
    [2, '1', 'two\nlines'],
    [5, '3', 'c'],
  ])
  assert.deepEqual(refused(file), [
    [4, 'PARSE_RAGGED', '2'],
    [6, 'PARSE_RAGGED', '4,d,e'],
  ])
  assert.equal(file.rejects[0]!.issues[0]!.message, 'The record has 1 cells where 2 are expected.')
  assert.deepEqual([file.summary.read, file.summary.rejected], [4, 2])
})

test('a record shows itself exactly as received', async () => {
  const file = await parsed('id;name\r\n 1 ;"a ""b""\r\nc"\r\n', csv({ delimiter: ';' }))
  assert.equal(file.records[0]!.raw(), ' 1 ;"a ""b""\r\nc"')
  assert.deepEqual(file.records[0]!.values, [' 1 ', 'a "b"\r\nc'])
})

test('an empty cell is null, quoted or not', async () => {
  assert.deepEqual(rows(await parsed('a,b,c\n,"", \n', csv())), [[2, null, null, ' ']])
})

test('a NUL byte rejects its row, whose raw text no longer holds one', async () => {
  const file = await parsed('a,b\n1,x\0y\n2,z\n', csv())
  assert.deepEqual(refused(file), [[2, 'PARSE_NUL', '1,x␀y']])
  assert.deepEqual(rows(file), [[3, '2', 'z']])
})

test('a file without a single byte is refused', async () => {
  for (const spec of [csv(), csv({ allowEmpty: true }), csv({ header: ['a'] })]) {
    await assert.rejects(parsed('', spec), { code: 'PARSE_EMPTY_FILE' })
    await assert.rejects(parsed('\ufeff\n\n', csv()), { code: 'PARSE_EMPTY_FILE' })
  }
})

test('B12: a header without records is refused unless the job allows it', async () => {
  await assert.rejects(parsed('a,b\n', csv()), { code: 'PARSE_NO_RECORDS' })
  assert.equal((await parsed('a,b\n', csv({ allowEmpty: true }))).summary.read, 0)
})

test('B22: a missing final line end is read and told', async () => {
  const file = await parsed('a\n1', csv())
  assert.deepEqual(rows(file), [[2, '1']])
  assert.deepEqual(file.summary.warnings, ['the last line (2) has no line end'])
})

test('blank lines are counted and told, except in a file of one column, where they are records', async () => {
  const file = await parsed('a,b\n\n1,2\n\n\n', csv())
  assert.deepEqual(file.summary.warnings, ['3 lines are blank, the first is line 2'])
  assert.deepEqual(rows(await parsed('a\n\n1\n', csv())), [
    [2, null],
    [3, '1'],
  ])
})

test('a lone Ctrl-Z at the end is told and is no record, elsewhere it is one', async () => {
  const file = await parsed('a,b\r\n1,2\r\n\u001a', csv())
  assert.deepEqual(file.summary.warnings, ['line 3 is a lone Ctrl-Z (DOS end of file) and no record'])
  assert.equal(file.summary.read, 1)
  assert.deepEqual(refused(await parsed('a,b\n\u001a\n1,2\n', csv())), [[2, 'PARSE_RAGGED', '\u001a']])
})

test('a preamble is skipped by its length or up to a line, and line numbers go on counting', async () => {
  const text = 'Statement "x\nfrom;2026\nDate;Amount\n1;2\n'
  for (const preamble of [2, { until: 'Date;' }]) {
    assert.deepEqual(rows(await parsed(text, csv({ delimiter: ';', preamble }), { chunks: [1] })), [
      [4, '1', '2'],
    ])
  }
  await assert.rejects(parsed(text, csv({ preamble: { until: 'Datum' } })), {
    code: 'PARSE_PREAMBLE_ENDLESS',
  })
})

test('a footer ends the data, and lines behind it that look like records are told', async () => {
  const file = await parsed('a,b\n1,2\nTotal "2\n3,4\n5,6,7\n', csv({ footer: ['Total'] }))
  assert.deepEqual(rows(file), [[2, '1', '2']])
  assert.deepEqual(file.summary.warnings, [
    '3 lines from the footer on line 3 on are no records, but 1 of them look like some',
  ])
})

test('the header standing again among the records is a reject', async () => {
  const file = await parsed('a,b\n1,2\na,b\n3,4\n', csv())
  assert.deepEqual(refused(file), [[3, 'PARSE_HEADER_REPEATED', 'a,b']])
  const bare = await parsed('a,b\n1,2\n', csv({ header: ['a', 'b'] }))
  assert.deepEqual(refused(bare), [[1, 'PARSE_HEADER_REPEATED', 'a,b']])
})

test('a charset that is not the declared one refuses the file with offset and line', async () => {
  const bytes = Buffer.from('a,b\n1,x\n2,M\xfcller\n', 'latin1')
  await assert.rejects(parsed(bytes, csv(), { chunks: [3] }), {
    code: 'PARSE_UNDECODABLE',
    message: /the bytes fc\w* at offset 11 \(line 3\)/,
  })
  assert.deepEqual(rows(await parsed(bytes, csv({ charset: 'windows-1252' })))[1], [3, '2', 'Müller'])
})

test('a UTF-8 file declared as windows-1252 is refused, not loaded with wrong names', async () => {
  await assert.rejects(parsed('a,b\n1,Müller\n', csv({ charset: 'windows-1252' })), {
    code: 'PARSE_CHARSET_IS_UTF8',
  })
})

test('B16: a byte order mark is no part of the first column, and must agree with the declared charset', async () => {
  assert.deepEqual((await parsed('\ufeffa,b\n1,2\n', csv())).columns, ['a', 'b'])
  const wide = Buffer.from('\ufeffa,b\r\n1,€\r\n', 'utf16le')
  for (const charset of ['utf-16', 'utf-16le']) {
    assert.deepEqual(rows(await parsed(wide, csv({ charset }), { chunks: [3] })), [[2, '1', '€']])
  }
  await assert.rejects(parsed(wide, csv()), { code: 'PARSE_CHARSET_MISMATCH' })
  await assert.rejects(parsed('\ufeffa\n1\n', csv({ charset: 'iso-8859-1' })), {
    code: 'PARSE_CHARSET_MISMATCH',
  })
  await assert.rejects(parsed(wide.subarray(2), csv({ charset: 'windows-1252' })), {
    code: 'PARSE_CHARSET_MISMATCH',
  })
  await assert.rejects(parsed(wide.subarray(2), csv({ charset: 'utf-16' })), {
    code: 'PARSE_CHARSET_MISMATCH',
  })
})

test('blocks hold at most a thousand records and lose none between them', async () => {
  const text = `id,name\n${Array.from({ length: 2501 }, (_, index) => `${index},"n${index}"`).join('\n')}\n`
  const file = await parsed(text, csv())
  assert.equal(file.records.length, 2501)
  assert.deepEqual(file.records.at(-1)!.values, ['2500', 'n2500'])
  assert.equal(file.records.at(-1)!.line, 2502)
})

test('a declaration that can not be meant is refused with everything wrong in it', () => {
  assert.throws(
    () =>
      csv({
        delimiter: '',
        charset: 'cp850',
        header: ['a', 'a'],
        columns: ['b'],
        trailer: { starts: '', count: 0 },
      }),
    (error: Error) => {
      for (const part of [
        'delimiter is empty',
        'cp850',
        'header names "a" twice',
        '"b" is not in header',
        'trailer.starts',
        'count from 1',
      ]) {
        assert.ok(error.message.includes(part), `${part} in ${error.message}`)
      }
      return true
    },
  )
})
