/**
 * Loads into a bulk API that misbehaves, over a real run ledger: each row takes effect once, and the
 * ledger says what became of it.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { callsOf } from '../../../../lib/ledger/call.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import type { ApiLoadOutcome } from '../../../../lib/load/api-load-input.ts'
import { loadIntoApi } from '../../../../lib/load/load-into-api.ts'
import { armFailpoint, disarmFailpoint } from '../../../../lib/model/failpoint.ts'
import type { UnitRule } from '../../../../lib/model/mapping.ts'
import type { LoadResult } from '../../../../lib/model/run.ts'
import {
  type ApiSampleOptions,
  type HoursRow,
  hastyClock,
  hoursLoad,
  loadHours,
} from '../../../support/api-load-sample.ts'
import { type ApiPeer, MemoryStore, startApiPeer } from '../../../support/api-peer.ts'
import { quietContext } from '../../../support/load-sample.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const five: HoursRow[] = ['a', 'b', 'c', 'd', 'e'].map(employee => [employee, '2026-11-20', '7.5'] as const)

let store: MemoryStore
let peer: ApiPeer
let job: string
let jobs = 0
beforeEach(async () => {
  store = new MemoryStore(['employee', 'day'])
  peer = await startApiPeer({ store })
  jobs += 1
  job = `hours-${jobs}`
})
afterEach(async () => {
  disarmFailpoint()
  await peer.close()
})

function load(options: Partial<ApiSampleOptions> = {}): Promise<ApiLoadOutcome> {
  return loadHours({ database, baseUrl: peer.baseUrl, job, rows: five, ...options })
}

async function loaded(options: Partial<ApiSampleOptions> = {}): Promise<LoadResult> {
  const outcome = await load(options)
  assert.equal(outcome.kind, 'loaded')
  return (outcome as { result: LoadResult }).result
}

function keys(): string[] {
  return peer.requests.map(({ key }) => key)
}

/** Every row arrived, and none took effect twice. */
function assertOnce(rows: readonly HoursRow[] = five): void {
  assert.deepEqual(
    new Set([...store.rows.values()].map(row => row.employee)),
    new Set(rows.map(row => row![0])),
  )
  assert.ok(
    [...store.effects.values()].every(times => times === 1),
    JSON.stringify([...store.effects]),
  )
}

async function states(): Promise<{
  run: string | undefined
  load: string | null | undefined
  calls: string[]
}> {
  return database.use(async connection => {
    const { rows } = await connection.query<{ run: string; load: string | null; revision: string }>(
      `SELECT r.state AS run, l.state AS load, v.id AS revision FROM tallyman.run r
         JOIN tallyman.revision v ON v.run = r.id LEFT JOIN tallyman.load l ON l.revision = v.id
       WHERE r.job = $1 ORDER BY v.id DESC LIMIT 1`,
      [job],
    )
    const calls = rows[0] === undefined ? [] : await callsOf(connection, rows[0].revision)
    return { run: rows[0]?.run, load: rows[0]?.load, calls: calls.map(({ state }) => state) }
  })
}

test('rows reach the API in chunks, once, and their counts are kept', async () => {
  const result = await loaded()
  assertOnce()
  assert.deepEqual(result.tables, [
    {
      table: 'payroll/v1/hours',
      mapped: 5,
      inserted: 5,
      updated: 0,
      unchanged: 0,
      collapsed: 0,
      outdated: 0,
      deleted: 0,
    },
  ])
  assert.deepEqual(
    peer.requests.map(({ path, items }) => [path, items.length]),
    [
      ['/v1/hours', 2],
      ['/v1/hours', 2],
      ['/v1/hours', 1],
    ],
  )
  assert.deepEqual(peer.requests[0]!.items[0], { employee: 'a', day: '2026-11-20', hours: '7.5' })
  assert.deepEqual(await states(), {
    run: 'failed',
    load: 'published',
    calls: ['answered', 'answered', 'answered'],
  })
})

