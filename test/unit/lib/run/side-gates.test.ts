/**
 * Gates of sides that need no run ledger: when a side was taken, and what its files state about themselves. The others
 * are held by test/end-to-end/judgement.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../../../lib/db/connection.ts'
import { type GatedComparison, judgeSideGates } from '../../../../lib/run/side-gates.ts'
import type { ComparePlan } from '../../../../reconcile/compare/plan.ts'
import type { Snapshot } from '../../../../reconcile/snapshot/manifest.ts'

const unasked = {} as Connection

function taken(asOf: string): Snapshot {
  return { manifest: { name: 'finance.payment', asOf, files: [], rows: 1 } } as unknown as Snapshot
}

function given(right: Snapshot | null, fromHours: number, untilHours: number): GatedComparison {
  return {
    job: { name: 'payments' },
    zone: 'Europe/Berlin',
    businessDate: '2026-03-29',
    reconciliation: { source: { kind: 'query' }, target: { kind: 'query' } },
    plan: {
      name: 'payments.bank',
      whole: { controlTotals: {}, limits: {}, pending: null, gates: { asOf: { fromHours, untilHours } } },
    } as unknown as ComparePlan,
    left: null,
    right,
  } as unknown as GatedComparison
}

test('a side is taken within its window, bounds included, from the first local moment of the business date', async () => {
  const state = async (asOf: string): Promise<string[]> =>
    (await judgeSideGates(unasked, given(taken(asOf), 22, 30))).map(gate => `${gate.name} ${gate.state}`)
  // The clocks go forward that day; the hours are those that passed since 2026-03-28T23:00Z.
  assert.deepEqual(await state('2026-03-29T21:00:00.000Z'), ['right as of passed'])
  assert.deepEqual(await state('2026-03-30T05:00:00.000Z'), ['right as of passed'])
  assert.deepEqual(await state('2026-03-29T20:59:59.999Z'), ['right as of failed'])
  assert.deepEqual(await state('2026-03-30T05:00:00.001Z'), ['right as of failed'])
})

test('a side that is not there is judged by no gate of its own', async () => {
  assert.deepEqual(await judgeSideGates(unasked, given(null, 0, 1)), [])
})
