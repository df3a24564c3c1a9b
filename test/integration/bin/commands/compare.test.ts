/**
 * `tallyman compare` on files and queries, with its exit codes, and on real data where it is there.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { compare } from '../../../../bin/commands/compare.ts'
import { exitCodeOf } from '../../../../bin/exit-codes.ts'
import { openSession } from '../../../../bin/session.ts'
import type { Break } from '../../../../lib/model/break.ts'
import { reconcileFolder } from '../../../support/compared.ts'
import { testDatabase } from '../../../support/postgres.ts'

const folder = reconcileFolder()
const { url, database } = await testDatabase({ empty: true })
const DATA = path.resolve(import.meta.dirname, '../../../../../shared/data')
const noData = existsSync(DATA) ? false : 'real data is not here: ../shared/data'

interface Document {
  readonly data: {
    readonly outcome: string
    readonly rows: { readonly left: number; readonly right: number }
    readonly counts: Readonly<Record<string, number>>
    readonly rowsByKind: Readonly<Record<'left' | 'right', Readonly<Record<string, number>>>>
    readonly totals: readonly { readonly difference: string }[]
    readonly breaks: readonly Break[]
  }
  readonly warnings: readonly string[]
}

async function run(
  left: string,
  right: string,
  options: Record<string, unknown>,
  json = true,
): Promise<{ exit: number; text: string }> {
  const written: string[] = []
  const terminal = {
    out: (text: string) => void written.push(text),
    data: (text: string) => void written.push(`${text}\n`),
    note: () => {},
    json,
    quiet: true,
    animated: false,
    columns: null,
    paint: (_: unknown, text: string) => text,
    paintOut: (_: unknown, text: string) => text,
  }
  const session = openSession(terminal, { DATABASE_URL: url }, folder, new AbortController().signal)
  try {
    return { exit: await compare(session, options, left, right), text: written.join('') }
  } catch (error) {
    return { exit: exitCodeOf(error), text: error instanceof Error ? error.message : String(error) }
  } finally {
    await session.close()
  }
}

async function data(
  left: string,
  right: string,
  options: Record<string, unknown>,
): Promise<Document['data'] & { exit: number; warnings: readonly string[] }> {
  const { exit, text } = await run(left, right, options)
  const document = JSON.parse(text) as Document
  return { ...document.data, exit, warnings: document.warnings }
}

function file(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text)
  return name
}

const found = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))

const a = file('a.csv', 'id,amount,name,only\n1,10.50,Anna,x\n2,20,Ben,x\n3,30,Cleo,x\n')
const b = file('b.csv', 'nr;amount;name\n1;10.5;Anna\n2;21;Ben\n4;1;Dora\n')

test('compare tells rows apart by kind and exits 4; equal files exit 0', async () => {
  const result = await data(a, b, { key: ['id'], map: ['id=nr'], tolerance: ['amount=0'] })
  assert.deepEqual([result.exit, result.outcome, result.rows], [4, 'BREAKS', { left: 3, right: 3 }])
  assert.deepEqual(found(result.counts), {
    value_mismatch: 1,
    missing_in_target: 1,
    missing_in_source: 1,
    equal_after_rules: 1,
  })
  const mismatch = result.breaks.find(({ kind }) => kind === 'value_mismatch')!
  assert.deepEqual(
    [mismatch.key, mismatch.columns[0]!.left, mismatch.columns[0]!.right],
    [{ id: '2' }, '20', '21'],
  )
  assert.deepEqual(
    result.totals.map(({ difference }) => difference),
    ['-28'],
  )
  assert.ok(result.warnings.some(warning => warning.includes('only in a.csv, not compared: only')))
  assert.equal((await data(a, a, { key: ['id'] })).exit, 0)
})

test('without a declared number, text is compared as it is and the hint says why it differs', async () => {
  const result = await data(a, b, { key: ['nr'], map: ['id=nr'], ignore: ['name'] })
  assert.equal(result.counts.value_mismatch, 2)
  assert.equal(result.breaks.find(({ key }) => key.id === '1')!.hint, 'the same number, written differently')
})

test('an empty side is inconclusive and exits 5', async () => {
  const result = await data(a, file('empty.csv', 'id,amount\n'), { key: ['id'] })
  assert.deepEqual([result.exit, result.outcome, result.breaks], [5, 'INCONCLUSIVE', []])
})

test('ragged records are counted unreadable with their line, never lost', async () => {
  const ragged = file('ragged.csv', 'id,amount,name\n1,10.50,Anna\n2,20\n3,30,Cleo\n')
  const result = await data(ragged, a, { key: ['id'] })
  assert.deepEqual(found(result.counts), { unreadable: 1, missing_in_source: 1, identical: 2 })
  assert.deepEqual(result.breaks[0]!.origin, { file: 'ragged.csv', line: 3 })
})

test('wrong usage exits 2 and says what there is', async () => {
  const refused = async (options: Record<string, unknown>, message: RegExp): Promise<void> => {
    const { exit, text } = await run(a, a, options)
    assert.match(text, message)
    assert.equal(exit, 2)
  }
  await refused({ key: ['nope'] }, /names nope, but neither side has it\. a\.csv has id, amount, name, only/)
  await refused({ key: ['id'], map: ['x=id'] }, /a\.csv has id, amount/)
  await refused({ key: ['id'], ignore: ['zz'] }, /--ignore names zz/)
  await refused({ key: ['id'], tolerance: ['amount=-1'] }, /no plain positive decimal/)
  await refused({ key: ['id'], left: ['colour=red'] }, /no option of a side/)
  await refused(
    { key: ['id'], left: ["where=exists (from read_text('/etc/hostname'))"] },
    /can't be used on a\.csv.*Cannot access file/s,
  )
  await refused({ key: ['id'], left: ['where=true); select (1'] }, /more than one expression/)
  await refused({ key: ['id'], right: ['where=nope = 1'] }, /nope/)
})

test('a file that can not be read exits 1', async () => {
  assert.equal((await run(a, 'absent.csv', { key: ['id'] })).exit, 1)
  assert.equal((await run(a, file('bad.xml', '<r><x>'), { key: ['id'], right: ['record=r/x'] })).exit, 1)
  assert.equal((await run(a, file('bad.parquet', 'PAR1 but not really'), { key: ['id'] })).exit, 1)
})

test('where is a condition over the columns of its side, also of those that are not compared', async () => {
  const result = await data(a, a, { key: ['id'], right: ["where=id <> '2' -- not this one"] })
  assert.deepEqual([result.rows.right, found(result.counts)], [2, { missing_in_target: 1, identical: 2 }])
})

test('columns go by number where there is no header, and a side may have an own dialect', async () => {
  const left = file('bare.txt', '1|10|-0- \r\n2|20|x\r\n')
  const right = file('bare.csv', '2,20,x\n1,10,\n')
  const options = { key: ['1'], header: false, left: ['delimiter=|'], null: ['-0- '] }
  assert.deepEqual(found((await data(left, right, options)).counts), { identical: 1, equal_after_rules: 1 })
})

test('all breaks and the summary are written where --out says', async () => {
  const out = path.join(folder, 'out')
  await run(a, b, { key: ['id'], map: ['id=nr'], out }, false)
  const lines = readFileSync(path.join(out, 'breaks.csv'), 'utf8').trim().split('\n')
  assert.equal(
    lines[0],
    'kind,key.id,column,left,right,nature,delta,left_rows,right_rows,file,line,hint,identity',
  )
  assert.equal(lines.length, 5)
  const summary = JSON.parse(readFileSync(path.join(out, 'summary.json'), 'utf8')) as Record<string, unknown>
  assert.deepEqual([summary.outcome, summary.breaksTotal], ['BREAKS', 4])
})

test('the printed report says the outcome first', async () => {
  const { text } = await run(a, b, { key: ['id'], map: ['id=nr'] }, false)
  assert.match(text, /^BREAKS {2}the sides differ: 4 breaks\n/)
  assert.match(text, /value_mismatch +2 +amount +20 +21 +1 +a\.csv:3/)
})

test('a query of Postgres keeps its types: numbers equal numbers, whatever the file writes', async () => {
  await database.use(connection =>
    connection.query('create table orders (id int, amount numeric(10, 2), name text, day date)'),
  )
  await database.use(connection =>
    connection.query(
      "insert into orders values (1, 10.5, 'Anna', '2026-11-20'), (2, 20, 'Ben', null), (3, 30, 'Cleo', null)",
    ),
  )
  const result = await data(a, 'postgres:select id, amount, name from orders', { key: ['id'] })
  assert.deepEqual([result.exit, found(result.counts)], [0, { identical: 2, equal_after_rules: 1 }])
  const refused = await run(a, 'postgres:select nothing from nowhere', { key: ['id'] })
  assert.deepEqual([refused.exit, /nowhere/.test(refused.text)], [2, true])
})

test('a Parquet file keeps its types', async () => {
  const { openDuckDb } = await import('../../../../lib/format/duckdb/session.ts')
  const db = await openDuckDb({ spillFolder: path.join(folder, 'spill'), folders: [folder] })
  await db.run(`copy (select 1 as id, 10.50::decimal(9,2) as amount, 'Anna' as name, timestamptz '2026-11-20 10:00:00.5+02' as at)
    to '${path.join(folder, 'p.parquet')}' (format parquet)`)
  await db.close()
  const csv = file('p.csv', 'id,amount,name,at\n01,10.5,Anna,2026-11-20T08:00:00.500Z\n')
  const result = await data(csv, 'p.parquet', { key: ['id'] })
  assert.deepEqual([result.exit, found(result.counts)], [0, { equal_after_rules: 1 }])
})

const ISO = {
  left: ['record=ISO_4217/CcyTbl/CcyNtry'],
  right: ['where=WithdrawalDate is null'],
  map: ['CtryNm=Entity,Ccy=AlphabeticCode,CcyNm=Currency', 'CcyNbr=NumericCode,CcyMnrUnts=MinorUnit'],
  key: ['CtryNm,Ccy'],
}

test('ISO 4217 as XML and CSV differ by 13 values, 4 + 4 rows and 3 keys a side', {
  skip: noData,
}, async () => {
  const [xml, csv] = [path.join(DATA, 'iso4217/list-one_2024.xml'), path.join(DATA, 'iso4217/codes-all.csv')]
  const result = await data(xml, csv, ISO)
  assert.deepEqual([result.exit, result.rows], [4, { left: 280, right: 280 }])
  const expected = { key_invalid: 6, missing_in_target: 4, missing_in_source: 4, identical: 260 }
  assert.deepEqual(found(result.counts), { ...expected, value_mismatch: 13 })
  assert.deepEqual([result.rowsByKind.left.key_invalid, result.rowsByKind.right.key_invalid], [3, 3])
  const codes = (kind: string) =>
    result.breaks.filter(one => one.kind === kind).map(({ key }) => `${key.Ccy}`)
  assert.deepEqual(codes('missing_in_target').sort(), ['ANG', 'ANG', 'BGN', 'CUC'])
  assert.deepEqual(codes('missing_in_source').sort(), ['EUR', 'XAD', 'XCG', 'XCG'])
  const values = result.breaks
    .filter(({ kind }) => kind === 'value_mismatch')
    .flatMap(({ columns }) => columns.map(({ left, right }) => `${left} ${right}`))
  assert.deepEqual(new Set(values), new Set(['N.A. -']))
  const withTokens = await data(xml, csv, { ...ISO, null: ['N.A.,-'] })
  assert.deepEqual(found(withTokens.counts), { ...expected, equal_after_rules: 13 })
})

test('OFAC entries as XML and CSV have the same 639 keys, and names that differ only by the first name', {
  skip: noData,
}, async () => {
  const ofac = path.join(DATA, 'ofac-consolidated-5-formats')
  const result = await data(path.join(ofac, 'consolidated.xml'), path.join(ofac, 'cons_prim.csv'), {
    left: ['record=sdnList/sdnEntry'],
    right: ['no-header'],
    map: ['uid=1,lastName=2'],
    key: ['uid'],
    null: ['-0- '],
  })
  assert.deepEqual([result.rows.left, result.rows.right], [639, 639])
  assert.deepEqual(found(result.counts), { value_mismatch: 94, identical: 545 })
  for (const { columns } of result.breaks) assert.ok(columns[0]!.right!.startsWith(`${columns[0]!.left}, `))
})

test('ECB rates of a day as XML and CSV: 26 equal as text, 6 only as numbers', { skip: noData }, async () => {
  const xml = path.join(DATA, 'ecb-fx/eurofxref-daily_rubymoney.xml')
  const history = readFileSync(path.join(DATA, 'ecb-fx/eurofxref-hist_2025-05.csv'), 'utf8').split('\n')
  const day = /time='([^']+)'/.exec(readFileSync(xml, 'utf8'))![1]!
  const values = history.find(line => line.startsWith(`${day},`))!.split(',')
  const rates = history[0]!
    .split(',')
    .flatMap((currency, i) =>
      /^[A-Z]{3}$/.test(currency) && values[i] !== 'N/A' ? [`${currency},${values[i]}`] : [],
    )
  const csv = file('day.csv', `currency,rate\n${rates.join('\n')}\n`)
  const options = {
    left: ['record=Envelope/Cube/Cube/Cube'],
    map: ['@currency=currency,@rate=rate'],
    key: ['currency'],
  }
  assert.deepEqual(found((await data(xml, csv, options)).counts), { value_mismatch: 6, identical: 26 })
  const numeric = await data(xml, csv, { ...options, tolerance: ['rate=0'] })
  assert.deepEqual([numeric.exit, found(numeric.counts)], [0, { equal_after_rules: 6, identical: 26 }])
})
