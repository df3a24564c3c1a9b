/**
 * Finds and imports jobs.config.ts and environments/<name>.ts. Only their values go on into the
 * engine: lib and reconcile never import them.
 */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { EnvironmentFile } from '../lib/model/environment.ts'
import { ConfigError, describeError } from '../lib/model/errors.ts'
import type { Timetable } from '../lib/model/job.ts'

/** What was read, and from where. */
export interface Configuration {
  readonly root: string
  readonly timetable: Timetable
  readonly environment: EnvironmentFile
}

/**
 * The project's root: the nearest folder at or above the working directory that holds a
 * jobs.config.ts, else this checkout.
 * @throws CONFIG_FILE_MISSING where Tallyman is installed as a package: its own jobs are nobody's.
 */
export function projectRoot(workingDirectory: string): string {
  for (let folder = workingDirectory; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'jobs.config.ts'))) return folder
    if (folder === path.dirname(folder)) break
  }
  const checkout = path.resolve(import.meta.dirname, '..')
  if (!checkout.includes(`${path.sep}node_modules${path.sep}`)) return checkout
  throw new ConfigError(
    'CONFIG_FILE_MISSING',
    `There is no jobs.config.ts in ${workingDirectory} or above it. Nothing was started; change into the project's folder.`,
  )
}

/** What TALLYMAN_ENV may be, as a sentence. */
function environmentNames(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.ts')) : []
  return ` TALLYMAN_ENV takes ${names.map(name => name.slice(0, -3)).join(', ') || 'nothing yet'}.`
}

async function importDefault(file: string, what: string, hint = ''): Promise<unknown> {
  if (!existsSync(file)) {
    throw new ConfigError(
      'CONFIG_FILE_MISSING',
      `There is no ${what} at ${file}.${hint} Nothing was started.`,
    )
  }
  try {
    const module: { default?: unknown } = await import(pathToFileURL(file).href)
    if (typeof module.default === 'object' && module.default !== null) return module.default
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(
      'CONFIG_FILE_BROKEN',
      `The ${what} at ${file} can't be loaded: ${describeError(error)}. Nothing was started.`,
      { cause: error },
    )
  }
  throw new ConfigError(
    'CONFIG_FILE_BROKEN',
    `The ${what} at ${file} has no default export. Nothing was started.`,
  )
}

/** Reads both files. @throws CONFIG_FILE_MISSING, CONFIG_FILE_BROKEN and what defineTable and defineMapping throw. */
export async function readConfiguration(root: string, environmentName: string): Promise<Configuration> {
  if (!/^[a-z][a-z0-9.-]*$/.test(environmentName)) {
    throw new ConfigError(
      'CONFIG_FILE_MISSING',
      `${JSON.stringify(environmentName)} is no environment's name. Set TALLYMAN_ENV to the name of a file in environments/, without .ts. Nothing was started.`,
    )
  }
  const folder = path.join(root, 'environments')
  const environment = await importDefault(
    path.join(folder, `${environmentName}.ts`),
    `environment ${environmentName}`,
    environmentNames(folder),
  )
  const timetable = await importDefault(path.join(root, 'jobs.config.ts'), 'timetable')
  return { root, environment: environment as EnvironmentFile, timetable: timetable as Timetable }
}