test('a forced load of the same rows has keys of its own and changes nothing at the API', async () => {
  await loaded()
  await database.use(connection =>
    connection.query(`UPDATE tallyman.revision SET state = 'finished' WHERE feed = $1`, [job]),
  )
  const result = await loaded({ force: true })
  assert.deepEqual([result.tables[0]!.inserted, result.tables[0]!.unchanged], [0, 5])
  assert.equal(new Set(keys()).size, 6)
})

test('C4: a row that the API refuses is a reject with its text and the words of the API, the rest loads', async () => {
  peer.rules.reject = item =>
    item.employee === 'c' ? { code: 'UNKNOWN', message: 'no such\nemployee' } : null
  const result = await loaded()
  assertOnce(five.filter(row => row![0] !== 'c'))
  assert.deepEqual(result.counts, { read: 5, mapped: 4, rejected: 1, filtered: 0 })
  const [reject] = await database.use(connection => listRejects(connection, { job }))
  assert.deepEqual([reject?.step, reject?.line, reject?.raw], ['load', 4, 'raw of line 4'])
  assert.equal(reject?.issues[0]?.code, 'LOAD_API_ROW_REJECTED')
  assert.match(reject?.issues[0]?.message ?? '', /no such employee \(UNKNOWN\)/)
})

test('C1: Retry-After is obeyed, and throttling is not counted as a failure', async () => {
  peer.faults.push(...Array.from({ length: 7 }, () => ({ kind: 'throttle', retryAfter: '20' }) as const))
  const clock = hastyClock()
  await loaded({ clock })
  assertOnce()
  assert.deepEqual(clock.waits, new Array(7).fill(21_000))
  assert.equal(new Set(keys()).size, 3)
})

test('C12: a throttle longer than an attempt suspends the load, which then goes on from there', async () => {
  peer.faults.push({ kind: 'unprocessed' }, { kind: 'throttle', status: 503, retryAfter: '3600' })
  await assert.rejects(load(), { code: 'LOAD_API_THROTTLED', retry: { afterMs: 3_780_000 } })
  await loaded()
  assertOnce()
})

test('C2: a server error is asked again under the same key with growing waits', async () => {
  peer.faults.push({ kind: 'error', status: 500 }, { kind: 'error', status: 502, body: '<html>' })
  const clock = hastyClock()
  await loaded({ clock })
  assertOnce()
  assert.deepEqual(clock.waits, [200, 400])
  assert.equal(new Set(keys()).size, 3)
})

test('an API that stays broken leaves its rows unknown, and the next attempt asks with the same key', async () => {
  peer.faults.push(...Array.from({ length: 5 }, () => ({ kind: 'error', status: 500 }) as const))
  await assert.rejects(load(), { code: 'LOAD_OUTCOME_UNKNOWN', retry: 'verify-first' })
  assert.deepEqual(await states(), { run: 'failed', load: null, calls: ['unknown'] })
  await loaded()
  assertOnce()
  assert.equal(new Set(keys()).size, 3)
})

for (const fault of ['drop-after-commit', 'drop-before', 'half', 'truncated'] as const) {
  test(`an answer lost by ${fault} is asked for again and takes effect once`, async () => {
    peer.faults.push({ kind: fault })
    await loaded()
    assertOnce()
    assert.equal(keys()[0], keys()[1])
    assert.equal(new Set(keys()).size, 3)
  })
}

test('C3: a request that is never answered is given up, asked again and takes effect once', async () => {
  peer.faults.push({ kind: 'silent' })
  const applied = new Promise<void>(resolve => {
    peer.rules.beforeAnswer = async () => resolve()
  })
  await loaded({ clock: hastyClock([applied]) })
  assertOnce()
  assert.equal(keys()[0], keys()[1])
  assert.equal(new Set(keys()).size, 3)
})

