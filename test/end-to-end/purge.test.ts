/**
 * Letting go of snapshots that nothing needs: what stays and why, what goes, and that a purge that dies, or is stopped,
 * in the middle never takes what is needed. Which dates stay by age alone: test/unit/reconcile/snapshot/retention.test.ts.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, test } from 'node:test'
import { takeLease } from '../../lib/ledger/lease.ts'
import { type Purge, previewPurge, purge } from '../../lib/run/purge.ts'
import { BreakNights } from '../support/break-nights.ts'
import { openNight } from '../support/night.ts'
import { command, startCommand } from '../support/night-child.ts'
import { orders, someLines } from '../support/night-deliveries.ts'

const night = await openNight()
const folder = night.engine.folders.snapshots

const hash = (text: string, digits: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, digits)

/** The date of a night, from 0. */
const dateOf = (index: number): string =>
  new Date(Date.UTC(2026, 0, 5) + index * 86_400_000).toISOString().slice(0, 10)

/** Files of a picture; nobody looks into them while purging. */
async function store(what: string): Promise<{ manifest: string; rows: string }> {
  const manifest = `${hash(what, 64)}.${hash(what, 12)}.json`
  const rows = `${hash(what, 64)}.parquet`
  await writeFile(path.join(folder, manifest), '{}')
  await writeFile(path.join(folder, rows), what)
  return { manifest, rows }
}

/** Fifty compared nights of a job, each with its two pictures and a file of breaks. Every target looked the same. */
async function fiftyNights(job: string): Promise<void> {
  const { manifest: target } = await store(`${job} target`)
  const sources: string[] = []
  for (let index = 0; index < 50; index += 1) {
    const { manifest } = await store(`${job} source ${index}`)
    sources.push(path.join(folder, manifest))
  }
  const runs = await night.rows<{ run: string }>(
    `WITH r AS (INSERT INTO tallyman.run (job, business_date, state)
        SELECT $1, date '2026-01-05' + n, 'succeeded' FROM generate_series(0, 49) n
        ON CONFLICT (job, business_date) DO UPDATE SET changed_at = now() RETURNING id, business_date),
      a AS (INSERT INTO tallyman.attempt (run, number, trigger, state, fence, host, os_pid)
        SELECT id, 9, 'manual', 'succeeded', 1, 'test', 1 FROM r RETURNING id, run),
      c AS (INSERT INTO tallyman.comparison (run, number, attempt, fence) SELECT run, 9, id, 1 FROM a RETURNING id, run)
     INSERT INTO tallyman.snapshot (run, comparison, reconciliation, side, digest, rows, as_of, scope, path, manifest)
     SELECT c.run, c.id, $1 || '.rows', p.side, 'd', 1, now(), 'all', p.path, '{}' FROM c JOIN r ON r.id = c.run,
       LATERAL (VALUES ('source', ($2::text[])[r.business_date - date '2026-01-05' + 1]), ('target', $3)) p(side, path)
     RETURNING run`,
    [job, sources, path.join(folder, target)],
  )
  for (const { run } of runs) await writeFile(path.join(folder, `breaks-${run}-9-rows.csv`), 'kind\n')
}

/** One break that is open: first seen on night 2, with other values since night 6. Another one was open from night 4 to 8. */
async function breaksOf(job: string): Promise<void> {
  const nights = new BreakNights(night.database, job)
  for (const index of [0, 2, 4, 6, 8, 49]) {
    const right = { a: index < 2 ? 1 : index < 6 ? 2 : 3, b: index >= 4 && index < 8 ? 9 : 1 }
    await nights.compare(dateOf(index), { left: { a: 1, b: 1 }, right })
  }
}

