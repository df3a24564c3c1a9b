/**
 * What a load does when its session is ended, must wait, or is cancelled: nothing is loaded, the error
 * says why and whether a retry can help, and the next attempt loads all of it. Faults of the server as
 * a whole: server-faults.test.ts.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Connection } from '../../../../lib/db/connection.ts'
import { Database } from '../../../../lib/db/database.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import type { TallymanError } from '../../../../lib/model/errors.ts'
import type { PostgresLoad } from '../../../../lib/model/job.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { decideRetry } from '../../../../lib/run/retry.ts'
import { counts, countsOf, loadSample, plain, type SampleOptions } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database, url, name: databaseName } = await testDatabase()
await openLedger(database, { environment: 'test' })
await database.use(c =>
  c.query(`CREATE SCHEMA erp; CREATE TABLE erp.master (ref text PRIMARY KEY); INSERT INTO erp.master VALUES ('a'), ('b');
    CREATE FUNCTION erp.hold() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.ref = 'b' THEN PERFORM pg_advisory_xact_lock(42); END IF; RETURN NEW; END $$`),
)

async function target(name: string, ...rules: string[]): Promise<PostgresLoad> {
  const table = defineTable(
    'erp',
    name,
    { ref: column.text({ doc: 'Reference.' }), words: column.text({ doc: 'Words.', nullable: true }) },
    { doc: 'A table of the tests.', key: ['ref'] },
  )
  const spec = postgres({ table, mode: 'upsert' })
  await database.use(async connection => {
    await createTarget(connection, spec)
    for (const rule of rules) await connection.query(rule)
  })
  return spec
}

const HELD = (name: string): string =>
  `CREATE TRIGGER held BEFORE INSERT ON erp.${name} FOR EACH ROW EXECUTE FUNCTION erp.hold()`
const REFERS = (name: string): string =>
  `ALTER TABLE erp.${name} ADD CONSTRAINT ${name}_master FOREIGN KEY (ref) REFERENCES erp.master`

const ROWS: Pick<SampleOptions, 'files'> = {
  files: [{ name: 'F.csv', records: plain(['a', null], ['b', null]) }],
}

const count = (sql: string, on = database): Promise<number> =>
  on.use(async c => Number((await c.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`)).rows[0]!.n))

/** Asks until it is so. */
async function until(what: string, sql: string): Promise<void> {
  for (let asked = 0; asked < 5_000; asked += 1) if ((await count(sql)) > 0) return
  assert.fail(`${what} did not come`)
}

const waits = (pid: number, what: string): Promise<void> =>
  until(`session ${pid}, waiting,`, `pg_locks WHERE NOT granted AND pid = ${pid} AND ${what}`)

/** A session in a transaction that has run `sql`; ended by the test, at its end at the latest. */
async function holder(t: TestContext, sql: string, application: string): Promise<Connection> {
  const session = await database.connect({ name: application })
  t.after(() => session.close())
  await session.query('BEGIN')
  await session.query(sql)
  return session
}

/** Starts a load that gets stuck, and gives its error with the pid of its session. */
function stuck(
  spec: PostgresLoad,
  options: SampleOptions,
): { pid: Promise<number>; error: Promise<TallymanError> } {
  const { promise: pid, resolve } = Promise.withResolvers<number>()
  const error = loadSample(database, spec, {
    ...options,
    change: input => {
      resolve(input.connection.pid)
      return options.change?.(input) ?? input
    },
  }).then(
    () => assert.fail('the load was not stopped'),
    (thrown: TallymanError) => thrown,
  )
  return { pid, error }
}

/** Nothing is there, nothing was judged; a retry is made, and loads all of it. */
async function assertTheNextLoads(spec: PostgresLoad, job: string, error: TallymanError): Promise<void> {
  const table = `erp.${job.replaceAll('-', '_')}`
  assert.equal(await count(table), 0)
  assert.equal(
    await count(
      'tallyman.load l JOIN tallyman.revision v ON v.id = l.revision JOIN tallyman.run r ON r.id = v.run WHERE r.job = ' +
        `'${job}'`,
    ),
    0,
  )
  await until(
    'the end of the session',
    `(SELECT WHERE NOT EXISTS (SELECT FROM pg_class WHERE relname LIKE 'staging_%')) s`,
  )
  assert.equal(decideRetry(error, 1, 0, () => 0).kind, 'again')
  assert.deepEqual(
    countsOf(await loadSample(database, spec, { job, ...ROWS })),
    counts({ mapped: 2, inserted: 2 }),
  )
}

