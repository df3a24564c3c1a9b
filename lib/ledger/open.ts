/**
 * Opens the run ledger: brings its schema to the newest version and makes sure that it belongs to
 * this environment. The tables are in migrations/; each noun's functions are in the file of its name.
 */
import type { Database } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { RunError } from '../model/errors.ts'
import { foundation } from './migrations/0001-foundation.ts'
import { proofAndReport } from './migrations/0002-proof-and-report.ts'
import { breakLedger } from './migrations/0003-break-ledger.ts'
import { resolution } from './migrations/0004-resolution.ts'
import { snapshotsKept } from './migrations/0005-snapshots.ts'
import { pending } from './migrations/0006-pending.ts'
import { otherTargets } from './migrations/0007-other-targets.ts'

/** All migrations of the schema `tallyman`, in order. */
export const LEDGER_MIGRATIONS = [
  foundation,
  proofAndReport,
  breakLedger,
  resolution,
  snapshotsKept,
  pending,
  otherTargets,
] as const

/**
 * Makes the run ledger ready in this database; afterwards every function of lib/ledger works on its sessions.
 * Cost: two short queries when there is nothing to migrate.
 * @throws RUN_LEDGER_OTHER_ENVIRONMENT when the ledger was made for another environment; RUN_LEDGER_NEWER.
 */
export async function openLedger(
  database: Database,
  options: { readonly environment: string },
): Promise<void> {
  await migrate(database, 'tallyman', LEDGER_MIGRATIONS)
  const name = await database.use(connection =>
    connection.transaction(async () => {
      await connection.query('INSERT INTO tallyman.environment (name) VALUES ($1) ON CONFLICT DO NOTHING', [
        options.environment,
      ])
      const { rows } = await connection.query<{ name: string }>('SELECT name FROM tallyman.environment')
      return rows[0]!.name
    }),
  )
  if (name !== options.environment) {
    throw new RunError(
      'RUN_LEDGER_OTHER_ENVIRONMENT',
      `The run ledger in this database belongs to the environment ${name}, and this is ${options.environment}. Nothing was started.`,
      { details: { ledger: name, environment: options.environment } },
    )
  }
}
