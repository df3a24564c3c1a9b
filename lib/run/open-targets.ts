/**
 * Opens the targets that lie in another Postgres than the run ledger, each when a job first asks for it, so that a
 * target that is down stops nobody else's night.
 */
import { Database } from '../db/database.ts'
import { openTarget } from '../ledger/target-open.ts'
import type { Environment } from '../model/environment.ts'
import { ConfigError } from '../model/errors.ts'
import type { ResolveSecret } from '../model/secret.ts'
import type { Clock } from '../model/time/clock.ts'

/** Targets of an engine. */
export interface Targets {
  /** @throws CONFIG_TARGET_UNKNOWN, RUN_DATABASE_UNREACHABLE, and what openTarget throws */
  target(name: string): Promise<Database>
  close(): Promise<void>
}

/** Nothing is connected yet; one that could not be opened is tried anew at the next asking. */
export function openTargets(
  environment: Environment,
  secrets: ResolveSecret,
  clock: Clock,
  ledger: Database,
): Targets {
  const opened = new Map<string, Promise<Database>>()
  const open = async (name: string): Promise<Database> => {
    const named = environment.targets?.[name]
    if (named === undefined) {
      throw new ConfigError(
        'CONFIG_TARGET_UNKNOWN',
        `The environment ${environment.name} has no target ${name}. Nothing was started; add it to targets.`,
      )
    }
    const database = await Database.open((await secrets(named.url)).reveal(), { clock })
    try {
      await openTarget(database, ledger, name)
      return database
    } catch (error) {
      await database.close()
      throw error
    }
  }
  return {
    target: name => {
      const known = opened.get(name)
      if (known !== undefined) return known
      const opening = open(name)
      opened.set(name, opening)
      opening.catch(() => opened.delete(name))
      return opening
    },
    close: async () => {
      for (const opening of opened.values()) await opening.then(database => database.close()).catch(() => {})
    },
  }
}
