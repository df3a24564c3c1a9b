/**
 * The delimited file of the benchmarks: 12 columns, about 150 bytes a row, with quotes, decimals,
 * dates, local timestamps, names beyond ASCII and one bad record in a thousand; and its mapping.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { postgres } from '../lib/load/postgres.ts'
import { defineMapping, read } from '../lib/map/index.ts'
import type { Mapping } from '../lib/model/mapping.ts'
import { column, defineTable } from '../lib/model/table.ts'
import { csv } from '../lib/parse/csv.ts'
import type { Feed } from './feed-load.ts'

const COLUMNS = [
  'OrderNo',
  'Customer',
  'Email',
  'Product',
  'Country',
  'Quantity',
  'UnitPrice',
  'Discount',
  'Currency',
  'OrderDate',
  'CreatedAt',
  'Note',
] as const

/** Where the rows go. */
const orders = defineTable(
  'bench',
  'orders',
  {
    orderNo: column.integer({ doc: 'Order number.' }),
    customer: column.text({ doc: 'Name of the customer.', max: 80 }),
    email: column.text({ doc: 'Where the invoice goes.', max: 120 }),
    product: column.text({ doc: 'Product as ordered.', max: 120 }),
    country: column.text({ doc: 'ISO 3166 code.', max: 2 }),
    quantity: column.integer({ doc: 'Pieces.' }),
    unitPrice: column.decimal({ doc: 'Price of a piece.', precision: 12, scale: 4 }),
    discount: column.decimal({ doc: 'Percent.', precision: 5, scale: 2, nullable: true }),
    currency: column.text({ doc: 'ISO 4217 code.', max: 3 }),
    orderDate: column.date({ doc: 'Day of the order.' }),
    createdAt: column.timestamp({ doc: 'When it was entered.' }),
    note: column.text({ doc: 'Free text.', nullable: true }),
  },
  {
    doc: 'Orders of the benchmarks.',
    key: ['orderNo'],
    totals: { value: { sum: ['quantity', 'unitPrice'], per: 'currency' } },
  },
)

/** From the file to the table: every field is validated. */
const orderMapping = defineMapping({
  name: 'bench-orders',
  version: 1,
  doc: 'Orders of the benchmarks as they are.',
  source: COLUMNS,
  table: orders,
  fields: {
    orderNo: read.integer('OrderNo', { doc: 'As received.' }),
    customer: read.text('Customer', { doc: 'As received.' }),
    email: read.text('Email', { doc: 'As received.' }),
    product: read.text('Product', { doc: 'As received.' }),
    country: read.oneOf('Country', { doc: 'As received.', values: ['DE', 'FR', 'PL', 'SE', 'GB', 'TR'] }),
    quantity: read.integer('Quantity', { doc: 'As received.' }),
    unitPrice: read.decimal('UnitPrice', { doc: 'As received.' }),
    discount: read.decimal('Discount', { doc: 'As received.', optional: true }),
    currency: read.text('Currency', { doc: 'As received.', default: 'EUR' }),
    orderDate: read.date('OrderDate', { doc: 'As received.' }),
    createdAt: read.timestamp('CreatedAt', {
      doc: 'Local time of the shop.',
      format: 'yyyy-MM-dd HH:mm:ss',
      zone: 'Europe/Berlin',
      ambiguous: 'earlier',
      missing: 'later',
    }),
    note: read.text('Note', { doc: 'As received.', optional: true }),
  },
})

/** The job's part of the file; one bad record in a thousand is within its limit. */
export const orderFeed: Feed = {
  parse: csv({ recordEnds: ['\r\n', '\n'] }),
  mapping: orderMapping as unknown as Mapping,
  load: postgres({
    table: orders,
    mode: 'upsert',
    rejects: { maxCount: 100_000, maxPercent: 1, minRecords: 100 },
  }),
}

const FIRST = ['Anna', 'Jürgen', 'Łukasz', 'Søren', 'José', 'Çağla', 'Peter', 'Marie', 'John', 'Zoë']
const LAST = ['Müller', 'Smith', 'Kowalczyk', 'Dupont', 'Öztürk', 'Andersson', 'García', 'Weber', 'Brown']
const THINGS = [
  'Cable tie 2.5 mm',
  'Gear wheel M3 x 40',
  'Toner black',
  'Bolt',
  'Filter bag, large',
  '19" rack shelf',
]
const COUNTRIES = ['DE', 'FR', 'PL', 'SE', 'GB', 'TR']
const CURRENCIES = ['EUR', 'EUR', 'EUR', 'PLN', 'SEK', 'GBP']
const NOTES = ['', '', '', 'leave at the gate', 'call first, then "ring twice"', 'two\nlines']

/** Rows written at once. */
const BATCH = 5_000

/** What is written. */
export interface FeedOptions {
  readonly rows: number
  /** Of 10,000 rows so many get another price than in the file without changes. Default 0. */
  readonly changed?: number
  /** Whether one record in a thousand is bad. Default true. */
  readonly bad?: boolean
}

/** Writes the file; the same options always give the same bytes. */
export async function writeOrders(path: string, options: FeedOptions): Promise<void> {
  const out = createWriteStream(path)
  out.write(`${COLUMNS.join(',')}\r\n`)
  let text = ''
  for (let row = 0; row < options.rows; row += 1) {
    text += orderLine(row, options)
    if (row % BATCH !== BATCH - 1) continue
    if (!out.write(text)) await once(out, 'drain')
    text = ''
  }
  out.end(text)
  await finished(out)
}

function orderLine(row: number, { changed = 0, bad = true }: FeedOptions): string {
  // A multiplicative hash: digits that look random and are the same each time.
  const random = Math.imul(row + 1, 0x9e3779b1) >>> 0
  const pick = <T>(list: readonly T[], shift: number): T => list[(random >>> shift) % list.length]!
  const name = `${pick(FIRST, 3)} ${pick(LAST, 7)}`
  const cents = (random >>> 5) % 1_000_000
  const isChanged = changed > 0 && (random >>> 9) % 10_000 < changed
  const price =
    bad && row % 1_000 === 777
      ? 'n/a'
      : `${Math.floor(cents / 100) + (isChanged ? 1 : 0)}.${two(cents % 100)}`
  const minutes = row % 1440
  const date = `2026-${two(1 + ((random >>> 11) % 12))}-${two(1 + ((random >>> 13) % 28))}`
  return `${[
    `${10_000_000 + row}`,
    random % 4 === 0 ? `"${name}, ${pick(LAST, 9)}"` : name,
    `customer.${random % 900_000}@example.com`,
    quotedIf(pick(THINGS, 4)),
    pick(COUNTRIES, 6),
    `${1 + ((random >>> 8) % 40)}`,
    price,
    random % 3 === 0 ? '' : `${(random >>> 10) % 30}.5`,
    pick(CURRENCIES, 12),
    date,
    `${date} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(random % 60)}`,
    quotedIf(pick(NOTES, 14)),
  ].join(',')}\r\n`
}

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

function quotedIf(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
