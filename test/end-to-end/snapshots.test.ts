/**
 * Past nights proved again from what is stored, by real runs and the real commands: the same to the last byte, and
 * whatever is damaged, missing or otherwise is found. What retention keeps and removes: purge.test.ts beside this.
 */
import assert from 'node:assert/strict'
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../lib/model/progress.ts'
import { proveNight } from '../../lib/run/prove-night.ts'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { orders, ratesCsv, ratesXml, someLines } from '../support/night-deliveries.ts'

const night = await openNight()

const JOB = 'portal-orders'
const context = { clock: night.clock, log: silentLog, signal: night.engine.signal, progress: () => {} }
const prove = (date: string) => proveNight(night.engine, date, null, context)

async function runOrders(date: string): Promise<void> {
  await night.deliver('portal', `orders_${date.replaceAll('-', '')}.csv`, orders(date, someLines(6)))
  await night.run(JOB, date)
}

/** What a comparison came to, without the instants at which it looked. */
async function facts(date: string) {
  return night.rows<{ side: string; digest: string; address: string; result: unknown; made: unknown }>(
    `SELECT s.side, s.digest, s.manifest ->> 'address' AS address, x.made_by AS made,
       x.result - 'breaksFile' #- '{left,asOf}' #- '{right,asOf}' #- '{gates}' AS result
     FROM tallyman.run r JOIN tallyman.comparison c ON c.run = r.id JOIN tallyman.comparison_result x ON x.comparison = c.id
       JOIN tallyman.snapshot s ON s.comparison = c.id
     WHERE r.job = $1 AND r.business_date = $2::date
       AND c.number = (SELECT max(number) FROM tallyman.comparison WHERE run = r.id) ORDER BY s.side`,
    [JOB, date],
  )
}

async function snapshotFile(date: string, side: string, what: 'manifest' | 'rows'): Promise<string> {
  const [row] = await night.rows<{ path: string; address: string }>(
    `SELECT s.path, s.manifest ->> 'address' AS address FROM tallyman.snapshot s JOIN tallyman.run r ON r.id = s.run
     WHERE r.business_date = $1::date AND s.side = $2 ORDER BY s.id DESC LIMIT 1`,
    [date, side],
  )
  return what === 'manifest' ? row!.path : path.join(path.dirname(row!.path), `${row!.address}.parquet`)
}

test('a night with breaks is proved again to the last byte, whatever became of the target since', async () => {
  await runOrders('2026-11-02')
  await night.rows("UPDATE sales.order_line SET quantity = 7 WHERE stock_code = 'A3'")
  await night.rows("DELETE FROM sales.order_line WHERE stock_code = 'A5'")
  await night.rerun(JOB, '2026-11-02', { from: 'reconcile' })
  await night.rows("UPDATE sales.order_line SET quantity = 1 WHERE stock_code = 'A3'")
  const before = await readdir(night.engine.folders.snapshots)
  const [proved, ...more] = await prove('2026-11-02')
  assert.deepEqual(
    [proved!.verdict, proved!.what, proved!.number, proved!.outcome, proved!.breaks, more.length],
    ['proved', '', 2, 'BREAKS', 3, 0],
  )
  assert.deepEqual(await readdir(night.engine.folders.snapshots), before, 'it writes nothing there')
  assert.deepEqual(await readdir(night.engine.folders.work), [], 'and leaves nothing in its work folder')

  const { code, stdout } = await command(night, ['snapshots', 'verify', '--date', '2026-11-02'])
  assert.equal(code, 0)
  assert.equal(
    stdout,
    `portal-orders.order_line 2026-11-02 (comparison 2)  proved again: BREAKS, 6 against 5 rows, 3 breaks; everything as it was mailed\n`,
  )
})

test('a result that was changed afterwards is found out by proving it', async () => {
  await runOrders('2026-11-03')
  const change = (sql: string): Promise<object[]> =>
    night.rows(
      `UPDATE tallyman.comparison_result x SET ${sql} FROM tallyman.comparison c JOIN tallyman.run r ON r.id = c.run
       WHERE c.id = x.comparison AND r.business_date = '2026-11-03'`,
    )
  assert.equal((await prove('2026-11-03'))[0]!.verdict, 'proved')
  await change(`result = jsonb_set(result, '{counts,identical}', '5')`)
  const [counts] = await prove('2026-11-03')
  assert.deepEqual([counts!.verdict, counts!.what], ['different', 'other counts'])
  await change(`result = jsonb_set(result, '{counts,identical}', '6')`)
  await change(`made_by = jsonb_set(made_by, '{breaksSha256}', '"0000"')`)
  assert.equal((await prove('2026-11-03'))[0]!.what, 'other file of all breaks')
  const called = await command(night, ['snapshots', 'verify', '--date', '2026-11-03', '--job', JOB])
  assert.equal(called.code, 1)
  assert.match(
    called.stdout,
    /DIFFERENT: mailed as CLEAN, 6 against 6 rows, 0 breaks; made again it has other file/,
  )
})

test('a night is proved by the rules it was made by, not by those of today', async () => {
  await runOrders('2026-11-04')
  const sql = `UPDATE tallyman.comparison_result x SET made_by = $1 FROM tallyman.comparison c JOIN tallyman.run r ON r.id = c.run
    WHERE c.id = x.comparison AND r.business_date = '2026-11-04'`
  const [{ made } = { made: null }] = await facts('2026-11-04')
  const { plan } = made as { plan: { columns: { name: string }[] } }
  const other = { ...plan, columns: plan.columns.filter(({ name }) => name !== 'quantity') }
  await night.rows(sql, [JSON.stringify({ ...(made as object), plan: { ...other, totals: {} } })])
  const [proved] = await prove('2026-11-04')
  assert.equal(proved!.verdict, 'different')
  assert.match(proved!.what, /proof/)
})

