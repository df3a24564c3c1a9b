/**
 * Holds the list of guards to the source, so that `npm run sabotage` tries what is there: a guard that
 * moved or was reworded, or a test that was renamed, fails here at once.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ALL_GUARDS } from '../../../support/sabotage/all-guards.ts'
import { complaintAbout, type Guard } from '../../../support/sabotage/guard.ts'
import { titlesOf } from '../../../support/sabotage/tree-copy.ts'

const ROOT = path.join(import.meta.dirname, '..', '..', '..', '..')

const read = (file: string): string | null => {
  try {
    return readFileSync(path.join(ROOT, file), 'utf8')
  } catch {
    return null
  }
}

test('every guard of the sabotage list stands once in its source, and the test that is to catch it exists', () => {
  assert.deepEqual(
    ALL_GUARDS.flatMap(guard => complaintAbout(guard, read) ?? []),
    [],
  )
  assert.equal(new Set(ALL_GUARDS.map(({ against }) => against)).size, ALL_GUARDS.length)
  assert.ok(ALL_GUARDS.length >= 100, `only ${ALL_GUARDS.length} guards`)
})

test('planted: a guard that moved, stands twice, or has lost its test is found', () => {
  const files: Record<string, string> = {
    'a.ts': 'if (x) y()\nif (z) y()',
    'a.test.ts': "test('x holds', f)",
  }
  const guard: Guard = {
    ...{ against: 'z', file: 'a.ts', guard: 'if (x)', gone: 'if (true)' },
    ...{ test: 'a.test.ts', title: 'x' },
  }
  const complaint = (change: Partial<Guard>) =>
    complaintAbout({ ...guard, ...change }, file => files[file] ?? null)
  assert.equal(complaint({}), null)
  assert.match(complaint({ guard: 'if (w)' }) ?? '', /holds never/)
  assert.match(complaint({ guard: 'y()' }) ?? '', /holds often/)
  assert.match(complaint({ file: 'b.ts' }) ?? '', /b\.ts does not exist/)
  assert.match(complaint({ test: 'b.test.ts' }) ?? '', /b\.test\.ts does not exist/)
  assert.match(complaint({ title: 'holds' }) ?? '', /no test whose title/)
})

test('a TAP report gives the titles that passed and failed, and none that was skipped', () => {
  const tap = 'ok 1 - a \\# b\nnot ok 2 - c\n  not ok 3 - inner\nok 4 - d # SKIP no data\nok 5 - e # TODO\n'
  assert.deepEqual(titlesOf(tap), { passed: ['a # b'], failed: ['c', 'inner'] })
})
