/**
 * Requests that an API refuses as a whole: what that says of the rows in them, and what it does not.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { listRejects } from '../../../../lib/ledger/reject.ts'
import type { ApiLoadOutcome } from '../../../../lib/load/api-load-input.ts'
import { armFailpoint, disarmFailpoint } from '../../../../lib/model/failpoint.ts'
import type { LoadResult } from '../../../../lib/model/run.ts'
import {
  type ApiSampleOptions,
  type HoursRow,
  hoursLoad,
  loadHours,
} from '../../../support/api-load-sample.ts'
import { type ApiPeer, MemoryStore, startApiPeer } from '../../../support/api-peer.ts'
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
  job = `refused-${jobs}`
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

const keys = (): string[] => peer.requests.map(({ key }) => key)
const rejectsOfJob = () => database.use(connection => listRejects(connection, { job }))

/** All rows but the refused ones arrived, and none took effect twice. */
function assertOnce(rows: readonly HoursRow[], refused: readonly string[]): void {
  const employees = [...store.rows.values()].map(({ employee }) => String(employee))
  const expected = rows.map(row => row![0]).filter(employee => !refused.includes(employee))
  assert.deepEqual(employees.sort(), expected.sort())
  assert.ok([...store.effects.values()].every(times => times === 1))
}

const many = (count: number): HoursRow[] =>
  Array.from({ length: count }, (_, at): HoursRow => [`e${at}`, '2026-11-20', '7.5'])

test('C8: rows that make the API refuse their whole request are found by halves and become rejects, all others load once', async () => {
  const rows = many(200)
  const poison = ['e17', 'e70', 'e71', 'e199']
  peer.rules.poison = ({ employee }) =>
    poison.includes(String(employee)) ? `no such\nemployee: ${String(employee)}` : null
  const spec = hoursLoad({ maxItems: 64, rejects: { maxPercent: 5 } })
  const { counts } = await loaded({ rows, spec })
  assertOnce(rows, poison)
  assert.deepEqual(counts, { read: 200, mapped: 196, rejected: 4, filtered: 0 })
  const rejects = await rejectsOfJob()
  assert.deepEqual(
    rejects.map(({ step, line, raw, issues }) => [step, line, raw, issues[0]?.code, issues[0]?.message]),
    poison.map(employee => {
      const line = Number(employee.slice(1)) + 2
      const words = `The API refused the row: no such employee: ${employee}.`
      return ['load', line, `raw of line ${line}`, 'LOAD_API_ROW_REJECTED', words]
    }),
  )
  // Four rows of 64 by halves: at most twice six requests each, besides the four whole ones.
  assert.ok(peer.requests.length <= 4 + 4 * 12, `${peer.requests.length} requests`)
  assert.equal(new Set(keys()).size, keys().length)
})

for (const point of ['load.api-call-recorded', 'load.api-call-answered', 'load.api-call-settled']) {
  test(`C8: a load that breaks at ${point} in the search for a refused row goes on in the next attempt, and no row takes effect twice`, async () => {
    const spec = hoursLoad({ maxItems: 5, rejects: { maxPercent: 100 } })
    peer.rules.poison = ({ employee }) => (employee === 'd' ? 'no' : null)
    let pass = 1
    for (; ; pass += 1) {
      job = `refused-${jobs}-${point}-${pass}`
      store.rows.clear()
      store.effects.clear()
      armFailpoint(`${point}:${pass}:throw`)
      const first = await load({ spec }).then(
        () => 'loaded' as const,
        (error: Error) => error,
      )
      disarmFailpoint()
      if (first === 'loaded') break
      assert.match(first.message, /failpoint/)
      assert.deepEqual((await loaded({ spec })).counts, { read: 5, mapped: 4, rejected: 1, filtered: 0 })
      assertOnce(five, ['d'])
      assert.equal((await rejectsOfJob()).length, 1)
    }
    // abcde; abc, de; d, e
    assert.equal(pass, 6)
  })
}

test('C8: a refusal that comes again and again under one key is believed, also after an answer was lost', async () => {
  peer.faults.push({ kind: 'drop-before' })
  peer.rules.poison = ({ employee }) => (employee === 'b' ? 'no' : null)
  await loaded({ spec: hoursLoad({ maxItems: 5, rejects: { maxPercent: 100 } }) })
  assertOnce(five, ['b'])
  assert.equal(new Set(keys().slice(0, 4)).size, 1)
  // abcde; abc, de; ab, c; a, b
  assert.equal(new Set(keys()).size, 7)
})

test('rows that were refused together are never sent together again, though the API would take them by now', async () => {
  const spec = hoursLoad({ maxItems: 5, rejects: { maxPercent: 100 } })
  peer.rules.poison = ({ employee }) => (employee === 'a' ? 'not yet' : null)
  armFailpoint('load.api-call-settled:3:throw')
  await assert.rejects(load({ spec }), /failpoint/)
  disarmFailpoint()
  peer.rules.poison = () => null
  const before = peer.requests.length
  assert.equal((await loaded({ spec })).counts.rejected, 0)
  assertOnce(five, [])
  const together = new Set(keys().slice(0, 3))
  assert.ok(
    keys()
      .slice(before)
      .every(key => !together.has(key)),
  )
})

test('C8: an API that refuses every row ends the search with the first reject too many, and says that it took none', async () => {
  const rows = many(300)
  peer.rules.poison = () => 'no such table'
  const spec = hoursLoad({ maxItems: 200, rejects: { maxCount: 3, maxPercent: 100 } })
  await assert.rejects(load({ rows, spec }), error => {
    assert.match(String(error), /Sending was stopped after 4 rows: 0 of them are accepted/)
    assert.match(String(error), /It took not one row: compare the job's table and path/)
    return (error as { code: string }).code === 'LOAD_API_REJECT_LIMIT'
  })
  assert.equal((await rejectsOfJob()).length, 4)
  assert.ok(peer.requests.length <= 16, `${peer.requests.length} requests`)
  assert.equal(store.rows.size, 0)
})

for (const status of [403, 404, 409]) {
  test(`a request that is refused with ${status} is no question of its rows: the load ends at once and names it`, async () => {
    peer.faults.push({ kind: 'error', status })
    await assert.rejects(load(), { code: 'LOAD_API_REFUSED', retry: 'never' })
    assert.equal(peer.requests.length, 1)
    assert.deepEqual(await rejectsOfJob(), [])
    await loaded()
    assertOnce(five, [])
  })
}

for (const status of [400, 413]) {
  test(`a refusal after an answer was lost (${status}) proves nothing about the earlier request, which is asked again`, async () => {
    peer.faults.push({ kind: 'drop-after-commit' }, { kind: 'error', status })
    await loaded()
    assertOnce(five, [])
    assert.equal(new Set(keys().slice(0, 3)).size, 1)
    assert.equal(new Set(keys()).size, 3)
  })
}
