/**
 * What a job's fetch is when only the necessary is said, and how long retries wait.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pauseMs } from '../../../../lib/fetch/retry.ts'
import { folder, sftp } from '../../../../lib/fetch/sources.ts'

test('a pattern with a whole date takes the date from the name, any other from the calendar', () => {
  const of = (files: string) => sftp({ endpoint: 'carrier', feed: 'shipments', files })
  assert.equal(of('SHIP_{yyyyMMdd}.csv').dateFrom, 'name')
  assert.equal(of('SHIP_{yyyyMM}.csv').dateFrom, 'calendar')
  assert.equal(of('*.csv').dateFrom, 'calendar')
})

test('a pattern that can not be used stays data until it is checked', () => {
  const spec = sftp({ endpoint: 'carrier', feed: 'shipments', files: 'SHIP_{yyyyQQ.csv' })
  assert.equal(spec.files, 'SHIP_{yyyyQQ.csv')
})

test('defaults of a source leave the remote file alone and wait until it has settled', () => {
  const spec = folder({ feed: 'rates', folder: 'in', files: '*.xml', limits: { maxFiles: 3 } })
  assert.equal(spec.after, 'leave')
  assert.deepEqual(spec.completeWhen, { kind: 'settled', forMs: 10_000 })
  assert.equal(spec.perDate, 'one')
  assert.equal(spec.limits.maxFiles, 3)
  assert.equal(spec.limits.maxRatio, 250)
})

test('pauses between tries are drawn from zero up to a growing and bounded width', () => {
  assert.equal(pauseMs(1, 0), 0)
  assert.equal(pauseMs(1, 0.5), 500)
  assert.equal(pauseMs(4, 0.999999) < 8_000, true)
  assert.equal(pauseMs(50, 0.5), 4_000)
})
