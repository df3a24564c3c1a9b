/**
 * kill -9 at every point of applying a plan, in a real process; then the plan is applied again, or the next
 * run of the date comes first. The changes must have been made once, and the comparison must be clean.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { applied, planFor, RATES, ratesNight, ratesOf, touchRates } from '../support/resolve-night.ts'

const night = await openNight()

async function failpoints(): Promise<string[]> {
  const root = path.join(import.meta.dirname, '..', '..')
  const names: string[] = []
  for await (const file of glob('lib/**/*.ts', { cwd: root })) {
    const source = readFileSync(path.join(root, file), 'utf8')
    for (const [, name] of source.matchAll(/\bfailpoint\('(resolve\.[^']+)'\)/g)) names.push(name!)
  }
  return names.toSorted((a, b) => a.localeCompare(b))
}

/** What is wrong after a kill there and what follows it; empty when all is well. */
async function killedAt(failpoint: string, date: string, runFirst: boolean): Promise<string[]> {
  const problems: string[] = []
  const expect = (what: string, is: unknown, must: unknown): void => {
    if (!isDeepStrictEqual(is, must))
      problems.push(`${failpoint}: ${what} is ${JSON.stringify(is)}, not ${JSON.stringify(must)}`)
  }
  await ratesNight(night, date)
  await touchRates(night, date, { USD: '1.2', GBP: null })
  await night.rerun('fx-rates', date, { from: 'reconcile' })
  const made = await planFor(night, 'fx-rates', date)
  const { signal, stderr } = await command(
    night,
    ['breaks', 'resolve', '--apply', made.files[0]!],
    `${failpoint}:1:kill`,
  )
  if (signal !== 'SIGKILL') return [`${failpoint}: never passed: ${stderr}`]
  if (runFirst) await night.run('fx-rates', date)
  const done = await applied(night, made)
  expect(
    'what became of the changes',
    done.changes.map(({ outcome }) => outcome),
    ['applied', 'applied'],
  )
  expect('the target', await ratesOf(night, date), RATES)
  const [left] = await night.rows(
    `SELECT r.state, r.owed, (SELECT count(*)::int FROM tallyman.lease l WHERE l.run = r.id) AS leases,
       (SELECT count(*)::int FROM tallyman.resolution x JOIN tallyman.revision v ON v.id = x.revision WHERE v.run = r.id) AS plans,
       (SELECT string_agg(v.state, ',' ORDER BY v.number) FROM tallyman.revision v WHERE v.run = r.id) AS revisions,
       (SELECT string_agg(x.outcome, ',' ORDER BY c.number) FROM tallyman.comparison c JOIN tallyman.comparison_result x
          ON x.comparison = c.id WHERE c.run = r.id AND x.reconciliation = 'fx-rates.fx_rate') AS outcomes
     FROM tallyman.run r WHERE r.job = 'fx-rates' AND r.business_date = $1`,
    [date],
  )
  const clean = { state: 'succeeded', owed: false, leases: 0, plans: 1, revisions: 'finished,finished' }
  expect('the ledger', left, { ...clean, outcomes: 'CLEAN,BREAKS,CLEAN' })
  const mails = night.smtp.received.filter(({ mail }) =>
    mail.text!.includes('2 changes of a plan are applied to'),
  )
  expect('mails of the plan', mails.filter(({ mail }) => mail.subject!.includes(date)).length, 1)
  return problems
}

test('killed at any point, a plan is applied once, by whoever comes next', async () => {
  const names = await failpoints()
  assert.ok(names.length >= 8, `only ${names.length} failpoints were found`)
  const problems: string[] = []
  for (const [index, name] of names.entries())
    problems.push(...(await killedAt(name, `2026-06-${String(index + 1).padStart(2, '0')}`, index % 2 === 0)))
  assert.deepEqual(problems, [], problems.join('\n'))
})
