/**
 * The verdict on each file, as a pure judgement.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type JudgedFile, judge } from '../../../../lib/ledger/verdict.ts'

let arrived = 0
function file(remoteName: string, contentSha256: string): JudgedFile {
  arrived += 1
  return { id: String(arrived), remoteName, contentSha256 }
}

function verdicts(perDate: 'one' | 'many', applied: JudgedFile[], pending: JudgedFile[]): string[] {
  return judge(perDate, applied, pending).judged.map(j => j.verdict)
}

test('the first file of a date is new', () => {
  assert.deepEqual(verdicts('one', [], [file('a', 'A')]), ['new'])
  assert.deepEqual(verdicts('many', [], [file('a', 'A')]), ['new'])
})

test('the same content under another name is a duplicate, with one file per date and with many', () => {
  assert.deepEqual(verdicts('one', [file('a', 'A')], [file('b', 'A')]), ['duplicate'])
  assert.deepEqual(verdicts('many', [file('a', 'A')], [file('b', 'A')]), ['duplicate'])
})

test('with one file per date other content under any name is a correction', () => {
  const applied = file('a', 'A')
  const pending = file('b', 'B')
  const { judged, set } = judge('one', [applied], [pending])
  assert.equal(judged[0]!.verdict, 'correction')
  assert.equal(judged[0]!.supersedes, applied)
  assert.deepEqual(set, [pending])
})

test('with many files per date another name is additional and the same name a correction', () => {
  const first = file('a', 'A')
  const second = file('b', 'B')
  const again = file('a', 'A2')
  const { judged, set } = judge('many', [first], [second, again])
  assert.deepEqual(
    judged.map(j => j.verdict),
    ['additional', 'correction'],
  )
  assert.deepEqual(set, [second, again])
})

test('content that was replaced and comes back is a second correction, not a duplicate', () => {
  const a1 = file('x', 'A')
  const b = file('x', 'B')
  const a2 = file('x', 'A')
  assert.deepEqual(verdicts('one', [a1], [b]), ['correction'])
  assert.deepEqual(verdicts('one', [b], [a2]), ['correction'])
  const both = judge('one', [a1], [b, a2])
  assert.deepEqual(
    both.judged.map(j => j.verdict),
    ['correction', 'correction'],
  )
  assert.equal(both.judged[0]!.supersededBy, a2)
  assert.deepEqual(both.set, [a2])
})

test('a correction that arrives before anything is loaded takes the place of the first version', () => {
  const a = file('x', 'A')
  const b = file('x', 'B')
  const { judged, set } = judge('many', [], [a, b])
  assert.deepEqual(
    judged.map(j => [j.verdict, j.supersededBy?.id ?? null]),
    [
      ['new', b.id],
      ['correction', null],
    ],
  )
  assert.deepEqual(set, [b])
})
