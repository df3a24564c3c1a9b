/**
 * The contracts at both ends of a delimited file: its header (B13) and its trailer (B5).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csv } from '../../../../lib/parse/csv.ts'
import { parsed, rows } from '../../../support/parsed.ts'

test('B13: the order of columns is free and an unknown one is told', async () => {
  const file = await parsed('c,extra,a\n3,x,1\n', csv({ columns: ['a'] }), { needed: { record: ['c'] } })
  assert.deepEqual(file.columns, ['c', 'extra', 'a'])
  assert.deepEqual(file.summary.warnings, ['an unknown column in the header: "extra"'])
})

test('every missing or renamed column is listed, with what stands there instead', async () => {
  await assert.rejects(parsed('id, Amount,new\n1,2,3\n', csv({ columns: ['id', 'amount', 'date'] })), {
    code: 'PARSE_COLUMN_MISSING',
    message:
      /lacks "amount" \(there is " Amount"\), "date", and it has columns that nobody asked for: " Amount", "new"/,
  })
})

test('a doubled column name refuses the file', async () => {
  await assert.rejects(parsed('id,amount,amount\n1,2,3\n', csv()), {
    code: 'PARSE_HEADER_DOUBLED',
    message: /"amount" more than once/,
  })
})

test('B24: columns named like parts of every object are only columns', async () => {
  const file = await parsed('__proto__,constructor,toString\n1,2,3\n', csv({ columns: ['toString'] }))
  assert.deepEqual(file.columns, ['__proto__', 'constructor', 'toString'])
  await assert.rejects(parsed('a,b\n1,2\n', csv({ columns: ['__proto__', 'hasOwnProperty'] })), {
    code: 'PARSE_COLUMN_MISSING',
    message: /"__proto__", "hasOwnProperty"/,
  })
})

test('header cells without a name do not collide', async () => {
  const file = await parsed('a,,\n1,2,3\n', csv())
  assert.deepEqual(file.columns, ['a', '', '(column 3)'])
})

test('a header with bad quoting refuses the file', async () => {
  await assert.rejects(parsed('a,b"c\n1,2\n', csv()), { code: 'PARSE_HEADER_UNREADABLE' })
})

const counted = csv({
  delimiter: ';',
  trailer: { starts: 'T;', count: 2, sums: { 3: 'amount' }, decimal: 'comma' },
})

test('a trailer that ties gives its controls, and is no record', async () => {
  const file = await parsed('id;amount\n1;2,50\n2;\n3;-0,25\nT;3;2,25\n', counted, { chunks: [2] })
  assert.equal(file.records.length, 3)
  assert.deepEqual(file.summary.controls, { count: '3', 'sum(amount)': '2,25' })
})

test('a file without its trailer is refused with the lines read', async () => {
  await assert.rejects(parsed('id;amount\n1;2\n2;3\n', counted), {
    code: 'PARSE_TRAILER_MISSING',
    message: /ended without its trailer line, which starts with "T;" \(3 lines read\)/,
  })
})

test('a trailer with another count than was read refuses the file', async () => {
  await assert.rejects(parsed('id;amount\n1;2\nT;2;2\n', counted), {
    code: 'PARSE_COUNT_MISMATCH',
    message: /states 2 records, but 1 were read/,
  })
})

test('a trailer with another sum refuses the file to the last digit', async () => {
  await assert.rejects(parsed('id;amount\n1;0,10\n2;0,20\nT;2;0,31\n', counted), {
    code: 'PARSE_CONTROL_TOTAL_MISMATCH',
    message: /states 0,31 as the sum of amount, but the records add up to 0\.3/,
  })
})

test('a value that is no number leaves a stated sum unproved', async () => {
  await assert.rejects(parsed('id;amount\n1;x\nT;1;0\n', counted), {
    code: 'PARSE_CONTROL_TOTAL_MISMATCH',
    message: /a value on line 2 that is no number/,
  })
})

test('a trailer cell that states no number refuses the file', async () => {
  await assert.rejects(parsed('id;amount\n1;2\nT;one;2\n', counted), { code: 'PARSE_TRAILER_UNREADABLE' })
})

test('rejected rows count as records of the trailer', async () => {
  const file = await parsed(
    'id;amount\n1;2;3\n2;1\nT;2\n',
    csv({ delimiter: ';', trailer: { starts: 'T;', count: 2 } }),
  )
  assert.deepEqual([file.summary.read, file.summary.rejected], [2, 1])
})

test('two files joined to one do not pass by the second trailer', async () => {
  const spec = csv({ delimiter: ';', trailer: { starts: 'T;', count: 2 } })
  await assert.rejects(parsed('id;amount\n1;2\nT;1\n2;3\nT;1\n', spec), { code: 'PARSE_COUNT_MISMATCH' })
})

test('a record that begins like the trailer is still a record when others follow', async () => {
  const spec = csv({ trailer: { starts: 'T', count: 2 } })
  const file = await parsed('id,n\nTable,1\nTray,2\nT,2\n\n\u001a', spec)
  assert.deepEqual(rows(file), [
    [2, 'Table', '1'],
    [3, 'Tray', '2'],
  ])
})
