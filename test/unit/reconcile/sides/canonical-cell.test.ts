/** Values of other databases as canonical text: exact, never moved, never guessed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cellReader, type DriverCell } from '../../../../reconcile/sides/canonical-cell.ts'

const reads = (kind: Parameters<typeof cellReader>[0], cell: DriverCell): string | null =>
  cellReader(kind, 'Europe/Berlin')(cell)

test('numbers of other databases keep every digit, floats are their shortest decimal', () => {
  const cells: [DriverCell, string][] = [
    ['1234567890123456789012345678.0123456789', '1234567890123456789012345678.0123456789'],
    ['1.50', '1.5'],
    ['-0.00', '0'],
    ['.5', '0.5'],
    [9007199254740993n, '9007199254740993'],
    [0.1, '0.1'],
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [-2.5e22, '-25000000000000000000000'],
  ]
  for (const [cell, text] of cells) assert.equal(reads('decimal', cell), text)
  assert.equal(reads('integer', '007'), '007', 'what it is worth is for the comparison to say')
})

test('what is not of the declared type stays as it came, so that the row is unreadable', () => {
  assert.equal(reads('decimal', '1,5'), '1,5')
  assert.equal(reads('date', '0000-00-00'), '0000-00-00')
  assert.equal(reads('date', '2026-11-20 00:00:01'), '2026-11-20 00:00:01')
  assert.equal(reads('timestamp', '2026-11-20'), '2026-11-20')
  assert.equal(reads('timestamp', '2026-10-25 02:30:00'), '2026-10-25 02:30:00', 'it comes twice')
  assert.equal(reads('timestamp', '2026-03-29 02:30:00'), '2026-03-29 02:30:00', 'it never comes')
  assert.equal(reads('text', new Uint8Array([0, 255])), '\\x00ff')
})

test('times without an offset are local times of the declared zone, with one they keep their instant', () => {
  assert.equal(reads('timestamp', '2026-11-20 10:00:00.250000'), '2026-11-20T09:00:00.25Z')
  assert.equal(reads('timestamp', '2026-07-01 00:30:00'), '2026-06-30T22:30:00Z')
  assert.equal(reads('timestamp', '2026-11-20T10:00:00Z'), '2026-11-20T10:00:00Z')
  assert.equal(reads('timestamp', '2026-11-20T10:00:00.000-05:00'), '2026-11-20T15:00:00Z')
  assert.equal(reads('date', '2026-11-20 00:00:00.000'), '2026-11-20')
  assert.equal(reads('boolean', 1n), 'true')
  assert.equal(reads('boolean', '0'), 'false')
  assert.equal(reads('text', ''), '')
  assert.equal(reads('text', null), null)
})
