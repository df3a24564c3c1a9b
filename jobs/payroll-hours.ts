/** Hours worked: time clocks (SFTP, German CSV) -> the payroll service's bulk API. */
import { settled, sftp } from '../lib/fetch/sources.ts'
import { api } from '../lib/load/api.ts'
import { defineJob } from '../lib/model/define-job.ts'
import { csv } from '../lib/parse/csv.ts'
import { mail } from '../lib/report/mail.ts'
import { clockColumns, clockToTimeEntry } from '../mappings/payroll/clock-to-time-entry.ts'
import { timeEntry } from '../mappings/payroll/time-entry.ts'

export default defineJob({
  name: 'payroll-hours',
  purpose: 'The hours of the day reach payroll, which pays from them at the end of the month.',
  owner: 'payroll',
  ifLate: 'Harmless on most days; on the last business day of the month wages are paid late after 12:00.',
  tags: ['payroll'],
  fetch: sftp({
    endpoint: 'payroll',
    feed: 'payroll-hours',
    files: 'hours_{yyyyMMdd}*.csv',
    completeWhen: settled({ forMs: 1_000 }),
  }),
  parse: csv({
    delimiter: ';',
    charset: 'windows-1252',
    columns: clockColumns,
    trailer: { starts: 'T;', count: 2 },
  }),
  map: clockToTimeEntry,
  load: api({
    endpoint: 'hours',
    path: 'time-entries',
    table: timeEntry,
    rejects: { maxCount: 20, maxPercent: 5, minRecords: 50 },
  }),
  // The API answers for each row, and each answer is kept: sent = applied + unchanged + rejected. It can't be read back.
  reconcile: { comparisons: [] },
  report: mail({ to: 'payroll' }),
})
