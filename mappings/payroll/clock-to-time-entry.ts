/** The time clocks' daily file (German CSV with decimal comma) to entries of the payroll service. */
import { defineMapping, leaveOut, read } from '../../lib/map/index.ts'
import { timeEntry } from './time-entry.ts'

/** Columns of the time clocks' file. */
export const clockColumns = [
  'PersNr',
  'Name',
  'Datum',
  'Lohnart',
  'Stunden',
  'Kostenstelle',
  'Freigabe',
] as const

const withinADay = (hours: string): string | null =>
  hours.startsWith('-') || Number(hours) > 24 ? 'must lie between 0 and 24 hours' : null

export const clockToTimeEntry = defineMapping({
  name: 'clock-to-time-entry',
  version: 1,
  doc: 'Hours per employee, day and kind of pay. The name stays behind: payroll knows its people by number.',
  source: clockColumns,
  table: timeEntry,
  fields: {
    employeeNo: read.text('PersNr', { doc: 'As received, eight digits.', pattern: /\d{8}/ }),
    workDate: read.date('Datum', { doc: 'Day of the shift, by its start.', format: 'dd.MM.yyyy' }),
    payCode: read.oneOf('Lohnart', {
      doc: 'The kinds of pay agreed with payroll.',
      values: { '100': 'regular', '110': 'overtime', '120': 'night', '200': 'sick', '210': 'holiday' },
    }),
    hours: read.decimal('Stunden', { doc: 'As received.', comma: true, check: withinADay }),
    costCenter: read.text('Kostenstelle', { doc: 'As received.', optional: true, nulls: ['-'] }),
    approved: read.boolean('Freigabe', { doc: 'Set by the foreman.', yes: ['J'], no: ['N'] }),
  },
  filters: [
    leaveOut({ reason: 'badge test of the technicians', from: ['PersNr'] }, number => number === '99999999'),
  ],
})
