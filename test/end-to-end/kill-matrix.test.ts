/**
 * kill -9 at every failpoint of the source, at three positions each (kill-places.ts says which), in a
 * real process running a real job; then the next run. The independent checker has the last word on what
 * is left, and it must be what an undisturbed run leaves (run-picture.ts). A new failpoint is found here
 * by itself; where no scenario passes it, one is needed (support/kills/scenarios.ts), or, for a command
 * that is no run, a test of its own (ELSEWHERE).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  failpointsOfSource,
  type KillNight,
  openKillNight,
  type Passes,
} from '../support/kills/kill-night.ts'
import { type KillPlace, killPlaces, POSITIONS } from '../support/kills/kill-places.ts'
import { SCENARIOS } from '../support/kills/scenarios.ts'
import { type Picture, pictureOf } from '../support/run-picture.ts'

// Two that send mails, so that a core is busy while another process waits. One that keeps them, and that
// has the large deliveries: the checker looks at all that was delivered to a night, after every death.
const [first, second, keeping] = [
  await openKillNight(),
  await openKillNight(),
  await openKillNight({ releaseMail: false }),
]

/** Mails that are kept take another way, whatever the job. */
const KEPT = ['orders', 'statements', 'rates', 'large']
const SENT = Object.keys(SCENARIOS).filter(name => name !== 'large')

/** Points that only commands pass which are no run, and the test that kills them there. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'reconcile.snapshots-let-go': 'purge.test.ts',
  'reconcile.snapshot-removed': 'purge.test.ts',
}

/** Two to four minutes on two cores; a quarter of an hour where eight others worked on them. */
const TIMEOUT_MS = 1_800_000

/** Undisturbed runs: how often they pass, and what they leave. */
interface Measured {
  readonly passes: Map<string, Passes>
  readonly pictures: Map<string, Picture>
}

async function measure(kills: KillNight, names: readonly string[]): Promise<Measured> {
  const measured: Measured = { passes: new Map(), pictures: new Map() }
  for (const name of names) {
    const scenario = SCENARIOS[name]!
    const date = kills.nextDate()
    await scenario.prepare(kills, date)
    measured.passes.set(name, await kills.passes(scenario, date))
    measured.pictures.set(name, await pictureOf(kills.night, scenario.job, date))
  }
  return measured
}

/** Kills at a place, finishes the run, and gives how many died, whether all that should, and what is wrong. */
async function killAt(kills: KillNight, place: KillPlace, expected: Picture) {
  const { failpoint, pass, then } = place
  const scenario = SCENARIOS[place.scenario]!
  const date = kills.nextDate()
  const problems: string[] = []
  await scenario.prepare(kills, date)
  let died = 0
  const spots = [`${failpoint}:${pass}:kill`, ...then.map(name => `${name}:1:kill`)]
  for (const spot of spots) {
    const { signal, stderr } = await kills.start(scenario, date, spot).ended
    if (signal !== 'SIGKILL') {
      if (died === 0) problems.push(`never passed: ${stderr}`)
      break
    }
    died += 1
    await kills.noteDeath()
  }
  const isDone = died === spots.length
  if (isDone) problems.push(...(await kills.recover(scenario, date)))
  problems.push(...(await kills.judge()))
  problems.push(...differences(await pictureOf(kills.night, scenario.job, date), expected))
  const where = `${place.scenario} ${date}, killed at ${spots.slice(0, died).join(', then ')}`
  return { died, isDone, problems: problems.map(problem => `${where}: ${problem}`) }
}

function differences(left: Picture, expected: Picture): string[] {
  return Object.entries(expected).flatMap(([part, lines]) => {
    const [is, must] = [JSON.stringify(left[part]), JSON.stringify(lines)]
    return is === must ? [] : [`${part} is ${is}, not ${must}`]
  })
}

/** What is lost and what is doubled, among all that is wrong. */
function summaryOf(names: readonly string[], killed: number, problems: readonly string[]): string {
  const count = (pattern: RegExp): number => problems.filter(problem => pattern.test(problem)).length
  const [lost, doubled] = [
    count(/: [a-z]+-(?:missing|lost|untold|not-applied): /),
    count(/: [a-z]+-doubled: /),
  ]
  return `${names.length} failpoints x ${POSITIONS} positions, ${killed} processes killed: lost ${lost}, doubled ${doubled}, wrong otherwise ${problems.length - lost - doubled}`
}

test('a failpoint that no run passes is killed at by the test that is named for it', async () => {
  const names = await failpointsOfSource()
  for (const [name, file] of Object.entries(ELSEWHERE)) {
    assert.ok(names.includes(name), `${name} is no failpoint`)
    assert.match(
      readFileSync(path.join(import.meta.dirname, file), 'utf8'),
      new RegExp(`'${name}:\\d+:kill'`),
    )
  }
})

test('A1, A3, A7, A8, A10, A12, A13, A14: killed anywhere, also twice, a run is finished by the next one as if nothing had happened', {
  timeout: TIMEOUT_MS,
}, async context => {
  const sent = await measure(first, SENT)
  const kept = await measure(keeping, KEPT)
  const names = (await failpointsOfSource()).filter(name => !Object.hasOwn(ELSEWHERE, name))
  assert.ok(names.length > 40, `only ${names.length} failpoints were found`)
  const problems: string[] = []
  let killed = 0
  const killAll = async (
    kills: KillNight,
    { passes, pictures }: Measured,
    waiting: string[],
  ): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const places = killPlaces(name, passes)
      let positions = 0
      for (const place of places) {
        const outcome = await killAt(kills, place, pictures.get(place.scenario)!)
        problems.push(...outcome.problems)
        killed += outcome.died
        if (outcome.isDone) positions += 1
        if (positions === POSITIONS) break
      }
      if (positions < POSITIONS) problems.push(`${name}: killed at ${positions} positions only`)
    }
  }
  const most = (name: string, { passes }: Measured): number =>
    Math.max(...[...passes.values()].map(counts => counts.get(name) ?? 0))
  const ofKept = names.filter(name => most(name, kept) > most(name, sent))
  const waiting = names.filter(name => !ofKept.includes(name))
  await Promise.all([
    killAll(first, sent, waiting),
    killAll(second, sent, waiting),
    killAll(keeping, kept, ofKept),
  ])
  context.diagnostic(summaryOf(names, killed, problems))
  assert.deepEqual(problems, [], problems.join('\n\n'))
})
