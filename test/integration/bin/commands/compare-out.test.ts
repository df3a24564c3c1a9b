/**
 * What `compare --out DIR` leaves there: three files that belong together, the same bytes for the same input.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { openDuckDb } from '../../../../lib/format/duckdb/session.ts'
import { quoteText } from '../../../../lib/format/duckdb/sql.ts'
import { start } from '../../../support/cli.ts'
import { reconcileFolder } from '../../../support/compared.ts'

const folder = reconcileFolder()

/** Sides are told with the time of their file, so that it is the same for each. */
function file(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text)
  utimesSync(path.join(folder, name), 1_790_000_000, 1_790_000_000)
  return name
}

const NASTY = 'tab\tback\\slash "quote"\nnew line'
const csv = (cell: string): string => `"${cell.replaceAll('"', '""')}"`
const left = file('left.csv', `id,amount,note\n1,10,=SUM(A1)\n2,20,${csv(NASTY)}\n3,30,\n`)
const right = file('right.csv', 'id,amount,note\n1,11,=SUM(A1:A2)\n3,30,\n4,40,"\\N"\n')

async function compare(out: string, ...sides: readonly [string, string]): Promise<number | null> {
  const given = ['compare', ...sides, '--key', 'id', '--tolerance', 'amount=0', '--out', out]
  return (await start(folder, given).ended).code
}

const read = (out: string, name: string): Buffer => readFileSync(path.join(folder, out, name))

async function parquetRows(out: string): Promise<Record<string, unknown>[]> {
  const name = path.join(folder, out, 'breaks.parquet')
  const db = await openDuckDb({ spillFolder: path.join(folder, `${out}.spill`), folders: [], files: [name] })
  try {
    const columns = (await db.rows(`describe from read_parquet(${quoteText(name)})`)).map(String)
    const names = columns.map(column => column.split(',')[0]!)
    const rows = await db.rows(`select * from read_parquet(${quoteText(name)})`)
    return rows.map(row => Object.fromEntries(row.map((cell, index) => [names[index]!, cell])))
  } finally {
    await db.close()
  }
}

test('breaks stand in the CSV for spreadsheets and in the Parquet as they are, row by row', async () => {
  assert.equal(await compare('out', left, right), 4)
  assert.deepEqual(readdirSync(path.join(folder, 'out')).sort(), [
    'breaks.csv',
    'breaks.parquet',
    'summary.json',
  ])
  const rows = await parquetRows('out')
  assert.deepEqual(
    rows.map(row => [row.kind, row['key.id'], row.column, row.left_rows, row.right_rows, row.line]),
    [
      ['value_mismatch', '1', 'amount', 1n, 1n, 2n],
      ['value_mismatch', '1', 'note', 1n, 1n, 2n],
      ['missing_in_target', '2', null, 1n, 0n, 3n],
      ['missing_in_source', '4', null, 0n, 1n, 4n],
    ],
  )
  assert.deepEqual([rows[1]!.left, rows[1]!.right], ['=SUM(A1)', '=SUM(A1:A2)'])
  assert.deepEqual(JSON.parse(rows[2]!.left as string), { amount: '20', note: NASTY })
  assert.deepEqual(JSON.parse(rows[3]!.right as string), { amount: '40', note: '\\N' })
  const text = read('out', 'breaks.csv').toString()
  assert.ok(text.includes(",'=SUM(A1),'=SUM(A1:A2),"), text)
  assert.equal(text.split('\n')[0], Object.keys(rows[0]!).join(','))
})

test('the same input gives the same three files, byte for byte', async () => {
  await compare('first', left, right)
  await compare('second', left, right)
  for (const name of ['breaks.csv', 'breaks.parquet', 'summary.json'])
    assert.ok(read('first', name).equals(read('second', name)), name)
})

test('the summary tells its schema version and the hashes of the files beside it', async () => {
  const summary = JSON.parse(read('out', 'summary.json').toString()) as {
    schemaVersion: number
    outcome: string
    breaksTotal: number
    files: Record<string, { bytes: number; sha256: string }>
  }
  assert.deepEqual([summary.schemaVersion, summary.outcome, summary.breaksTotal], [1, 'BREAKS', 3])
  for (const [name, { bytes, sha256 }] of Object.entries(summary.files)) {
    const content = read('out', name)
    assert.deepEqual([bytes, sha256], [content.length, createHash('sha256').update(content).digest('hex')])
  }
  assert.deepEqual(Object.keys(summary.files), ['breaks.csv', 'breaks.parquet'])
  assert.ok(!read('out', 'summary.json').includes(folder), 'no path of this machine is in it')
})

test('a clean comparison into a used folder leaves none of the breaks before, and nothing that a killed one left aside', async () => {
  mkdirSync(path.join(folder, 'out', '.part'))
  writeFileSync(path.join(folder, 'out', '.part', 'breaks.csv'), 'half')
  assert.equal(await compare('out', left, left), 0)
  assert.deepEqual(readdirSync(path.join(folder, 'out')).sort(), [
    'breaks.csv',
    'breaks.parquet',
    'summary.json',
  ])
  assert.equal(read('out', 'breaks.csv').toString().trim().split('\n').length, 1)
  assert.deepEqual(await parquetRows('out'), [])
})

test('a comparison that proves nothing leaves its three files too, and a folder that is none is refused first', async () => {
  const empty = file('empty.csv', 'id,amount,note\n')
  assert.equal(await compare('nothing', left, empty), 5)
  assert.deepEqual(await parquetRows('nothing'), [])
  assert.equal(await compare('left.csv', left, right), 2)
})
