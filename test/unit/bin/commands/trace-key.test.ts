/**
 * How a key is typed for `tallyman trace`.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { keyFor, readKey } from '../../../../bin/commands/trace-key.ts'
import { column, defineTable, snakeCase } from '../../../../lib/model/table.ts'

const table = defineTable(
  'sales',
  'line',
  {
    invoiceNo: column.text({ doc: 'Invoice.' }),
    lineNo: column.integer({ doc: 'Line.' }),
    note: column.text({ doc: 'Note.' }),
  },
  { doc: 'Lines.', key: ['invoiceNo', 'lineNo'] },
)
const key = (text: string): unknown => keyFor(readKey(text), table, snakeCase)

test('a key is typed by names in any order, by database names, or by its values in order', () => {
  const wanted = { invoiceNo: 'A-1', lineNo: '2' }
  for (const text of ['invoiceNo=A-1,lineNo=2', 'line_no=2,invoice_no=A-1', 'A-1,2', '"A-1","2"'])
    assert.deepEqual(key(text), wanted, text)
})

test('values with commas, quotes, equals signs and nothing in them stand in quotes', () => {
  assert.deepEqual(key('invoiceNo="a,""b""=c",lineNo=""'), { invoiceNo: 'a,"b"=c', lineNo: '' })
  assert.deepEqual(key('"x=y",2'), { invoiceNo: 'x=y', lineNo: '2' })
  assert.deepEqual(key('note=plain text'), { note: 'plain text' })
})

test('what is no key of the table is none of it, and what can not be read is refused', () => {
  for (const text of ['A-1', 'A-1,2,3', 'colour=red', 'invoiceNo=A,invoiceNo=B', 'A-1,lineNo=2'])
    assert.equal(key(text), null, text)
  for (const text of ['"open', 'a"b', 'invoiceNo="x"y'])
    assert.throws(() => readKey(text), { code: 'CONFIG_USAGE' })
})
