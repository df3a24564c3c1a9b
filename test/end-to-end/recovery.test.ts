/**
 * A scheduler finishes by itself what other processes left: one that was killed, one that was paused
 * for longer than its lease. Nobody planned their dates. That a look of the scheduler takes planned
 * ones: scheduler.test.ts; how soon it looks: unit/lib/schedule/recovery.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OwedRun } from '../../lib/schedule/owed.ts'
import { runScheduler, type SchedulerEvents } from '../../lib/schedule/scheduler.ts'
import { type KillNight, openKillNight } from '../support/kills/kill-night.ts'
import { SCENARIOS } from '../support/kills/scenarios.ts'

const kills: KillNight = await openKillNight()
const { night } = kills

/** Starts a scheduler in this process; `recovered` waits for the next run of the date that it finishes. */
async function startScheduler() {
  const stop = new AbortController()
  const engine = await night.another(stop.signal, ['portal-orders'])
  const waiting = new Map<string, (state: string) => void>()
  const tell = ({ businessDate, because }: OwedRun, state: string): void =>
    waiting.get(businessDate)?.(`${because} ${state}`)
  const events: SchedulerEvents = {
    began: () => {},
    ended: (run, { state }) => tell(run, state),
    failed: (run, error) => tell(run, String(error)),
    held: () => {},
    skipped: () => {},
  }
  const running = runScheduler(engine, events).catch((reason: unknown) => reason)
  return {
    recovered: (date: string) => new Promise<string>(resolve => void waiting.set(date, resolve)),
    stop: async () => {
      stop.abort(new Error('asked to stop'))
      return running
    },
  }
}

test('a run killed in its load is finished by a scheduler that is alive, though no occurrence planned it', async () => {
  const date = kills.nextDate()
  const scheduler = await startScheduler()
  await SCENARIOS.orders!.prepare(kills, date)
  const recovered = scheduler.recovered(date)
  const killed = await kills.start(SCENARIOS.orders!, date, 'load.before-commit:1:kill').ended
  assert.equal(killed.signal, 'SIGKILL')
  assert.equal(await recovered, 'recovery succeeded')
  assert.match(String(await scheduler.stop()), /asked to stop/)
  assert.deepEqual(await kills.judge(), [])
})

test('A17: a run paused before its commit is finished by a scheduler that is alive, and the paused process commits nothing', async () => {
  const date = kills.nextDate()
  await SCENARIOS.orders!.prepare(kills, date)
  const paused = kills.start(SCENARIOS.orders!, date, 'load.before-commit:1:pause')
  await paused.stopped()
  night.clock.hurry(10)
  const scheduler = await startScheduler()
  assert.equal(await scheduler.recovered(date), 'recovery succeeded')
  night.clock.hurry(1)
  paused.signal('SIGCONT')
  await paused.ended
  await scheduler.stop()
  assert.deepEqual(await kills.judge(), [])
})
