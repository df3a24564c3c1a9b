/**
 * The XML file of the benchmarks: camt.053 statements of a thousand entries each, about 400 bytes an
 * entry, that tie (opening + movements = closing); read and mapped as the job bank-statements does.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import bankStatements from '../jobs/bank-statements.ts'
import type { PostgresLoad } from '../lib/model/job.ts'
import type { Mapping } from '../lib/model/mapping.ts'
import type { Feed } from './feed-load.ts'

/** The job's part of the file. */
export const statementFeed: Feed = {
  parse: bankStatements.parse,
  mapping: bankStatements.map as unknown as Mapping,
  load: bankStatements.load as PostgresLoad,
}

/** Entries of a statement: what a busy account has on a day. */
const ENTRIES = 1_000

/** Writes a file of so many entries; the same number always gives the same bytes. */
export async function writeStatements(path: string, entries: number): Promise<void> {
  const out = createWriteStream(path)
  out.write(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.04">\n<BkToCstmrStmt>\n<GrpHdr><MsgId>BENCH</MsgId><CreDtTm>2026-11-20T22:00:00+01:00</CreDtTm></GrpHdr>\n',
  )
  for (let from = 0; from < entries; from += ENTRIES) {
    const text = statement(from, Math.min(ENTRIES, entries - from))
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end('</BkToCstmrStmt>\n</Document>\n')
  await finished(out)
}

function statement(from: number, entries: number): string {
  const number = from / ENTRIES
  const opening = 1_000_000 + number
  let cents = opening
  let text = ''
  for (let entry = from; entry < from + entries; entry += 1) {
    // A multiplicative hash: digits that look random and are the same each time.
    const random = Math.imul(entry + 1, 0x9e3779b1) >>> 0
    const amount = 1 + (random % 500_000)
    const debit = (random >>> 7) % 2 === 0
    cents += debit ? -amount : amount
    text += `<Ntry><NtryRef>${entry}</NtryRef><Amt Ccy="EUR">${money(amount)}</Amt><CdtDbtInd>${debit ? 'DBIT' : 'CRDT'}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt><ValDt><Dt>2026-11-2${random % 10}</Dt></ValDt><AcctSvcrRef>REF${random}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E2E-${random}</EndToEndId></Refs><RmtInf><Ustrd>Invoice ${random % 90_000} &amp; R&#252;ckerstattung Gr\u00f6\u00dfe ${random % 7}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n`
  }
  return `<Stmt><Id>STMT-${number}</Id><Acct><Id><IBAN>DE${String(number).padStart(20, '0')}</IBAN></Id><Ccy>EUR</Ccy></Acct>${balance('OPBD', opening)}${balance('CLBD', cents)}\n${text}</Stmt>\n`
}

function balance(type: string, cents: number): string {
  const direction = cents < 0 ? 'DBIT' : 'CRDT'
  return `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${money(Math.abs(cents))}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>`
}

function money(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}
