/**
 * What a camt.053 file comes to in finance.bank_entry and finance.bank_balance. A statement that does
 * not tie (opening + booked entries = closing, per currency) is rejected with all its records.
 */
import { day, decimal, length, sum } from './plain-values.ts'
import { decode } from './read-csv.ts'
import { all, type Element, xmlRoot } from './read-xml.ts'
import type { Expected, Row } from './spec.ts'

interface Statement {
  readonly lines: number[]
  readonly entries: Row[]
  readonly balances: Row[]
  /** Records that can't be read on their own. */
  unreadable: number
}

/** Rows by their bytes. */
export function expectedStatements(bytes: Uint8Array): Expected {
  const root = xmlRoot(decode(bytes, 'utf-8') ?? '')
  if (root?.name !== 'Document')
    return { read: 0, filtered: 0, rejected: [], rows: {}, unusable: 'no such XML' }
  const statements = new Map<string, Statement>()
  for (const element of all(root, 'BkToCstmrStmt/Stmt')) addStatement(element, statements)
  const entries: Row[] = []
  const balances: Row[] = []
  const rejected: number[] = []
  let read = 0
  for (const statement of statements.values()) {
    read += statement.lines.length
    if (ties(statement)) {
      entries.push(...statement.entries)
      balances.push(...statement.balances)
    } else rejected.push(...statement.lines)
  }
  rejected.sort((a, b) => a - b)
  const rows = { 'finance.bank_entry': entries, 'finance.bank_balance': balances }
  return { read, filtered: 0, rejected, rows, unusable: null }
}

/** The text of the one element at a path, null when there is none; undefined when there are several. */
function one(element: Element, path: string): string | null | undefined {
  const [first, second] = all(element, path)
  if (second !== undefined) return undefined
  return first === undefined || !/\S/.test(first.text) ? null : first.text
}

/** The first of several paths that has a text. */
function first(element: Element, ...paths: readonly string[]): string | null | undefined {
  for (const path of paths) {
    const text = one(element, path)
    if (text !== null) return text
  }
  return null
}

/** Statements of one identification in a file are one. */
function addStatement(element: Element, statements: Map<string, Statement>): void {
  const id = one(element, 'Id') ?? ''
  const statement = statements.get(id) ?? { lines: [], entries: [], balances: [], unreadable: 0 }
  statements.set(id, statement)
  for (const child of element.children) {
    const make = child.name === 'Ntry' ? entryRow : child.name === 'Bal' ? balanceRow : null
    if (make === null) continue
    const into = child.name === 'Ntry' ? statement.entries : statement.balances
    const row = make(element, child, String(into.length + 1))
    statement.lines.push(child.line)
    if (row === null) statement.unreadable += 1
    else into.push(row)
  }
}

function account(statement: Element): Row | null {
  const number = first(statement, 'Acct/Id/IBAN', 'Acct/Id/Othr/Id')
  const id = one(statement, 'Id')
  if (number === null || number === undefined || length(number) > 34) return null
  return id === null || id === undefined || length(id) > 70 ? null : { account: number, statement_id: id }
}

function signed(element: Element): { readonly amount: string; readonly currency: string } | null {
  const text = one(element, 'Amt') ?? ''
  const currency = all(element, 'Amt')[0]?.attributes.Ccy ?? ''
  const sign = { CRDT: '', DBIT: '-' }[one(element, 'CdtDbtInd') ?? '']
  if (!/^\d{1,18}(?:\.\d{1,17})?$/.test(text) || sign === undefined || !/^[A-Z]{3}$/.test(currency))
    return null
  const amount = decimal(`${sign}${text}`, 23, 5)
  return amount === undefined ? null : { amount, currency }
}

/** A day as the bank writes it, with or without a time; null when there is none, undefined when it is no day. */
function dayOf(element: Element, name: string): string | null | undefined {
  const text = first(element, `${name}/Dt`, `${name}/DtTm`)
  if (text === null || text === undefined) return text
  return /^.{10}(?:T[\d:.]+)?(?:Z|[+-]\d\d:?\d\d)?$/.test(text) ? day(text.slice(0, 10)) : undefined
}

