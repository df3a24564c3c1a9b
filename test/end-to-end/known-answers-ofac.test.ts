/**
 * A night on OFAC's real list of 2018-04-06, whose answers are known (INDEX.md beside it). The files are no
 * part of the project: without them these tests are skipped.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { ROOT } from '../support/source-facts.ts'

const DATA = join(ROOT, '..', 'shared', 'data', 'ofac-consolidated-5-formats')
const there = existsSync(DATA)
const skip = there ? false : 'the real data in ../shared/data is not there'
const night = there ? await openNight({ releaseMail: false }) : null!

test("639 real parties, their addresses and aliases are equal in OFAC's XML and CSV editions, and what one edition leaves out is left out by a rule that is counted", {
  skip,
}, async () => {
  for (const name of ['consolidated.xml', 'cons_prim.csv', 'cons_add.csv', 'cons_alt.csv'])
    await night.deliver('sanctions', name.replace('.', '_20180406.'), readFileSync(join(DATA, name)))
  const summary = await night.run('sanctions-list', '2018-04-06')
  assert.deepEqual(
    [summary.state, summary.reconcile?.outcome, summary.reconcile?.unexplained],
    ['succeeded', 'CLEAN', '0'],
  )
  assert.deepEqual(summary.counts, { read: 2_605, mapped: 2_605, rejected: 0, filtered: 0 })

  const compared = await night.rows<Record<string, unknown>>(
    `SELECT reconciliation, r.outcome, breaks_total::int AS breaks,
       (result -> 'left' ->> 'rows')::int AS left, (result -> 'right' ->> 'rows')::int AS right
     FROM tallyman.comparison_result r JOIN tallyman.comparison c ON c.id = r.comparison ORDER BY reconciliation`,
  )
  const line = (name: string, rows: number) => ({
    ...{ reconciliation: `sanctions-list.${name}`, outcome: 'CLEAN', breaks: 0, left: rows, right: rows },
  })
  assert.deepEqual(compared, [
    line('csv_addresses', 711),
    line('csv_aliases', 1_209),
    line('csv_parties', 639),
    line('listed_address', 711),
    line('listed_alias', 1_255),
    line('listed_party', 639),
  ])

  const leftOut = await night.rows(
    `SELECT reconciliation, gate ->> 'name' AS gate, gate ->> 'message' AS message
     FROM tallyman.comparison_result r JOIN tallyman.comparison c ON c.id = r.comparison,
       jsonb_array_elements(r.result -> 'gates') gate WHERE gate ->> 'name' LIKE '%left out' ORDER BY 1`,
  )
  assert.deepEqual(leftOut, [
    {
      reconciliation: 'sanctions-list.csv_addresses',
      gate: 'right left out',
      message: '146: stands for a party without address, which the XML has no element for',
    },
    {
      reconciliation: 'sanctions-list.csv_aliases',
      gate: 'left left out',
      message: '46: weak alias: the CSV edition has it among the remarks of the party, where it is compared',
    },
  ])
  const mails = await readdir(join(night.environment.dataFolder, 'outbox'))
  const text = readFileSync(
    join(night.environment.dataFolder, 'outbox', mails.find(name => name.endsWith('.txt'))!),
    'utf8',
  ).replace(/\s+/g, ' ')
  assert.match(
    text,
    /On purpose left out of cons_add_20180406\.csv: 146: stands for a party without address, which the XML has no element for\./,
  )
  assert.match(
    text,
    /On purpose left out of consolidated_20180406\.xml: 46: weak alias: the CSV edition has it/,
  )

  const [stored] = await night.rows(
    `SELECT (SELECT count(*)::int FROM compliance.listed_party) AS parties,
       (SELECT count(*)::int FROM compliance.listed_address) AS addresses,
       (SELECT count(*)::int FROM compliance.listed_alias) AS aliases,
       (SELECT count(*)::int FROM compliance.listed_alias WHERE strength = 'weak') AS weak,
       (SELECT sum(array_length(string_to_array(weak_aliases, ' / '), 1))::int FROM compliance.listed_party) AS weak_of_parties,
       (SELECT count(*)::int FROM compliance.listed_party p
          WHERE NOT EXISTS (SELECT FROM compliance.listed_address a WHERE a.party_no = p.party_no)) AS without_address`,
  )
  assert.deepEqual(stored, {
    ...{ parties: 639, addresses: 711, aliases: 1_255, weak: 46, weak_of_parties: 46, without_address: 146 },
  })
})
