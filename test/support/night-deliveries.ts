/**
 * Small deliveries of the sample jobs' partners, written in code so that a test shows what is in
 * them. Whole nights of files are in fixtures/demo.
 */

/** An order line: article and quantity; everything else is made up from them. */
export type OrderLine = readonly [article: string, quantity: number | string]

const ORDER_HEAD = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'

/** The portal's daily order file; `words` begin each description, for files that are to be large. */
export function orders(
  date: string,
  lines: readonly OrderLine[],
  head = ORDER_HEAD,
  words = 'THING',
): string {
  const rows = lines.map(
    ([article, quantity], index) =>
      `5810${index + 10},${article},${words} ${article},${quantity},${date} 08:30:00,2.50,14688.0,EIRE`,
  )
  return `${[head, ...rows].join('\n')}\n`
}

/** Numbered lines: `A1` to `An`, one piece each. */
export function someLines(count: number, prefix = 'A'): OrderLine[] {
  return Array.from({ length: count }, (_, index) => [`${prefix}${index + 1}`, 1] as const)
}

/** The time clocks' daily file, windows-1252, with its trailer; `trailer` null leaves it out. */
export function hours(
  date: string,
  people: readonly string[],
  trailer: number | null = people.length,
  name = 'Müller, Jörg',
): Buffer {
  const [year, month, day] = date.split('-')
  const rows = people.map(person => `${person};${name};${day}.${month}.${year};100;8,00;4711;J`)
  const end = trailer === null ? [] : [`T;${trailer}`]
  const text = `${['PersNr;Name;Datum;Lohnart;Stunden;Kostenstelle;Freigabe', ...rows, ...end].join('\r\n')}\r\n`
  return Buffer.from(text, 'latin1')
}

/** The central bank's rates of one day as XML. */
export function ratesXml(date: string, rates: Readonly<Record<string, string>>): string {
  const cubes = Object.entries(rates).map(
    ([currency, rate]) => `<Cube currency="${currency}" rate="${rate}"/>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="${date}">
${cubes.join('\n')}
</Cube></Cube></gesmes:Envelope>
`
}

/** Columns of the central bank's CSV besides the date. */
const HISTORY_COLUMNS =
  'USD,JPY,BGN,CYP,CZK,DKK,EEK,GBP,HUF,LTL,LVL,MTL,PLN,ROL,RON,SEK,SIT,SKK,CHF,ISK,NOK,HRK,RUB,TRL,TRY,AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR'

/** The same rates as the central bank's CSV. */
export function ratesCsv(date: string, rates: Readonly<Record<string, string>>): string {
  const cells = HISTORY_COLUMNS.split(',').map(currency => rates[currency] ?? 'N/A')
  return `Date,${HISTORY_COLUMNS},\n${date},${cells.join(',')},\n`
}

/** A statement: its id, and the amounts of its entries; `closing` is what it claims to come to. */
export interface Statement {
  readonly id: string
  readonly opening: number
  readonly entries: readonly number[]
  readonly closing: number
}

const balance = (code: string, amount: number, date: string): string =>
  `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount.toFixed(2)}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>${date}</Dt></Dt></Bal>`

/** A bank's camt.053 with these statements. */
export function statements(date: string, list: readonly Statement[]): string {
  const entry = (id: string, amount: number, index: number): string =>
    `<Ntry><NtryRef>${index + 1}</NtryRef><Amt Ccy="EUR">${amount.toFixed(2)}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>${date}</Dt></BookgDt><ValDt><Dt>${date}</Dt></ValDt><AcctSvcrRef>${id}-${index}</AcctSvcrRef></Ntry>`
  const one = ({ id, opening, entries, closing }: Statement): string =>
    `<Stmt><Id>${id}</Id><CreDtTm>${date}T22:10:00+01:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy><Svcr><FinInstnId><BICFI>COBADEFFXXX</BICFI></FinInstnId></Svcr></Acct>
${balance('OPBD', opening, date)}
${balance('CLBD', closing, date)}
${entries.map((amount, index) => entry(id, amount, index)).join('\n')}
</Stmt>`
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M-${date}</MsgId><CreDtTm>${date}T22:10:00+01:00</CreDtTm></GrpHdr>
${list.map(one).join('\n')}
</BkToCstmrStmt></Document>
`
}
