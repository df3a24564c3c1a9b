/** Which holders are asked for, and how soon. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Holder, SILENT_AFTER_MS } from '../../../../lib/ledger/takeover.ts'
import { forsaken, pulsesOf, RECOVERY_LOOK_MS } from '../../../../lib/schedule/recovery.ts'

const holder = (change: Partial<Holder> = {}): Holder => {
  return { job: 'fx-rates', businessDate: '2026-11-20', fence: '3', beat: '7', alive: 2, ...change }
}

test('a holder whose sessions are gone is asked for at once, a silent one at the second look, one that beats never', () => {
  assert.deepEqual(forsaken([holder({ alive: 0 })], new Map()), [holder({ alive: 0 })])
  assert.deepEqual(forsaken([holder()], new Map()), [])
  assert.deepEqual(forsaken([holder()], pulsesOf([holder()])), [holder()])
  assert.deepEqual(forsaken([holder({ beat: '8' })], pulsesOf([holder()])), [])
})

test('a holder that took the run since the last look is not the silent one', () => {
  assert.deepEqual(forsaken([holder({ fence: '4', beat: '7' })], pulsesOf([holder()])), [])
  const otherDate = holder({ businessDate: '2026-11-19' })
  assert.deepEqual(forsaken([otherDate], pulsesOf([holder()])), [])
})

test('looks are so close that a run is taken within 10 s of a kill and within 40 s of a pause', () => {
  // A silent holder that was looked for meanwhile costs up to two beats before the next look.
  assert.ok(RECOVERY_LOOK_MS + 4_000 < 10_000)
  assert.ok(2 * RECOVERY_LOOK_MS + SILENT_AFTER_MS < 40_000)
})
