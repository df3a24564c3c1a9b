/**
 * A night in which runs die: a real process is killed at a failpoint or at a moment, the next run goes
 * on in this process, and the independent checker judges what is left. Which runs there are:
 * scenarios.ts. Where they die: kill-places.ts and random-kills.ts.
 */
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { watchFailpoints } from '../../../lib/model/failpoint.ts'
import { sendMails } from '../../../lib/run/report-step.ts'
import { openNight } from '../night.ts'
import { type Child, startCommand } from '../night-child.ts'
import { watchNight } from '../run-check.ts'
import { type Place, SCENARIOS, type Scenario } from './scenarios.ts'

/** How often a run passed each failpoint, by name. */
export type Passes = ReadonlyMap<string, number>

/** Where runs are killed, one at a time. */
export interface KillNight extends Place {
  /** A date of which nothing is known yet. */
  nextDate(): string
  /** Runs a prepared date undisturbed, in this process. No other run may be on its way in it. */
  passes(scenario: Scenario, date: string): Promise<Passes>
  /** Starts the run in a process of its own. */
  start(scenario: Scenario, date: string, failpoint?: string): Child
  /** Notes after a death which mails may come a second time by right. */
  noteDeath(): Promise<void>
  /** The next run, as a scheduler or a person would make it; gives what is wrong about it. */
  recover(scenario: Scenario, date: string): Promise<string[]>
  /** What the checker finds, `kind: what`. */
  judge(): Promise<string[]>
}

/** Winter days first, so that local times are the same instants of their day. */
const FIRST_DAY = Date.UTC(2026, 0, 1)

/** The target refuses it: taking a row out is a way of its own through the load. */
const TRAP = { table: 'sales.order_line', column: 'stock_code', value: 'TRAP' }

/** Names of all failpoints of the source, sorted. */
export async function failpointsOfSource(): Promise<string[]> {
  const root = path.join(import.meta.dirname, '..', '..', '..')
  const names = new Set<string>()
  for await (const file of glob('{lib,reconcile,bin}/**/*.ts', { cwd: root })) {
    const source = readFileSync(path.join(root, file), 'utf8')
    // Those of applying a plan are passed by no run: resolve-killed.test.ts kills there. Those of a target in
    // another Postgres are passed by no job of the timetable: other-target.test.ts kills there.
    for (const [, name] of source.matchAll(/\bfailpoint\('((?!resolve\.|target\.)[^']+)'\)/g))
      names.add(name!)
  }
  return [...names].sort()
}

/** Opens one; call it at the top of a test file, outside of tests. `releaseMail` is openNight's. */
export async function openKillNight(options: { readonly releaseMail?: boolean } = {}): Promise<KillNight> {
  const night = await openNight({
    changes: { 'portal-orders': { after: { move: 'done' } }, 'bank-statements': { after: 'delete' } },
    ...options,
  })
  const watched = await watchNight(night)
  let days = 0
  const nextDate = (): string => {
    const day = FIRST_DAY + days * 86_400_000
    days += 1
    return new Date(day).toISOString().slice(0, 10)
  }
  const lostAnswers = new Map<string, number>()
  const kills: KillNight = {
    ...{ night, watched, nextDate },
    passes: async (scenario, date) => {
      const passed = new Map<string, number>()
      watchFailpoints(name => void passed.set(name, (passed.get(name) ?? 0) + 1))
      await night.run(scenario.job, date).finally(() => watchFailpoints(null))
      return passed
    },
    start: (scenario, date, failpoint) =>
      startCommand(night, ['run', scenario.job, '--date', date, '--create-target'], failpoint),
    noteDeath: async () => {
      // The mail server has it, and the sender died before that was written down.
      const waiting = await night.rows<{ id: string }>(
        `SELECT DISTINCT o.message_id AS id FROM tallyman.outbox o
           JOIN tallyman.outbox_recipient p ON p.mail = o.id WHERE p.state = 'waiting'`,
      )
      for (const { id } of waiting) {
        const copies = night.smtp.received.filter(({ raw }) => raw.includes(id)).length
        if (copies > 0) lostAnswers.set(id, copies)
      }
    },
    recover: async (scenario, date) => {
      const [wasOver] = await night.rows(
        `SELECT FROM tallyman.run r WHERE job = $1 AND business_date = $2::date AND state = 'succeeded'
           AND NOT EXISTS (SELECT FROM tallyman.lease l WHERE l.run = r.id)`,
        [scenario.job, date],
      )
      const { state, files } = await night.run(scenario.job, date)
      // Died while it was going home: whether all was done the checker says.
      if (wasOver !== undefined && state === 'nothing-to-do') return []
      const problems = state === 'succeeded' ? [] : [`run: ended as ${state}`]
      if (files.some(({ verdict }) => verdict === 'duplicate')) problems.push('run: said duplicate')
      return problems
    },
    judge: async () => {
      // Mails whose sender died are due again when its hold on them ends; that time passes here.
      await night.rows(
        `UPDATE tallyman.outbox SET leased_until = NULL, send_after = now() WHERE state = 'waiting'`,
      )
      await sendMails(night.engine, null, null)
      const lostMailAnswers = [...lostAnswers.values()].reduce((sum, copies) => sum + copies, 0)
      const findings = await watched.findings({ lostMailAnswers, refused: [TRAP] })
      return findings.map(({ kind, subject, message }) => `${kind}: ${subject}: ${message}`)
    },
  }
  await setTrap(kills)
  return kills
}

/** Makes the target, and gives it the constraint that refuses the trap. */
async function setTrap(kills: KillNight): Promise<void> {
  const { orders } = SCENARIOS
  const date = kills.nextDate()
  await orders!.prepare(kills, date)
  await kills.recover(orders!, date)
  await kills.night.rows(
    `ALTER TABLE ${TRAP.table} ADD CONSTRAINT no_traps CHECK (${TRAP.column} <> '${TRAP.value}')`,
  )
}
