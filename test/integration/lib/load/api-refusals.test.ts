/**
 * Requests that an API refuses as a whole: what that says of the rows in them, and what it does not.
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { openLedger } from '../../../../lib/ledger/open.ts'
import type { ApiLoadOutcome } from '../../../../lib/load/api-load-input.ts'
import { type ApiSampleOptions, type HoursRow, loadHours } from '../../../support/api-load-sample.ts'
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
afterEach(() => peer.close())

function load(options: Partial<ApiSampleOptions> = {}): Promise<ApiLoadOutcome> {
  return loadHours({ database, baseUrl: peer.baseUrl, job, rows: five, ...options })
}

const keys = (): string[] => peer.requests.map(({ key }) => key)

for (const status of [400, 413]) {
  test(`a refusal after an answer was lost (${status}) proves nothing about the earlier request, which is asked again`, async () => {
    peer.faults.push({ kind: 'drop-after-commit' }, { kind: 'error', status })
    assert.equal((await load()).kind, 'loaded')
    assert.deepEqual([...store.effects.values()], [1, 1, 1, 1, 1])
    assert.equal(new Set(keys().slice(0, 3)).size, 1)
    assert.equal(new Set(keys()).size, 3)
  })
}
