/**
 * One series of random kills in a night of its own: `node kill-series.ts <times> <seed>`, started by
 * random-kills.ts, which gets what came of it as a message. Points come again with the same seed;
 * moments do as well as the machine's pace allows.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rngOf } from '../mutations.ts'
import type { Ended } from '../night-child.ts'
import { openKillNight, type Passes } from './kill-night.ts'
import { SCENARIOS } from './scenarios.ts'

/** What came of a series. */
export interface Series {
  /** Processes that died at a failpoint, and at a moment. */
  readonly atPoints: number
  readonly atMoments: number
  /** Dates that were finished and judged. */
  readonly dates: number
  /** Empty when nothing was lost, doubled or left. */
  readonly problems: readonly string[]
}

/** One run in so many is of a large delivery: it takes as long as six others. */
const LARGE_ONE_IN = 60

/** One death in so many is followed by another one, of the recovery. */
const AGAIN_ONE_IN = 2

/** Time from a run's first line to its end, before one was seen; afterwards it is learned. */
const FIRST_SPAN_MS = 1_500

const [times, seed] = process.argv.slice(2).map(Number) as [number, number]
const random = rngOf(seed)
const pick = <T>(from: readonly T[]): T => from[random(from.length)]!
const SMALL = Object.keys(SCENARIOS).filter(name => name !== 'large')

const kills = await openKillNight()
const passesOf = new Map<string, Passes>()
const spans = new Map<string, number>()

/** How often an undisturbed run passes what; measured when it is first asked for. */
async function passes(name: string): Promise<Passes> {
  const known = passesOf.get(name)
  if (known !== undefined) return known
  const date = kills.nextDate()
  await SCENARIOS[name]!.prepare(kills, date)
  const measured = await kills.passes(SCENARIOS[name]!, date)
  passesOf.set(name, measured)
  return measured
}

interface Strike {
  readonly point: boolean
  /** Where or when it was to die. */
  readonly how: string
  readonly ended: Ended
}

async function strikeAtPoint(name: string, date: string): Promise<Strike> {
  const [failpoint, count] = pick([...(await passes(name))])
  const how = `${failpoint}:${1 + random(count)}:kill`
  return { point: true, how, ended: await kills.start(SCENARIOS[name]!, date, how).ended }
}

async function strikeAtMoment(name: string, date: string): Promise<Strike> {
  const span = spans.get(name) ?? FIRST_SPAN_MS
  const afterMs = random(Math.round(span))
  const child = kills.start(SCENARIOS[name]!, date)
  await child.began
  const timer = setTimeout(() => child.signal('SIGKILL'), afterMs)
  const ended = await child.ended
  clearTimeout(timer)
  // A run that was over sooner says how long it takes; otherwise the guess grows until one is.
  spans.set(name, ended.signal === null ? Math.max(afterMs * 0.95, 100) : span * 1.02)
  return { point: false, how: `${afterMs} ms after its first line`, ended }
}

/** Lets a date's run die by chance, finishes it, and gives what is wrong. */
async function killOne(name: string, died: { atPoints: number; atMoments: number }): Promise<string[]> {
  const date = kills.nextDate()
  await SCENARIOS[name]!.prepare(kills, date)
  const problems: string[] = []
  const story: string[] = []
  for (;;) {
    const { point, how, ended } = await (random(2) === 0
      ? strikeAtPoint(name, date)
      : strikeAtMoment(name, date))
    story.push(ended.signal === 'SIGKILL' ? how : `not ${how}`)
    if (ended.signal !== 'SIGKILL') {
      // 4: the run is done and found the differences that the rates have.
      if (ended.code !== 0 && ended.code !== 4) problems.push(`exit ${ended.code}: ${ended.stderr}`)
      break
    }
    await kills.noteDeath()
    died[point ? 'atPoints' : 'atMoments'] += 1
    if (random(AGAIN_ONE_IN) > 0) {
      problems.push(...(await kills.recover(SCENARIOS[name]!, date)))
      break
    }
  }
  problems.push(...(await kills.judge()))
  return problems.map(problem => `${name} ${date}, killed ${story.join(', then ')}: ${problem}`)
}

test(`${times} random kills of seed ${seed} lose and double nothing`, async () => {
  const died = { atPoints: 0, atMoments: 0 }
  let dates = 0
  const problems: string[] = []
  // After the first finding the night is no longer right, and all further ones would say so again.
  while (died.atPoints + died.atMoments < times && problems.length === 0) {
    const name = random(LARGE_ONE_IN) === 0 ? 'large' : pick(SMALL)
    problems.push(
      ...(await killOne(name, died).catch((error: Error) => [`${name}: ${error.stack ?? error.message}`])),
    )
    dates += 1
  }
  const series: Series = { ...died, dates, problems }
  process.send?.(series)
  assert.deepEqual(problems, [], problems.join('\n'))
})
