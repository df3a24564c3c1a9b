/**
 * Brings a schema to its newest version with knex, under an advisory lock. The only file that loads
 * knex, and only when there is something to do: loading it costs 115 ms, the look 1 ms.
 * What the migrations say is their owner's business (lib/ledger/migrations).
 */
import type { Knex } from 'knex'
import { RunError, TallymanError } from '../model/errors.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { checkedName } from './identifiers.ts'
import { translateError } from './translate.ts'

/** One step of a schema. */
export interface Migration {
  /** Sorts after the ones before it: `0001-foundation`. */
  readonly name: string
  readonly sql: string
}

/** Advisory lock of migrations, any fixed number that nobody else uses: 'tally' in ASCII. */
const MIGRATION_LOCK = 0x74616c6c79

/**
 * Applies the migrations that are missing. Several processes may call it at once: one works, the rest wait.
 * Guarantee: all that are missing take effect together or not at all, also when the process is killed in the middle.
 * @throws RUN_LEDGER_NEWER when the schema has migrations that are not in the list.
 */
export async function migrate(
  database: Database,
  schema: string,
  migrations: readonly Migration[],
): Promise<void> {
  const name = checkedName(schema)
  const behind = await database.use(async connection => isBehind(connection, name, migrations))
  if (!behind) return
  const connection = await database.connect({ name: 'tallyman migrations' })
  try {
    await connection.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    if (!(await isBehind(connection, name, migrations))) return
    // Not IF NOT EXISTS alone: that asks for the CREATE right even when the schema is there.
    const { rows } = await connection.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [name])
    if (rows.length === 0) await connection.query(`CREATE SCHEMA ${name}`)
    await applyAll(database.url, name, migrations)
  } finally {
    await connection.close()
  }
}

async function isBehind(
  connection: Connection,
  schema: string,
  migrations: readonly Migration[],
): Promise<boolean> {
  const applied = await appliedNames(connection, schema)
  const known = new Set(migrations.map(migration => migration.name))
  const unknown = applied.filter(name => !known.has(name))
  if (unknown.length > 0) {
    throw new RunError(
      'RUN_LEDGER_NEWER',
      `The schema ${schema} was written by a newer version of Tallyman (it has ${unknown.join(', ')}). Nothing was started; use that version or a newer one.`,
      { details: { unknown } },
    )
  }
  return applied.length < migrations.length
}

async function appliedNames(connection: Connection, schema: string): Promise<string[]> {
  try {
    const { rows } = await connection.query<{ name: string }>(`SELECT name FROM ${schema}.migration`)
    return rows.map(row => row.name)
  } catch (error) {
    if (error instanceof TallymanError && error.details.sqlstate === '42P01') return []
    if (error instanceof TallymanError && error.details.sqlstate === '3F000') return []
    throw error
  }
}

async function applyAll(url: string, schema: string, migrations: readonly Migration[]): Promise<void> {
  const { default: knex } = await import('knex')
  const runner = knex({
    client: 'pg',
    connection: { connectionString: url, application_name: 'tallyman migrations' },
    pool: { min: 0, max: 1 },
    // What fails is thrown and told once; knex would write it to the console as well.
    log: { warn: () => {}, error: () => {}, debug: () => {}, deprecate: () => {} },
  })
  const source: Knex.MigrationSource<Migration> = {
    getMigrations: async () => [...migrations],
    getMigrationName: migration => migration.name,
    getMigration: async migration => ({
      up: async transaction => {
        await transaction.raw(migration.sql)
      },
      down: async () => {},
    }),
  }
  const config: Knex.MigratorConfig = { migrationSource: source, schemaName: schema, tableName: 'migration' }
  try {
    // knex's own lock is a row that a killed process leaves set for ever; ours is the advisory lock.
    await runner.migrate.forceFreeMigrationsLock(config)
    await runner.migrate.latest(config)
  } catch (error) {
    throw translateError(error)
  } finally {
    await runner.destroy()
  }
}
