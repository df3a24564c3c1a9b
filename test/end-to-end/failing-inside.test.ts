/**
 * What a failpoint can do besides killing: the process fails there as on a mistake of ours, or on a full
 * disk, or is paused there until another one has taken its run. The next run goes on, and the
 * independent checker finds nothing wrong. Kills: kill-matrix.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armFailpoint, disarmFailpoint, type FailpointAction } from '../../lib/model/failpoint.ts'
import { failpointsOfSource, openKillNight, type Passes } from '../support/kills/kill-night.ts'
import { SCENARIOS } from '../support/kills/scenarios.ts'

const kills = await openKillNight()

/** Small runs that pass most failpoints between them; the first that passes one is taken for it. */
const NAMES = ['orders', 'statements', 'hours', 'refused', 'rates']

async function measure(): Promise<Map<string, Passes>> {
  const passes = new Map<string, Passes>()
  for (const name of NAMES) {
    const date = kills.nextDate()
    await SCENARIOS[name]!.prepare(kills, date)
    passes.set(name, await kills.passes(SCENARIOS[name]!, date))
  }
  return passes
}

/** Lets a run fail at a failpoint, in this process, makes the next one, and gives what is wrong. */
async function failAt(failpoint: string, action: FailpointAction, name: string): Promise<string[]> {
  const scenario = SCENARIOS[name]!
  const date = kills.nextDate()
  await scenario.prepare(kills, date)
  armFailpoint(`${failpoint}:1:${action}`)
  await kills.night
    .run(scenario.job, date)
    .catch(() => {})
    .finally(disarmFailpoint)
  await kills.noteDeath()
  const problems = [...(await kills.recover(scenario, date)), ...(await kills.judge())]
  return problems.map(problem => `${action} at ${failpoint} of ${name} (${date}): ${problem}`)
}

test('A19: failed at a failpoint, by a mistake of ours or by a full disk, a run is finished by the next one', async context => {
  const passes = await measure()
  const places = (await failpointsOfSource()).flatMap(failpoint => {
    const name = NAMES.find(one => passes.get(one)!.has(failpoint))
    return name === undefined ? [] : [{ failpoint, name }]
  })
  assert.ok(places.length > 35)
  const problems: string[] = []
  // Every second one, in turns: all of them with both were seen once, and take a minute.
  const sample = places.filter((_, index) => index % 2 === 0)
  for (const [index, { failpoint, name }] of sample.entries()) {
    problems.push(...(await failAt(failpoint, index % 2 === 0 ? 'throw' : 'enospc', name)))
  }
  context.diagnostic(`${sample.length} failures: ${problems.length} findings`)
  assert.deepEqual(problems, [], problems.join('\n'))
})

/** Before and after what a woken process could do a second time; one at a time holds the locks of a target. */
const PAUSES: readonly (readonly [failpoint: string, scenario: string])[] = [
  ['run.after-freeze', 'orders'],
  ['load.before-commit', 'statements'],
  ['load.after-commit', 'orders'],
  ['load.api-call-recorded', 'hours'],
  ['load.api-call-answered', 'hours'],
  ['fetch.after-remote-rename', 'orders'],
  ['report.before-commit', 'rates'],
  ['report.after-send', 'rates'],
]

test('A17: paused anywhere for longer than the lease and woken after another process did the work, a run does nothing twice', async () => {
  const paused = await Promise.all(
    PAUSES.map(async ([failpoint, name]) => {
      const date = kills.nextDate()
      await SCENARIOS[name]!.prepare(kills, date)
      const child = kills.start(SCENARIOS[name]!, date, `${failpoint}:1:pause`)
      await child.stopped()
      return { scenario: SCENARIOS[name]!, date, child }
    }),
  )
  await kills.noteDeath()
  kills.night.clock.hurry(10)
  const problems = await Promise.all(paused.map(({ scenario, date }) => kills.recover(scenario, date)))
  kills.night.clock.hurry(1)
  for (const { child } of paused) child.signal('SIGCONT')
  for (const { child } of paused) await child.ended
  assert.deepEqual([...problems.flat(), ...(await kills.judge())], [])
})
