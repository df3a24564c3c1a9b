/**
 * A job whose target is another Postgres than the run ledger's: killed at every boundary between the two, paused,
 * cut off while it commits; and a target that is not this ledger's. What both databases hold afterwards decides.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { openTarget } from '../../lib/ledger/target-open.ts'
import { examine } from '../../lib/run/doctor.ts'
import { openNight } from '../support/night.ts'
import { command, startCommand } from '../support/night-child.ts'
import { type OrderLine, orders, someLines } from '../support/night-deliveries.ts'
import { testDatabase } from '../support/postgres.ts'
import { proxyBefore } from '../support/wire-proxy.ts'

const warehouse = await testDatabase({ empty: true })
const { url, proxy } = await proxyBefore(warehouse.url)
const night = await openNight({
  changes: { 'portal-orders': { target: 'warehouse', after: { move: 'done' } } },
  warehouse: url,
})
test.after(() => proxy.close())

const JOB = 'portal-orders'
const RUN = ['run', JOB, '--create-target', '--date']

async function atTarget<R extends object>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
  return (await warehouse.database.use(connection => connection.query<R>(sql, [...params]))).rows
}

/** Good lines, and one that the mapping rejects. */
function lines(count: number, prefix = 'A'): OrderLine[] {
  return [...someLines(count, prefix), ['BAD', 'many']]
}

async function deliver(date: string, count: number, suffix = '', prefix = 'A'): Promise<void> {
  const name = `orders_${date.replaceAll('-', '')}${suffix}.csv`
  await night.deliver('portal', name, orders(date, lines(count, prefix)))
}

/** Both databases after a date: what the target holds and what the run ledger says of it. */
async function picture(date: string) {
  const target = await atTarget<{ articles: string; rows: number }>(
    `SELECT string_agg(stock_code, ',' ORDER BY stock_code) AS articles, count(*)::int AS rows
     FROM sales.order_line WHERE business_date = $1::date`,
    [date],
  )
  const [ledger] = await night.rows<{ revisions: string[] }>(
    `SELECT r.state, r.owed, (SELECT count(*)::int FROM tallyman.lease l WHERE l.run = r.id) AS leases,
       ARRAY(SELECT v.state || ' ' || l.state FROM tallyman.revision v JOIN tallyman.load l ON l.revision = v.id
         WHERE v.run = r.id ORDER BY v.number) AS revisions,
       ARRAY(SELECT j.state FROM tallyman.reject j JOIN tallyman.revision v ON v.id = j.revision
         WHERE v.run = r.id ORDER BY j.id) AS rejects,
       (SELECT count(*)::int FROM tallyman.prepared_reject) AS prepared,
       ARRAY(SELECT x.outcome FROM tallyman.comparison c JOIN tallyman.comparison_result x ON x.comparison = c.id
         WHERE c.run = r.id ORDER BY c.number) AS outcomes
     FROM tallyman.run r WHERE r.job = $1 AND r.business_date = $2::date`,
    [JOB, date],
  )
  const gates = await atTarget<{ state: string }>(
    'SELECT state FROM tallyman.load WHERE revision = ANY($1::bigint[]) ORDER BY revision',
    [
      (
        await night.rows<{ id: string }>(
          `SELECT v.id FROM tallyman.revision v JOIN tallyman.run r ON r.id = v.run
           WHERE r.job = $1 AND r.business_date = $2::date`,
          [JOB, date],
        )
      ).map(({ id }) => id),
    ],
  )
  const mails = night.smtp.received.filter(({ mail }) => mail.subject!.includes(date)).length
  return { articles: target[0]!.articles, ...ledger, gates: gates.map(({ state }) => state), mails }
}

const LOADED_ONCE = {
  ...{ state: 'succeeded', owed: false, leases: 0, revisions: ['finished published'], rejects: ['open'] },
  ...{ prepared: 0, gates: ['published'], mails: 1, articles: 'A1,A2,A3' },
}

