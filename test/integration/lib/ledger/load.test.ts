/**
 * The load's gate, its rejects and its calls.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { beginCall, callsOf, finishCall } from '../../../../lib/ledger/call.ts'
import { assertFence } from '../../../../lib/ledger/fence.ts'
import { finishLoad, insertLoad, loadOf } from '../../../../lib/ledger/load.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { countRejects, listRejects, storeRejects } from '../../../../lib/ledger/reject.ts'
import type { Revision } from '../../../../lib/ledger/revision.ts'
import { listRuns } from '../../../../lib/ledger/run-list.ts'
import { issue, type Reject } from '../../../../lib/model/issue.ts'
import { testDatabase } from '../../../support/postgres.ts'
import {
  deliver,
  EMPTY_RESULT,
  freezeWith,
  loadEmpty,
  revisionOf,
  runOnce,
  take,
} from '../../../support/run-ledger.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

function reject(line: number, raw = `raw ${line}`, code = 'MAP_NOT_A_DECIMAL'): Reject {
  return {
    file: 0,
    line,
    step: 'map',
    raw,
    unit: null,
    issues: [issue(code, 'no number', { column: 'amount' })],
  }
}

test('a load is done once: the second pass through the gate gets what was done', async () => {
  const key = { job: 'gate', businessDate: '2026-11-20' }
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  const revision = revisionOf(await freezeWith(database, lease))
  assert.equal(await loadEmpty(database, lease, revision), 'new')
  const again = (await loadEmpty(database, lease, revision)) as { done: { state: string; result: object } }
  assert.equal(again.done.state, 'published')
  assert.deepEqual(again.done.result, EMPTY_RESULT)
  await assert.rejects(loadEmpty(database, lease, { ...revision, inputDigest: 'other' }), {
    code: 'BUG_LOAD_GATE',
  })
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('a second load of the same revision waits at the gate for the first to end', async () => {
  const key = { job: 'gate-wait', businessDate: '2026-11-20' }
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  const revision = revisionOf(await freezeWith(database, lease))
  const [first, second] = [await database.connect(), await database.connect()]
  await first.query('BEGIN')
  assert.equal(await insertLoad(first, lease, revision), 'new')
  const passing = second.transaction(() => insertLoad(second, lease, revision))
  await first.query('ROLLBACK')
  assert.equal(await passing, 'new')
  await assert.rejects(
    first.transaction(() =>
      finishLoad(
        first,
        { id: '0', runId: lease.runId },
        {
          state: 'published',
          result: EMPTY_RESULT,
          snapshotHash: null,
          mappingVersion: null,
        },
      ),
    ),
    { code: 'BUG_LOAD_NOT_OPEN' },
  )
  await Promise.all([first.close(), second.close()])
  await lease.release({ attempt: 'failed', run: 'failed' })
})

test('a load whose fence was lost leaves neither row nor rejects nor applied files', async () => {
  const key = { job: 'gate-fenced', businessDate: '2026-11-20' }
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  const revision = revisionOf(await freezeWith(database, lease))
  await assert.rejects(
    database.use(c =>
      c.transaction(async () => {
        await insertLoad(c, lease, revision)
        await storeRejects(c, revision, [reject(1)])
        await assertFence(c, { ...lease, fence: '0' })
      }),
    ),
    { code: 'RUN_FENCED' },
  )
  assert.equal(await database.use(c => loadOf(c, revision.id)), null)
  assert.deepEqual(await database.use(c => listRejects(c, { revisionId: revision.id })), [])
  await lease.release({ attempt: 'failed', run: 'failed' })
})

test('rejects by the thousand are kept with any text, listed page by page and counted by code', async () => {
  const key = { job: 'rejects', businessDate: '2026-11-20' }
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  const revision = revisionOf(await freezeWith(database, lease))
  function* many(): Iterable<Reject> {
    for (let line = 2; line <= 5_001; line += 1) yield reject(line)
    yield reject(5_002, 'NUL \0, half \ud800, "quoted", {brace}, \\back', 'PARSE_NUL')
  }
  const stored = await database.use(c => c.transaction(() => storeRejects(c, revision, many())))
  assert.equal(stored, 5_001)
  assert.deepEqual(await database.use(c => countRejects(c, { job: key.job })), [
    { code: 'MAP_NOT_A_DECIMAL', count: 5_000 },
    { code: 'PARSE_NUL', count: 1 },
  ])
  const page = await database.use(c => listRejects(c, { job: key.job }, { limit: 3 }))
  assert.deepEqual(
    page.map(row => row.line),
    [2, 3, 4],
  )
  assert.equal(page[0]!.fileName, 'a.csv')
  assert.deepEqual(page[0]!.issues, reject(2).issues)
  const next = await database.use(c => listRejects(c, { job: key.job }, { limit: 1, after: page[2]!.id }))
  assert.equal(next[0]!.line, 5)
  const [odd] = await database.use(c => listRejects(c, { job: key.job, code: 'PARSE_NUL' }))
  assert.equal(odd!.raw, 'NUL ␀, half \ufffd, "quoted", {brace}, \\back')
  await lease.release({ attempt: 'failed', run: 'failed' })
})

test('open rejects of a file end with its correction', async () => {
  const key = { job: 'rejects-corrected', businessDate: '2026-11-20' }
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  const revision = revisionOf(await freezeWith(database, lease))
  await database.use(c => c.transaction(() => storeRejects(c, revision, [reject(2)])))
  await loadEmpty(database, lease, revision)
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  const [before] = await database.use(c => listRuns(c, { jobs: [key.job] }))
  assert.equal(before!.openRejects, 1)
  await deliver(database, key, 'a.csv', 'B')
  await runOnce(database, key)
  const [after] = await database.use(c => listRuns(c, { jobs: [key.job] }))
  assert.equal(after!.openRejects, 0)
  assert.equal((await database.use(c => listRejects(c, { job: key.job, state: 'superseded' }))).length, 1)
})

async function frozen(job: string): Promise<{ lease: Awaited<ReturnType<typeof take>>; revision: Revision }> {
  const key = { job, businessDate: '2026-11-20' }
  await deliver(database, key, 'a.csv', 'A')
  const lease = await take(database, key)
  return { lease, revision: revisionOf(await freezeWith(database, lease)) }
}

test('a call is written down before it goes out, and its key never stands for another body', async () => {
  const { lease, revision } = await frozen('calls')
  const draft = { revisionId: revision.id, endpoint: 'payroll', key: 'k1', bodySha256: 'b1', items: 2 }
  const begun = await database.use(c => beginCall(c, lease, draft))
  assert.equal(begun.state, 'sent')
  const again = await database.use(c => beginCall(c, lease, draft))
  assert.deepEqual([again.id, again.state, again.tries], [begun.id, 'sent', 2])
  await database.use(c =>
    finishCall(c, begun.id, { state: 'answered', status: 200, result: { rows: ['ok'] } }),
  )
  const done = await database.use(c => beginCall(c, lease, draft))
  assert.deepEqual([done.state, done.tries, done.result], ['answered', 2, { rows: ['ok'] }])
  await assert.rejects(
    database.use(c => beginCall(c, lease, { ...draft, bodySha256: 'b2' })),
    { code: 'BUG_CALL_KEY' },
  )
  await assert.rejects(
    database.use(c => beginCall(c, { ...lease, fence: '0' }, { ...draft, key: 'k2' })),
    { code: 'RUN_FENCED' },
  )
  assert.equal((await database.use(c => callsOf(c, revision.id))).length, 1)
  await lease.release({ attempt: 'failed', run: 'failed' })
})
