/**
 * From a key to both sides, breaks, load, file, line and the text as received: by real runs and the real command.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { orders, ratesCsv, ratesXml, statements } from '../support/night-deliveries.ts'

const night = await openNight()

interface Traced {
  readonly reconciliation: string
  readonly table: string
  readonly key: Readonly<Record<string, string>>
  readonly dates: readonly {
    readonly businessDate: string
    readonly comparison: number
    readonly rows: readonly {
      readonly side: string
      readonly values: Readonly<Record<string, string | null>>
      readonly file: string | null
      readonly line: number | null
      readonly contentSha256: string | null
      readonly raw: string | null
    }[]
    readonly load: { readonly revision: number; readonly counts: { readonly mapped: number } } | null
  }[]
  readonly breaks: readonly { readonly kind: string; readonly state: string; readonly key: object }[]
  readonly rejects: readonly {
    readonly fileName: string
    readonly line: number
    readonly raw: string
    readonly state: string
    readonly issues: readonly { readonly code: string }[]
  }[]
}

async function trace(...args: readonly string[]): Promise<readonly Traced[]> {
  const { code, stdout, stderr } = await command(night, ['trace', ...args, '--json'])
  assert.equal(code, 0, stderr)
  return (JSON.parse(stdout) as { data: { traces: Traced[] } }).data.traces
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

test('a key leads to both sides on every date, its break, load, file, line and text', async () => {
  const files = new Map<string, string>()
  for (const [date, rate] of [
    ['2026-11-03', '1.10'],
    ['2026-11-04', '1.2'],
  ] as const) {
    const xml = ratesXml(date, { JPY: '170', USD: rate })
    files.set(date, xml)
    const compact = date.replaceAll('-', '')
    await night.deliver('ecb', `eurofxref-hist-90d_${compact}.xml`, xml)
    await night.deliver('ecb', `eurofxref-hist_${compact}.csv`, ratesCsv(date, { JPY: '170', USD: '1.1' }))
    await night.run('fx-rates', date)
  }
  const [found, history] = await trace('fx-rates', 'currency=USD,date=2026-11-04')
  assert.deepEqual(
    [found!.reconciliation, found!.table, history!.reconciliation],
    ['fx-rates.fx_rate', 'treasury.fx_rate', 'fx-rates.ecb_history'],
  )
  const [date] = found!.dates
  assert.deepEqual([found!.dates.length, date!.businessDate, date!.comparison], [1, '2026-11-04', 1])
  const [source] = date!.rows.filter(({ side }) => side === 'source')
  assert.equal(source!.values.rate, '1.2')
  assert.deepEqual(
    [source!.file, source!.line, source!.contentSha256, source!.raw],
    [
      'eurofxref-hist-90d_20261104.xml',
      5,
      sha256(files.get('2026-11-04')!),
      '<Cube currency="USD" rate="1.2"/>',
    ],
  )
  assert.deepEqual([date!.load!.revision, date!.load!.counts.mapped], [1, 2])
  assert.equal(date!.rows.filter(({ side }) => side === 'target').length, 1)
  assert.deepEqual(found!.breaks, [])
  const other = history!.dates[0]!.rows.find(({ side }) => side === 'target')
  assert.deepEqual([other!.values.rate, other!.file, other!.line], ['1.1', 'eurofxref-hist_20261104.csv', 2])
  assert.deepEqual(
    history!.breaks.map(({ kind, state, key }) => [kind, state, key]),
    [['value_mismatch', 'new', { currency: 'USD', date: '2026-11-04' }]],
  )
  const [byPlace] = await trace('fx-rates', 'USD,2026-11-04')
  assert.deepEqual(byPlace, found, 'the values alone, in the order of the key')
  const [everywhere] = await trace('fx-rates', 'currency=USD')
  assert.deepEqual(
    everywhere!.dates.map(({ businessDate }) => businessDate),
    ['2026-11-04', '2026-11-03'],
  )
  const [one] = await trace('fx-rates', 'currency=USD', '--date', '2026-11-03')
  assert.deepEqual(
    one!.dates.map(({ businessDate }) => businessDate),
    ['2026-11-03'],
  )
})

test('of many records on one line the one that became the row is shown', async () => {
  const date = '2026-11-05'
  const xml = statements(date, [{ id: 'S-1', opening: 1, entries: [2, 3, 4], closing: 10 }]).replaceAll(
    '\n',
    '',
  )
  await night.deliver('bank', 'camt053_20261105_a.xml', xml)
  await night.run('bank-statements', date)
  const [entry] = await trace('bank-statements', 'account=DE89370400440532013000,statementId=S-1,entryNo=2')
  const [row] = entry!.dates[0]!.rows.filter(({ side }) => side === 'source')
  assert.match(row!.raw!, /^<Ntry><NtryRef>2<\/NtryRef><Amt Ccy="EUR">3\.00<\/Amt>.*<\/Ntry>$/)
})

test('a rejected record is found by its key, with its issue and text, beside the row that replaced it', async () => {
  const date = '2026-11-06'
  await night.deliver(
    'portal',
    'orders_20261106.csv',
    orders(date, [
      ['GOOD', 1],
      ['BAD', 'many'],
    ]),
  )
  await night.run('portal-orders', date)
  const [refused] = await trace('portal-orders', 'invoiceNo=581011,stockCode=BAD')
  assert.deepEqual(refused!.dates, [])
  const [reject] = refused!.rejects
  assert.deepEqual(
    [reject!.fileName, reject!.line, reject!.state, reject!.issues[0]!.code],
    ['orders_20261106.csv', 3, 'open', 'MAP_NOT_AN_INTEGER'],
  )
  assert.match(reject!.raw, /^581011,BAD,.*,many,/)
  await night.deliver(
    'portal',
    'orders_20261106_corrected.csv',
    orders(date, [
      ['GOOD', 1],
      ['BAD', 7],
    ]),
  )
  await night.run('portal-orders', date)
  const [mended] = await trace('portal-orders', 'invoice_no=581011,stock_code=BAD')
  assert.equal(mended!.rejects[0]!.state, 'superseded')
  const [row] = mended!.dates[0]!.rows
  assert.deepEqual([row!.values.quantity, row!.file, row!.line], ['7', 'orders_20261106_corrected.csv', 3])
})

test('what is typed for a person says the same in words; a key that fits no table is refused with those that do', async () => {
  const shown = await command(night, ['trace', 'fx-rates', 'currency=USD,date=2026-11-04'])
  assert.match(
    shown.stdout,
    /break +value_mismatch, new, 2026-11-04 to 2026-11-04: date 2026-11-04, currency USD/,
  )
  assert.match(
    shown.stdout,
    /source +currency USD, date 2026-11-04, rate 1\.2\n +eurofxref-hist-90d_20261104\.xml:5, SHA-256 [0-9a-f]{64}\n +<Cube currency="USD" rate="1\.2"\/>/,
  )
  assert.match(
    shown.stdout,
    /load +revision 1, 2\S+Z, 2 records read, 2 mapped; treasury\.fx_rate 2 inserted, 0 updated/,
  )
  const nobody = await command(night, ['trace', 'fx-rates', 'XXX,2026-11-04'])
  assert.match(nobody.stdout, /nothing that is kept knows it/)
  const wrong = await command(night, ['trace', 'fx-rates', 'colour=red'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /no key of a table that fx-rates compares: treasury\.fx_rate \(currency, date\)/)
})
