/**
 * Gives a test file a fresh Postgres database, cloned from a template in about 20 ms. The server is
 * the one of the whole run (TALLYMAN_TEST_POSTGRES, set by the runner) or, for a file run alone, one
 * of its own. The database is dropped when the file's tests passed, kept and named when they did not.
 */
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach } from 'node:test'
import { Database } from '../../lib/db/database.ts'
import { startEmbedded } from '../../lib/db/embedded.ts'
import { migrate } from '../../lib/db/migrate.ts'
import { LEDGER_MIGRATIONS } from '../../lib/ledger/open.ts'
import { CANARY, tellLeak } from './canary.ts'

/** Name of the environment variable with the URL of the run's server. */
export const TEST_POSTGRES = 'TALLYMAN_TEST_POSTGRES'

/** A server for a whole test run: for the runner's global setup. */
export async function startTestServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tallyman-test-'))
  // Started by root, the server runs as another user, who has to come through here.
  await chmod(folder, 0o711)
  const server = await startEmbedded({ folder: join(folder, 'postgres'), durable: false })
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { url: server.url, stop }
}

/** A database of a test file. */
export interface TestDatabase {
  readonly name: string
  readonly url: string
  readonly database: Database
}

/** Databases of this process whose tests still run: the last one stops a server of our own. */
let inUse = 0
let ownServer: Promise<{ url: string; stop(): Promise<void> }> | null = null

/** The server's URL: the run's, else one started for this process and stopped after its last test. */
async function serverUrl(): Promise<string> {
  const shared = process.env[TEST_POSTGRES]
  if (shared !== undefined && shared !== '') return shared
  ownServer ??= startTestServer()
  return (await ownServer).url
}

/** The same URL with another database. */
function withDatabase(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

/**
 * Name of the server's template with the run ledger's schema, made by whoever needs it first. Its
 * name changes with the migrations, so that a server that outlives an edit is no trap.
 */
async function ledgerTemplate(server: string, admin: Database): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(LEDGER_MIGRATIONS)).digest('hex')
  const name = `ledger_${digest.slice(0, 12)}`
  const connection = await admin.connect()
  try {
    await connection.query('SELECT pg_advisory_lock(1)')
    const { rows } = await connection.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (rows.length > 0) return name
    const unfinished = `unfinished_${randomBytes(6).toString('hex')}`
    await connection.query(`CREATE DATABASE ${unfinished} TEMPLATE template0`)
    const database = await Database.open(withDatabase(server, unfinished))
    await migrate(database, 'tallyman', LEDGER_MIGRATIONS)
    await database.close()
    await connection.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`)
    return name
  } finally {
    await connection.close()
  }
}

/** Longest wait for a table that a test left locked: it failed then, and its own words say more. */
const SEARCH_LOCK_MS = 5_000

/** Tables in which a secret of a test stands, each with a row of it; and what could not be searched. */
export async function leaksIn(database: Database): Promise<string[]> {
  const connection = await database.connect({ lockTimeoutMs: SEARCH_LOCK_MS })
  try {
    const { rows: tables } = await connection.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    )
    const leaks: string[] = []
    for (const { name } of tables) {
      const sql = `SELECT left(t::text, 200) AS row FROM ${name} t WHERE t::text ~ $1 LIMIT 1`
      const { rows } = await connection.query<{ row: string }>(sql, [CANARY])
      if (rows[0] !== undefined) leaks.push(`${name}: ${rows[0].row}`)
    }
    return leaks
  } catch (error) {
    return [`it could not be searched for secrets: ${String(error)}`]
  } finally {
    await connection.close()
  }
}

/**
 * A fresh database; call it at the top of a test file, outside of tests. It has the run ledger's
 * schema without any row, so that openLedger has nothing to migrate; with `empty` it has nothing.
 */
export async function testDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  inUse += 1
  const server = await serverUrl()
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = await Database.open(withDatabase(server, 'postgres'))
  const template = options.empty === true ? 'template0' : await ledgerTemplate(server, admin)
  await admin.use(connection => connection.query(`CREATE DATABASE ${name} TEMPLATE ${template}`))
  const url = withDatabase(server, name)
  const database = await Database.open(url)
  let failed = false
  afterEach(context => {
    if ('passed' in context && context.passed === false) failed = true
  })
  after(async () => {
    for (const leak of await leaksIn(database)) tellLeak(name, leak)
    await database.close()
    if (failed && ownServer === null) {
      process.stderr.write(`kept after a failure: ${url}\n`)
    } else {
      await admin.use(connection => connection.query(`DROP DATABASE ${name} WITH (FORCE)`))
    }
    await admin.close()
    inUse -= 1
    if (inUse === 0) await (await ownServer)?.stop()
  })
  return { name, url, database }
}
