/** The text that COPY gets, and what never gets that far. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CopyBytes } from '../../../../lib/load/copy-bytes.ts'
import { rowEncoder } from '../../../../lib/load/copy-text.ts'
import { targetTable } from '../../../../lib/load/target-table.ts'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'

const table = targetTable(
  'rows',
  defineTable(
    'erp',
    't',
    {
      name: column.text({ doc: 'Name.', nullable: true }),
      pieces: column.integer({ doc: 'Pieces.' }),
      price: column.decimal({ doc: 'Price.', precision: 9, scale: 2 }),
      ok: column.boolean({ doc: 'Fine.' }),
    },
    { doc: 'A table.', key: [] },
  ),
  null,
)

function encode(...rows: Value[][]): string {
  const units = rows.map((_, at) => (at === 0 ? null : 'u\t1'))
  const lines = rows.map((_, at) => at + 2)
  const bytes = new CopyBytes(16)
  rowEncoder(table).encode({ lines, ordinals: rows.map((_, at) => at), units, rows }, 7, 40, bytes)
  return bytes.written().toString()
}

test('a block becomes one text with a line per row, escaped only where needed', () => {
  assert.equal(
    encode(['plain', 1, '1.5', true], [null, -0, '-2', false], ['a\\b\tc\nd\re', 2, '0', true]),
    '40\t7\t0\t2\t\\N\tplain\t1\t1.5\tt\n' +
      '41\t7\t1\t3\tu\\t1\t\\N\t0\t-2\tf\n' +
      '42\t7\t2\t4\tu\\t1\ta\\\\b\\tc\\nd\\re\t2\t0\tt\n',
  )
})

test('texts that look like COPY marks stay texts', () => {
  const lines = ['\\N', '\\.', '', 'ä€😀'].map(name => encode([name, 1, '1', true]).split('\t')[5])
  assert.deepEqual(lines, ['\\\\N', '\\\\.', '', 'ä€😀'])
})

test('a value that its column can not hold exactly is refused with its line and column', () => {
  const refused: [Value[], RegExp][] = [
    [['a\0b', 1, '1', true], /erp\.t\.name from line 2 .* NUL/],
    [['half \ud83d', 1, '1', true], /erp\.t\.name from line 2 .* half of a character/],
    [['a', 1.5, '1', true], /erp\.t\.pieces from line 2/],
    [['a', 2 ** 53, '1', true], /erp\.t\.pieces from line 2/],
    [['a', 1, '1.005', true], /erp\.t\.price from line 2 .* more than 2 decimal places/],
    [['a', 1, '1'], /3 values for 4 columns/],
  ]
  for (const [row, message] of refused) {
    assert.throws(() => encode(row), { code: 'LOAD_VALUE_UNSTORABLE', message })
  }
})

test('two halves of a character in neighbouring texts do not make a whole one', () => {
  const block = { lines: [2], ordinals: [0], units: ['unit \ud83d'], rows: [['\ude00', 1, '1', true]] }
  assert.throws(() => rowEncoder(table).encode(block, 0, 0, new CopyBytes(16)), {
    code: 'LOAD_VALUE_UNSTORABLE',
    message: /line 2 .* its unit name holds/,
  })
})
