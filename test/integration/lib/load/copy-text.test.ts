/**
 * What is encoded comes back from Postgres as it was: the property behind every COPY.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { CopyBytes } from '../../../../lib/load/copy-bytes.ts'
import { rowEncoder } from '../../../../lib/load/copy-text.ts'
import { targetTable } from '../../../../lib/load/target-table.ts'
import { column, defineTable, type Value } from '../../../../lib/model/table.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()

const table = targetTable(
  'rows',
  defineTable(
    'erp',
    't',
    {
      text: column.text({ doc: 'Any text.', nullable: true }),
      amount: column.decimal({ doc: 'Any amount.', precision: 30, scale: 6 }),
      whole: column.integer({ doc: 'Any whole number.' }),
    },
    { doc: 'A table.', key: [] },
  ),
  null,
)

/** Any text that Postgres can hold: well-formed, without NUL, rich in what COPY gives a meaning to. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', '.', 'N', '\b', '\v', '\u2028', '😀', 'a') }),
  )
  .map(value => value.replaceAll('\0', ''))
  .filter(value => value.isWellFormed())

test('any text that Postgres can hold survives encode, COPY and SELECT', async () => {
  const connection = await database.connect()
  await connection.query(`CREATE TEMP TABLE t (_seq bigint, _file int, _record int, _line int, _unit text,
    text text, amount numeric, whole bigint)`)
  const row = fc.tuple(
    fc.option(text),
    fc.bigInt({ min: -(10n ** 29n), max: 10n ** 29n }).map(value => String(value)),
    fc.maxSafeInteger(),
  )
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        fc.option(text),
        async (rows, unit) => {
          const bytes = new CopyBytes(64)
          rowEncoder(table).encode(
            {
              lines: rows.map(() => 1),
              ordinals: rows.map((_, at) => at),
              units: rows.map(() => unit),
              rows: rows as unknown as Value[][],
            },
            0,
            0,
            bytes,
          )
          await connection.query('TRUNCATE t')
          const source = (async function* () {
            yield bytes.written()
          })()
          assert.equal(await connection.copyIn('COPY t FROM STDIN', source), rows.length)
          const { rows: back } = await connection.query<Record<string, string | null>>(
            'SELECT text, amount, whole, _unit FROM t ORDER BY _seq',
          )
          assert.deepEqual(
            back.map(found => [found.text, found.amount, Number(found.whole), found._unit]),
            rows.map(([value, amount, whole]) => [value, amount, whole + 0, unit]),
          )
        },
      ),
      { numRuns: 150 },
    )
  } finally {
    await connection.close()
  }
})
