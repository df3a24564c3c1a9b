/** The map step: every record comes out as rows, as a reject with all its issues, or as a counted filter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  defineMapping,
  leaveOut,
  read,
  refuse,
  SPREAD_NAME,
  SPREAD_VALUE,
} from '../../../../lib/map/index.ts'
import { mapRecords } from '../../../../lib/map/map-records.ts'
import { MapTally } from '../../../../lib/map/map-tally.ts'
import type { Mapping } from '../../../../lib/model/mapping.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { context, mapAll, order, orderColumns, orderFields, streamOf } from '../../../support/map-sample.ts'

const plain = defineMapping({
  name: 'plain',
  version: 1,
  doc: 'Orders as they are.',
  source: orderColumns,
  table: order,
  fields: orderFields,
})

test('a good record becomes a row in the order of the columns of its table', async () => {
  const { rows, rejects, result } = await mapAll(plain, [['A1', '3', '2.50', null, 'hello ']])
  assert.deepEqual(rows.rows, [['A1', 3, '2.5', 'EUR', 'hello ']])
  assert.deepEqual(rejects, [])
  assert.deepEqual(result.counts, { read: 1, mapped: 1, rejected: 0, filtered: 0 })
  assert.deepEqual(result.totals, [
    { table: 'sales.order_sample', total: 'value', group: 'EUR', amount: '7.5' },
  ])
})

test('all issues of a record come in one reject with line, raw text, column, field and value', async () => {
  const { rejects } = await mapAll(plain, [
    ['A1', '3', '1', 'EUR', null],
    ['a number far too long', 'x', '1.234', 'EURO', null],
  ])
  assert.equal(rejects.length, 1)
  const [reject] = rejects
  assert.equal(reject?.line, 3)
  assert.equal(reject?.raw, 'a number far too long;x;1.234;EURO;')
  assert.deepEqual(
    reject?.issues.map(({ code, column: from, field, value }) => [code, from, field, value]),
    [
      ['MAP_TOO_LONG', 'Id', 'id', 'a number far too long'],
      ['MAP_NOT_AN_INTEGER', 'Qty', 'quantity', 'x'],
      ['MAP_TOO_MANY_DECIMALS', 'Price', 'price', '1.234'],
      ['MAP_TOO_LONG', 'Ccy', 'currency', 'EURO'],
    ],
  )
  // Messages never repeat the value: it may be personal, and is masked by itself.
  for (const { message, value } of reject!.issues) assert.ok(!message.includes(value!), message)
})

test('what Postgres could not store is refused while mapping', async () => {
  const lines = [
    ['A1', '1', '1', 'EUR', 'nul \0 inside'],
    ['A2', '1', '1', 'EUR', 'half \ud83d'],
    ['A3', '9007199254740993', '1', 'EUR', null],
    ['A4', '1', '123456789.00', 'EUR', null],
    [null, '1', '1', 'EUR', null],
    [
      'A\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}',
      '1',
      '1',
      'EUR',
      null,
    ],
  ]
  const { rejects, rows } = await mapAll(plain, lines)
  assert.deepEqual(
    rejects.map(({ issues }) => issues.map(({ code }) => code).join()),
    [
      'MAP_TEXT_NOT_STORABLE',
      'MAP_TEXT_NOT_STORABLE',
      'MAP_OUT_OF_RANGE',
      'MAP_OUT_OF_RANGE',
      'MAP_REQUIRED',
    ],
  )
  // Ten characters, though nineteen UTF-16 units.
  assert.equal(rows.rows?.length, 1)
})

test('a filter leaves records out by reason, and they are counted', async () => {
  const mapping = defineMapping({
    name: 'filtered',
    version: 1,
    doc: 'Without test orders.',
    source: orderColumns,
    table: order,
    fields: orderFields,
    filters: [leaveOut({ reason: 'test order', from: ['Note'] }, note => note === 'TEST')],
  })
  const { result, rows } = await mapAll(mapping, [
    ['A', '1', '1', null, 'TEST'],
    ['B', 'bad', '1', null, 'TEST'],
    ['C', '1', '1', null, null],
  ])
  assert.deepEqual(result.counts, { read: 3, mapped: 1, rejected: 0, filtered: 2 })
  assert.deepEqual(result.filters, [{ reason: 'test order', count: 2 }])
  assert.equal(rows.rows?.length, 1)
})

test('computed fields, row checks and foreign validators refuse with their own words', async () => {
  const atMostTen = {
    '~standard': {
      version: 1 as const,
      vendor: 'by-hand',
      validate: (row: unknown) =>
        (row as { quantity: number }).quantity > 10
          ? { issues: [{ message: 'too many pieces', path: ['quantity'] }] }
          : { value: row },
    },
  }
  const mapping = defineMapping({
    name: 'checked',
    version: 1,
    doc: 'Orders with checks.',
    source: orderColumns,
    table: order,
    fields: {
      ...orderFields,
      id: read.compute(
        { from: ['Id', 'Ccy'], doc: 'Number and currency.', rule: 'joined' },
        (id, currency) => {
          if (id === 'boom') throw new TypeError('no such thing')
          return id === null ? refuse('must have a number') : `${id}-${currency}`
        },
      ),
      note: read.text('Note', {
        doc: 'No dots.',
        optional: true,
        check: note => (note.includes('.') ? 'must not hold a dot' : null),
      }),
    },
    checks: [
      {
        name: 'no-free-goods',
        fields: ['price'],
        test: row => (row.price === '0' ? 'gives goods away' : null),
      },
      atMostTen,
    ],
  })
  const { rejects, rows } = await mapAll(mapping, [
    ['A', '1', '1', 'EUR', null],
    [null, '1', '1', 'EUR', null],
    ['boom', '1', '1', 'EUR', null],
    ['C', '1', '1', 'EUR', 'a.b'],
    ['D', '11', '0', 'EUR', null],
  ])
  assert.deepEqual(rows.rows, [['A-EUR', 1, '1', 'EUR', null]])
  assert.deepEqual(
    rejects.map(({ issues }) => issues.map(({ code, message, field }) => [code, field, message])),
    [
      [['MAP_RULE_REFUSED', 'id', 'Id must have a number.']],
      [['MAP_RULE_FAILED', 'id', 'Id could not be judged, because its rule failed (no such thing).']],
      [['MAP_CHECK_REFUSED', 'note', 'Note must not hold a dot.']],
      [
        ['MAP_CHECK_REFUSED', 'price', 'The record gives goods away (no-free-goods).'],
        ['MAP_CHECK_REFUSED', 'quantity', 'The record is refused: too many pieces.'],
      ],
    ],
  )
})

const rate = defineTable(
  'treasury',
  'rate_sample',
  {
    day: column.date({ doc: 'Day.' }),
    currency: column.text({ doc: 'Currency.', max: 3 }),
    rate: column.decimal({ doc: 'Rate.', precision: 20, scale: 8 }),
  },
  { doc: 'Rates.', key: ['day', 'currency'] },
)

const spread = defineMapping({
  name: 'spread',
  version: 1,
  doc: 'One row per currency column.',
  source: ['Date', 'USD', 'JPY', 'CYP'],
  table: rate,
  spread: { over: ['USD', 'JPY', 'CYP'], nulls: ['N/A'] },
  fields: {
    day: read.date('Date', { doc: 'Day.' }),
    currency: read.text(SPREAD_NAME, { doc: 'Header of the column.' }),
    rate: read.decimal(SPREAD_VALUE, { doc: 'Value of the column.' }),
  },
})

test('a wide record becomes one row per column that has a value', async () => {
  const { rows, result, rejects } = await mapAll(spread, [
    ['2025-05-09', '1.1252', '163.36', 'N/A'],
    ['2025-05-08', 'N/A', null, 'N/A'],
    ['2025-05-07', '1.1', 'abc', '1'],
  ])
  assert.deepEqual(rows.rows, [
    ['2025-05-09', 'USD', '1.1252'],
    ['2025-05-09', 'JPY', '163.36'],
  ])
  assert.deepEqual(result.counts, { read: 3, mapped: 2, rejected: 1, filtered: 0 })
  assert.equal(rejects[0]?.issues[0]?.column, 'JPY')
  assert.deepEqual(spread.lineage.record?.rows?.[2]?.sources, ['USD', 'JPY', 'CYP'])
})

test('a mapping never throws, whatever the texts of a record are', async () => {
  const wild = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant(null), fc.array(fc.string())), {
    minLength: 5,
    maxLength: 5,
  })
  const everything = defineMapping({
    name: 'wild',
    version: 1,
    doc: 'All readers at once.',
    source: ['a', 'b', 'c', 'd', 'e'],
    table: defineTable(
      'any',
      'wild',
      {
        text: column.text({ doc: 'x', max: 4 }),
        number: column.decimal({ doc: 'x', precision: 5, scale: 2 }),
        day: column.date({ doc: 'x' }),
        instant: column.timestamp({ doc: 'x' }),
        flag: column.boolean({ doc: 'x' }),
        choice: column.text({ doc: 'x' }),
      },
      { doc: 'x', key: [] },
    ),
    fields: {
      text: read.text('a', { doc: 'x', pattern: /[a-z]+/i, case: 'upper', trim: true }),
      number: read.decimal('b', { doc: 'x', comma: true, thousands: 'apostrophe', negative: 'parentheses' }),
      day: read.date('c', { doc: 'x', format: 'dd.MM.yyyy' }),
      instant: read.timestamp('d', { doc: 'x' }),
      flag: read.boolean('e', { doc: 'x', yes: ['Y'], no: ['N'] }),
      choice: read.oneOf('e', { doc: 'x', values: { Y: 'yes', N: 'no' } }),
    },
  })
  await fc.assert(
    fc.asyncProperty(fc.array(wild, { maxLength: 5 }), async lines => {
      const { result } = await mapAll(everything, lines)
      assert.equal(result.counts.read, lines.length)
      assert.equal(result.counts.mapped + result.counts.rejected, lines.length)
    }),
  )
})

test('a file without a needed column is refused before its first record', async () => {
  const engine = plain as unknown as Mapping
  const stream = { ...streamOf(engine, [['A', '1']]), shapes: () => new Map([['record', ['Id', 'Qty']]]) }
  const blocks = mapRecords(stream, engine, context, new MapTally(engine, null))
  await assert.rejects(blocks.next(), {
    code: 'MAP_COLUMN_MISSING',
    details: { mapping: 'plain', kind: 'record', columns: ['Price', 'Ccy', 'Note'] },
  })
})

const bad = ['A', 'x', '1', null, null]
const good = ['A', '1', '1', null, null]

test('the reject limit by count stops a file early, and only after its rejects were given', async () => {
  const engine = plain as unknown as Mapping
  const tally = new MapTally(engine, { maxCount: 2, maxPercent: 100, minRecords: 1 })
  const stream = streamOf(engine, [bad, good, bad, bad, good, good], 2)
  const given: number[] = []
  await assert.rejects(
    async () => {
      for await (const block of mapRecords(stream, engine, context, tally)) given.push(block.rejects.length)
    },
    { code: 'MAP_REJECT_LIMIT' },
  )
  assert.deepEqual(given, [1, 2])
  assert.equal(tally.result().breach?.code, 'MAP_REJECT_LIMIT')
})

test('the reject limit by percent is judged at the end, and only from its minimum of records on', async () => {
  const limit = { maxCount: 100, maxPercent: 25, minRecords: 4 }
  const breach = async (lines: (string | null)[][]) => (await mapAll(plain, lines, limit)).result.breach?.code
  assert.equal(await breach([bad, bad, good]), undefined)
  assert.equal(await breach([bad, good, good, good]), undefined)
  assert.equal(await breach([bad, bad, good, good]), 'MAP_REJECT_LIMIT')
})

test('a mapping that can not be meant is refused when it is defined, with all its mistakes', () => {
  assert.throws(
    () =>
      defineMapping({
        name: 'wrong',
        version: 0,
        doc: 'x',
        source: ['Id', 'Id'],
        table: order as never,
        fields: { id: read.text('Nr', { doc: ' ', optional: true }), more: read.line({ doc: 'x' }) } as never,
      }),
    (error: Error) => {
      for (const part of [
        'lacks the field quantity',
        'gives more',
        '"Nr"',
        'empty doc',
        'twice',
        'version',
        'id is optional',
      ])
        assert.ok(error.message.includes(part), `${part} is not in: ${error.message}`)
      return true
    },
  )
})
