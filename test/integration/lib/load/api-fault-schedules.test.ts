/**
 * For every schedule of faults: when the load has ended, ledger and API agree, and no row took effect twice.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openLedger } from '../../../../lib/ledger/open.ts'
import { TallymanError } from '../../../../lib/model/errors.ts'
import { type HoursRow, hoursLoad, loadHours } from '../../../support/api-load-sample.ts'
import { type ApiFault, MemoryStore, startApiPeer } from '../../../support/api-peer.ts'
import { testDatabase } from '../../../support/postgres.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

const fault = fc.constantFrom<ApiFault>(
  { kind: 'throttle' },
  { kind: 'throttle', retryAfter: '3600' },
  { kind: 'error', status: 500 },
  { kind: 'error', status: 413 },
  { kind: 'error', status: 400 },
  { kind: 'drop-before' },
  { kind: 'drop-after-commit' },
  { kind: 'half' },
  { kind: 'truncated' },
  { kind: 'garbage', body: '{"results":[]}' },
  { kind: 'unprocessed' },
)
let jobs = 0

test('whatever an API does wrong, each row takes effect once and the ledger counts what the API has', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 15 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.subarray(['e0', 'e1', 'e4', 'e6']),
      async (faults, count, maxItems, poisoned) => {
        const store = new MemoryStore(['employee', 'day'])
        const peer = await startApiPeer({ store })
        peer.faults.push(...faults)
        peer.rules.reject = item => (item.employee === 'e3' ? { code: 'NO', message: 'never' } : null)
        jobs += 1
        peer.rules.poison = item =>
          poisoned.includes(String(item.employee)) ? 'never, nor its request' : null
        const rows = Array.from({ length: count }, (_, n): HoursRow => [`e${n}`, '2026-11-20', String(n)])
        const spec = hoursLoad({ maxItems, rejects: { maxPercent: 100 } })
        const attempt = () =>
          loadHours({ database, baseUrl: peer.baseUrl, job: `faults-${jobs}`, rows, spec })
        let outcome: Awaited<ReturnType<typeof loadHours>> | null = null
        // Each attempt takes at least one fault, so this ends.
        while (outcome === null) {
          outcome = await attempt().catch((error: unknown) => {
            if (error instanceof TallymanError && error.retry !== 'never') return null
            throw error
          })
        }
        await peer.close()
        assert.ok(outcome.kind === 'loaded')
        const { tables, counts } = outcome.result
        const accepted = tables[0]!.inserted + tables[0]!.updated + tables[0]!.unchanged
        assert.equal(accepted, store.rows.size)
        assert.equal(counts.mapped, store.rows.size)
        assert.equal(counts.read, counts.mapped + counts.rejected)
        assert.ok([...store.effects.values()].every(times => times === 1))
      },
    ),
    { numRuns: 30, seed: 20261120 },
  )
})
