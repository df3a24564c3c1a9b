/** Units: they tie, or all their records are rejected with the difference. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineDocumentMapping, read } from '../../../../lib/map/index.ts'
import { rejectFailedUnits } from '../../../../lib/map/map-records.ts'
import { issueOfUnit } from '../../../../lib/map/unit-fold.ts'
import { decimal, negate } from '../../../../lib/model/decimal.ts'
import type { Reject } from '../../../../lib/model/issue.ts'
import type { Mapping, UnitTerm } from '../../../../lib/model/mapping.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { context, mapAll, streamOf } from '../../../support/map-sample.ts'

const movement = defineTable(
  'finance',
  'movement',
  {
    sheet: column.text({ doc: 'x' }),
    no: column.integer({ doc: 'x' }),
    amount: column.decimal({ doc: 'x', precision: 12, scale: 2 }),
    currency: column.text({ doc: 'x' }),
  },
  { doc: 'x', key: ['sheet', 'no'], totals: { amount: { sum: ['amount'], per: 'currency' } } },
)

const balance = defineTable(
  'finance',
  'balance',
  {
    sheet: column.text({ doc: 'x' }),
    type: column.text({ doc: 'x' }),
    amount: column.decimal({ doc: 'x', precision: 12, scale: 2 }),
    currency: column.text({ doc: 'x' }),
  },
  { doc: 'x', key: ['sheet', 'type', 'currency'] },
)

const term = (label: string, row: { amount: string; currency: string }): UnitTerm => ({
  label,
  group: row.currency,
  amount: decimal(row.amount),
})

const sheets = (onFailure: 'unit' | 'file') =>
  defineDocumentMapping({
    name: 'sheets',
    version: 1,
    doc: 'x',
    records: { move: ['Sheet', 'Amount', 'Ccy'], state: ['Sheet', 'Type', 'Amount', 'Ccy'] },
    tables: { movements: movement, balances: balance },
    from: {
      move: {
        movements: {
          sheet: read.text('Sheet', { doc: 'x' }),
          no: read.ordinal({ doc: 'x' }),
          amount: read.decimal('Amount', { doc: 'x' }),
          currency: read.text('Ccy', { doc: 'x' }),
        },
      },
      state: {
        balances: {
          sheet: read.text('Sheet', { doc: 'x' }),
          type: read.oneOf('Type', { doc: 'x', values: ['open', 'before', 'close'] }),
          amount: read.decimal('Amount', { doc: 'x' }),
          currency: read.text('Ccy', { doc: 'x' }),
        },
      },
    },
    unit: {
      name: 'sheet',
      doc: 'x',
      key: { move: ['Sheet'], state: ['Sheet'] },
      law: 'opening + movements = closing',
      stated: ['opening', 'closing'],
      onFailure,
      terms: {
        movements: row => [term('movement', row)],
        balances: row =>
          row.type === 'close'
            ? [{ ...term('closing', row), amount: negate(decimal(row.amount)) }]
            : [{ ...term('opening', row), standIn: row.type === 'before' }],
      },
    },
  })

const move = (sheet: string | null, amount: string, currency = 'EUR') => ({
  kind: 'move',
  values: [sheet, amount, currency],
})
const state = (sheet: string, type: string, amount: string, currency = 'EUR') => ({
  kind: 'state',
  values: [sheet, type, amount, currency],
})

const tied = [state('S1', 'open', '10'), move('S1', '2.50'), move('S1', '-0.50'), state('S1', 'close', '12')]
const loose = [state('S2', 'open', '10'), move('S2', '2.50'), move('S2', '3'), state('S2', 'close', '123.85')]

test('a unit that does not tie is rejected whole, and its neighbour in the file is loaded', async () => {
  const mapping = sheets('unit')
  const { result } = await mapAll(mapping, [...tied, ...loose])
  assert.deepEqual(result.counts, { read: 8, mapped: 4, rejected: 4, filtered: 0 })
  assert.deepEqual(result.rows, { movements: 2, balances: 2 })
  assert.deepEqual(result.totals, [{ table: 'finance.movement', total: 'amount', group: 'EUR', amount: '2' }])
  assert.equal(result.breach, null)
  const [failed] = result.failedUnits
  assert.deepEqual(failed?.differences, [{ group: 'EUR', difference: '108.35' }])
  assert.equal(
    issueOfUnit(failed!, mapping.unit!).message,
    'sheet S2 does not tie: opening + movements = closing is off by 108.35 EUR; all its 4 records are rejected.',
  )
})

test('the second pass rejects exactly the records that fall with their unit, with raw text', async () => {
  const engine = sheets('unit') as unknown as Mapping
  const lines = [...loose, move('S2', 'bad'), ...tied]
  const { result, rejects } = await mapAll(engine, lines)
  assert.equal(rejects.length, 1)
  assert.equal(result.counts.rejected, 5)
  const fallen: Reject[] = []
  for await (const block of rejectFailedUnits(
    streamOf(engine, lines, 2),
    engine,
    context,
    result.failedUnits,
  ))
    fallen.push(...block)
  assert.deepEqual(
    fallen.map(({ line, raw, unit }) => [line, raw, unit]),
    loose.map(({ values }, index) => [index + 2, values.join(';'), 'S2']),
  )
  assert.match(fallen[0]!.issues[0]!.message, /1 of its 5 records can't be read/)
})

test('a unit with a rejected record is not judged by what is left of it', async () => {
  // What is left ties by accident: the rejected movement was zero.
  const { result } = await mapAll(sheets('unit'), [...tied, move('S1', '0.000000001')])
  assert.equal(result.counts.mapped, 0)
  assert.deepEqual([result.failedUnits[0]?.rejectedRecords, result.failedUnits[0]?.records], [1, 5])
})

test('a unit that lacks or repeats a stated total proves nothing and is rejected', async () => {
  const lacking = await mapAll(sheets('unit'), [move('S1', '0'), state('S1', 'open', '0')])
  assert.deepEqual(lacking.result.failedUnits[0]?.missing, ['closing'])
  const doubled = await mapAll(sheets('unit'), [...tied, ...tied])
  assert.deepEqual(doubled.result.failedUnits[0]?.repeated, ['opening', 'closing'])
})

test('a stand-in counts only where its group states no term of its own', async () => {
  const both = [state('S1', 'before', '9'), ...tied]
  assert.deepEqual((await mapAll(sheets('unit'), both)).result.failedUnits, [])
  const alone = [state('S1', 'before', '10'), ...tied.slice(1)]
  assert.deepEqual((await mapAll(sheets('unit'), alone)).result.failedUnits, [])
})

test('groups of a unit tie one by one, not in sum', async () => {
  const lines = [state('S1', 'open', '1', 'EUR'), state('S1', 'close', '1', 'USD')]
  const { result } = await mapAll(sheets('unit'), lines)
  assert.deepEqual(result.failedUnits[0]?.differences, [
    { group: 'EUR', difference: '-1' },
    { group: 'USD', difference: '1' },
  ])
})

test('where the mapping says so, a unit that does not tie stops the whole file', async () => {
  const { result } = await mapAll(sheets('file'), [...tied, ...loose])
  assert.equal(result.breach?.code, 'MAP_UNIT_FAILS_FILE')
  assert.match(result.breach!.message, /S2 does not tie/)
})

test('records of failed units are outside the reject limit', async () => {
  const limit = { maxCount: 0, maxPercent: 0, minRecords: 0 }
  assert.equal((await mapAll(sheets('unit'), [...tied, ...loose], limit)).result.breach, null)
  const withoutUnit = await mapAll(sheets('unit'), [move(null, '1')], {
    ...limit,
    maxCount: 1,
    minRecords: 9,
  })
  assert.equal(withoutUnit.rejects[0]?.issues[0]?.code, 'MAP_UNIT_MISSING')
})

test('ordinals count within the unit and do not depend on how records are cut into blocks', async () => {
  const lines = [...tied, ...loose]
  const numbers = async (size: number) =>
    (await mapAll(sheets('unit'), lines, null, size)).rows.movements?.map(([sheet, no]) => `${sheet} ${no}`)
  assert.deepEqual(await numbers(1), ['S1 1', 'S1 2', 'S2 1', 'S2 2'])
  assert.deepEqual(await numbers(8), await numbers(3))
})
