/** Purchase orders: ERP (SFTP, bcp file) -> purchasing.purchase_order, each header tied to its lines. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { postgres } from '../lib/load/postgres.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { csv } from '../lib/parse/csv.ts'
import { mail } from '../lib/report/mail.ts'
import { bcpToPurchaseOrder, headerColumns } from '../mappings/erp/bcp-to-purchase.ts'
import { purchaseOrder } from '../mappings/erp/purchase-tables.ts'
import { comparison, query, snapshots } from '../reconcile/snapshots.ts'

/** Every order that has lines, with their sum in the place of the sub total that its header states. */
const ordersByLines = query(
  `SELECT l.order_no, l.sub_total, o.revision, o.status, o.employee_no, o.vendor_no, o.ship_method_no,
     o.ordered_on, o.shipped_on, o.tax, o.freight, l.sub_total + o.tax + o.freight AS total_due
   FROM (SELECT order_no, sum(line_total) AS sub_total FROM purchasing.purchase_order_line GROUP BY order_no) l
   LEFT JOIN purchasing.purchase_order o ON o.order_no = l.order_no`,
)

export default defineJob({
  name: 'purchase-orders',
  purpose:
    'All purchase orders are in purchasing, tied to their lines, before invoices are checked at 08:00.',
  owner: 'purchasing',
  ifLate: 'Invoices are checked against the orders of the day before; new orders wait until the afternoon.',
  tags: ['purchasing'],
  fetch: sftp({
    endpoint: 'erp',
    feed: 'purchase-orders',
    files: 'PurchaseOrderHeader_{yyyyMMdd}.csv',
    completeWhen: settled({ forMs: 1_000 }),
  }),
  parse: csv({ delimiter: '\t', quote: null, header: headerColumns }),
  map: bcpToPurchaseOrder,
  // Each file holds all orders.
  load: postgres({ table: purchaseOrder, mode: 'mirror' }),
  reconcile: snapshots(
    comparison({ table: purchaseOrder }),
    // The tie-out: an order without lines, lines without an order, and a sum that differs are breaks.
    comparison({ table: purchaseOrder, name: 'sums_of_lines', target: ordersByLines }),
  ),
  report: mail({ to: 'purchasing' }),
})