/** A load of an old date that was never reconciled: its source picture is named by the load alone. */
async function unfinishedLoad(): Promise<{ manifest: string; rows: string }> {
  const files = await store('unfinished')
  await night.rows(
    `WITH r AS (INSERT INTO tallyman.run (job, business_date, state) VALUES ('stuck', '2020-01-01', 'applied') RETURNING id),
      a AS (INSERT INTO tallyman.attempt (run, number, trigger, state, fence, host, os_pid)
        SELECT id, 1, 'manual', 'failed', 1, 'test', 1 FROM r RETURNING id, run),
      v AS (INSERT INTO tallyman.revision (run, number, attempt, feed, per_date, mode, input_digest, whole_set, may_delete, forced, state)
        SELECT run, 1, id, 'stuck', 'one', 'replace', 'd', true, true, false, 'published' FROM a RETURNING id, attempt)
     INSERT INTO tallyman.load (revision, input_digest, attempt, fence, state, result, snapshot_hash)
     SELECT id, 'd', attempt, 1, 'published', '{}', $1 FROM v`,
    [`rows=${files.manifest}`],
  )
  return files
}

const jobs = ['purged', 'killed-1', 'killed-2', 'stopped'] as const
for (const job of jobs) {
  await breaksOf(job)
  await fiftyNights(job)
}
const stuck = await unfinishedLoad()

/** Nights of a job whose source pictures lie there. */
async function left(job: string): Promise<number[]> {
  const names = new Set(await readdir(folder))
  return Array.from({ length: 50 }, (_, index) => index).filter(index =>
    names.has(`${hash(`${job} source ${index}`, 64)}.parquet`),
  )
}

/** 35 newest nights, the end of January (26), and nights 2 and 6 of the open break. */
const KEPT = [2, 6, ...Array.from({ length: 35 }, (_, index) => index + 15)]

const of = <T extends { readonly reconciliation: string }>(job: string, list: readonly T[]): T[] =>
  list.filter(({ reconciliation }) => reconciliation === `${job}.rows`)

async function purgeNow(): Promise<Purge> {
  const outcome = await purge(night.engine, null)
  assert.ok('done' in outcome, JSON.stringify(outcome))
  return outcome.done
}

/** Lets go of nothing but what belongs to this job, so that each test has its own fifty nights. */
async function holdOthers(job: string): Promise<void> {
  await night.rows(
    `UPDATE tallyman.snapshot SET created_at = CASE WHEN reconciliation = $1 THEN now() - interval '30 days' ELSE now() END`,
    [`${job}.rows`],
  )
}

test('a dry look says what would go and why the rest stays, and removes nothing', async () => {
  await holdOthers('purged')
  await writeFile(path.join(folder, 'notes of somebody.txt'), 'keep')
  const orphan = await store('orphan')
  const before = await readdir(folder)
  const planned = await previewPurge(night.engine)
  assert.deepEqual(await readdir(folder), before)
  const why = new Map(of('purged', planned.kept).map(({ businessDate, why: words }) => [businessDate, words]))
  assert.deepEqual([...why.keys()], KEPT.map(dateOf))
  assert.deepEqual(why.get(dateOf(2)), ['1 open break first seen'])
  assert.deepEqual(why.get(dateOf(6)), ['1 open break with these values since'])
  assert.deepEqual(why.get(dateOf(49)), ['daily', '1 open break last seen'])
  assert.equal(of('purged', planned.letGo).length, 13)
  const orphans = planned.files.filter(file => file.orphan).map(({ name }) => name)
  assert.deepEqual(orphans.sort(), [orphan.manifest, orphan.rows].sort())
  assert.deepEqual(planned.strangers, ['notes of somebody.txt'])

  const { code, stdout } = await command(night, ['snapshots', 'purge', '--dry-run'])
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`${dateOf(2)} +purged\\.rows +2 +1 open break first seen`))
  assert.match(stdout, /would remove 41 files .*, 2 of them named by nothing; .* dates stay/)
  assert.match(stdout, /not ours, left: "notes of somebody\.txt"/)
})

