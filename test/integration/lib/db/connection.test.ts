/**
 * Sessions over a real server: values, transactions, COPY, and what each failure is called.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Database } from '../../../../lib/db/database.ts'
import { RunError } from '../../../../lib/model/errors.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database, url } = await testDatabase()
await database.use(async c => {
  await c.query('CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL CHECK (name <> $$bad$$))')
})

async function names(): Promise<string[]> {
  const { rows } = await database.use(c => c.query<{ name: string }>('SELECT name FROM item ORDER BY id'))
  return rows.map(row => row.name)
}

test('dates, timestamps, numeric and bigint come back as the text that Postgres holds', async () => {
  const { rows } = await database.use(c =>
    c.query(`SELECT '2026-11-20'::date AS d, '2026-11-20 01:02:03.456789+01'::timestamptz AS t,
      1240.50::numeric AS n, 9007199254740993::int8 AS b, array['2026-01-01'::date] AS da, 7::int AS i`),
  )
  assert.deepEqual(rows[0], {
    d: '2026-11-20',
    t: '2026-11-20 00:02:03.456789+00',
    n: '1240.50',
    b: '9007199254740993',
    da: ['2026-01-01'],
    i: 7,
  })
})

test('a transaction whose work throws leaves nothing behind and its session usable', async () => {
  await database.use(async c => {
    const failing = c.transaction(async () => {
      await c.query(`INSERT INTO item VALUES (1, 'one')`)
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    assert.equal(c.inTransaction, false)
    assert.equal((await c.query('SELECT * FROM item')).rowCount, 0)
  })
})

test('a savepoint undoes only its own work', async () => {
  await database.use(c =>
    c.transaction(async () => {
      await c.query(`INSERT INTO item VALUES (10, 'kept')`)
      await assert.rejects(
        c.savepoint(() => c.query(`INSERT INTO item VALUES (10, 'twice')`)),
        { code: 'RUN_DATABASE_CONSTRAINT' },
      )
      await c.query(`INSERT INTO item VALUES (11, 'after')`)
    }),
  )
  assert.deepEqual(await names(), ['kept', 'after'])
  await database.use(c => c.query('DELETE FROM item'))
})

test('D9: a failed statement that is swallowed can not be committed unnoticed', async () => {
  await assert.rejects(
    database.use(c => c.transaction(() => c.query('SELECT 1/0').catch(() => {}))),
    { code: 'BUG_COMMIT_ROLLED_BACK' },
  )
})

test('COPY stores what is streamed and gives the number of rows', async () => {
  async function* rows(): AsyncIterable<string> {
    for (let id = 100; id < 20_100; id += 1) yield `${id}\tname ${id}\n`
  }
  const connection = await database.connect()
  assert.equal(await connection.copyIn('COPY item FROM STDIN', rows()), 20_000)
  let text = ''
  for await (const piece of connection.copyOut('COPY (SELECT id FROM item ORDER BY id LIMIT 2) TO STDOUT')) {
    text += piece.toString('utf8')
  }
  assert.equal(text, '100\n101\n')
  await connection.query('DELETE FROM item')
  await connection.close()
})

test('a COPY that the server refuses is named by the server and ends the session', async () => {
  const connection = await database.connect()
  async function* rows(): AsyncIterable<string> {
    yield '1\tok\n1\ttwice\n'
  }
  await assert.rejects(connection.copyIn('COPY item FROM STDIN', rows()), {
    code: 'RUN_DATABASE_CONSTRAINT',
  })
  assert.notEqual(connection.lost, null)
  await assert.rejects(connection.query('SELECT 1'))
  assert.deepEqual(await names(), [])
})

test('an error of the source of a COPY is thrown as it is and stores nothing', async () => {
  const connection = await database.connect()
  const reason = new Error('the file ended early')
  async function* rows(): AsyncIterable<string> {
    yield '1\tok\n'
    throw reason
  }
  await assert.rejects(connection.copyIn('COPY item FROM STDIN', rows()), error => error === reason)
  assert.deepEqual(await names(), [])
})

test('an aborted session ends on the server too, while it waits for a lock', async () => {
  const holder = await database.connect()
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE item')
  const stop = new AbortController()
  const waiting = await database.connect({ signal: stop.signal })
  const query = waiting.query('SELECT * FROM item')
  const reason = new Error('terminated by the operator')
  stop.abort(reason)
  await assert.rejects(query, error => error === reason)
  const alive = (): Promise<boolean> =>
    database.use(
      async c => (await c.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [waiting.pid])).rowCount > 0,
    )
  while (await alive());
  await holder.close()
})

test('D3: each failure of the server has a code of its own', async () => {
  const code = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'none',
      error => (error instanceof RunError ? error.code : String(error)),
    )
  const holder = await database.connect()
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE item')
  const hasty = await database.connect({ lockTimeoutMs: 20, statementTimeoutMs: 2_000 })
  assert.equal(await code(hasty.query('SELECT * FROM item')), 'RUN_DATABASE_LOCK_TIMEOUT')
  await holder.close()
  const brief = await database.connect({ statementTimeoutMs: 20 })
  assert.equal(await code(brief.query('SELECT pg_sleep(5)')), 'RUN_DATABASE_STATEMENT_TIMEOUT')
  assert.equal(await code(brief.query('SELECT * FROM nowhere')), 'RUN_DATABASE_REFUSED')
  const nowhere = new URL(url)
  nowhere.searchParams.set('host', '/nonexistent')
  assert.equal(await code(Database.open(nowhere.href)), 'RUN_DATABASE_UNREACHABLE')
  nowhere.href = url
  nowhere.pathname = '/no_such_database'
  assert.equal(await code(Database.open(nowhere.href)), 'RUN_DATABASE_REFUSED')
  await hasty.close()
  await brief.close()
})

test('a violation names constraint and key, and never spreads a whole row', async () => {
  await database.use(async c => {
    await c.query(`INSERT INTO item VALUES (5, 'five')`)
    await assert.rejects(c.query(`INSERT INTO item VALUES (5, 'again')`), (error: RunError) => {
      assert.equal(error.details.constraint, 'item_pkey')
      assert.match(error.message, /Key \(id\)=\(5\) already exists/)
      return true
    })
    await assert.rejects(c.query(`INSERT INTO item VALUES (6, 'bad')`), (error: RunError) => {
      assert.equal(error.details.constraint, 'item_name_check')
      assert.doesNotMatch(error.message, /6, bad/)
      return true
    })
    await c.query('DELETE FROM item')
  })
})

test('D2: two transactions that lock each other are told a deadlock, and one of them goes on', async () => {
  await database.use(c => c.query(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`))
  const [left, right] = [await database.connect(), await database.connect()]
  await left.query('BEGIN')
  await right.query('BEGIN')
  await left.query('UPDATE item SET name = name WHERE id = 1')
  await right.query('UPDATE item SET name = name WHERE id = 2')
  const results = await Promise.allSettled([
    left.query('UPDATE item SET name = name WHERE id = 2'),
    right.query('UPDATE item SET name = name WHERE id = 1'),
  ])
  const refused = results.filter(result => result.status === 'rejected')
  assert.deepEqual(
    refused.map(result => result.reason.code),
    ['RUN_DATABASE_DEADLOCK'],
  )
  await Promise.all([left.close(), right.close()])
})

test('D8: an idle session that is terminated tells its listeners and not the process', async () => {
  const connection = await database.connect()
  const told = new Promise<Error>(resolve => connection.onLost(resolve))
  await database.terminate(connection.pid, connection.backendStart)
  assert.equal(((await told) as RunError).code, 'RUN_DATABASE_LOST')
  await assert.rejects(connection.query('SELECT 1'), { code: 'RUN_DATABASE_LOST', retry: 'verify-first' })
})

test('a pooled session that was lost is replaced', async () => {
  await assert.rejects(
    database.use(c => database.terminate(c.pid, c.backendStart).then(() => c.query('SELECT 1'))),
  )
  const { rows } = await database.use(c => c.query('SELECT 1 AS one'))
  assert.deepEqual(rows, [{ one: 1 }])
})

test('more borrowers than pooled sessions wait for their turn', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      database.use(c => c.query<{ i: number }>('SELECT $1::int AS i', [i])),
    ),
  )
  assert.deepEqual(
    results.map(result => result.rows[0]!.i),
    Array.from({ length: 20 }, (_, i) => i),
  )
})

test('a session is ended by its pid only while it is the one that started then', async () => {
  const connection = await database.connect()
  await database.terminate(connection.pid, '2020-01-01 00:00:00+00')
  assert.equal((await connection.query('SELECT 1')).rowCount, 1)
  await connection.close()
})
