/**
 * A job in shadow of the system that is to be replaced, over some nights: the partner's file, mapped and not
 * loaded, against the table that the old system fills; and the count of CLEAN nights in a row in each mail.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folder, settled } from '../../lib/fetch/sources.ts'
import { defineMapping, read } from '../../lib/map/index.ts'
import { defineComparisonJob } from '../../lib/model/define-job.ts'
import { column, defineTable } from '../../lib/model/table.ts'
import { csv } from '../../lib/parse/csv.ts'
import { comparison, files, snapshots } from '../../reconcile/snapshots.ts'
import { openComparing } from '../support/comparing.ts'

const world = await openComparing()

const line = defineTable(
  'sales',
  'line',
  {
    day: column.date({ doc: 'day' }),
    no: column.integer({ doc: 'number' }),
    amount: column.decimal({ doc: 'amount', precision: 12, scale: 2 }),
  },
  { doc: 'Lines.', key: ['day', 'no'], totals: { amount: { sum: ['amount'] } } },
)

const mapped = defineMapping({
  name: 'line',
  version: 1,
  doc: 'x',
  source: ['Day', 'No', 'Amount'],
  table: line,
  fields: {
    day: read.date('Day', { doc: 'x' }),
    no: read.integer('No', { doc: 'x' }),
    amount: read.decimal('Amount', { doc: 'x' }),
  },
})

const job = defineComparisonJob({
  name: 'shadow-lines',
  purpose: 'The new import would have loaded what the old one has.',
  owner: 'audit',
  ifLate: 'Nothing.',
  shadow: { nights: 3, of: 'the old import' },
  reconcile: snapshots(
    comparison({
      table: line,
      source: files({
        fetch: folder({
          folder: 'incoming',
          feed: 'lines',
          files: 'lines_{yyyyMMdd}.csv',
          completeWhen: settled({ forMs: 5 }),
        }),
        parse: csv(),
        map: mapped,
      }),
      scope: { businessDate: 'day' },
    }),
  ),
  report: { to: 'audit' },
})

await world.rows('CREATE SCHEMA sales')
await world.rows(
  'CREATE TABLE sales.line (day date, no bigint, amount numeric(12, 2), PRIMARY KEY (day, no))',
)

/** The partner delivers, and the old system loads what it takes the file to say. */
async function night(date: string, loaded: string): Promise<void> {
  await world.deliver(`lines_${date.replaceAll('-', '')}.csv`, `Day,No,Amount\n${date},1,1.50\n${date},2,2\n`)
  await world.rows(`INSERT INTO sales.line VALUES ('${date}', 1, 1.5), ('${date}', 2, ${loaded})`)
}

/** What the mail of a night says of the row. */
async function told(): Promise<{ subject: string; text: string }> {
  const { subject, text } = await world.lastMail()
  return { subject, text: text.replaceAll(/\s+/g, ' ') }
}

test('nights in a row are counted in the mail, breaks begin anew, an unproved night is mended by its proof', async () => {
  await night('2026-11-16', '2')
  assert.equal((await world.run(job, '2026-11-16')).reconcile?.outcome, 'CLEAN')
  assert.match((await told()).subject, /^\[CLEAN\] shadow-lines 2026-11-16: night 1 of 3 in a row CLEAN/)

  await night('2026-11-17', '2.01')
  assert.equal((await world.run(job, '2026-11-17')).reconcile?.outcome, 'BREAKS')
  assert.match(
    (await told()).text,
    /runs beside the old import until 3 nights in a row are CLEAN; nothing is loaded\. Tonight ends the row: the next CLEAN night is night 1\. 1 night was CLEAN before it\./,
  )

  await night('2026-11-18', '2')
  await world.run(job, '2026-11-18')
  assert.match((await told()).subject, /night 1 of 3/)

  await assert.rejects(world.run(job, '2026-11-19'), { code: 'FETCH_FILE_MISSING' })
  assert.match(
    (await told()).text,
    /Of tonight nothing is proved, so it is no night of the row\. 1 night was CLEAN before it\./,
  )

  await night('2026-11-20', '2')
  await world.run(job, '2026-11-20')
  const after = await told()
  assert.match(after.subject, /night 1 of 3/)
  assert.match(after.text, /The row begins after 2026-11-19, of which nothing is proved: run that date again/)

  await night('2026-11-19', '2')
  await world.run(job, '2026-11-19')
  assert.match((await told()).subject, /2026-11-19: night 2 of 3/)
  await world.rerun(job, '2026-11-20')
  const proved = await told()
  assert.match(proved.subject, /night 3 of 3 in a row CLEAN/)
  assert.match(proved.text, /since 2026-11-18\. That is what was asked for: the old import may be replaced\./)
})

test('a job in shadow loads nothing, and a file that came too late owes its date a run', async () => {
  const counted = await world.rows<{ loads: string; revisions: string; owed: string }>(
    `SELECT (SELECT count(*) FROM tallyman.load) AS loads, (SELECT count(*) FROM tallyman.revision) AS revisions,
       (SELECT count(*) FROM tallyman.run WHERE owed) AS owed`,
  )
  assert.deepEqual(counted, [{ loads: '0', revisions: '0', owed: '0' }])
  await world.deliver('lines_20261118.csv', 'Day,No,Amount\n2026-11-18,1,1.50\n2026-11-18,2,3\n')
  await world.rerun(job, '2026-11-20')
  assert.deepEqual(await world.rows('SELECT business_date::text AS date FROM tallyman.run WHERE owed'), [
    { date: '2026-11-18' },
  ])
  const corrected = await world.run(job, '2026-11-18')
  assert.equal(corrected.reconcile?.outcome, 'BREAKS')
  assert.deepEqual(await world.rows('SELECT id FROM tallyman.run WHERE owed'), [])
})
