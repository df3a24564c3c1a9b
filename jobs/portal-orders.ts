/** Orders of the web shop, one file a day: portal (SFTP, CSV) -> sales.order_line. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { postgres } from '../lib/load/postgres.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { csv } from '../lib/parse/csv.ts'
import { mail } from '../lib/report/mail.ts'
import { orderLine } from '../mappings/portal/order-line.ts'
import { portalOrderToOrderLine } from '../mappings/portal/order-to-order-line.ts'
import { snapshots } from '../reconcile/snapshots.ts'

export default defineJob({
  name: 'portal-orders',
  purpose: "Yesterday's order lines of the portal reach the sales tables before the morning's planning.",
  owner: 'sales-operations',
  ifLate: 'Planning works with the day before; harmless until 07:00, then the warehouse picks by hand.',
  tags: ['sales'],
  fetch: sftp({
    endpoint: 'portal',
    feed: 'portal-orders',
    files: 'orders_{yyyyMMdd}*.csv',
    completeWhen: settled({ forMs: 1_000 }),
  }),
  parse: csv({ charset: 'utf-8' }),
  map: portalOrderToOrderLine,
  // Lines have no key of their own, so a corrected file replaces the rows of its day and no others.
  load: postgres({
    table: orderLine,
    mode: 'replace',
    scope: 'businessDate',
    rejects: { maxCount: 50, maxPercent: 2, minRecords: 100 },
  }),
  reconcile: snapshots({
    table: orderLine,
    scope: { businessDate: 'businessDate' },
    // Lines that got lost in the target come back from the portal's file; nobody changes or removes any.
    resolve: { authority: {}, rows: 'source', maxRows: 100, maxAmount: '10000.00' },
  }),
  report: mail({ to: 'sales' }),
})
