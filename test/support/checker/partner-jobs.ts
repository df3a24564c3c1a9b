/**
 * The four sample jobs as the checker knows them: whose files they take, for which date, and what
 * their targets look like. Written down here a second time on purpose: nothing is asked of the engine.
 */
import { expectedHours } from './expected-hours.ts'
import { expectedOrders } from './expected-orders.ts'
import { expectedRates } from './expected-rates.ts'
import { expectedStatements } from './expected-statements.ts'
import type { Expected, Refused } from './spec.ts'

/** How a column is read as canonical text. */
export type Kind = 'text' | 'number' | 'date' | 'instant'

/** A target table. */
export interface Target {
  readonly name: string
  readonly columns: Readonly<Record<string, Kind>>
  /** Empty: equal rows are legitimate, and the rows of a date are compared as a bag. */
  readonly key: readonly string[]
}

/** A job. */
export interface PartnerJob {
  readonly name: string
  readonly endpoint: string
  readonly feed: string
  /** The name of its files, with the date as first group. */
  readonly files: RegExp
  readonly perDate: 'one' | 'many'
  readonly expected: (bytes: Uint8Array, businessDate: string, refused: readonly Refused[]) => Expected
  readonly targets: readonly Target[]
  /** Its rows go to the API instead of the database. */
  readonly api: boolean
}

const texts = (...names: string[]): Record<string, Kind> => {
  return Object.fromEntries(names.map(name => [name, 'text']))
}

const orderLine: Target = {
  name: 'sales.order_line',
  key: [],
  columns: {
    ...texts('invoice_no', 'stock_code', 'description', 'customer_no', 'country', 'cancellation'),
    ...{ business_date: 'date', quantity: 'number', ordered_at: 'instant', unit_price: 'number' },
  },
}

const fxRate: Target = {
  name: 'treasury.fx_rate',
  key: ['currency', 'date'],
  columns: { currency: 'text', date: 'date', rate: 'number' },
}

const bankEntry: Target = {
  name: 'finance.bank_entry',
  key: ['account', 'statement_id', 'entry_no'],
  columns: {
    ...texts('account', 'statement_id', 'account_currency', 'currency', 'status', 'reversal'),
    ...texts('bank_reference', 'entry_reference', 'text'),
    ...{ entry_no: 'number', amount: 'number', transactions: 'number', booked_on: 'date', value_on: 'date' },
  },
}

const bankBalance: Target = {
  name: 'finance.bank_balance',
  key: ['account', 'statement_id', 'balance_no'],
  columns: {
    ...texts('account', 'statement_id', 'type', 'interim', 'currency'),
    ...{ balance_no: 'number', amount: 'number', balance_on: 'date' },
  },
}

const timeEntry: Target = {
  name: 'payroll.time_entry',
  key: ['employeeNo', 'workDate', 'payCode'],
  columns: texts('employeeNo', 'workDate', 'payCode', 'hours', 'costCenter', 'approved'),
}

/** All of them. */
export const PARTNER_JOBS: readonly PartnerJob[] = [
  {
    ...{ name: 'portal-orders', endpoint: 'portal', feed: 'portal-orders', perDate: 'one', api: false },
    files: /^orders_(\d{8}).*\.csv$/,
    expected: expectedOrders,
    targets: [orderLine],
  },
  {
    ...{ name: 'fx-rates', endpoint: 'ecb', feed: 'ecb-rates', perDate: 'many', api: false },
    files: /^eurofxref-hist.*_(\d{8})\.xml$/,
    expected: expectedRates,
    targets: [fxRate],
  },
  {
    ...{ name: 'bank-statements', endpoint: 'bank', feed: 'bank-statements', perDate: 'many', api: false },
    files: /^camt053_(\d{8})_.*\.xml$/,
    expected: expectedStatements,
    targets: [bankEntry, bankBalance],
  },
  {
    ...{ name: 'payroll-hours', endpoint: 'payroll', feed: 'payroll-hours', perDate: 'one', api: true },
    files: /^hours_(\d{8}).*\.csv$/,
    expected: expectedHours,
    targets: [timeEntry],
  },
]
