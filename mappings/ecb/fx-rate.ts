/** `treasury.fx_rate`: euro reference rates of the European Central Bank. */
import { column, defineTable } from '../../lib/model/table.ts'

export const fxRate = defineTable(
  'treasury',
  'fx_rate',
  {
    currency: column.text({ doc: 'ISO 4217 code of the quoted currency.', max: 3 }),
    date: column.date({ doc: 'Day that the rate is for.' }),
    rate: column.decimal({ doc: 'Units of the currency for one euro.', precision: 20, scale: 8 }),
  },
  {
    doc: 'Euro reference rates, one per currency and day.',
    key: ['currency', 'date'],
    asOf: 'asOf',
    totals: { rates: { sum: ['rate'], per: 'currency', of: 'quantity' } },
  },
)
