/**
 * What is waited for before anything is done: the help, the first line of a run, and a run of a day on
 * which nothing came. The first two from a shell's view, the last within one process, in which the
 * run ledger is open already. `--rounds 5`.
 */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedPeers } from '../bin/demo/embedded-peers.ts'
import local from '../environments/local.ts'
import timetable from '../jobs.config.ts'
import type { ScheduledJob } from '../lib/model/job.ts'
import { systemClock } from '../lib/model/time/clock.ts'
import { openEngine } from '../lib/run/engine.ts'
import { runJob } from '../lib/run/run-job.ts'
import { tellFigure } from './figures.ts'
import { numbers, withFolder } from './scratch.ts'

const { rounds } = numbers({ rounds: 5 })

const ROOT = join(import.meta.dirname, '..')

/** Which job has its empty day: one that waits for no other. */
const JOB = 'fx-rates'

await withFolder(async folder => {
  await mkdir(join(folder, 'environments'))
  for (const file of ['jobs.config.ts', 'environments/local.ts'])
    await writeFile(join(folder, file), `export { default } from '${join(ROOT, file)}'\n`)
  await tell('--help: first byte', 150, () => firstByte(folder, ['--help']))
  await tell('run: first byte', 500, () => firstByte(folder, ['run', JOB, '--date', '2026-11-20']))
  await emptyDays(join(folder, '.tallyman'))
})

/** Takes the time `rounds` times, after one that fills the caches of compiled code. */
async function tell(path: string, limit: number, measure: () => Promise<number>): Promise<void> {
  await measure()
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) times.push(await measure())
  const ours = times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!
  tellFigure({ path, ours, unit: 'ms', limit, beside: 'the bound', reach: 1 })
}

/** Milliseconds from the start of the program to its first byte on either stream; it is ended then. */
async function firstByte(folder: string, args: readonly string[]): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'tallyman.ts'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise(resolve => child.once('close', resolve))
  const ms = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    for (const stream of [child.stdout, child.stderr])
      stream.once('data', () => resolve(performance.now() - started))
  })
  child.kill('SIGINT')
  await ended
  return ms
}

/** Runs a job for days without a file. */
async function emptyDays(dataFolder: string): Promise<void> {
  await mkdir(dataFolder, { recursive: true })
  const peers = await startEmbeddedPeers(local, timetable, dataFolder)
  const engine = await openEngine({
    environment: { ...peers.environment, dataFolder },
    timetable,
    variables: {},
    clock: systemClock,
    signal: new AbortController().signal,
    progress: () => {},
    codeVersion: 'bench',
  })
  const scheduled = engine.timetable.jobs.find(({ job }) => job.name === JOB)!
  let day = 1
  try {
    await tell("an empty day's run", 300, async () => {
      const businessDate = `2026-10-${String(day++).padStart(2, '0')}`
      const started = performance.now()
      await runJob(engine, scheduled as ScheduledJob, businessDate, {
        trigger: 'manual',
        createTarget: false,
        // Its file may still come, so that nothing is wrong yet.
        waitUntil: systemClock.now() + 3_600_000,
      })
      return performance.now() - started
    })
  } finally {
    await engine.close()
    await peers.close()
  }
}