test('D1: a session ended in mid-COPY leaves nothing, and the next attempt loads', async () => {
  const spec = await target('mid_copy')
  const words = 'w'.repeat(50_000)
  const { error } = stuck(spec, {
    job: 'mid-copy',
    files: [{ name: 'F.csv', records: plain(...Array.from({ length: 400 }, (_, at) => [`r${at}`, words])) }],
    blockSize: 10,
    change: input => ({
      ...input,
      blocks: (async function* () {
        let blocks = 0
        for await (const block of input.blocks) {
          blocks += 1
          // after about eight megabytes, of which four were sent
          if (blocks === 16) await database.terminate(input.connection.pid, input.connection.backendStart)
          yield block
        }
      })(),
    }),
  })
  const thrown = await error
  assert.equal(thrown.code, 'RUN_DATABASE_LOST')
  await assertTheNextLoads(spec, 'mid-copy', thrown)
})

test('D1: a session ended in the middle of its merge leaves nothing, and the next attempt loads', async t => {
  const spec = await target('mid_merge', HELD('mid_merge'))
  const other = await holder(t, 'SELECT pg_advisory_xact_lock(42)', 'other')
  const { pid, error } = stuck(spec, { job: 'mid-merge', ...ROWS })
  await waits(await pid, "locktype = 'advisory'")
  await database.use(async c => c.query('SELECT pg_terminate_backend($1)', [await pid]))
  const thrown = await error
  await other.close()
  assert.equal(thrown.code, 'RUN_DATABASE_LOST')
  await assertTheNextLoads(spec, 'mid-merge', thrown)
})

test('D1: a session ended inside its COMMIT, before that was decided, leaves nothing, and the next attempt loads', async t => {
  const spec = await target('mid_commit')
  await database.use(c =>
    c.query(`CREATE FUNCTION erp.hold_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
      CREATE FUNCTION erp.defer() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN NEW; END $$;
      CREATE TRIGGER defer BEFORE UPDATE ON tallyman.load FOR EACH ROW EXECUTE FUNCTION erp.defer();
      CREATE CONSTRAINT TRIGGER held AFTER UPDATE ON tallyman.load DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION erp.hold_commit()`),
  )
  const other = await holder(t, 'SELECT pg_advisory_xact_lock(42)', 'other')
  const { pid, error } = stuck(spec, { job: 'mid-commit', ...ROWS })
  await waits(await pid, "locktype = 'advisory'")
  const { rows } = await database.use(async c =>
    c.query<{ query: string }>('SELECT query FROM pg_stat_activity WHERE pid = $1', [await pid]),
  )
  assert.equal(rows[0]!.query, 'COMMIT')
  await database.use(async c => c.query('SELECT pg_terminate_backend($1)', [await pid]))
  const thrown = await error
  await other.close()
  assert.equal(thrown.code, 'RUN_DATABASE_LOST')
  assert.match(thrown.message, /the server says that the transaction was rolled back/)
  await assertTheNextLoads(spec, 'mid-commit', thrown)
  await database.use(c => c.query('DROP TRIGGER held ON tallyman.load; DROP TRIGGER defer ON tallyman.load'))
})

test('D2: a load that is the victim of a deadlock leaves nothing, and the next attempt loads', async t => {
  const spec = await target('entangled', HELD('entangled'), REFERS('entangled'))
  await database.use(c => c.query(`ALTER DATABASE ${databaseName} SET deadlock_timeout = '20ms'`))
  const gate = await holder(t, 'SELECT pg_advisory_xact_lock(42)', 'gate')
  const other = await holder(t, `SELECT FROM erp.master WHERE ref = 'a' FOR UPDATE`, 'other')
  await other.query(`SET deadlock_timeout = '1h'`)
  const { pid, error } = stuck(spec, { job: 'entangled', ...ROWS })
  await waits(await pid, "locktype = 'advisory'")
  const wanted = other.query('LOCK TABLE erp.entangled IN EXCLUSIVE MODE')
  await waits(other.pid, "locktype = 'relation'")
  await gate.close()
  const thrown = await error
  await wanted
  await other.close()
  await database.use(c => c.query(`ALTER DATABASE ${databaseName} RESET deadlock_timeout`))
  assert.equal(thrown.code, 'RUN_DATABASE_DEADLOCK')
  await assertTheNextLoads(spec, 'entangled', thrown)
})

