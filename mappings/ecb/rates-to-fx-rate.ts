/**
 * The ECB's reference rates to `treasury.fx_rate`, twice: from the XML that is loaded, and from the
 * wide CSV (a row per day, a column per currency) that it is reconciled against.
 */
import { defineMapping, read, SPREAD_NAME, SPREAD_VALUE } from '../../lib/map/index.ts'
import { fxRate } from './fx-rate.ts'

/** Columns of a rate in the XML: the innermost Cube, and the day of the one around it. */
export const rateXmlColumns = ['@currency', '@rate', '../@time'] as const

/** The currencies that ever had a column in the CSV, in its order. */
export const csvCurrencies = [
  ...['USD', 'JPY', 'BGN', 'CYP', 'CZK', 'DKK', 'EEK', 'GBP', 'HUF', 'LTL', 'LVL', 'MTL', 'PLN', 'ROL'],
  ...['RON', 'SEK', 'SIT', 'SKK', 'CHF', 'ISK', 'NOK', 'HRK', 'RUB', 'TRL', 'TRY', 'AUD', 'BRL', 'CAD'],
  ...['CNY', 'HKD', 'IDR', 'ILS', 'INR', 'KRW', 'MXN', 'MYR', 'NZD', 'PHP', 'SGD', 'THB', 'ZAR'],
] as const

const positive = (rate: string): string | null =>
  rate.startsWith('-') || rate === '0' ? 'must be greater than zero' : null

const code = /[A-Z]{3}/

export const ecbXmlToFxRate = defineMapping({
  name: 'ecb-xml-to-fx-rate',
  version: 1,
  doc: 'Each rate of each day in the file, also of days that were delivered before: the ECB restates.',
  source: rateXmlColumns,
  table: fxRate,
  fields: {
    currency: read.text('@currency', { doc: 'As received.', pattern: code }),
    date: read.date('../@time', { doc: 'Day of the Cube around the rate.' }),
    rate: read.decimal('@rate', { doc: 'As received, to the last digit.', check: positive }),
  },
})

export const ecbCsvToFxRate = defineMapping({
  name: 'ecb-csv-to-fx-rate',
  version: 1,
  doc: 'A row per day becomes a rate per currency column that has a value; N/A says that there is none.',
  source: ['Date', ...csvCurrencies],
  table: fxRate,
  spread: { over: csvCurrencies, nulls: ['N/A'] },
  fields: {
    currency: read.text(SPREAD_NAME, { doc: 'The header of the column.', pattern: code }),
    date: read.date('Date', { doc: 'As received.' }),
    rate: read.decimal(SPREAD_VALUE, { doc: 'As received, to the last digit.', check: positive }),
  },
})
