/**
 * kill -9 at every failpoint of the source, in a real process running a real job; then the next run.
 * What is left must be what an undisturbed run leaves (run-picture.ts). A new failpoint is found here
 * by itself; one that the order job does not pass needs its line in SCENARIO_OF.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { sendMails } from '../../lib/run/report-step.ts'
import { type Night, openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { hours, orders, ratesCsv, ratesXml, someLines, statements } from '../support/night-deliveries.ts'
import { type Picture, pictureOf } from '../support/run-picture.ts'

const changes = {
  'portal-orders': { after: { move: 'done' } },
  'bank-statements': { after: 'delete' },
} as const
const sending = await openNight({ changes })
const keeping = await openNight({ changes, releaseMail: false })

/** A job on its way, and its deliveries for a date. */
interface Scenario {
  readonly night: Night
  readonly job: string
  readonly deliver: (date: string) => Promise<void>
}

const compact = (date: string): string => date.replaceAll('-', '')

const ordersTo = (night: Night, lines = 4): Scenario => ({
  night,
  job: 'portal-orders',
  deliver: date =>
    night.deliver(
      'portal',
      `orders_${compact(date)}.csv`,
      orders(
        date,
        [...someLines(lines), ['BAD', 'many']],
        undefined,
        lines > 100 ? 'WIDE '.repeat(36) : 'THING',
      ),
    ),
})

/** With their long descriptions more than one COPY statement takes (4 MiB). */
const MANY_LINES = 17_000

/** Orders with one line that a rule of the target refuses; its table is there from the scenario before. */
const refused: Scenario = {
  night: sending,
  job: 'portal-orders',
  deliver: async date => {
    await sending.rows(`DO $$ BEGIN
      ALTER TABLE sales.order_line ADD CONSTRAINT no_traps CHECK (stock_code <> 'TRAP');
      EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
    const lines = [...someLines(4), ['TRAP', 1] as const]
    await sending.deliver('portal', `orders_${compact(date)}.csv`, orders(date, lines))
  },
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  moved: ordersTo(sending),
  refused,
  kept: ordersTo(keeping),
  many: ordersTo(sending, MANY_LINES),
  deleted: {
    night: sending,
    job: 'bank-statements',
    deliver: date =>
      sending.deliver(
        'bank',
        `camt053_${compact(date)}_a.xml`,
        statements(date, [{ id: `S-${date}`, opening: 1, entries: [2, 3], closing: 6 }]),
      ),
  },
  api: {
    night: sending,
    job: 'payroll-hours',
    deliver: date =>
      sending.deliver('payroll', `hours_${compact(date)}.csv`, hours(date, ['00000001', '00000002'])),
  },
  broken: {
    night: sending,
    job: 'fx-rates',
    deliver: async date => {
      await sending.deliver('ecb', `eurofxref-hist_${compact(date)}.csv`, ratesCsv(date, { USD: '1.2' }))
      await sending.deliver(
        'ecb',
        `eurofxref-hist-90d_${compact(date)}.xml`,
        ratesXml(date, { USD: '1.1', JPY: '170' }),
      )
    },
  },
}

/** Failpoints that a load of orders, moved and mailed, does not pass. */
const SCENARIO_OF: Readonly<Record<string, keyof typeof SCENARIOS>> = {
  'fetch.before-remote-delete': 'deleted',
  'load.mid-copy': 'many',
  'load.before-halves': 'refused',
  'load.after-refusal': 'refused',
  'load.api-call-recorded': 'api',
  'load.api-call-answered': 'api',
  'load.api-call-settled': 'api',
  'load.api-spooled': 'api',
  'load.api-before-keep': 'api',
  'load.api-kept': 'api',
  'reconcile.breaks-written': 'broken',
  'report.before-hold': 'kept',
}

const scenarioOf = (failpoint: string): Scenario => SCENARIOS[SCENARIO_OF[failpoint] ?? 'moved']!

/** Winter days only, so that all local times are the same instants of their day. */
const FIRST_DAY = Date.UTC(2026, 0, 1)

/** Two at a time: a process takes a core while it starts. */
const AT_A_TIME = 2

async function failpoints(): Promise<string[]> {
  const root = path.join(import.meta.dirname, '..', '..')
  const names = new Set<string>()
  for await (const file of glob('{lib,reconcile,bin}/**/*.ts', { cwd: root })) {
    const source = readFileSync(path.join(root, file), 'utf8')
    // Those of applying a plan are passed by no run: resolve-killed.test.ts kills there.
    for (const [, name] of source.matchAll(/\bfailpoint\('((?!resolve\.)[^']+)'\)/g)) names.add(name!)
  }
  return [...names].sort()
}

/** Mails whose sender died are due again when its hold on them ends; that time passes here. */
async function timePasses(night: Night): Promise<void> {
  await night.rows(
    `UPDATE tallyman.outbox SET leased_until = NULL, send_after = now() WHERE state = 'waiting'`,
  )
  await sendMails(night.engine, null, null)
}

/** What is wrong after a kill at this failpoint and the next run, nothing when all is well. */
async function killedAt(failpoint: string, date: string, expected: Picture): Promise<string[]> {
  const { night, job, deliver } = scenarioOf(failpoint)
  await deliver(date)
  const killed = await command(night, ['run', job, '--date', date, '--create-target'], `${failpoint}:1:kill`)
  if (killed.signal !== 'SIGKILL')
    return [`${failpoint}: never passed (exit ${killed.code}) ${killed.stderr}`]
  const finished = await night.run(job, date)
  await timePasses(night)
  const problems: string[] = []
  if (finished.state !== 'succeeded') problems.push(`${failpoint}: ended as ${finished.state}`)
  if (finished.files.some(({ verdict }) => verdict === 'duplicate'))
    problems.push(`${failpoint}: said duplicate`)
  const left = await pictureOf(night, job, date)
  for (const [part, lines] of Object.entries(expected)) {
    const [is, must] = [JSON.stringify(left[part]), JSON.stringify(lines)]
    if (is !== must) problems.push(`${failpoint}: ${part} is ${is}, not ${must}`)
  }
  return problems
}

test('A1, A3, A7, A8, A10, A12, A13, A14: killed at any failpoint, a run is finished by the next one as if nothing had happened', async () => {
  const expected = new Map<Scenario, Picture>()
  for (const [index, scenario] of Object.values(SCENARIOS).entries()) {
    const date = `2025-12-0${index + 1}`
    await scenario.deliver(date)
    await scenario.night.run(scenario.job, date)
    expected.set(scenario, await pictureOf(scenario.night, scenario.job, date))
  }
  // Removing what nothing needs is killed in purge.test.ts: it needs something to remove.
  const names = (await failpoints()).filter(name => !/^reconcile\.snapshots?-(let-go|removed)$/.test(name))
  assert.ok(names.length > 40, `only ${names.length} failpoints were found`)
  const waiting = names.map((name, index) => {
    const date = new Date(FIRST_DAY + index * 86_400_000).toISOString().slice(0, 10)
    return { name, date }
  })
  const problems: string[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      problems.push(...(await killedAt(next.name, next.date, expected.get(scenarioOf(next.name))!)))
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  assert.deepEqual(problems, [], problems.join('\n\n'))
})
