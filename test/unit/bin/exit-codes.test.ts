/** Exit codes: what an error is to the shell, and which of several results decides. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf, worstExit } from '../../../bin/exit-codes.ts'
import { nextCommand } from '../../../bin/next-command.ts'
import { ConfigError, FetchError, LoadError, MapError, RunError } from '../../../lib/model/errors.ts'

test('an error exits by what a retry would meet: 2 configuration, 75 try later, 1 final, 130 and 143 stopped', () => {
  const codes = [
    new ConfigError('CONFIG_USAGE', 'x'),
    new FetchError('FETCH_UNREACHABLE', 'x', { retry: 'backoff' }),
    new LoadError('LOAD_OUTCOME_UNKNOWN', 'x', { retry: 'verify-first' }),
    new LoadError('LOAD_API_BUSY', 'x', { retry: { afterMs: 5 } }),
    new MapError('MAP_REJECT_LIMIT', 'x'),
    new Error('unknown'),
    new RunError('RUN_INTERRUPTED', 'x'),
    new RunError('RUN_TERMINATED', 'x'),
  ].map(exitCodeOf)
  assert.deepEqual(codes, [2, 75, 75, 75, 1, 1, 130, 143])
})

test('of several results the first in the documented order holds, and 0 only when all are 0', () => {
  const order = [1, 2, 5, 4, 3, 75, 130, 143, 0]
  for (const [index, code] of order.entries()) {
    assert.equal(worstExit(order.slice(index).toReversed()), code)
  }
  assert.equal(worstExit([]), 0)
})

test('an error that a command can explain further names that command, and one that says it all does not', () => {
  const about = { job: 'fx-rates' }
  assert.match(nextCommand(new MapError('MAP_REJECT_LIMIT', 'x'), about)!, / rejects list --job fx-rates$/)
  assert.match(nextCommand(new FetchError('FETCH_FILE_MISSING', 'x'), about)!, / files --job fx-rates$/)
  assert.match(nextCommand(new FetchError('FETCH_HOST_KEY_CHANGED', 'x'), about)!, / doctor$/)
  assert.match(nextCommand(new ConfigError('CONFIG_INVALID', 'x'), {})!, / check$/)
  assert.equal(nextCommand(new ConfigError('CONFIG_USAGE', 'x'), about), null)
  assert.equal(nextCommand(new RunError('RUN_INTERRUPTED', 'x'), about), null)
})
