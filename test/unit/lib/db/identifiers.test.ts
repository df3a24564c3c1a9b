/**
 * Names in SQL text: what is no plain name never becomes part of a statement.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkedName, quoted, quotedList, quotedTable } from '../../../../lib/db/identifiers.ts'

test('only plain names become part of a statement', () => {
  assert.equal(quoted('line_2'), '"line_2"')
  assert.equal(quotedTable({ schema: 'erp', name: '_delivery' }), '"erp"."_delivery"')
  assert.equal(quotedList(['a', 'b']), '"a", "b"')
  assert.equal(checkedName('x'.repeat(63)), 'x'.repeat(63))
  const wrong = [
    ...['', 'A', '1a', 'a-b', 'a.b', 'a b', 'a"b', 'a";DROP TABLE x;--', 'ä', 'a\n', 'a\0', ' a'],
    'x'.repeat(64),
  ]
  for (const name of wrong) {
    assert.throws(() => checkedName(name), { code: 'BUG_SQL_NAME' }, JSON.stringify(name))
    assert.throws(() => quotedList(['a', name]), { code: 'BUG_SQL_NAME' })
    assert.throws(() => quotedTable({ schema: name, name: 'a' }), { code: 'BUG_SQL_NAME' })
    assert.throws(() => quotedTable({ schema: 'a', name }), { code: 'BUG_SQL_NAME' })
  }
})
