/**
 * Bank statements (camt.053, versions 02 to 08) to `finance.bank_entry` and `finance.bank_balance`.
 * A statement stands or falls as a whole: opening + movements = closing, or none of it is loaded.
 */
import { defineDocumentMapping, read } from '../../lib/map/index.ts'
import type { UnitTerm } from '../../lib/model/mapping.ts'
import { bankBalance, bankEntry } from './bank-tables.ts'
import { entryStatus, entryText, signedAmount, term, transactionCount } from './camt053-rules.ts'

/** Columns of a `Bal`. */
export const balanceColumns = [
  '../Id',
  '../Acct/Id/IBAN',
  '../Acct/Id/Othr/Id',
  'Tp/CdOrPrtry/Cd',
  'Tp/CdOrPrtry/Prtry',
  'Tp/SubTp/Cd',
  'Amt',
  'Amt/@Ccy',
  'CdtDbtInd',
  'Dt/Dt',
  'Dt/DtTm',
] as const

/** Columns of a `Ntry`. */
export const entryColumns = [
  '../Id',
  '../Acct/Id/IBAN',
  '../Acct/Id/Othr/Id',
  '../Acct/Ccy',
  'NtryRef',
  'Amt',
  'Amt/@Ccy',
  'CdtDbtInd',
  'RvslInd',
  'Sts',
  'Sts/Cd',
  'BookgDt/Dt',
  'BookgDt/DtTm',
  'ValDt/Dt',
  'ValDt/DtTm',
  'AcctSvcrRef',
  'NtryDtls/Btch/NbOfTxs[]',
  'NtryDtls/TxDtls[]',
  'NtryDtls/TxDtls/RmtInf/Ustrd[]',
  'AddtlNtryInf',
] as const

const account = read.text(['../Acct/Id/IBAN', '../Acct/Id/Othr/Id'], { doc: 'IBAN before other numbers.' })
const statementId = read.text('../Id', { doc: 'As received.' })

/** The day as written, whether the bank gives a day or an instant. */
const day = { format: 'ISO', time: 'dropped' } as const

const CODES_OF_OPENING: Readonly<Record<string, Pick<UnitTerm, 'standIn'>>> = {
  OPBD: {},
  // The previous closing balance opens a statement that does not state its own opening one.
  PRCD: { standIn: true },
}

export const camt053ToBank = defineDocumentMapping({
  name: 'camt053-to-bank',
  version: 1,
  doc: 'Every entry and every balance of every statement. One row per entry, not per transaction: the entry moves the balance, and many banks give no details.',
  records: { balance: balanceColumns, entry: entryColumns },
  tables: { entries: bankEntry, balances: bankBalance },
  from: {
    balance: {
      balances: {
        account,
        statementId,
        balanceNo: read.ordinal({
          doc: 'Types repeat (FWAV for each of the next days), so the position is the key.',
        }),
        type: read.text(['Tp/CdOrPrtry/Cd', 'Tp/CdOrPrtry/Prtry'], { doc: 'Code before proprietary name.' }),
        interim: read.compute(
          {
            from: ['Tp/SubTp/Cd'],
            doc: 'Pages of a statement carry interim balances.',
            rule: 'true for INTM',
          },
          code => code === 'INTM',
        ),
        amount: read.compute(
          { from: ['Amt', 'CdtDbtInd'], doc: 'Signed.', rule: 'negative for DBIT' },
          signedAmount,
        ),
        currency: read.text('Amt/@Ccy', { doc: 'As received.', pattern: /[A-Z]{3}/ }),
        balanceOn: read.date(['Dt/Dt', 'Dt/DtTm'], { doc: 'Day as written.', ...day }),
      },
    },
    entry: {
      entries: {
        account,
        statementId,
        entryNo: read.ordinal({
          doc: 'References are missing or repeated in real statements, so the position is the key.',
        }),
        accountCurrency: read.text(['../Acct/Ccy', 'Amt/@Ccy'], {
          doc: "The account's, or the amount's where the account states none.",
          pattern: /[A-Z]{3}/,
        }),
        amount: read.compute(
          {
            from: ['Amt', 'CdtDbtInd'],
            doc: 'Signed; a reversal carries its own direction.',
            rule: 'negative for DBIT',
          },
          signedAmount,
        ),
        currency: read.text('Amt/@Ccy', { doc: 'As received.', pattern: /[A-Z]{3}/ }),
        status: read.compute(
          {
            from: ['Sts/Cd', 'Sts'],
            doc: 'Sts/Cd from version 08 on, Sts before.',
            rule: 'BOOK, PDNG, INFO or FUTR',
          },
          entryStatus,
        ),
        reversal: read.boolean('RvslInd', {
          doc: 'Absent means no.',
          yes: ['true', '1'],
          no: ['false', '0'],
          default: false,
        }),
        bookedOn: read.date(['BookgDt/Dt', 'BookgDt/DtTm'], {
          doc: 'Day as written.',
          optional: true,
          ...day,
        }),
        valueOn: read.date(['ValDt/Dt', 'ValDt/DtTm'], { doc: 'Day as written.', optional: true, ...day }),
        bankReference: read.text('AcctSvcrRef', { doc: 'As received.', optional: true }),
        entryReference: read.text('NtryRef', { doc: 'As received.', optional: true }),
        transactions: read.compute(
          {
            from: ['NtryDtls/Btch/NbOfTxs[]', 'NtryDtls/TxDtls[]'],
            doc: "The batches' own count, else the details given.",
            rule: 'sum of NbOfTxs, else number of TxDtls',
          },
          transactionCount,
        ),
        text: read.compute(
          {
            from: ['NtryDtls/TxDtls/RmtInf/Ustrd[]', 'AddtlNtryInf'],
            doc: 'What a person reads on the statement.',
            rule: 'all joined by " / ", each once, white space collapsed',
          },
          (remittance, additional) => entryText(remittance, additional),
        ),
      },
    },
  },
  unit: {
    name: 'statement',
    doc: "A statement, by the bank's identification. Entries count in the currency of their account: that is what the bank books.",
    key: { balance: ['../Id'], entry: ['../Id'] },
    law: 'opening + movements = closing',
    stated: ['opening balance', 'closing balance'],
    terms: {
      entries: row => (row.status === 'BOOK' ? [term('movement', row.accountCurrency, row.amount)] : []),
      balances: row => {
        if (row.interim) return []
        const opening = CODES_OF_OPENING[row.type]
        if (opening !== undefined)
          return [{ ...term('opening balance', row.currency, row.amount), ...opening }]
        return row.type === 'CLBD' ? [term('closing balance', row.currency, row.amount, -1)] : []
      },
    },
  },
})
