/** `sales.order_line`: what customers ordered in the portal, one row per line of an order. */
import { column, defineTable } from '../../lib/model/table.ts'

export const orderLine = defineTable(
  'sales',
  'order_line',
  {
    businessDate: column.date({
      doc: 'Day of the delivery that holds the line; a correction replaces the whole day.',
    }),
    invoiceNo: column.text({ doc: "The portal's invoice number; cancellations begin with C.", max: 20 }),
    stockCode: column.text({ doc: 'Article as the portal names it, letters included.', max: 20 }),
    description: column.text({
      doc: "The article's name in the portal, unchanged.",
      max: 200,
      nullable: true,
    }),
    quantity: column.integer({ doc: 'Pieces; negative for returns and corrections.' }),
    orderedAt: column.timestamp({ doc: 'When the order was placed.' }),
    unitPrice: column.decimal({
      doc: 'Price of one piece in GBP; zero and negative prices exist.',
      precision: 14,
      scale: 4,
    }),
    customerNo: column.text({ doc: 'Customer, null for guests.', max: 12, nullable: true, pii: 'personal' }),
    country: column.text({ doc: 'Country of the customer, as the portal writes it.', max: 60 }),
    cancellation: column.boolean({ doc: 'Whether the line cancels an earlier one.' }),
  },
  {
    doc: 'Order lines of the portal. Equal lines are legitimate: a customer may order the same article twice.',
    key: [],
    totals: { value: { sum: ['quantity', 'unitPrice'] } },
  },
)
