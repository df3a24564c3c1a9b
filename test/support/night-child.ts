/**
 * The real command line in a process of its own, over the same peers, database and data folder as the
 * night of the test: to be killed, paused or terminated.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
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
  /** It has said its first line: arguments and configuration are read, nothing is opened yet. */
  readonly began: Promise<unknown>
  readonly ended: Promise<Ended>
  /** Resolves when the process has stopped itself (SIGSTOP). */
  stopped(): Promise<void>
  signal(name: NodeJS.Signals): void
}

/**
 * The project that the children work in; what differs from night to night it takes from variables. Two
 * files that lie here always, instead of two written for each night, are compiled once: a child starts
 * 0.1 s of CPU sooner, without loading the type stripper.
 */
const PROJECT = path.join(ROOT, 'test', 'support', 'night-project')

async function untilStopped(pid: number): Promise<void> {
  for (;;) {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)])
    if (stdout.trim().startsWith('T')) return
    await setTimeout(20)
  }
}

/** Starts `tallyman <args>`; `failpoint` as TALLYMAN_FAILPOINT takes it. */
export function startCommand(night: Night, args: readonly string[], failpoint?: string): Child {
  const child = spawn(process.execPath, [path.join(ROOT, 'bin', 'tallyman.ts'), ...args], {
    cwd: PROJECT,
    env: {
      PATH: process.env.PATH,
      ...night.variables,
      TALLYMAN_ENV: 'test',
      NIGHT_CHANGES: JSON.stringify(night.changes),
      NIGHT_ENVIRONMENT: JSON.stringify(night.environment),
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
  const began = Promise.race([once(child.stderr, 'data'), ended])
  const pid = child.pid!
  return { pid, began, ended, stopped: () => untilStopped(pid), signal: name => void child.kill(name) }
}

/** Runs `tallyman <args>` to its end. */
export function command(night: Night, args: readonly string[], failpoint?: string): Promise<Ended> {
  return startCommand(night, args, failpoint).ended
}
