/**
 * The real command line in a process of its own, over the same peers, database and data folder as the
 * night of the test: to be killed, paused or terminated.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Night } from './night.ts'

const ROOT = path.join(import.meta.dirname, '..', '..')

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A running command. */
export interface Child {
  readonly pid: number
  readonly ended: Promise<Ended>
  signal(name: NodeJS.Signals): void
}

/** Writes the project that the children work in: the night's timetable and environment. */
async function projectOf(night: Night): Promise<string> {
  const folder = path.join(night.folder, 'project')
  if (existsSync(folder)) return folder
  await mkdir(path.join(folder, 'environments'), { recursive: true })
  const timetable = pathToFileURL(path.join(ROOT, 'test', 'support', 'night-timetable.ts')).href
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}\n')
  await writeFile(
    path.join(folder, 'jobs.config.ts'),
    `import { timetableWith } from ${JSON.stringify(timetable)}\nexport default timetableWith(${JSON.stringify(night.changes)})\n`,
  )
  await writeFile(
    path.join(folder, 'environments', 'test.ts'),
    `export default ${JSON.stringify(night.environment)}\n`,
  )
  return folder
}

/** Starts `tallyman <args>`; `failpoint` as TALLYMAN_FAILPOINT takes it. */
export async function startCommand(
  night: Night,
  args: readonly string[],
  failpoint?: string,
): Promise<Child> {
  const cwd = await projectOf(night)
  const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'tallyman.ts'), ...args], {
    cwd,
    env: {
      PATH: process.env.PATH,
      ...night.variables,
      TALLYMAN_ENV: 'test',
      ...(failpoint === undefined ? {} : { TALLYMAN_FAILPOINT: failpoint }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    night.said.push(stdout, stderr)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr }
  })
  return { pid: child.pid!, ended, signal: name => void child.kill(name) }
}

/** Runs `tallyman <args>` to its end. */
export async function command(night: Night, args: readonly string[], failpoint?: string): Promise<Ended> {
  return (await startCommand(night, args, failpoint)).ended
}
