/** The portal's daily order file (CSV) to `sales.order_line`. */
import { defineMapping, read, refuse } from '../../lib/map/index.ts'
import { orderLine } from './order-line.ts'

/** Columns of the portal's daily file. */
export const orderColumns = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const

/** The portal exports customer numbers through a spreadsheet: `17850.0` is customer 17850. */
export function customerNumber(text: string | null): string | null | ReturnType<typeof refuse> {
  if (text === null) return null
  const match = /^(\d+)(?:\.0)?$/.exec(text)
  return match === null ? refuse('must be a customer number such as 17850 or 17850.0') : match[1]!
}

/** Cancellations are told by their number alone: `C536379`. */
export function isCancellation(invoiceNo: string | null): boolean {
  return invoiceNo?.startsWith('C') ?? false
}

export const portalOrderToOrderLine = defineMapping({
  name: 'portal-order-to-order-line',
  version: 1,
  doc: 'One line of the daily order file is one order line. Nothing is left out: returns, cancellations and gifts count.',
  source: orderColumns,
  table: orderLine,
  fields: {
    businessDate: read.businessDate({ doc: 'The file has no date of its own besides its name.' }),
    invoiceNo: read.text('InvoiceNo', { doc: 'As received.', pattern: /[A-Z]?\d+/ }),
    stockCode: read.text('StockCode', { doc: 'As received; leading zeros and letters matter.' }),
    description: read.text('Description', {
      doc: 'As received, blanks at its end included.',
      optional: true,
    }),
    quantity: read.integer('Quantity', { doc: 'As received, negative for returns.' }),
    orderedAt: read.timestamp('InvoiceDate', {
      doc: 'Local time of the shop in London.',
      format: 'yyyy-MM-dd HH:mm:ss',
      zone: 'Europe/London',
    }),
    unitPrice: read.decimal('UnitPrice', { doc: 'As received.' }),
    customerNo: read.compute(
      { from: ['CustomerID'], doc: 'Empty for guests.', rule: 'text, without the .0 of the spreadsheet' },
      customerNumber,
    ),
    country: read.text('Country', { doc: 'As received.' }),
    cancellation: read.compute(
      {
        from: ['InvoiceNo'],
        doc: 'Cancellations keep their own number.',
        rule: 'true when it begins with C',
      },
      isCancellation,
    ),
  },
})
