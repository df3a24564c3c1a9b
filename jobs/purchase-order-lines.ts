/** Lines of purchase orders: ERP (SFTP, bcp file) -> purchasing.purchase_order_line. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { postgres } from '../lib/load/postgres.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { csv } from '../lib/parse/csv.ts'
import { mail } from '../lib/report/mail.ts'
import { bcpToPurchaseOrderLine, lineColumns } from '../mappings/erp/bcp-to-purchase.ts'
import { purchaseOrderLine } from '../mappings/erp/purchase-tables.ts'
import { snapshots } from '../reconcile/snapshots.ts'

export default defineJob({
  name: 'purchase-order-lines',
  purpose: 'The lines of all purchase orders are there when the headers come, which are proved against them.',
  owner: 'purchasing',
  ifLate:
    'Orders show as breaks of purchase-orders until their lines are loaded; nothing is paid twice by it.',
  tags: ['purchasing'],
  fetch: sftp({
    endpoint: 'erp',
    feed: 'purchase-order-lines',
    files: 'PurchaseOrderDetail_{yyyyMMdd}.csv',
    completeWhen: settled({ forMs: 1_000 }),
  }),
  parse: csv({ delimiter: '\t', quote: null, header: lineColumns }),
  map: bcpToPurchaseOrderLine,
  // Each file holds all orders.
  load: postgres({ table: purchaseOrderLine, mode: 'mirror' }),
  reconcile: snapshots({ table: purchaseOrderLine }),
  report: mail({ to: 'purchasing' }),
})
