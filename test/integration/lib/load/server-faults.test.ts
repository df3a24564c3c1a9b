/**
 * A Postgres server of its own that is stopped in the middle of loads, as a crash does it (SIGQUIT),
 * started again, and filled up. All of a load is there afterwards or nothing. Faults of single
 * sessions: postgres-faults.test.ts.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Database } from '../../../../lib/db/database.ts'
import { type EmbeddedServer, startEmbedded } from '../../../../lib/db/embedded.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { createTarget } from '../../../../lib/load/create-target.ts'
import type { PostgresLoadOutcome } from '../../../../lib/load/load-input.ts'
import { postgres } from '../../../../lib/load/postgres.ts'
import type { TallymanError } from '../../../../lib/model/errors.ts'
import type { PostgresLoad } from '../../../../lib/model/job.ts'
import { column, defineTable } from '../../../../lib/model/table.ts'
import { decideRetry } from '../../../../lib/run/retry.ts'
import { counts, countsOf, loadSample, plain, type SampleOptions } from '../../../support/load-sample.ts'

const base = await mkdtemp(join(tmpdir(), 'tallyman-server-'))
await chmod(base, 0o711)
const folder = join(base, 'postgres')
let server: EmbeddedServer = await startEmbedded({ folder, durable: false })
const database = await Database.open(server.url)
await openLedger(database, { environment: 'test' })
after(async () => {
  await database.close()
  await server.stop()
  if (skip === false) execFileSync('umount', [small])
  await rm(base, { recursive: true, force: true })
})
await database.use(c =>
  c.query(`CREATE SCHEMA erp; CREATE FUNCTION erp.hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$`),
)

/** Stops it as a crash does. */
async function crash(): Promise<void> {
  const [pid] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGQUIT')
}

async function restart(): Promise<void> {
  await server.stop()
  server = await startEmbedded({ folder, durable: false })
}

async function target(name: string): Promise<PostgresLoad> {
  const table = defineTable(
    'erp',
    name,
    { ref: column.text({ doc: 'Reference.' }), words: column.text({ doc: 'Words.', nullable: true }) },
    { doc: 'A table of the tests.', key: ['ref'] },
  )
  const spec = postgres({ table, mode: 'upsert' })
  await database.use(connection => createTarget(connection, spec))
  return spec
}

