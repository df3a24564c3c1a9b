/**
 * Rules of camt.053 that are the same in versions 02 to 08, as named functions of the mapping.
 * Meaning of the codes: ISO 20022, Bank-to-Customer Cash Management.
 */
import { refuse } from '../../lib/map/index.ts'
import { type Decimal, decimal, negate } from '../../lib/model/decimal.ts'
import type { DecimalText } from '../../lib/model/table.ts'

const AMOUNT = /^\d{1,18}(?:\.\d{1,17})?$/

/**
 * The amount with the sign of CdtDbtInd. A reversal (RvslInd) does not turn it: ISO gives the direction
 * of the entry itself, so a reversed debit comes as CRDT.
 */
export function signedAmount(
  amount: string | null,
  creditOrDebit: string | null,
): DecimalText | ReturnType<typeof refuse> {
  if (amount === null || !AMOUNT.test(amount))
    return refuse('must be an amount without sign, such as 1240.50')
  if (creditOrDebit === 'CRDT') return amount as DecimalText
  if (creditOrDebit === 'DBIT') return `-${amount}` as DecimalText
  return refuse('must say CRDT or DBIT in CdtDbtInd')
}

/** Version 08 writes `Sts/Cd`, the earlier ones `Sts`. Blank text around a child element is no status. */
export function entryStatus(code: string | null, text: string | null): string | ReturnType<typeof refuse> {
  const status = (code ?? text ?? '').trim()
  return ['BOOK', 'PDNG', 'INFO', 'FUTR'].includes(status)
    ? status
    : refuse('must be one of BOOK, PDNG, INFO, FUTR')
}

/** Transactions behind an entry: what the bank states for its batches, else the details it gives. */
export function transactionCount(stated: readonly string[], details: readonly string[]): number {
  const numbers = stated.filter(text => /^\d{1,9}$/.test(text)).map(Number)
  return numbers.length > 0 ? numbers.reduce((sum, number) => sum + number, 0) : details.length
}

/** All texts of an entry, each once, in the order of the elements; line breaks and runs of blanks are one blank. */
export function entryText(...texts: readonly (readonly string[] | string | null)[]): string | null {
  const parts = texts
    .flatMap(text => text ?? [])
    .map(text => text.replace(/\s+/g, ' ').trim())
    .filter(text => text !== '')
  return parts.length === 0 ? null : [...new Set(parts)].join(' / ')
}

/** The amount of a row as a term of the statement's law. */
export function term(
  label: string,
  group: string,
  amount: string,
  sign: 1 | -1 = 1,
): { readonly label: string; readonly group: string; readonly amount: Decimal } {
  const value = decimal(amount)
  return { label, group, amount: sign === 1 ? value : negate(value) }
}
