/** Bank statements: banks (SFTP, camt.053) -> finance.bank_entry and finance.bank_balance. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { postgres } from '../lib/load/postgres.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { xml } from '../lib/parse/xml.ts'
import { mail } from '../lib/report/mail.ts'
import { bankBalance, bankEntry } from '../mappings/bank/bank-tables.ts'
import { balanceColumns, camt053ToBank, entryColumns } from '../mappings/bank/camt053-to-bank.ts'
import { comparison, snapshots } from '../reconcile/snapshots.ts'

export default defineJob({
  name: 'bank-statements',
  purpose: 'Entries and balances of all accounts are in finance before payments are matched at 07:00.',
  owner: 'treasury',
  ifLate: 'Payments are matched a day later and dunning letters go out too early; call the bank after 06:30.',
  tags: ['treasury', 'bank'],
  fetch: sftp({
    endpoint: 'bank',
    feed: 'bank-statements',
    files: 'camt053_{yyyyMMdd}_*.xml',
    perDate: 'many',
    completeWhen: settled({ forMs: 1_000 }),
  }),
  parse: xml({
    records: {
      balance: { path: 'Document/BkToCstmrStmt/Stmt/Bal', columns: balanceColumns },
      entry: { path: 'Document/BkToCstmrStmt/Stmt/Ntry', columns: entryColumns },
    },
  }),
  map: camt053ToBank,
  load: postgres({ tables: { entries: bankEntry, balances: bankBalance }, mode: 'upsert' }),
  reconcile: snapshots(
    comparison({ table: bankEntry, scope: 'keysOfOther' }),
    comparison({ table: bankBalance, scope: 'keysOfOther' }),
  ),
  report: mail({ to: 'treasury' }),
})
