/**
 * The world that runs happen in: database and run ledger, folders, secrets, log, clock. Opened once
 * per command by the composition root; a run gets it as a value. What happens in it: run-job.ts.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { finished } from 'node:stream/promises'
import { secretResolver } from '../config/secrets.ts'
import { Database } from '../db/database.ts'
import { startEmbedded } from '../db/embedded.ts'
import { openLedger } from '../ledger/open.ts'
import { createLog } from '../log/log.ts'
import { Redactor } from '../log/redactor.ts'
import type { Environment } from '../model/environment.ts'
import type { Timetable } from '../model/job.ts'
import type { Log, Progress } from '../model/progress.ts'
import type { ResolveSecret } from '../model/secret.ts'
import type { Clock } from '../model/time/clock.ts'
import { makeDataFolder } from './data-folder.ts'
import { openTargets } from './open-targets.ts'
import { sweepWork } from './sweep-work.ts'

/** What the composition root hands in. */
export interface EngineOptions {
  /** Its dataFolder is absolute, its endpoints are real. */
  readonly environment: Environment
  readonly timetable: Timetable
  /** Environment variables that secrets may name. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly progress: (event: Progress) => void
  /** Version of the code, recorded with each attempt. */
  readonly codeVersion: string
}

/** Folders of the data folder, by what lies in them. All names below them are ours. */
export interface Folders {
  /** Files as received, for ever replayable. */
  readonly archive: string
  /** Parquet snapshots and their manifests. */
  readonly snapshots: string
  /** Mails that were kept, or are waiting, as .eml and .html. */
  readonly outbox: string
  /** Bodies of API calls whose outcome is not known yet. */
  readonly bodies: string
  /** Spools of work in progress; may be emptied while nothing runs, and is swept of abandoned ones. */
  readonly work: string
}

/** Where runs happen. */
export interface Engine {
  readonly environment: Environment
  readonly timetable: Timetable
  readonly database: Database
  /** A target in another Postgres, by its name in the environment: connected and made ready when it is first asked for. */
  target(name: string): Promise<Database>
  readonly folders: Folders
  readonly secrets: ResolveSecret
  readonly redactor: Redactor
  readonly log: Log
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly progress: (event: Progress) => void
  readonly versions: { readonly code: string; readonly config: string; readonly tzdata: string }
  close(): Promise<void>
}

async function makeFolders(dataFolder: string): Promise<Folders> {
  const inData = (name: string): string => path.join(dataFolder, name)
  const folders = {
    archive: inData('archive'),
    snapshots: inData('snapshots'),
    outbox: inData('outbox'),
    bodies: inData('bodies'),
    work: inData('work'),
  }
  await makeDataFolder(dataFolder)
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true })
  return folders
}

/** A fingerprint of the timetable and environment, so that an attempt tells what it ran with. Functions count by their source. */
function configHash(options: EngineOptions): string {
  const text = JSON.stringify(
    { timetable: options.timetable, environment: options.environment },
    (_key, value: unknown) => (typeof value === 'function' ? String(value) : value),
  )
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/**
 * Opens the world: folders made, embedded Postgres started where the environment says so, run ledger migrated.
 * @throws CONFIG_SECRET_MISSING, CONFIG_DATA_FOLDER, RUN_DATABASE_UNREACHABLE, RUN_LEDGER_OTHER_ENVIRONMENT and what the embedded server throws.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { environment, clock } = options
  const redactor = new Redactor()
  const secrets = secretResolver({ env: options.variables, redactor, production: environment.production })
  // Asked before any folder is made: on a machine that was never set up nothing is to be left behind.
  const given =
    environment.database.kind === 'url' ? (await secrets(environment.database.url)).reveal() : null
  const folders = await makeFolders(environment.dataFolder)
  await sweepWork(folders.work, clock.now())
  const file = createWriteStream(path.join(environment.dataFolder, 'tallyman.log'), { flags: 'a' })
  const embedded =
    environment.database.kind === 'embedded'
      ? await startEmbedded({ folder: path.join(environment.dataFolder, 'postgres'), durable: true, clock })
      : null
  const closeParts = async (database: Database | null): Promise<void> => {
    await database?.close()
    await embedded?.stop()
    file.end()
    await finished(file).catch(() => {})
  }
  let database: Database | null = null
  try {
    database = await Database.open(given ?? embedded!.url, { clock })
    await openLedger(database, { environment: environment.name })
  } catch (error) {
    await closeParts(database)
    throw error
  }
  const opened = database
  const targets = openTargets(environment, secrets, clock, opened)
  return {
    ...options,
    database: opened,
    target: name => targets.target(name),
    folders,
    secrets,
    redactor,
    log: createLog({ redactor, clock, write: line => void file.write(line) }),
    versions: {
      code: options.codeVersion,
      config: configHash(options),
      tzdata: process.versions.tz ?? 'unknown',
    },
    close: async () => {
      await targets.close()
      await closeParts(opened)
    },
  }
}
