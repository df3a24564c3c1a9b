/**
 * Makes a target in another Postgres ready for loads: its schema `tallyman` brought to the newest version, and known
 * to belong to this run ledger. What is written there: load-book.ts, target-fence.ts.
 */
import type { Database } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { RunError } from '../model/errors.ts'
import { targetFoundation } from './migrations/target-0001.ts'

/** All migrations of a target's schema `tallyman`, in order. */
export const TARGET_MIGRATIONS = [targetFoundation] as const

/**
 * Makes a target ready. `name` is the environment's, for messages.
 * Cost: four short queries when there is nothing to migrate.
 * @throws RUN_TARGET_IS_LEDGER where a run ledger lies; RUN_TARGET_OTHER_LEDGER where another ledger loads; RUN_LEDGER_NEWER.
 */
export async function openTarget(target: Database, ledger: Database, name: string): Promise<void> {
  await refuseLedger(target, name)
  await migrate(target, 'tallyman', TARGET_MIGRATIONS)
  const own = await ledger.use(async connection => {
    const { rows } = await connection.query<Owner>(
      'SELECT ledger, name AS environment FROM tallyman.environment',
    )
    return rows[0]!
  })
  const owner = await target.use(async connection => {
    await connection.query(
      'INSERT INTO tallyman.owner (ledger, environment) VALUES ($1, $2) ON CONFLICT DO NOTHING',
      [own.ledger, own.environment],
    )
    const { rows } = await connection.query<Owner>('SELECT ledger, environment FROM tallyman.owner')
    return rows[0]!
  })
  if (owner.ledger === own.ledger) return
  throw new RunError(
    'RUN_TARGET_OTHER_LEDGER',
    `The target database ${name} belongs to another run ledger, the one of the environment ${owner.environment}. Loads of two ledgers can't be told apart there, so nothing was read or written; correct the URL of targets.${name}.`,
    { details: { target: name, owner: owner.ledger, ledger: own.ledger } },
  )
}

interface Owner {
  readonly ledger: string
  readonly environment: string
}

/** A run ledger's schema has the same name, and must never be taken for a target's. */
async function refuseLedger(target: Database, name: string): Promise<void> {
  const { rows } = await target.use(connection =>
    connection.query<{ found: boolean }>(`SELECT to_regclass('tallyman.run') IS NOT NULL AS found`),
  )
  if (rows[0]?.found !== true) return
  throw new RunError(
    'RUN_TARGET_IS_LEDGER',
    `The target database ${name} holds a run ledger itself. Nothing was read or written; a load into the run ledger's own database names no target database, and any other run ledger keeps its own.`,
    { details: { target: name } },
  )
}
