/**
 * What a command gets: the terminal, the wishes that hold for all commands, and the engine, opened
 * only when asked for so that `--help` and `next` start nothing. Closing undoes all of it.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { EnvironmentFile } from '../lib/model/environment.ts'
import { type Environment, hasEmbeddedParts } from '../lib/model/environment.ts'
import { RunError } from '../lib/model/errors.ts'
import type { Timetable } from '../lib/model/job.ts'
import { systemClock } from '../lib/model/time/clock.ts'
import type { Engine } from '../lib/run/engine.ts'
import { type Configuration, projectRoot, readConfiguration } from './configuration.ts'
import { EXIT } from './exit-codes.ts'
import { type ProgressDisplay, showProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** Environment variables as the composition root read them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Without TALLYMAN_ENV a command works on this machine alone; production always names itself. */
const DEFAULT_ENVIRONMENT = 'local'

/** One command's world. */
export interface Session {
  readonly terminal: Terminal
  readonly variables: Variables
  readonly workingDirectory: string
  readonly progress: ProgressDisplay
  /** Aborted by SIGINT and SIGTERM, with RUN_INTERRUPTED or RUN_TERMINATED as reason. */
  readonly signal: AbortSignal
  /** jobs.config.ts and the environment, read once. */
  configuration(): Promise<Configuration>
  /** Environment and timetable as they are run with: judged, embedded parts started, data folder absolute. */
  readonly surroundings: () => Promise<{ readonly environment: Environment; readonly timetable: Timetable }>
  /** The engine, opened once: ledger migrated. */
  readonly engine: () => Promise<Engine>
  close(): Promise<void>
}

/**
 * Aborts on the first SIGINT or SIGTERM; a second SIGINT ends the process at once, as a shell expects.
 * `holds`: the command holds a run, and its transaction in hand is finished or rolled back first.
 */
export function signalOfProcess(terminal: Terminal, holds: boolean): AbortSignal {
  const controller = new AbortController()
  const next = holds
    ? 'The transaction in hand was finished or rolled back; the next run goes on from there.'
    : 'Nothing was changed.'
  process.once('SIGINT', () => {
    if (holds) terminal.note('Stopping after the transaction in hand; Ctrl-C again stops at once.')
    controller.abort(new RunError('RUN_INTERRUPTED', `Interrupted from the terminal. ${next}`))
    process.once('SIGINT', () => process.exit(EXIT.interrupted))
  })
  process.once('SIGTERM', () => {
    controller.abort(new RunError('RUN_TERMINATED', `The process was asked to stop. ${next}`))
  })
  return controller.signal
}

/** A session; nothing is opened yet. */
export function openSession(
  terminal: Terminal,
  variables: Variables,
  workingDirectory: string,
  signal: AbortSignal,
): Session {
  const undo: (() => Promise<void>)[] = []
  const progress = showProgress(terminal, systemClock, () => process.stderr.columns ?? 80)
  let configuration: Promise<Configuration> | null = null
  let engine: Promise<Engine> | null = null
  const readOnce = (): Promise<Configuration> => {
    configuration ??= readConfiguration(
      projectRoot(workingDirectory),
      variables.TALLYMAN_ENV || DEFAULT_ENVIRONMENT,
    )
    return configuration
  }
  let around: ReturnType<Session['surroundings']> | null = null
  const startOnce = (): ReturnType<Session['surroundings']> => {
    around ??= surround()
    return around
  }
  const surround: Session['surroundings'] = async () => {
    const { root, timetable, environment: file } = await readOnce()
    const { assertTimetable } = await import('../lib/schedule/check-timetable.ts')
    assertTimetable(timetable, file)
    const dataFolder = path.resolve(root, file.dataFolder)
    const environment = await startEmbeddedParts(file, timetable, dataFolder, undo)
    return { environment: { ...environment, dataFolder }, timetable }
  }
  const open = async (): Promise<Engine> => {
    const { environment, timetable } = await startOnce()
    const { openEngine } = await import('../lib/run/engine.ts')
    const opened = await openEngine({
      environment,
      timetable,
      variables,
      clock: systemClock,
      signal,
      progress: progress.show,
      codeVersion: codeVersion(),
    })
    undo.push(() => opened.close())
    signal.throwIfAborted()
    return opened
  }
  return {
    terminal,
    variables,
    workingDirectory,
    progress,
    signal,
    configuration: readOnce,
    surroundings: startOnce,
    engine: () => {
      engine ??= open()
      return engine
    },
    close: async () => {
      progress.clear()
      // An engine that is still being opened is closed as well, whatever it says.
      await engine?.catch(() => {})
      for (const step of undo.reverse()) await step()
    },
  }
}

/** The package's version: what `--version` prints and an attempt records as its code. */
export function codeVersion(): string {
  const file = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

async function startEmbeddedParts(
  file: EnvironmentFile,
  timetable: Timetable,
  dataFolder: string,
  undo: (() => Promise<void>)[],
): Promise<Environment> {
  if (!hasEmbeddedParts(file)) return file as Environment
  const { makeDataFolder } = await import('../lib/run/data-folder.ts')
  await makeDataFolder(dataFolder)
  const { startEmbeddedPeers } = await import('./demo/embedded-peers.ts')
  const peers = await startEmbeddedPeers(file, timetable, dataFolder)
  undo.push(() => peers.close())
  return peers.environment
}