test('C10: an answer that does not account for each row once is no answer', async () => {
  const wrong = [
    '{}',
    'null',
    '[]',
    '{"results":[{"index":0,"status":"created"},{"index":0,"status":"created"}]}',
    '{"results":[{"index":0,"status":"fine"}]}',
  ]
  for (const body of wrong.slice(0, 4)) peer.faults.push({ kind: 'garbage', body })
  await loaded()
  assertOnce()
  peer.faults.push(...Array.from({ length: 5 }, () => ({ kind: 'garbage', body: wrong[4]! }) as const))
  job = `${job}-again`
  await assert.rejects(load(), { code: 'LOAD_OUTCOME_UNKNOWN' })
})

test('C7: a request that is too large goes out in halves, the size is remembered, and a single such row is a reject', async () => {
  const long = 'x'.repeat(300)
  const rows: HoursRow[] = [
    ...five,
    [long, '2026-11-20', '8'],
    ...five.map(row => [`${row![0]}2`, row![1], row![2]] as const),
  ]
  peer.rules.maxBytes = 250
  const result = await loaded({ rows, spec: hoursLoad({ maxItems: 20 }) })
  assertOnce(rows.filter(row => row![0] !== long))
  assert.deepEqual([result.counts.mapped, result.counts.rejected], [10, 1])
  const [reject] = await database.use(connection => listRejects(connection, { job }))
  assert.equal(reject?.issues[0]?.code, 'LOAD_API_ROW_TOO_LARGE')
  const calls = await states()
  assert.ok(calls.calls.filter(state => state === 'refused').length <= 5, calls.calls.join())
})

test('rows that the API left unprocessed go out again under another key', async () => {
  peer.faults.push({ kind: 'unprocessed' })
  await loaded()
  assertOnce()
  assert.deepEqual(
    peer.requests.map(({ items }) => items.length),
    [2, 1, 2, 1],
  )
})

test('an API that tries no row is not asked for ever', async () => {
  const spec = hoursLoad({ maxItems: 1 })
  peer.faults.push({ kind: 'unprocessed' })
  await assert.rejects(load({ spec }), { code: 'LOAD_API_UNPROCESSED', retry: 'backoff' })
  await loaded({ spec })
  assertOnce()
})

// Which pass of the point breaks each attempt: calls whose result was kept are not made again.
const breaks = {
  'load.api-spooled': [1],
  'load.api-call-recorded': [1, 2, 2],
  'load.api-call-answered': [1, 2, 2],
  'load.api-call-settled': [1, 1, 1],
  'load.api-before-keep': [1],
}
for (const [point, passes] of Object.entries(breaks)) {
  test(`A13: a load that breaks at ${point} goes on in the next attempt, and no row takes effect twice`, async () => {
    for (const pass of passes) {
      armFailpoint(`${point}:${pass}:throw`)
      await assert.rejects(load(), /failpoint/)
    }
    await loaded()
    assertOnce()
    assert.equal(new Set(keys()).size, 3)
  })
}

test('a load that is done is not sent again', async () => {
  const again = await load({
    change: async input => {
      assert.equal((await loadIntoApi(input, quietContext())).kind, 'loaded')
      return input
    },
  })
  assert.equal(again.kind, 'done-before')
  assert.equal(peer.requests.length, 3)
})

test('a changed mapping after rows were sent stops the load before it sends them again under other keys', async () => {
  peer.faults.push(
    { kind: 'half' },
    ...Array.from({ length: 4 }, () => ({ kind: 'error', status: 500 }) as const),
  )
  await assert.rejects(load(), { code: 'LOAD_OUTCOME_UNKNOWN' })
  const before = peer.requests.length
  const mappedAs = five.map(row => [row![0], row![1], '8'] as const)
  await assert.rejects(load({ mappedAs }), { code: 'LOAD_CALLS_CHANGED', retry: 'never' })
  await assert.rejects(load({ spec: hoursLoad({ maxItems: 3 }) }), { code: 'LOAD_CALLS_CHANGED' })
  assert.equal(peer.requests.length, before)
  await loaded()
  assertOnce()
})