test('a rerun of an old date gives the same snapshots, breaks, counts and proof, byte for byte', async () => {
  await runOrders('2026-11-05')
  const first = await facts('2026-11-05')
  await runOrders('2026-11-06')
  await night.rerun(JOB, '2026-11-05', { fromArchive: true, force: true })
  const again = await facts('2026-11-05')
  assert.equal(first.length, 2)
  assert.deepEqual(again, first)
  await night.rows(
    "UPDATE sales.order_line SET unit_price = 9.99 WHERE business_date = '2026-11-05' AND stock_code = 'A1'",
  )
  await night.rerun(JOB, '2026-11-05', { from: 'reconcile' })
  const broken = await facts('2026-11-05')
  assert.notDeepEqual(broken, first)
  await night.rerun(JOB, '2026-11-05', { from: 'reconcile' })
  assert.deepEqual(await facts('2026-11-05'), broken, 'with breaks too')
})

test('snapshots that are damaged, cut, changed or gone are named, and the next run mends what it can', async () => {
  const date = '2026-11-09'
  await runOrders(date)
  const rows = await snapshotFile(date, 'target', 'rows')
  const [manifest, whole] = [await snapshotFile(date, 'source', 'manifest'), await readFile(rows)]
  const verdict = async (): Promise<string> => {
    const [one] = await prove(date)
    return `${one!.verdict}: ${one!.what}`
  }
  const flipped = Buffer.from(whole)
  const middle = Math.floor(whole.length / 3)
  flipped[middle] = flipped[middle]! ^ 0xff
  await writeFile(rows, flipped)
  assert.match(await verdict(), /^damaged: the target's snapshot: its rows (can not|are right, but)/)
  const early = Buffer.from(whole)
  early.fill(0, 4, 40)
  await writeFile(rows, early)
  assert.match(await verdict(), /^damaged: the target's snapshot: its rows can not be read/)
  await writeFile(rows, whole)
  assert.match(await verdict(), /^proved: $/)
  await truncate(rows, whole.length - 10)
  assert.match(await verdict(), /^damaged: the target's snapshot: its rows can not be read/)
  const listed = await command(night, ['snapshots', 'verify', '--job', JOB])
  assert.equal(listed.code, 1)
  assert.match(listed.stdout, /portal-orders\.order_line 2026-11-09 target \(snapshot \d+\) {2}DAMAGED: /)
  assert.match(listed.stderr, /rerun portal-orders --date 2026-11-09 --from-archive --force/)

  await night.rerun(JOB, date, { from: 'reconcile' })
  assert.match(await verdict(), /^proved: $/, 'equal rows were stored in place of the damaged ones')
  await rm(rows)
  assert.match(await verdict(), /^damaged: the target's snapshot: the file with its rows is not there$/)
  await writeFile(rows, whole)
  assert.match(await verdict(), /^proved: $/, 'the file of the first comparison has the same rows')

  const text = await readFile(manifest, 'utf8')
  await writeFile(manifest, text.replace('"rows": 6', '"rows": 7'))
  assert.match(
    await verdict(),
    /^damaged: the source's snapshot: its manifest was changed after it was written$/,
  )
  await rm(manifest)
  assert.match(await verdict(), /^damaged: the source's snapshot: its manifest is not there$/)
})

test('a night that proved nothing is not proved again, and a date without any is refused', async () => {
  const date = '2026-11-10'
  await night.deliver('ecb', 'eurofxref-hist-90d_20261110.xml', ratesXml(date, { USD: '1.1' }))
  const { reconcile } = await night.run('fx-rates', date)
  assert.equal(reconcile?.outcome, 'INCONCLUSIVE')
  const called = await command(night, ['snapshots', 'verify', '--date', date])
  assert.equal(called.code, 5, called.stderr)
  assert.match(called.stdout, /not to be proved: nothing was proved then: There is no file of feed/)
  await night.deliver('ecb', 'eurofxref-hist_20261110.csv', ratesCsv(date, { USD: '1.1' }))
  await assert.rejects(prove('2020-01-01'), { code: 'RECONCILE_NOTHING_STORED' })
})

test('snapshots are listed and shown with what they were made of', async () => {
  const { code, stdout } = await command(night, [
    'snapshots',
    'list',
    '--job',
    JOB,
    '--date',
    '2026-11-06',
    '--json',
  ])
  assert.equal(code, 0)
  const { snapshots } = (
    JSON.parse(stdout) as { data: { snapshots: { id: string; side: string; rows: number }[] } }
  ).data
  assert.deepEqual(
    snapshots.map(({ side, rows }) => `${side} ${rows}`),
    ['target 6', 'source 6'],
  )
  const shown = await command(night, ['snapshots', 'show', snapshots[1]!.id])
  assert.match(
    shown.stdout,
    /portal-orders\.order_line 2026-11-06, comparison 1, source: orders_20261106\.csv/,
  )
  assert.match(shown.stdout, /made of orders_20261106\.csv/)
  assert.equal((await command(night, ['snapshots', 'show', '999999'])).code, 2)
})
