/** Euro reference rates: ECB (SFTP, XML) -> treasury.fx_rate, proved against the ECB's own CSV. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { postgres } from '../lib/load/postgres.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { csv } from '../lib/parse/csv.ts'
import { xml } from '../lib/parse/xml.ts'
import { mail } from '../lib/report/mail.ts'
import { fxRate } from '../mappings/ecb/fx-rate.ts'
import { ecbCsvToFxRate, ecbXmlToFxRate, rateXmlColumns } from '../mappings/ecb/rates-to-fx-rate.ts'
import { comparison, files, snapshots } from '../reconcile/snapshots.ts'

const whole = settled({ forMs: 1_000 })

/** The same rates once more, made by the ECB in another way: the whole history, a row per day. */
const history = files({
  fetch: sftp({
    endpoint: 'ecb',
    feed: 'ecb-history',
    files: 'eurofxref-hist*_{yyyyMMdd}.csv',
    completeWhen: whole,
  }),
  parse: csv(),
  map: ecbCsvToFxRate,
  // The CSV goes back to 1999; only the days and currencies of tonight's XML are compared.
  scope: 'keysOfOther',
})

export default defineJob({
  name: 'fx-rates',
  purpose: 'The reference rates of the day are in treasury before invoices in foreign currency are valued.',
  owner: 'treasury',
  ifLate: 'Invoices are valued at the rates of the day before; treasury must approve that after 20:00.',
  tags: ['treasury'],
  fetch: sftp({
    endpoint: 'ecb',
    feed: 'ecb-rates',
    files: 'eurofxref-hist*_{yyyyMMdd}.xml',
    perDate: 'many',
    completeWhen: whole,
  }),
  parse: xml({ records: { record: { path: 'Envelope/Cube/Cube/Cube', columns: rateXmlColumns } } }),
  map: ecbXmlToFxRate,
  load: postgres({ table: fxRate, mode: 'upsert' }),
  reconcile: snapshots(
    comparison({
      table: fxRate,
      scope: 'keysOfOther',
      // The ECB decides about its rates: what somebody changed here by hand may be put back, a few at a time.
      resolve: { authority: { rate: 'source' }, rows: 'source', maxRows: 50, maxAmount: '100000' },
    }),
    comparison({ table: fxRate, name: 'ecb_history', target: history }),
  ),
  report: mail({ to: 'treasury' }),
})
