/**
 * What a daily order file of the portal comes to in sales.order_line: one row per line, nothing left
 * out, bad lines rejected. Written from docs/integrations and the portal's own description.
 */
import { decimal, length, londonInstant } from './plain-values.ts'
import { csvRecords, decode } from './read-csv.ts'
import type { Expected, Refused, Row } from './spec.ts'

const TABLE = 'sales.order_line'

const COLUMNS = [
  ...['InvoiceNo', 'StockCode', 'Description', 'Quantity'],
  ...['InvoiceDate', 'UnitPrice', 'CustomerID', 'Country'],
]

/** More rejects than this refuse the file: 50, or 2 % of 100 records and more. */
function tooMany(rejected: number, read: number): boolean {
  return rejected > 50 || (read >= 100 && rejected * 100 > 2 * read)
}

/** Rows by their bytes and the date of the delivery, but for those that the target refuses. */
export function expectedOrders(
  bytes: Uint8Array,
  businessDate: string,
  refused: readonly Refused[],
): Expected {
  const text = decode(bytes, 'utf-8')
  const [header, ...records] = (text === null ? null : csvRecords(text, ',')) ?? []
  const at = (name: string): number => header!.fields.indexOf(name)
  if (header === undefined || COLUMNS.some(name => at(name) < 0)) return unusable('header or bytes')
  if (new Set(header.fields).size !== header.fields.length) return unusable('doubled header')
  const rows: Row[] = []
  const rejected: number[] = []
  for (const { line, fields } of records) {
    const whole = fields.length === header.fields.length && !fields.some(field => field.includes('\0'))
    const row = whole ? orderLine(businessDate, name => fields[at(name)]!) : null
    if (row === null || refused.some(({ table, column, value }) => table === TABLE && row[column] === value))
      rejected.push(line)
    else rows.push(row)
  }
  if (records.length === 0) return unusable('no record')
  if (tooMany(rejected.length, records.length)) return unusable('too many rejects')
  return {
    read: records.length,
    filtered: 0,
    rejected,
    rows: { [TABLE]: rows },
    unusable: null,
  }
}

function unusable(why: string): Expected {
  return { read: 0, filtered: 0, rejected: [], rows: {}, unusable: why }
}

/** One row; null when anything about it is wrong. */
function orderLine(businessDate: string, of: (name: string) => string): Row | null {
  const [invoice, stock, country] = [of('InvoiceNo'), of('StockCode'), of('Country')]
  const quantity = /^[+-]?\d+$/.test(of('Quantity')) ? Number(of('Quantity')) : Number.NaN
  const customer = of('CustomerID').replace(/^(\d+)\.0$/, '$1')
  const orderedAt = londonInstant(of('InvoiceDate'))
  const unitPrice = decimal(of('UnitPrice'), 14, 4)
  const right =
    /^[A-Z]?\d+$/.test(invoice) &&
    length(invoice) <= 20 &&
    stock !== '' &&
    length(stock) <= 20 &&
    country !== '' &&
    length(country) <= 60 &&
    length(of('Description')) <= 200 &&
    Number.isSafeInteger(quantity) &&
    /^\d{0,12}$/.test(customer)
  if (!right || orderedAt === undefined || unitPrice === undefined) return null
  return {
    business_date: businessDate,
    invoice_no: invoice,
    stock_code: stock,
    description: of('Description') === '' ? null : of('Description'),
    quantity: String(quantity + 0),
    ordered_at: orderedAt,
    unit_price: unitPrice,
    customer_no: customer === '' ? null : customer,
    country,
    cancellation: String(invoice.startsWith('C')),
  }
}
