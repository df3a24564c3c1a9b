/** `purchasing.purchase_order` and `purchasing.purchase_order_line`: what was ordered from vendors. */
import { column, defineTable } from '../../lib/model/table.ts'

const orderNo = column.integer({ doc: 'Number of the order.' })
const money = (doc: string) => column.decimal({ doc, precision: 19, scale: 4 })
const pieces = (doc: string) => column.decimal({ doc, precision: 10, scale: 2 })

export const purchaseOrder = defineTable(
  'purchasing',
  'purchase_order',
  {
    orderNo,
    revision: column.integer({ doc: 'How often the order was changed.' }),
    status: column.text({ doc: 'pending, approved, rejected or complete.', max: 8 }),
    employeeNo: column.integer({ doc: 'Who ordered.' }),
    vendorNo: column.integer({ doc: 'From whom.' }),
    shipMethodNo: column.integer({ doc: 'How it is shipped.' }),
    orderedOn: column.date({ doc: 'Day of the order.' }),
    shippedOn: column.date({ doc: 'Day of the shipment.', nullable: true }),
    subTotal: money('Sum of the lines.'),
    tax: money('Tax on the order.'),
    freight: money('Freight of the order.'),
    totalDue: money('What is to be paid.'),
  },
  {
    doc: 'Purchase orders, one row per order.',
    key: ['orderNo'],
    totals: { subTotal: { sum: ['subTotal'] }, totalDue: { sum: ['totalDue'] } },
  },
)

export const purchaseOrderLine = defineTable(
  'purchasing',
  'purchase_order_line',
  {
    orderNo,
    lineNo: column.integer({ doc: 'Number of the line, unique over all orders.' }),
    dueOn: column.date({ doc: 'Day on which it is expected.' }),
    quantity: column.integer({ doc: 'Pieces ordered.' }),
    productNo: column.integer({ doc: 'What is ordered.' }),
    unitPrice: money('Price of one piece.'),
    lineTotal: money('Quantity x price, as the ERP states it.'),
    received: pieces('Pieces received.'),
    rejected: pieces('Pieces sent back.'),
    stocked: pieces('Pieces put into stock.'),
  },
  {
    doc: 'Lines of purchase orders.',
    key: ['orderNo', 'lineNo'],
    totals: { lineTotal: { sum: ['lineTotal'] } },
  },
)
