/**
 * What every benchmark works in: a temp folder with a durable embedded Postgres and an open run
 * ledger, removed at the end; and the numbers given on the command line.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Database } from '../lib/db/database.ts'
import { startEmbedded } from '../lib/db/embedded.ts'
import { openLedger } from '../lib/ledger/open.ts'
import { type StepContext, silentLog } from '../lib/model/progress.ts'
import { systemClock } from '../lib/model/time/clock.ts'

/** A folder, and a database with the run ledger in it. */
export interface Scratch {
  readonly folder: string
  readonly database: Database
}

/** Runs `work` in a new temp folder and removes it afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tallyman-bench-'))
  // Started by root, Postgres runs as another user, who has to come through here.
  await chmod(folder, 0o711)
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs `work` beside a server of its own. */
export async function withScratch<T>(work: (scratch: Scratch) => Promise<T>): Promise<T> {
  return withFolder(async folder => {
    const server = await startEmbedded({ folder: join(folder, 'postgres'), durable: true })
    try {
      const database = await Database.open(server.url)
      await openLedger(database, { environment: 'bench' })
      try {
        return await work({ folder, database })
      } finally {
        await database.close()
      }
    } finally {
      await server.stop()
    }
  })
}

/** A context that logs nothing and is never aborted. */
export const quiet: StepContext = {
  clock: systemClock,
  log: silentLog,
  signal: new AbortController().signal,
  progress: () => {},
}

/** The whole numbers given as `--name 12`, or their defaults. */
export function numbers<const N extends string>(defaults: Readonly<Record<N, number>>): Record<N, number> {
  const options = Object.fromEntries(Object.keys(defaults).map(name => [name, { type: 'string' }] as const))
  const { values } = parseArgs({ options })
  const given: Record<string, number> = { ...defaults }
  for (const [name, text] of Object.entries(values)) given[name] = Number(text)
  return given as Record<N, number>
}
