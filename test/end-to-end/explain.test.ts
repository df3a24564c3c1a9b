/**
 * What the run ledger knows of the cause of a break, through real runs: told in mail, CSV, `breaks show` and
 * JSON, with the file and line of the record that it is about.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Explanation } from '../../lib/model/explanation.ts'
import type { ScheduledJob } from '../../lib/model/job.ts'
import { runJob } from '../../lib/run/run-job.ts'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { ratesXml } from '../support/night-deliveries.ts'
import { touchRates } from '../support/resolve-night.ts'

const night = await openNight()

/** The job as it is, but the whole target is compared: rows that only the target has are seen. */
function wholeTarget(): ScheduledJob {
  const scheduled = night.job('fx-rates')
  const [rates] = scheduled.job.reconcile.comparisons
  const comparisons = [{ ...rates!, target: { kind: 'target' as const, scope: 'all' as const } }]
  return { ...scheduled, job: { ...scheduled.job, reconcile: { comparisons } } }
}

const run = (date: string, trigger: 'manual' | 'rerun' = 'manual') =>
  runJob(night.engine, wholeTarget(), date, { trigger, createTarget: true })

/** Explanations of the breaks last seen on a date, by currency and day. */
async function explanations(date: string): Promise<Record<string, Explanation | null>> {
  const rows = await night.rows<{ key: { currency: string; date: string }; explanation: Explanation | null }>(
    'SELECT key, explanation FROM tallyman.lasting_break WHERE last_seen = $1 ORDER BY identity',
    [date],
  )
  return Object.fromEntries(rows.map(({ key, explanation }) => [`${key.currency} ${key.date}`, explanation]))
}

test('a break is told with its cause: rejected, refused, superseded, an earlier load, changed after the load', async () => {
  const [first, second] = ['2026-11-03', '2026-11-04'] as const
  await night.deliver('ecb', 'eurofxref-hist_20261103.xml', ratesXml(first, { USD: '1.1', JPY: '170' }))
  await run(first)
  const rates = { USD: '1.2', JPY: '171', CHF: '0.95', GBP: '0.85', SEK: '11', NOK: '12' }
  await night.deliver('ecb', 'eurofxref-hist_20261104.xml', ratesXml(second, rates))
  assert.equal((await run(second)).reconcile?.breaks.new, 2, 'the rows of the day before')
  await night.rows('ALTER TABLE treasury.fx_rate ADD CONSTRAINT no_fives CHECK (rate <> 5)')
  // The corrected file can't be read for one currency, has a refused value for another, and lacks a third.
  const corrected = { JPY: '171', SEK: '11', NOK: '12', CHF: 'n/a', USD: '5' }
  await night.deliver('ecb', 'eurofxref-hist_20261104.xml', ratesXml(second, corrected))
  await run(second)
  await touchRates(night, second, { JPY: '999', SEK: null })
  await run(second, 'rerun')

  const told = await explanations(second)
  const [file, load] = ['eurofxref-hist_20261104.xml', /^revision 2, \d{4}-\d\d-\d\d \d\d:\d\d UTC$/]
  const changed = told[`JPY ${second}`]!
  const [, what, when] = /^(.*) after its load \((.*)\)$/.exec(changed.text)!
  assert.deepEqual(
    [changed.cause, what, changed.file],
    ['changed_after_load', 'changed in treasury.fx_rate', file],
  )
  assert.match(when!, load)
  assert.match(told[`SEK ${second}`]!.text, /^removed from treasury\.fx_rate after its load/)
  const others = ['CHF', 'USD', 'GBP'].map(currency => told[`${currency} ${second}`])
  assert.deepEqual(others, [
    { cause: 'rejected', text: 'its record was rejected by map: MAP_NOT_A_DECIMAL in @rate', file, line: 7 },
    {
      cause: 'refused',
      text: 'its record was refused by the load: LOAD_CONSTRAINT_VIOLATED',
      ...{ file, line: 8 },
    },
    {
      cause: 'superseded',
      text: `loaded for this date from ${file}, which its files no longer have`,
      ...{ file, line: 7 },
    },
  ])
  assert.deepEqual(told[`USD ${first}`], {
    cause: 'earlier_load',
    text: "loaded from eurofxref-hist_20261103.xml of 2026-11-03; tonight's files do not have it",
    ...{ file: null, line: null },
  })
  assert.equal(told[`NOK ${second}`], undefined, 'what is equal is no break')

  const { mail } = night.smtp.received.at(-1)!
  const text = mail.text!.replaceAll(/\s+/g, ' ')
  assert.match(text, /changed in treasury\.fx_rate after its load/)
  assert.match(text, /rejected by map: MAP_NOT_A_DECIMAL in @rate \(eurofxref-hist_20261104\.xml:7\)/)
  const csv = mail.attachments.find(({ filename }) => filename === 'breaks-1.csv')!.content.toString()
  assert.match(csv, /,explanation,comparison,identity,decision,until,reason\r\n/)
  assert.match(
    csv,
    /its record was refused by the load: LOAD_CONSTRAINT_VIOLATED,fx-rates.fx_rate@2026-11-04#3,[0-9a-f]{32},,,\r\n/,
  )
  const [chf] = await night.rows<{ id: string }>(
    `SELECT left(replace(identity::text, '-', ''), 12) AS id FROM tallyman.lasting_break WHERE key ->> 'currency' = 'CHF'`,
  )
  const shown = await command(night, ['breaks', 'show', chf!.id])
  assert.match(shown.stdout, /cause: its record was rejected by map: .*, eurofxref-hist_20261104\.xml:7\n/)
})

test('a row that a later date has loaded since is explained by that load', async () => {
  const [first, second] = ['2026-11-09', '2026-11-10'] as const
  await night.rows('TRUNCATE treasury.fx_rate')
  await night.deliver('ecb', 'eurofxref-hist_20261109.xml', ratesXml(first, { USD: '1.1', JPY: '170' }))
  await run(first)
  await night.deliver('ecb', 'eurofxref-hist_20261110.xml', ratesXml(first, { USD: '1.15' }))
  await run(second)
  await run(first, 'rerun')
  const told = (await explanations(first))[`USD ${first}`]!
  assert.deepEqual(
    [told.cause, told.text],
    ['later_load', 'a later load wrote this row: eurofxref-hist_20261110.xml of 2026-11-10'],
  )
})
