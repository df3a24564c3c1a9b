/**
 * `npm run kills -- --times 2000 --seed 1`: kills real runs at random points and at random moments, one
 * to several times each, lets the next run finish them and the independent checker decide. Prints how
 * far it is, and the line that repeats a series in which something was found. What a series does:
 * kill-series.ts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startTestServer, TEST_POSTGRES } from '../postgres.ts'
import type { Series } from './kill-series.ts'

/** Kills in one night: the checker looks at all of it after each, so that its looks grow with the night. */
const PER_SERIES = 50

/** Nights at a time: one keeps a core busy while another waits. */
const AT_A_TIME = 2

const { values } = parseArgs({
  options: { times: { type: 'string', default: '200' }, seed: { type: 'string' } },
})
const times = Number(values.times)
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)
if (!Number.isSafeInteger(times) || times < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('Usage: npm run kills -- --times <kills> --seed <number>\n')
  process.exit(2)
}

const total = { atPoints: 0, atMoments: 0, dates: 0 }
const found: string[] = []
const startedMs = performance.now()

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Runs one series in a process of its own; what it says is shown when it fails. */
async function series(count: number, number: number, server: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'kill-series.ts'), String(count), String(number)],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, [TEST_POSTGRES]: server } },
  )
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text: Buffer) => (said += text))
  let result: Series | null = null
  child.on('message', message => {
    result = message as Series
  })
  await once(child, 'close')
  report(count, number, result, said)
}

function report(count: number, number: number, result: Series | null, said: string): void {
  total.atPoints += result?.atPoints ?? 0
  total.atMoments += result?.atMoments ?? 0
  total.dates += result?.dates ?? 0
  const problems = result?.problems ?? [`the series broke: ${said}`]
  found.push(...problems)
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
  const killed = total.atPoints + total.atMoments
  say(`${minutes} min: ${killed} of ${times} killed, ${total.dates} dates judged, ${found.length} findings`)
  if (problems.length === 0) return
  for (const problem of problems) say(`  ${problem}`)
  say(`  again: npm run kills -- --times ${count} --seed ${number}`)
}

const plans = Array.from({ length: Math.ceil(times / PER_SERIES) }, (_, index) => {
  return { count: Math.min(PER_SERIES, times - index * PER_SERIES), number: seed + index }
})
process.once('SIGTERM', () => {
  say('Asked to stop: the series in hand are finished.')
  plans.length = 0
})
const server = await startTestServer()
try {
  say(`${times} kills, seed ${seed}`)
  const work = async (): Promise<void> => {
    for (let plan = plans.shift(); plan !== undefined; plan = plans.shift()) {
      await series(plan.count, plan.number, server.url)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
} finally {
  await server.stop()
}
const count = (pattern: RegExp): number => found.filter(problem => pattern.test(problem)).length
const [lost, doubled] = [count(/: [a-z]+-(?:missing|lost|untold|not-applied): /), count(/: [a-z]+-doubled: /)]
say(
  `${total.atPoints + total.atMoments} processes killed, ${total.atPoints} at failpoints and ${total.atMoments} at moments, in ${total.dates} runs: lost ${lost}, doubled ${doubled}, wrong otherwise ${found.length - lost - doubled}`,
)
process.exitCode = found.length === 0 ? 0 : 1
