/** `finance.bank_entry` and `finance.bank_balance`: what banks booked, and the balances they state. */
import { column, defineTable } from '../../lib/model/table.ts'

const account = column.text({
  doc: 'IBAN, or the account number where there is no IBAN.',
  max: 34,
  pii: 'personal',
})
const statementId = column.text({ doc: "The bank's identification of the statement.", max: 70 })

export const bankEntry = defineTable(
  'finance',
  'bank_entry',
  {
    account,
    statementId,
    entryNo: column.integer({ doc: 'Position of the entry within its statement, from 1.' }),
    accountCurrency: column.text({ doc: 'Currency in which the account is kept.', max: 3 }),
    amount: column.decimal({ doc: 'Amount, negative for debits.', precision: 23, scale: 5 }),
    currency: column.text({ doc: 'Currency that stands at the amount.', max: 3 }),
    status: column.text({ doc: 'BOOK, PDNG, INFO or FUTR; only booked entries move the balance.', max: 4 }),
    reversal: column.boolean({ doc: 'Whether the entry takes an earlier one back.' }),
    bookedOn: column.date({ doc: 'Booking day, as the bank writes it.', nullable: true }),
    valueOn: column.date({ doc: 'Value day, as the bank writes it.', nullable: true }),
    bankReference: column.text({ doc: "The bank's own reference; not unique.", max: 70, nullable: true }),
    entryReference: column.text({
      doc: 'Reference of the entry; many banks give none.',
      max: 70,
      nullable: true,
    }),
    transactions: column.integer({
      doc: 'Single transactions behind it: 8 for a batch of 8, 0 where the bank tells none.',
    }),
    text: column.text({
      doc: 'Remittance and additional information, joined.',
      nullable: true,
      pii: 'personal',
    }),
  },
  {
    doc: 'Entries of bank statements, one row per entry: a batch is one row, as it moves the balance once.',
    key: ['account', 'statementId', 'entryNo'],
    asOf: 'asOf',
    totals: { amount: { sum: ['amount'], per: 'currency' } },
  },
)

export const bankBalance = defineTable(
  'finance',
  'bank_balance',
  {
    account,
    statementId,
    balanceNo: column.integer({ doc: 'Position of the balance within its statement, from 1.' }),
    type: column.text({
      doc: 'OPBD, CLBD, PRCD, CLAV, FWAV and others, or what the bank calls it.',
      max: 35,
    }),
    interim: column.boolean({ doc: 'Whether it is the balance of a page and not of the statement.' }),
    amount: column.decimal({ doc: 'Balance, negative for debits.', precision: 23, scale: 5 }),
    currency: column.text({ doc: 'Currency of the balance.', max: 3 }),
    balanceOn: column.date({ doc: 'Day of the balance, as the bank writes it.' }),
  },
  {
    doc: 'Balances that statements state.',
    key: ['account', 'statementId', 'balanceNo'],
    asOf: 'asOf',
    totals: { amount: { sum: ['amount'], per: 'currency' } },
  },
)
