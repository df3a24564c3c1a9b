/**
 * Which files a run loads, over the real run ledger.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { filesOfDate, noteFile, setFileState } from '../../../../lib/ledger/file.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRuns } from '../../../../lib/ledger/run-list.ts'
import { testDatabase } from '../../../support/postgres.ts'
import { deliver, freezeWith, loadEmpty, revisionOf, runOnce, take } from '../../../support/run-ledger.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

let jobs = 0
function freshKey(): { job: string; businessDate: string } {
  jobs += 1
  return { job: `job-${jobs}`, businessDate: '2026-11-20' }
}

async function states(key: { job: string; businessDate: string }): Promise<string[]> {
  const rows = await database.use(c => filesOfDate(c, key.job, key.businessDate))
  return rows.map(row => `${row.remoteName} ${row.state}`)
}

test('an interrupted attempt leaves its frozen revision to the next one', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  const first = await take(database, key)
  const frozen = revisionOf(await freezeWith(database, first))
  await first.release({ attempt: 'interrupted', run: 'owed' })
  const second = await take(database, key)
  assert.deepEqual(second.previous, { runState: 'owed', attemptState: 'interrupted' })
  const again = await freezeWith(database, second)
  assert.equal(again.kind === 'load' && again.reused, true)
  assert.equal(revisionOf(again).id, frozen.id)
  await second.release({ attempt: 'failed', run: 'failed' })
})

test('a file that arrives after the freeze makes the run owed and the next revision', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  const first = revisionOf(await freezeWith(database, lease, { perDate: 'many', mode: 'upsert' }))
  const [before] = await database.use(c => listRuns(c, { jobs: [key.job] }))
  assert.equal(before!.owed, false)
  await deliver(database, key, 'b.csv', 'B')
  const [after] = await database.use(c => listRuns(c, { jobs: [key.job] }))
  assert.equal(after!.owed, true)
  await loadEmpty(database, lease, first)
  const second = revisionOf(await freezeWith(database, lease, { perDate: 'many', mode: 'upsert' }))
  assert.equal(second.number, 2)
  assert.deepEqual(
    second.files.map(f => f.remoteName),
    ['b.csv'],
  )
  await lease.release({ attempt: 'failed', run: 'failed' })
})

test('the same files again are nothing to do, unless forced', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  assert.equal((await runOnce(database, key)).kind, 'load')
  const again = await runOnce(database, key)
  assert.equal(again.kind, 'nothing-to-do')
  assert.deepEqual(again.kind === 'nothing-to-do' && again.files.map(f => f.verdict), ['duplicate'])
  const forced = await runOnce(database, key, { force: true })
  assert.equal(revisionOf(forced).number, 2)
  assert.deepEqual(
    revisionOf(forced).results.map(f => f.verdict),
    ['new'],
  )
})

test('the same content under a new name has no effect and is settled as such', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  await runOnce(database, key, { perDate: 'many' })
  await deliver(database, key, 'copy-of-a.csv', 'A')
  const again = await runOnce(database, key, { perDate: 'many' })
  assert.equal(again.kind, 'nothing-to-do')
  assert.deepEqual(await states(key), ['a.csv applied', 'copy-of-a.csv superseded'])
  assert.equal(
    again.kind === 'nothing-to-do' && again.files.find(f => f.name === 'copy-of-a.csv')?.note,
    'same content as a.csv',
  )
})

test('A, then B, then A again are two corrections of the same date', async () => {
  const key = freshKey()
  const results: string[] = []
  for (const content of ['A', 'B', 'A']) {
    await deliver(database, key, 'x.csv', content)
    const revision = revisionOf(await runOnce(database, key))
    results.push(`${revision.number} ${revision.results.at(-1)!.verdict} ${revision.files.length}`)
  }
  assert.deepEqual(results, ['1 new 1', '2 correction 1', '3 correction 1'])
  assert.deepEqual(await states(key), ['x.csv superseded', 'x.csv superseded', 'x.csv applied'])
})

test('a superseded version stays applied until its successor is loaded', async () => {
  const key = freshKey()
  await deliver(database, key, 'x.csv', 'A')
  await runOnce(database, key)
  await deliver(database, key, 'x.csv', 'B')
  const lease = await take(database, key)
  const revision = revisionOf(await freezeWith(database, lease))
  assert.deepEqual(await states(key), ['x.csv applied', 'x.csv received'])
  await loadEmpty(database, lease, revision)
  assert.deepEqual(await states(key), ['x.csv superseded', 'x.csv applied'])
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('replace loads the whole set of a date, upsert only what is not applied yet', async () => {
  for (const [mode, names] of [
    ['replace', ['a.csv', 'b.csv']],
    ['upsert', ['b.csv']],
  ] as const) {
    const key = freshKey()
    await deliver(database, key, 'a.csv', 'A')
    await runOnce(database, key, { mode, perDate: 'many' })
    await deliver(database, key, 'b.csv', 'B')
    const revision = revisionOf(await runOnce(database, key, { mode, perDate: 'many' }))
    assert.deepEqual(
      revision.files.map(f => f.remoteName),
      names,
    )
    assert.equal(revision.wholeSet, mode === 'replace')
  }
})

test('an append without a scope column quarantines a correction and refuses force', async () => {
  const key = freshKey()
  const rules = { mode: 'append', scoped: false } as const
  await deliver(database, key, 'x.csv', 'A')
  await runOnce(database, key, rules)
  await deliver(database, key, 'x.csv', 'B')
  const second = await runOnce(database, key, rules)
  assert.equal(second.kind, 'nothing-to-do')
  assert.match(second.quarantined[0]!.note, /^a correction of x\.csv/)
  assert.deepEqual(await states(key), ['x.csv applied', 'x.csv quarantined'])
  await assert.rejects(runOnce(database, key, { ...rules, force: true }), { code: 'RUN_FORCE_REFUSED' })
})

test('the same content under another date is loaded and said, or refused where the feed says so', async () => {
  const key = freshKey()
  await deliver(database, key, 'day20.csv', 'A')
  await runOnce(database, key)
  const next = { ...key, businessDate: '2026-11-21' }
  await deliver(database, next, 'day21.csv', 'A')
  const said = revisionOf(await runOnce(database, next))
  assert.equal(said.results[0]!.note, 'same content as day20.csv of 2026-11-20')
  const third = { ...key, businessDate: '2026-11-22' }
  await deliver(database, third, 'day22.csv', 'A')
  const refused = await runOnce(database, third, { refuseSameContent: true })
  assert.equal(refused.kind, 'no-files')
  assert.match(refused.quarantined[0]!.note, /same content as day21\.csv of 2026-11-21; the feed refuses it/)
})

test('a mirror is blocked while a file of its set is held, and released by its arrival', async () => {
  const key = freshKey()
  const rules = { mode: 'mirror', perDate: 'many' } as const
  await deliver(database, key, 'a.csv', 'A')
  const growing = { feed: key.job, businessDate: key.businessDate, remoteName: 'b.csv' }
  await database.use(c => noteFile(c, { ...growing, state: 'held', reason: 'still growing' }))
  const blocked = await runOnce(database, key, rules)
  assert.deepEqual(blocked.kind === 'blocked' && blocked.files.map(f => f.remoteName), ['b.csv'])
  await deliver(database, key, 'b.csv', 'B')
  assert.equal(revisionOf(await runOnce(database, key, rules)).files.length, 2)
})

test('a quarantined correction is named by every later freeze until a good one is loaded', async () => {
  const key = freshKey()
  await deliver(database, key, 'x.csv', 'A')
  await runOnce(database, key)
  const broken = await deliver(database, key, 'x.csv', 'half of B')
  await database.use(c => setFileState(c, broken.id, 'quarantined', 'ended without its trailer'))
  const meanwhile = await runOnce(database, key)
  assert.equal(meanwhile.kind, 'nothing-to-do')
  assert.deepEqual(
    meanwhile.leftOut.map(file => [file.id, file.reason]),
    [[broken.id, 'ended without its trailer']],
  )
  await deliver(database, key, 'x.csv', 'B')
  assert.deepEqual((await runOnce(database, key)).leftOut, [])
  assert.deepEqual(await states(key), ['x.csv superseded', 'x.csv superseded', 'x.csv applied'])
})

test('a waived file permits no deletes', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  const lost = await deliver(database, key, 'b.csv', 'B')
  await database.use(c => setFileState(c, lost.id, 'waived', 'the partner will not send it again'))
  assert.equal(revisionOf(await runOnce(database, key, { mode: 'mirror', perDate: 'many' })).mayDelete, false)
  const applied = (await database.use(c => filesOfDate(c, key.job, key.businessDate)))[0]!
  assert.equal(await database.use(c => setFileState(c, applied.id, 'waived', 'no')), false)
})

test('a load that was refused is tried again as the next revision', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  await loadEmpty(database, lease, revisionOf(await freezeWith(database, lease)), 'unpublished')
  assert.deepEqual(await states(key), ['a.csv received'])
  const again = await freezeWith(database, lease)
  assert.equal(revisionOf(again).number, 2)
  await lease.release({ attempt: 'failed', run: 'failed' })
})

test('A12: a run that died between load and proof goes on from there', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  await loadEmpty(database, lease, revisionOf(await freezeWith(database, lease)))
  await lease.release({ attempt: 'interrupted', run: 'applied' })
  const next = await take(database, key)
  assert.equal(next.previous.runState, 'applied')
  const resumed = await freezeWith(database, next)
  assert.equal(resumed.kind, 'resume')
  assert.equal(resumed.kind === 'resume' && resumed.load.state, 'published')
  await next.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('a forced revision that was interrupted is finished by an attempt that is not forced', async () => {
  const key = freshKey()
  await deliver(database, key, 'a.csv', 'A')
  await runOnce(database, key)
  const lease = await take(database, key)
  const forced = revisionOf(await freezeWith(database, lease, { force: true }))
  await lease.release({ attempt: 'interrupted', run: 'owed' })
  const again = await runOnce(database, key)
  assert.equal(revisionOf(again).id, forced.id)
})

test('a delivery that is written down twice is one file', async () => {
  const key = freshKey()
  const first = await deliver(database, key, 'a.csv', 'A')
  const { recordFile } = await import('../../../../lib/ledger/file.ts')
  const second = await database.use(c =>
    recordFile(c, {
      feed: key.job,
      businessDate: key.businessDate,
      job: key.job,
      remoteName: 'a.csv',
      size: first.size!,
      mtimeMs: first.mtimeMs!,
      rawSha256: first.rawSha256!,
      contentSha256: first.contentSha256!,
      contentBytes: first.contentBytes!,
      archive: 'archive/elsewhere',
    }),
  )
  assert.equal(second.id, first.id)
})

test('a refused file that comes again under another name is loaded in its own place, and only once', async () => {
  const key = freshKey()
  const refused = await deliver(database, key, 'a.csv', 'A')
  const first = await take(database, key)
  const frozen = revisionOf(await freezeWith(database, first))
  await database.use(c => setFileState(c, refused.id, 'quarantined', 'unreadable'))
  await first.release({ attempt: 'failed', run: 'failed' })
  const again = await deliver(database, key, 'b.csv', 'A')
  const second = await take(database, key)
  const next = revisionOf(await freezeWith(database, second))
  assert.notEqual(next.id, frozen.id)
  assert.deepEqual(
    next.files.map(({ id }) => id),
    [again.id],
  )
  await second.release({ attempt: 'failed', run: 'failed' })
})