const count = (sql: string): Promise<number> =>
  database.use(async c =>
    Number((await c.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`)).rows[0]!.n),
  )

async function until(what: string, sql: string): Promise<void> {
  for (let asked = 0; asked < 5_000; asked += 1) if ((await count(sql)) > 0) return
  assert.fail(`${what} did not come`)
}

const WORDS = 'w'.repeat(50_000)
/** Twenty megabytes. */
const MANY: SampleOptions['files'] = [
  { name: 'F.csv', records: plain(...Array.from({ length: 400 }, (_, at) => [`r${at}`, WORDS])) },
]
const ALL = counts({ mapped: 400, inserted: 400 })

/** The load, which may stop the world after about eight megabytes were sent. */
function load(spec: PostgresLoad, job: string, midCopy?: () => Promise<void>): Promise<PostgresLoadOutcome> {
  return loadSample(database, spec, {
    job,
    files: MANY,
    blockSize: 10,
    change: input => ({
      ...input,
      blocks: (async function* () {
        let blocks = 0
        for await (const block of input.blocks) {
          blocks += 1
          if (blocks === 16) await midCopy?.()
          yield block
        }
      })(),
    }),
  })
}

const failure = (loading: Promise<unknown>): Promise<TallymanError> =>
  loading.then(
    () => assert.fail('the load was not stopped'),
    (thrown: TallymanError) => thrown,
  )

async function assertTheNextLoads(spec: PostgresLoad, job: string, error: TallymanError): Promise<void> {
  assert.equal(await count(`erp.${job}`), 0)
  assert.equal(await count(`pg_class WHERE relname LIKE 'staging_%'`), 0)
  assert.equal(decideRetry(error, 1, 0, () => 0).kind, 'again')
  assert.deepEqual(countsOf(await load(spec, job)), ALL)
}

test('D1: a server that stops in mid-COPY leaves nothing, and the next attempt loads', async () => {
  const spec = await target('copying')
  const error = await failure(load(spec, 'copying', crash))
  assert.equal(error.code, 'RUN_DATABASE_LOST')
  await restart()
  await assertTheNextLoads(spec, 'copying', error)
})

test('D1: a server that stops in the middle of a merge leaves nothing, and the next attempt loads', async t => {
  const spec = await target('merging')
  const gate = await database.connect()
  t.after(() => gate.close())
  await gate.query(`CREATE TRIGGER held AFTER INSERT ON erp.merging EXECUTE FUNCTION erp.hold()`)
  await gate.query('SELECT pg_advisory_lock(42)')
  const failed = failure(load(spec, 'merging'))
  await until('the merge', `pg_locks WHERE NOT granted AND locktype = 'advisory'`)
  await crash()
  const error = await failed
  assert.equal(error.code, 'RUN_DATABASE_LOST')
  await restart()
  await assertTheNextLoads(spec, 'merging', error)
})

/** Lets every COMMIT wait for a replica that never comes, once it is written. */
async function holdCommits(hold: boolean): Promise<void> {
  await database.use(async c => {
    await c.query(
      hold
        ? `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`
        : 'ALTER SYSTEM RESET synchronous_standby_names',
    )
    await c.query('SELECT pg_reload_conf()')
  })
}

for (const [how, end] of [
  [
    'session',
    async (): Promise<void> =>
      void (await database.use(c =>
        c.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`),
      )),
  ],
  ['server', crash],
] as const) {
  test(`D1: a ${how} that ends inside a COMMIT that is already written is asked again, and the load is done`, async () => {
    const job = `written_by_${how}`
    const spec = await target(job)
    // before the COMMIT of the load, and after all others
    const loading = loadSample(database, spec, {
      job,
      files: MANY,
      blockSize: 10,
      change: input => ({
        ...input,
        sourceSnapshot: async () => {
          await holdCommits(true)
          return null
        },
      }),
    })
    await until('the COMMIT', `pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'`)
    await database.use(c => c.query('ALTER SYSTEM RESET synchronous_standby_names'))
    await end()
    if (how === 'server') await restart()
    else await holdCommits(false)
    assert.deepEqual(countsOf(await loading), ALL)
    assert.equal(await count(`erp.${job}`), 400)
  })
}

/** Why no file system of our own can be mounted; false when it can. */
function noFileSystem(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'only root on Linux can mount a small file system'
  }
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'none', small, '-o', 'size=10m,mode=700'], { stdio: 'ignore' })
    return false
  } catch {
    return 'this machine lets nobody mount a file system'
  }
}

const small = join(base, 'small')
await mkdir(small)
const skip = noFileSystem()

test('D4: a disk that is full while rows are staged leaves nothing, and with room the next attempt loads', {
  skip,
}, async () => {
  const spec = await target('overflowing')
  const { uid, gid } = await stat(folder)
  await chown(small, uid, gid)
  await database.use(async c => {
    await c.query(`CREATE TABLESPACE small LOCATION '${small}'`)
    await c.query(`ALTER DATABASE tallyman SET default_tablespace = 'small'`)
  })
  // random, because what can be compressed takes no room
  const words = Array.from({ length: 400 }, () => randomBytes(30_000).toString('base64'))
  const full = () =>
    loadSample(database, spec, {
      job: 'overflowing',
      files: [{ name: 'F.csv', records: plain(...words.map((text, at) => [`r${at}`, text])) }],
      blockSize: 10,
    })
  const error = await failure(full())
  assert.equal(error.code, 'RUN_DATABASE_FULL')
  assert.equal(error.details.sqlstate, '53100')
  assert.equal(await count('erp.overflowing'), 0)
  assert.equal(decideRetry(error, 1, 0, () => 0).kind, 'again')
  execFileSync('mount', ['-o', 'remount,size=200m', small])
  assert.deepEqual(countsOf(await full()), ALL)
  await database.use(c => c.query('ALTER DATABASE tallyman RESET default_tablespace'))
})
