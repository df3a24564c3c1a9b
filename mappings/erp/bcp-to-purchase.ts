/**
 * The ERP's bcp files of purchase orders (TAB, no header) to `purchasing.*`: headers and lines come in
 * files of their own. In both the unit is the order; that headers tie to their lines is proved by the job
 * of the headers.
 */
import { defineMapping, read } from '../../lib/map/index.ts'
import { add, type Decimal, decimal, multiply, negate, subtract } from '../../lib/model/decimal.ts'
import { purchaseOrder, purchaseOrderLine } from './purchase-tables.ts'

/** Columns of a header, by the ERP's own names. */
export const headerColumns = [
  ...(['PurchaseOrderID', 'RevisionNumber', 'Status', 'EmployeeID', 'VendorID', 'ShipMethodID'] as const),
  ...(['OrderDate', 'ShipDate', 'SubTotal', 'TaxAmt', 'Freight', 'TotalDue', 'ModifiedDate'] as const),
] as const

/** Columns of a line, by the ERP's own names. */
export const lineColumns = [
  ...(['PurchaseOrderID', 'PurchaseOrderDetailID', 'DueDate', 'OrderQty', 'ProductID'] as const),
  ...(['UnitPrice', 'LineTotal', 'ReceivedQty', 'RejectedQty', 'StockedQty', 'ModifiedDate'] as const),
] as const

const asReceived = { doc: 'As received.' }
const day = { format: 'yyyy-MM-dd HH:mm:ss.SSS', time: 'dropped' } as const

/** A term of an order's law. The ERP states no currency; lines are told apart, lest two wrong ones even out. */
function term(label: string, amount: Decimal, group = ''): { label: string; group: string; amount: Decimal } {
  return { label, group, amount }
}

export const bcpToPurchaseOrder = defineMapping({
  name: 'bcp-to-purchase-order',
  version: 1,
  doc: 'A line of the header file is an order.',
  source: headerColumns,
  table: purchaseOrder,
  fields: {
    orderNo: read.integer('PurchaseOrderID', asReceived),
    revision: read.integer('RevisionNumber', asReceived),
    status: read.oneOf('Status', {
      doc: "The ERP's codes in words.",
      values: { '1': 'pending', '2': 'approved', '3': 'rejected', '4': 'complete' },
    }),
    employeeNo: read.integer('EmployeeID', asReceived),
    vendorNo: read.integer('VendorID', asReceived),
    shipMethodNo: read.integer('ShipMethodID', asReceived),
    orderedOn: read.date('OrderDate', { doc: 'Its time is always midnight.', ...day }),
    shippedOn: read.date('ShipDate', { doc: 'Its time is always midnight.', optional: true, ...day }),
    subTotal: read.decimal('SubTotal', asReceived),
    tax: read.decimal('TaxAmt', asReceived),
    freight: read.decimal('Freight', asReceived),
    totalDue: read.decimal('TotalDue', asReceived),
  },
  unit: {
    name: 'order',
    doc: 'An order is to be paid for what it adds up to.',
    key: ['PurchaseOrderID'],
    law: 'sub total + tax + freight = total due',
    stated: ['total due'],
    terms: ({ subTotal, tax, freight, totalDue }) => [
      term('sum', add(add(decimal(subTotal), decimal(tax)), decimal(freight))),
      term('total due', negate(decimal(totalDue))),
    ],
  },
})

export const bcpToPurchaseOrderLine = defineMapping({
  name: 'bcp-to-purchase-order-line',
  version: 1,
  doc: 'A line of the detail file is a line of an order.',
  source: lineColumns,
  table: purchaseOrderLine,
  fields: {
    orderNo: read.integer('PurchaseOrderID', asReceived),
    lineNo: read.integer('PurchaseOrderDetailID', asReceived),
    dueOn: read.date('DueDate', { doc: 'Its time is always midnight.', ...day }),
    quantity: read.integer('OrderQty', asReceived),
    productNo: read.integer('ProductID', asReceived),
    unitPrice: read.decimal('UnitPrice', asReceived),
    lineTotal: read.decimal('LineTotal', asReceived),
    received: read.decimal('ReceivedQty', asReceived),
    rejected: read.decimal('RejectedQty', asReceived),
    stocked: read.decimal('StockedQty', asReceived),
  },
  unit: {
    name: 'order',
    doc: 'All lines of an order, or none: half an order would tie to no header.',
    key: ['PurchaseOrderID'],
    law: 'quantity x price = line total',
    terms: ({ lineNo, quantity, unitPrice, lineTotal }) => {
      const off = subtract(multiply(decimal(String(quantity)), decimal(unitPrice)), decimal(lineTotal))
      return [term('line', off, `on line ${lineNo}`)]
    },
  },
})