const IN_THE_WAY: readonly (readonly [who: string, table: string, rule: string, sql: string])[] = [
  ['a forgotten session that wrote to the target', 'forgotten', '', "INSERT INTO erp.forgotten VALUES ('x')"],
  [
    'a session that locked a row which the target refers to',
    'referred_row',
    'refers',
    "SELECT FROM erp.master WHERE ref = 'a' FOR UPDATE",
  ],
  [
    'another load of the target',
    'other_load',
    '',
    "SELECT pg_advisory_xact_lock(hashtextextended('tallyman.target erp.other_load', 0))",
  ],
]
for (const [who, table, rule, sql] of IN_THE_WAY) {
  test(`D3: a load that waits too long for ${who} says who it is, and the next attempt loads`, async t => {
    const spec = await target(table, ...(rule === 'refers' ? [REFERS(table)] : []))
    const other = await holder(t, sql, 'psql of Ann')
    const job = table.replaceAll('_', '-')
    const { error } = stuck(spec, { job, ...ROWS, change: input => ({ ...input, lockWaitMs: 100 }) })
    const thrown = await error
    assert.equal(thrown.code, 'LOAD_TARGET_LOCKED')
    assert.match(
      thrown.message,
      new RegExp(
        `^A lock for the load into erp\\.${table} was not granted within 0\\.1 s\\. In the way: session ${other.pid} ` +
          '\\(psql of Ann, user tallyman, idle in transaction, in its transaction since [\\dT:-]+Z\\)\\. End that',
      ),
    )
    await other.query('ROLLBACK')
    await other.close()
    await assertTheNextLoads(spec, job, thrown)
  })
}

test('D3: a load behind a change of the table that itself waits names that change', async t => {
  const spec = await target('altered')
  const reader = await holder(t, 'SELECT FROM erp.altered', 'reader')
  const altering = await database.connect({ name: 'migration' })
  const altered = altering.query('ALTER TABLE erp.altered ADD COLUMN more text')
  await waits(altering.pid, "locktype = 'relation'")
  const { error } = stuck(spec, { job: 'altered', ...ROWS, change: input => ({ ...input, lockWaitMs: 100 }) })
  const thrown = await error
  assert.match(
    thrown.message,
    new RegExp(`In the way: session ${altering.pid} \\(migration, user tallyman, active`),
  )
  await reader.close()
  await altered
  await altering.close()
  await assertTheNextLoads(spec, 'altered', thrown)
})

test('D3: a statement that takes longer than it may leaves nothing, and the next attempt loads', async t => {
  const spec = await target('slow', HELD('slow'))
  const other = await holder(t, 'SELECT pg_advisory_xact_lock(42)', 'other')
  const { error } = stuck(spec, {
    job: 'slow',
    ...ROWS,
    change: input => {
      void input.connection.query(`SET statement_timeout = '200ms'`)
      return input
    },
  })
  const thrown = await error
  await other.close()
  assert.equal(thrown.code, 'RUN_DATABASE_STATEMENT_TIMEOUT')
  await assertTheNextLoads(spec, 'slow', thrown)
})

test('D5: five connections are enough for a load; without a free one it waits for another attempt', async () => {
  const spec = await target('crowded')
  await database.use(c =>
    c.query(`CREATE ROLE crowd LOGIN CONNECTION LIMIT 5; GRANT CREATE, USAGE ON SCHEMA tallyman, erp TO crowd;
      GRANT ALL ON ALL TABLES IN SCHEMA tallyman, erp TO crowd; GRANT ALL ON ALL SEQUENCES IN SCHEMA tallyman TO crowd`),
  )
  const crowd = new URL(url)
  crowd.username = 'crowd'
  const narrow = await Database.open(crowd.href)
  const others = await Promise.all([1, 2, 3, 4].map(() => narrow.connect()))
  const refused = await loadSample(narrow, spec, { job: 'crowded', ...ROWS }).then(
    () => assert.fail('it found a connection'),
    (thrown: TallymanError) => thrown,
  )
  assert.equal(refused.code, 'RUN_DATABASE_TOO_MANY')
  assert.equal(decideRetry(refused, 1, 0, () => 0).kind, 'again')
  assert.equal(await count('erp.crowded'), 0)
  for (const other of others) await other.close()
  await until('room', `(SELECT WHERE (SELECT count(*) FROM pg_stat_activity WHERE usename = 'crowd') < 2) s`)
  assert.deepEqual(
    countsOf(await loadSample(narrow, spec, { job: 'crowded', ...ROWS })),
    counts({ mapped: 2, inserted: 2 }),
  )
  await narrow.close()
  await until('room', `(SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'crowd')) s`)
  await database.use(c => c.query('DROP OWNED BY crowd; DROP ROLE crowd'))
})
