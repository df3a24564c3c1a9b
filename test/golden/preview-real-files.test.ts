/**
 * Real public files through `tallyman preview` with nothing told but whether they have a header: the
 * counts of INDEX.md, and no replacement character that the bytes do not hold. The files are no part
 * of the project: without them these tests are skipped.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { csv } from '../../lib/parse/csv.ts'
import { parsed } from '../support/parsed.ts'
import { previewedJson } from '../support/previewed.ts'

const DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'data')
const skip = existsSync(DATA) ? false : 'the real data in ../shared/data is not there'

interface Summary {
  readonly read: number
  readonly accepted: number
  readonly rejected: number
  readonly charset: string
}

const SENT_WITH_REPLACEMENTS = Buffer.from('\ufffd')

async function summaryOf(path: string, options: Record<string, unknown>): Promise<Summary> {
  const { code, lines } = await previewedJson(path, options)
  assert.equal(code, 0, path)
  const text = JSON.stringify(lines)
  if (!readFileSync(path).includes(SENT_WITH_REPLACEMENTS))
    assert.ok(!text.includes('\ufffd'), `${path} has U+FFFD`)
  const { summary } = lines.at(-1) as { summary: Summary }
  assert.equal(summary.read, summary.accepted + summary.rejected)
  return summary
}

async function counts(
  set: string,
  names: readonly string[],
  options: Record<string, unknown> = {},
): Promise<unknown> {
  const found: Record<string, unknown> = {}
  for (const name of names) {
    const { accepted, rejected, charset } = await summaryOf(join(DATA, set, name), options)
    found[name] = [accepted, rejected, charset]
  }
  return found
}

test('OFAC lists have the same counts behind commas, at signs and bars', { skip }, async () => {
  const names = ['csv', 'del', 'pip'].flatMap(format =>
    ['cons_prim', 'cons_add', 'cons_alt'].map(table => `${table}.${format}`),
  )
  const expected: Record<string, number> = { cons_prim: 639, cons_add: 857, cons_alt: 1209 }
  assert.deepEqual(
    await counts('ofac-consolidated-5-formats', names, { header: false }),
    Object.fromEntries(names.map(name => [name, [expected[name.slice(0, -4)], 0, 'utf-8']])),
  )
  const entries = await summaryOf(join(DATA, 'ofac-consolidated-5-formats', 'consolidated.xml'), {
    record: 'sdnList/sdnEntry',
  })
  assert.equal(entries.read, 639)
})

test('bcp files are read with their own column and row ends', { skip }, async () => {
  assert.deepEqual(
    await counts(
      'adventureworks',
      ['Store.csv', 'ProductModel.csv', 'PurchaseOrderHeader.csv', 'Employee.csv'],
      { header: false },
    ),
    {
      'Store.csv': [701, 0, 'utf-8'],
      'ProductModel.csv': [128, 0, 'utf-8'],
      'PurchaseOrderHeader.csv': [4012, 0, 'utf-8'],
      'Employee.csv': [290, 0, 'utf-8'],
    },
  )
})

test('UTF-16 files are read, and rows with a NUL are rejects', { skip }, async () => {
  assert.deepEqual(await counts('dirty-utf16', ['nhs_inpatients_mha_1011_utf16.csv']), {
    'nhs_inpatients_mha_1011_utf16.csv': [327, 0, 'utf-16le'],
  })
  assert.deepEqual(await counts('dirty-utf16', ['wwi_Graph.Customers_utf16.csv'], { header: false }), {
    'wwi_Graph.Customers_utf16.csv': [61, 602, 'utf-16le'],
  })
  // Its cells hold bare line breaks, so that only a declared record end tells its rows apart.
  await summaryOf(join(DATA, 'dirty-utf16', 'aw_DatabaseLog_utf16.csv'), { header: false })
  const header = ['id', 'at', 'user', 'event', 'schema', 'object', 'sql', 'xml']
  const spec = csv({
    delimiter: '|',
    quote: null,
    charset: 'utf-16',
    recordEnds: ['</EVENT_INSTANCE>\r\n'],
    header,
  })
  const log = await parsed(readFileSync(join(DATA, 'dirty-utf16', 'aw_DatabaseLog_utf16.csv')), spec)
  assert.deepEqual([log.summary.read, log.summary.rejected], [112, 0])
})

test('bank exports are read past their preambles, and ragged rows are rejects', { skip }, async () => {
  const folder = join(DATA, 'swiss-bank-csv')
  const names = readdirSync(folder).filter(name => name.endsWith('.csv'))
  let charsets = 0
  for (const name of names) {
    const { charset } = await summaryOf(join(folder, name), {})
    if (charset === 'windows-1252') charsets += 1
  }
  assert.equal(charsets, 1)
  const ubs = await summaryOf(
    join(folder, 'ubs_import_bank_statement_csv__csv_ubs_example_format1_20180831.csv'),
    {},
  )
  assert.deepEqual([ubs.accepted, ubs.rejected], [2625, 1])
  for (const language of ['de', 'en', 'fr', 'it']) {
    const statement = await summaryOf(
      join(folder, `ubs_import_bank_statement_csv__csv_ubs_example_format3_${language}_20221108.csv`),
      {},
    )
    assert.deepEqual([statement.accepted, statement.rejected], [195, 0])
  }
})

test('wide rates with a trailing comma, ISO lists and statements are read whole', { skip }, async () => {
  assert.equal((await summaryOf(join(DATA, 'ecb-fx', 'eurofxref-hist_2025-05.csv'), {})).accepted, 6747)
  assert.equal(
    (await summaryOf(join(DATA, 'iso4217', 'list-one_2024.xml'), { record: 'ISO_4217/CcyTbl/CcyNtry' }))
      .accepted,
    280,
  )
  for (const set of ['camt-swiss-pairs', 'camt-real-banks', 'camt-genkgo']) {
    for (const name of readdirSync(join(DATA, set)).filter(file => file.endsWith('.xml'))) {
      assert.equal((await summaryOf(join(DATA, set, name), {})).read, 1)
    }
  }
})

test('order lines of 44 days are 77,628 rows', { skip }, async () => {
  const folder = join(DATA, 'uci-online-retail-daily')
  let total = 0
  for (const name of readdirSync(folder).filter(file => file.endsWith('.csv'))) {
    const { accepted, rejected } = await summaryOf(join(folder, name), { limit: '0' })
    assert.equal(rejected, 0)
    total += accepted
  }
  assert.equal(total, 77_628)
})

test('the largest real file is read whole', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tallyman-gtfs-'))
  try {
    const path = join(folder, 'stop_times.txt')
    await writeFile(path, unzipped(join(DATA, 'gtfs-nyc-subway', 'nyc_subway.zip'), 'stop_times.txt'))
    const { accepted, rejected } = await summaryOf(path, { limit: '1' })
    assert.deepEqual([accepted, rejected], [446_924, 0])
  } finally {
    await rm(folder, { recursive: true })
  }
})

/** One member of a zip, found through its central directory. */
function unzipped(path: string, member: string): Buffer {
  const zip = readFileSync(path)
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  for (let at = zip.readUInt32LE(end + 16); zip.readUInt32LE(at) === 0x02014b50; ) {
    const lengths = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)] as const
    if (zip.toString('utf8', at + 46, at + 46 + lengths[0]) === member) {
      const local = zip.readUInt32LE(at + 42)
      const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      return inflateRawSync(zip.subarray(data, data + zip.readUInt32LE(at + 20)))
    }
    at += 46 + lengths[0] + lengths[1] + lengths[2]
  }
  throw new Error(`${member} is not in ${path}`)
}