test('a reject limit breached by the mapping sends nothing and keeps the rejects', async () => {
  const rows = [...five, null, null]
  await assert.rejects(load({ rows, spec: hoursLoad({ rejects: { maxCount: 1 } }) }), {
    code: 'MAP_REJECT_LIMIT',
  })
  assert.equal(peer.requests.length, 0)
  assert.equal((await states()).load, 'unpublished')
  assert.equal((await database.use(connection => listRejects(connection, { job }))).length, 2)
})

test('a limit breached by the refusals of the API stops the sending and says what stays', async () => {
  peer.rules.reject = item => (item.employee === 'a' ? null : { code: 'NO', message: 'no' })
  await assert.rejects(load({ spec: hoursLoad({ rejects: { maxCount: 1 } }) }), error => {
    assert.match(String(error), /Sending was stopped after 4 rows: 1 of them are accepted/)
    return (error as { code: string }).code === 'LOAD_API_REJECT_LIMIT'
  })
  assert.equal(peer.requests.length, 2)
  assert.equal((await states()).load, 'unpublished')
  assert.equal((await database.use(connection => listRejects(connection, { job }))).length, 3)
})

test('the rows of a unit that does not tie are not sent', async () => {
  const unit: UnitRule = {
    name: 'sheet',
    doc: 'A time sheet.',
    law: 'no sheet b ties',
    stated: [],
    onFailure: 'unit',
    terms: (_table, row) => [
      { group: '', label: 'x', amount: { unscaled: row.employee === 'b' ? 1n : 0n, scale: 0 } },
    ],
  }
  const rows: HoursRow[] = five.map((row, at) => [row![0], row![1], row![2], at < 2 ? 'AB' : 'rest'])
  const result = await loaded({ rows, unit })
  assertOnce(five.slice(2))
  assert.deepEqual([result.counts.mapped, result.counts.rejected, result.failedUnits], [3, 2, 1])
})

test('two rows with one key never share a request', async () => {
  const rows: HoursRow[] = [
    ['a', '2026-11-20', '1'],
    ['a', '2026-11-20', '2'],
    ['b', '2026-11-20', '3'],
  ]
  await loaded({ rows, spec: hoursLoad({ maxItems: 10 }) })
  assert.deepEqual(
    peer.requests.map(({ items }) => items.length),
    [1, 2],
  )
  assert.equal(store.rows.get('["a","2026-11-20"]')?.hours, '2')
})

test('a dry run counts the rows and asks the API nothing', async () => {
  const outcome = await load({
    dryRun: true,
    rows: [...five, null],
    spec: hoursLoad({ rejects: { maxPercent: 100 } }),
  })
  assert.deepEqual(outcome.kind === 'planned' && outcome.result.counts, {
    read: 6,
    mapped: 5,
    rejected: 1,
    filtered: 0,
  })
  assert.equal(peer.requests.length, 0)
  assert.equal((await states()).load, null)
})

test('C5: a rotated token is read once more, a wrong one ends the load, and neither is written down', async () => {
  await peer.close()
  peer = await startApiPeer({ store, token: 'a-new-canary-token' })
  const tokens = ['an-old-canary-token', 'a-new-canary-token']
  await loaded({ token: () => tokens.shift() ?? 'a-new-canary-token' })
  assertOnce()
  job = `${job}-wrong`
  await assert.rejects(load({ token: () => 'a-wrong-canary-token' }), {
    code: 'LOAD_API_UNAUTHORIZED',
    retry: 'never',
  })
  const { rows } = await database.use(connection => connection.query('SELECT * FROM tallyman.call'))
  assert.doesNotMatch(JSON.stringify(rows), /canary/)
})

test('a holder that was succeeded sends nothing', async () => {
  await assert.rejects(
    load({
      change: async (input, lease) => {
        await database.use(connection =>
          connection.query('UPDATE tallyman.run SET fence = fence + 1 WHERE id = $1', [lease.runId]),
        )
        return input
      },
    }),
    { code: 'RUN_FENCED' },
  )
  assert.equal(peer.requests.length, 0)
})
