/** Time entries as the payroll service takes them (`POST /time-entries`, a JSON array). */
import { column, defineTable } from '../../lib/model/table.ts'

export const timeEntry = defineTable(
  'payroll',
  'time_entry',
  {
    employeeNo: column.text({
      doc: 'Personnel number, eight digits with leading zeros.',
      max: 8,
      pii: 'personal',
    }),
    workDate: column.date({ doc: 'Day that was worked.' }),
    payCode: column.text({ doc: 'regular, overtime, night, sick or holiday.', max: 10 }),
    hours: column.decimal({ doc: 'Hours, in hundredths.', precision: 6, scale: 2 }),
    costCenter: column.text({
      doc: 'Cost centre, null where the employee has only one.',
      max: 10,
      nullable: true,
    }),
    approved: column.boolean({ doc: 'Whether the foreman has signed it.' }),
  },
  {
    doc: 'Hours worked, one entry per employee, day and pay code.',
    key: ['employeeNo', 'workDate', 'payCode'],
    totals: { hours: { sum: ['hours'], of: 'quantity' } },
  },
)