async function failpoints(): Promise<string[]> {
  const root = path.join(import.meta.dirname, '..', '..')
  const names: string[] = []
  for await (const file of glob('lib/**/*.ts', { cwd: root })) {
    const source = readFileSync(path.join(root, file), 'utf8')
    for (const [, name] of source.matchAll(/\bfailpoint\('(target\.[^']+)'\)/g)) names.push(name!)
  }
  return names.toSorted((a, b) => a.localeCompare(b))
}

function differences(found: object, must: object): string[] {
  const is = found as Record<string, unknown>
  return Object.entries(must)
    .filter(([name, value]) => !isDeepStrictEqual(is[name], value))
    .map(([name, value]) => `${name} is ${JSON.stringify(is[name])}, not ${JSON.stringify(value)}`)
}

test('a load into another Postgres takes effect there, is told in the run ledger, and leaves no table of the target in it', async () => {
  await deliver('2026-03-01', 3)
  const summary = await night.run(JOB, '2026-03-01')
  assert.equal(summary.state, 'succeeded')
  assert.deepEqual(differences(await picture('2026-03-01'), LOADED_ONCE), [])
  assert.deepEqual(await night.rows(`SELECT to_regclass('sales.order_line')::text AS found`), [
    { found: null },
  ])
  assert.equal((await night.run(JOB, '2026-03-01')).state, 'nothing-to-do')
  const findings = await examine(night.engine, night.engine)
  assert.deepEqual(
    findings.filter(({ subject }) => subject === `job ${JOB}`).map(({ message }) => message),
    ['target in targets.warehouse fits its definition'],
  )
})

test('killed at any boundary between run ledger and target, a load takes effect once, with its rejects once', async () => {
  const own = await failpoints()
  assert.ok(own.length >= 5, `only ${own.length} failpoints were found`)
  const shared = [
    'load.after-copy',
    'load.before-fence',
    'load.before-commit',
    'load.after-commit',
    'run.after-remote',
  ]
  const problems: string[] = []
  for (const [index, point] of [...own, ...shared].entries()) {
    const date = `2026-04-${String(index + 1).padStart(2, '0')}`
    await deliver(date, 3)
    const { signal, stderr } = await command(night, [...RUN, date], `${point}:1:kill`)
    if (signal !== 'SIGKILL') problems.push(`${point}: never passed: ${stderr}`)
    const { state } = await night.run(JOB, date)
    problems.push(
      ...differences({ ...(await picture(date)), now: state }, { ...LOADED_ONCE, now: 'succeeded' }).map(
        found => `${point}: ${found}`,
      ),
    )
  }
  assert.deepEqual(problems, [], problems.join('\n'))
})

test('a corrected file that comes after a crash between the two commits replaces what the target had taken', async () => {
  const date = '2026-05-01'
  await deliver(date, 3)
  const { signal } = await command(night, [...RUN, date], 'load.after-commit:1:kill')
  assert.equal(signal, 'SIGKILL')
  await deliver(date, 2, '', 'B')
  assert.equal((await night.run(JOB, date)).state, 'succeeded')
  const found = await picture(date)
  assert.deepEqual(
    [found.articles, found.revisions, found.gates],
    ['B1,B2', ['published published', 'finished published'], ['published', 'published']],
  )
  assert.deepEqual(differences(found, { rejects: ['superseded', 'open'], prepared: 0 }), [])
})

test('a holder that is paused before its COMMIT at the target is succeeded, and when it wakes it changes nothing', async () => {
  const date = '2026-05-02'
  await deliver(date, 3)
  const paused = startCommand(night, [...RUN, date, '--json'], 'load.before-commit:1:pause')
  await paused.stopped()
  night.clock.hurry(10)
  // A process that stays stopped would keep this one from ending.
  const { state } = await night.run(JOB, date).finally(() => night.clock.hurry(1))
  const before = await picture(date).finally(() => paused.signal('SIGCONT'))
  assert.equal(state, 'succeeded')
  assert.doesNotMatch((await paused.ended).stdout, /"state":"succeeded"/)
  assert.deepEqual(await picture(date), before)
  assert.deepEqual(differences(before, LOADED_ONCE), [])
})

for (const reaches of [true, false]) {
  const what = reaches ? 'that arrived' : 'that never arrived'
  test(`a COMMIT at the target ${what} and was not answered is decided by the target, and the load takes effect once`, async () => {
    const date = reaches ? '2026-05-03' : '2026-05-04'
    await deliver(date, 3)
    const { fired } = proxy.counts
    proxy.fault = { kind: 'lose-answer', to: ['UPDATE tallyman.load SET state', 'COMMIT\0'], reaches }
    assert.equal((await night.run(JOB, date)).state, 'succeeded')
    assert.equal(proxy.counts.fired, fired + 1)
    assert.deepEqual(differences(await picture(date), LOADED_ONCE), [])
  })
}

test('a breached limit publishes nothing at the target, and its rejects are kept', async () => {
  const date = '2026-05-05'
  const bad = Array.from({ length: 60 }, (_, index): OrderLine => [`X${index}`, 'many'])
  await night.deliver('portal', 'orders_20260505.csv', orders(date, [...someLines(60), ...bad]))
  assert.match((await night.fails(JOB, date)).code, /REJECT_LIMIT/)
  const found = await picture(date)
  assert.deepEqual(
    [found.articles, found.revisions, found.gates],
    [null, ['unpublished unpublished'], ['unpublished']],
  )
})

test('a target of another run ledger, and a run ledger as target, are refused with a clear sentence', async () => {
  const [other, ledger] = [await testDatabase(), night.engine.database]
  await other.database.use(connection =>
    connection.query("INSERT INTO tallyman.environment (name) VALUES ('elsewhere')"),
  )
  await assert.rejects(openTarget(warehouse.database, other.database, 'warehouse'), {
    code: 'RUN_TARGET_OTHER_LEDGER',
    message: /belongs to another run ledger, the one of the environment test\./,
  })
  await assert.rejects(openTarget(other.database, ledger, 'warehouse'), { code: 'RUN_TARGET_IS_LEDGER' })
})