function balanceRow(statement: Element, balance: Element, number: string): Row | null {
  const of = account(statement)
  const money = signed(balance)
  const type = first(balance, 'Tp/CdOrPrtry/Cd', 'Tp/CdOrPrtry/Prtry')
  const on = dayOf(balance, 'Dt')
  if (of === null || money === null || typeof type !== 'string' || length(type) > 35) return null
  if (typeof on !== 'string') return null
  const interim = String(one(balance, 'Tp/SubTp/Cd') === 'INTM')
  return { ...of, balance_no: number, type, interim, ...money, balance_on: on }
}

function entryRow(statement: Element, entry: Element, number: string): Row | null {
  const of = account(statement)
  const money = signed(entry)
  const status = (first(entry, 'Sts/Cd', 'Sts') ?? '').trim()
  const reversal = { true: 'true', '1': 'true', false: 'false', '0': 'false', '': 'false' }[
    one(entry, 'RvslInd') ?? ''
  ]
  const [booked, value] = [dayOf(entry, 'BookgDt'), dayOf(entry, 'ValDt')]
  const [bank, reference] = [one(entry, 'AcctSvcrRef'), one(entry, 'NtryRef')]
  const accountCurrency = one(statement, 'Acct/Ccy') ?? money?.currency ?? ''
  if (of === null || money === null || !['BOOK', 'PDNG', 'INFO', 'FUTR'].includes(status)) return null
  if (reversal === undefined || booked === undefined || value === undefined) return null
  if (bank === undefined || reference === undefined || length(`${bank}`) > 70 || length(`${reference}`) > 70)
    return null
  if (!/^[A-Z]{3}$/.test(accountCurrency)) return null
  return {
    ...of,
    entry_no: number,
    account_currency: accountCurrency,
    ...money,
    status,
    reversal,
    booked_on: booked,
    value_on: value,
    bank_reference: bank,
    entry_reference: reference,
    transactions: String(transactions(entry)),
    text: textOf(entry),
  }
}

function transactions(entry: Element): number {
  const stated = all(entry, 'NtryDtls/Btch/NbOfTxs').filter(({ text }) => /^\d{1,9}$/.test(text))
  if (stated.length === 0) return all(entry, 'NtryDtls/TxDtls').length
  return stated.reduce((total, { text }) => total + Number(text), 0)
}

function textOf(entry: Element): string | null {
  const texts = [...all(entry, 'NtryDtls/TxDtls/RmtInf/Ustrd'), ...all(entry, 'AddtlNtryInf')]
  const parts = new Set(texts.map(({ text }) => text.replace(/\s+/g, ' ').trim()).filter(text => text !== ''))
  return parts.size === 0 ? null : [...parts].join(' / ')
}

/** Whether a statement is whole and opening + booked entries = closing in each currency. */
function ties({ entries, balances, unreadable }: Statement): boolean {
  if (unreadable > 0) return false
  const own = balances.filter(({ interim }) => interim === 'false')
  const of = (type: string, currency?: string | null): string[] =>
    own
      .filter(row => row.type === type && (currency === undefined || row.currency === currency))
      .map(row => row.amount!)
  if (of('OPBD').length + of('PRCD').length === 0 || of('CLBD').length === 0) return false
  const booked = entries.filter(({ status }) => status === 'BOOK')
  const currencies = new Set([
    ...own.filter(({ type }) => ['OPBD', 'PRCD', 'CLBD'].includes(type!)).map(row => row.currency),
    ...booked.map(row => row.account_currency),
  ])
  return [...currencies].every(currency => {
    const [opening, closing] = [of('OPBD', currency), of('CLBD', currency)]
    if (opening.length > 1 || closing.length > 1) return false
    const moved = booked.filter(row => row.account_currency === currency).map(row => row.amount!)
    const begun = opening.length > 0 ? opening : of('PRCD', currency)
    return sum([...begun, ...moved]) === sum(closing)
  })
}
