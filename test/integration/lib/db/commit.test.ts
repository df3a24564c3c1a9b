/**
 * A COMMIT whose answer is lost, decided by asking for the transaction's fate.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Database } from '../../../../lib/db/database.ts'
import { testDatabase } from '../../../support/postgres.ts'
import { relayTo } from '../../../support/postgres-cut.ts'

const { database, url } = await testDatabase()
await database.use(async c => {
  await c.query('CREATE TABLE effect (name text)')
  // Stands in the COMMIT for half a second, so that the first question finds it in progress.
  await c.query(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF new.name LIKE ''slow%'' THEN PERFORM pg_sleep(0.5); END IF; RETURN NULL; END'`)
  await c.query(`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON effect DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow()`)
})

async function effects(name: string): Promise<number> {
  return (await database.use(c => c.query('SELECT 1 FROM effect WHERE name = $1', [name]))).rowCount
}

async function insertThrough(name: string, when: 'after-commit' | 'before-commit'): Promise<string> {
  const relay = await relayTo(url, when)
  const through = await Database.open(relay.url)
  const connection = await through.connect()
  try {
    return await connection.transaction(
      async () => {
        await connection.query('INSERT INTO effect VALUES ($1)', [name])
        return 'committed'
      },
      { commit: 'proved' },
    )
  } finally {
    assert.equal(relay.cut(), true)
    assert.notEqual(connection.lost, null)
    await through.close()
    await relay.close()
  }
}

test('A11: a COMMIT that reached the server and was not answered is known to have happened', async () => {
  assert.equal(await insertThrough('answer-lost', 'after-commit'), 'committed')
  assert.equal(await effects('answer-lost'), 1)
})

test('a COMMIT that is still in progress when its answer is lost is waited for', async () => {
  assert.equal(await insertThrough('slow-commit', 'after-commit'), 'committed')
  assert.equal(await effects('slow-commit'), 1)
})

test('a COMMIT that never reached the server is known not to have happened and may be tried again', async () => {
  await assert.rejects(insertThrough('never-sent', 'before-commit'), {
    code: 'RUN_DATABASE_LOST',
    retry: 'backoff',
  })
  assert.equal(await effects('never-sent'), 0)
})

test('a session terminated just before COMMIT is known not to have committed', async () => {
  const connection = await database.connect()
  const work = connection.transaction(
    async () => {
      await connection.query(`INSERT INTO effect VALUES ('terminated')`)
      await database.terminate(connection.pid, connection.backendStart)
    },
    { commit: 'proved' },
  )
  await assert.rejects(work, { code: 'RUN_DATABASE_LOST' })
  assert.equal(await effects('terminated'), 0)
})
