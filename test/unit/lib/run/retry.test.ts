/**
 * When something is tried again: whatever failed, however often, and whatever is drawn, the pause stays
 * inside its bounds, and there is an end.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pauseMs } from '../../../../lib/fetch/retry.ts'
import { afterRetryAfterMs, backoffMs, THROTTLED, TRANSIENT } from '../../../../lib/http/backoff.ts'
import { BugError, RunError } from '../../../../lib/model/errors.ts'
import { decideRetry } from '../../../../lib/run/retry.ts'

const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const tries = fc.integer({ min: 1, max: 1_000_000 })
const error = (retry: RunError['retry']) => new RunError('RUN_DATABASE_LOST', 'lost', { retry })

test('any pause lies between zero and its growing, bounded width', () => {
  fc.assert(
    fc.property(tries, draw, (n, drawn) => {
      const pauses = [
        [pauseMs(n, drawn), 500 * 2 ** n, 8_000],
        [backoffMs(n, TRANSIENT, drawn), TRANSIENT.baseMs * 2 ** n, TRANSIENT.capMs],
        [backoffMs(n, THROTTLED, drawn), THROTTLED.baseMs * 2 ** n, THROTTLED.capMs],
      ] as const
      for (const [pause, width, cap] of pauses)
        assert.ok(pause >= 0 && pause < Math.min(width, cap), `${pause}`)
    }),
    { seed: 20261120 },
  )
})

test("a peer's own time is never come before, and missed by a tenth at most", () => {
  fc.assert(
    fc.property(fc.nat(86_400_000), draw, (asked, drawn) => {
      const waited = afterRetryAfterMs(asked, drawn)
      assert.ok(waited >= asked && waited <= Math.ceil(asked * 1.1))
    }),
    { seed: 20261120 },
  )
})

test('an attempt that failed is tried again twice at most, within half a minute, or at the time that was asked for', () => {
  const kinds = fc.oneof(
    fc.constant('backoff' as const),
    fc.constant('verify-first' as const),
    fc.record({ afterMs: fc.nat(100_000) }),
    fc.record({ at: fc.integer({ min: 900_000, max: 1_100_000 }) }),
  )
  fc.assert(
    fc.property(kinds, fc.integer({ min: 1, max: 50 }), draw, (retry, failed, drawn) => {
      const now = 1_000_000
      const decision = decideRetry(error(retry), failed, now, () => drawn)
      if (failed >= 3) return assert.deepEqual(decision, { kind: 'stop', because: 'exhausted' })
      const asked =
        typeof retry === 'string' ? null : 'afterMs' in retry ? retry.afterMs : Math.max(0, retry.at - now)
      if (asked !== null && asked > 30_000)
        return assert.deepEqual(decision, { kind: 'stop', because: 'too-far' })
      assert.ok(decision.kind === 'again' && Number.isSafeInteger(decision.afterMs))
      const [least, most] = asked === null ? [0, 1_000 * 2 ** failed] : [asked, Math.ceil(asked * 1.1)]
      assert.ok(decision.afterMs >= least && decision.afterMs <= most, JSON.stringify(decision))
    }),
    { seed: 20261120 },
  )
})

test('what no retry can help, and what is our own bug, ends at once', () => {
  for (const final of [error('never'), new BugError('BUG_LAW_BROKEN', 'x'), new Error('unknown'), null]) {
    assert.deepEqual(
      decideRetry(final, 1, 0, () => 0.5),
      { kind: 'stop', because: 'final' },
    )
  }
})
