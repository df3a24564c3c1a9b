/**
 * The run ledger's schema: made once by whoever comes first, and by no other environment.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { Database } from '../../../../lib/db/database.ts'
import { migrate } from '../../../../lib/db/migrate.ts'
import { LEDGER_MIGRATIONS, openLedger } from '../../../../lib/ledger/open.ts'
import { testDatabase } from '../../../support/postgres.ts'

const OPENER = `
  const [{ Database }, { openLedger }] = await Promise.all([import(process.argv[1]), import(process.argv[2])])
  const database = await Database.open(process.argv[3])
  await openLedger(database, { environment: 'test' })
  await database.close()`
const LIB = join(import.meta.dirname, '../../../../lib')

function opener(url: string): ReturnType<typeof spawn> {
  const modules = [join(LIB, 'db/database.ts'), join(LIB, 'ledger/open.ts')]
  return spawn(process.execPath, ['--input-type=module', '-e', OPENER, ...modules, url], { stdio: 'inherit' })
}

const contested = await testDatabase({ empty: true })
const scratch = await testDatabase({ empty: true })

test('three processes that open an empty database at once migrate it once', async () => {
  const exits = await Promise.all([1, 2, 3].map(() => once(opener(contested.url), 'exit')))
  assert.deepEqual(
    exits.map(([code]) => code),
    [0, 0, 0],
  )
  const { rows } = await contested.database.use(c =>
    c.query<{ name: string }>('SELECT name FROM tallyman.migration ORDER BY id'),
  )
  assert.deepEqual(
    rows.map(row => row.name),
    LEDGER_MIGRATIONS.map(migration => migration.name),
  )
})

test('a ledger of another environment is refused', async () => {
  await openLedger(contested.database, { environment: 'test' })
  await assert.rejects(openLedger(contested.database, { environment: 'production' }), {
    code: 'RUN_LEDGER_OTHER_ENVIRONMENT',
  })
})

test('a ledger that is up to date is opened without loading the migration runner', async () => {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { registerHooks } = await import('node:module')
       registerHooks({ resolve(specifier, context, next) {
         if (specifier === 'knex') process.exit(9)
         return next(specifier, context)
       } })
       ${OPENER}`,
      join(LIB, 'db/database.ts'),
      join(LIB, 'ledger/open.ts'),
      contested.url,
    ],
    { stdio: 'inherit' },
  )
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('a migration that fails takes none of its batch into effect, and a lock left by a killed runner does not stop the next', async () => {
  const { database } = scratch
  const good = { name: '0001-good', sql: 'CREATE TABLE scratch.a (n int)' }
  const bad = { name: '0002-bad', sql: 'CREATE TABLE scratch.b (n int); SELECT 1/0' }
  await assert.rejects(migrate(database, 'scratch', [good, bad]), { code: 'RUN_DATABASE_REFUSED' })
  const tables = async (): Promise<string[]> =>
    (
      await database.use(c =>
        c.query<{ name: string }>(
          `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'scratch' AND length(table_name) = 1`,
        ),
      )
    ).rows.map(row => row.name)
  assert.deepEqual(await tables(), [])
  await database.use(c => c.query('UPDATE scratch.migration_lock SET is_locked = 1'))
  await migrate(database, 'scratch', [good, { name: '0002-bad', sql: 'CREATE TABLE scratch.b (n int)' }])
  assert.deepEqual((await tables()).toSorted(), ['a', 'b'])
})

test('a ledger written by a newer version is refused', async () => {
  await assert.rejects(migrate(scratch.database, 'scratch', [{ name: '0001-good', sql: '' }]), {
    code: 'RUN_LEDGER_NEWER',
  })
})

test('a database that is not there is told as such before any migration', async () => {
  const url = new URL(scratch.url)
  url.pathname = '/nothing_here'
  await assert.rejects(Database.open(url.href), { code: 'RUN_DATABASE_REFUSED' })
})