test('a purge removes exactly that, and a second one nothing', async () => {
  const { files } = await purgeNow()
  // Of each of 13 nights manifest and rows of the source and the file of breaks; the target's picture is that of kept nights too.
  assert.equal(files.length, 13 * 3 + 2)
  assert.deepEqual(await left('purged'), KEPT)
  const names = new Set(await readdir(folder))
  for (const name of [
    stuck.manifest,
    stuck.rows,
    'notes of somebody.txt',
    `${hash('purged target', 64)}.parquet`,
  ])
    assert.ok(names.has(name), `${name} stays`)
  assert.deepEqual(
    await left('killed-1'),
    Array.from({ length: 50 }, (_, index) => index),
  )
  assert.deepEqual((await purgeNow()).files, [])
  const [counted] = await night.rows<{ purged: number }>(
    `SELECT count(*)::int AS purged FROM tallyman.snapshot WHERE purged_at IS NOT NULL AND reconciliation = 'purged.rows'`,
  )
  assert.equal(counted!.purged, 26)
})

for (const [job, failpoint] of [
  ['killed-1', 'reconcile.snapshots-let-go:1:kill'],
  ['killed-2', 'reconcile.snapshot-removed:20:kill'],
] as const) {
  test(`a purge killed at ${failpoint} is finished by the next one, and nothing needed is gone`, async () => {
    await holdOthers(job)
    const killed = await command(night, ['snapshots', 'purge'], failpoint)
    assert.equal(killed.signal, 'SIGKILL', killed.stderr)
    const half = await left(job)
    assert.ok(half.length > KEPT.length && KEPT.every(index => half.includes(index)))
    const { files, letGo } = await purgeNow()
    assert.deepEqual([letGo.length, files.every(file => file.orphan)], [0, true])
    assert.deepEqual(await left(job), KEPT)
  })
}

test('while a run is at work nothing is removed', async () => {
  await store('of a run at work')
  const key = { job: 'at-work', businessDate: '2026-11-20' }
  const lease = await takeLease(night.database, night.clock, key, { trigger: 'manual' })
  assert.deepEqual(await purge(night.engine, null), { busy: 'at-work of 2026-11-20 is being run' })
  const called = await command(night, ['snapshots', 'purge'])
  assert.equal(called.code, 75)
  assert.match(called.stderr, /at-work of 2026-11-20 is being run: nothing was removed/)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  assert.equal((await purgeNow()).files.length, 2)
})

test('each run purges at its end', async () => {
  await store('left by a killed run')
  const date = '2026-11-19'
  await night.deliver('portal', 'orders_20261119.csv', orders(date, someLines(2)))
  await night.run('portal-orders', date)
  const names = await readdir(folder)
  assert.ok(!names.includes(`${hash('left by a killed run', 64)}.parquet`))
  assert.equal((await previewPurge(night.engine)).files.length, 0)
})

test('a purge that is stopped in the middle holds up a run for ten seconds, and removes nothing when it wakes', async () => {
  await holdOthers('stopped')
  const child = startCommand(night, ['snapshots', 'purge'], 'reconcile.snapshot-removed:20:pause')
  after(() => child.signal('SIGKILL'))
  const isStopped = async (): Promise<boolean> =>
    /^\d+ \(.*\) T /.test(await readFile(`/proc/${child.pid}/stat`, 'utf8'))
  for (let look = 0; !(await isStopped()); look += 1) {
    assert.ok(look < 1_000, 'it never came to its failpoint')
    await night.rows('SELECT pg_sleep(0.02)')
  }
  const half = await left('stopped')
  const startedMs = performance.now()
  const key = { job: 'held-up', businessDate: '2026-11-20' }
  const lease = await takeLease(night.database, night.clock, key, { trigger: 'manual' })
  const waitedMs = performance.now() - startedMs
  assert.ok(waitedMs < 20_000, `waited ${waitedMs} ms`)
  child.signal('SIGCONT')
  const { code } = await child.ended
  assert.notEqual(code, 0)
  assert.deepEqual(await left('stopped'), half)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  await purgeNow()
  assert.deepEqual(await left('stopped'), KEPT)
})
