/**
 * What is read from the CSV of a mail's breaks when it comes back, and what is not taken for a decision.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DecisionLine, readDecisions } from '../../../../reconcile/breaks/read-decisions.ts'

const A = 'a'.repeat(32)
const cells = (more: Readonly<Record<string, string>>): DecisionLine['cells'] => ({
  ...{ decision: 'ack', until: '2026-12-01', reason: 'known', identity: A, comparison: 'j.t@2026-11-20#2' },
  ...more,
})
const lines = (...all: readonly Readonly<Record<string, string>>[]): DecisionLine[] =>
  all.map((one, index) => ({ line: index + 2, cells: cells(one) }))
const problemsOf = (...all: readonly Readonly<Record<string, string>>[]) =>
  readDecisions(lines(...all)).problems.map(({ line, problem }) => `${line} ${problem}`)

test('the lines of one break are one decision, and lines without one are none', () => {
  const { decisions, problems } = readDecisions(lines({}, {}, { decision: ' ' }))
  assert.deepEqual(problems, [])
  assert.deepEqual(decisions, [
    {
      ...{ line: 2, identity: A, decision: 'ack', until: '2026-12-01', reason: 'known', owner: '' },
      comparison: { reconciliation: 'j.t', date: '2026-11-20', number: 2 },
    },
  ])
})

test('what a spreadsheet does to words, dates and ids is undone', () => {
  const [decision] = readDecisions(
    lines({ decision: 'Acknowledge', until: '1.12.2026', reason: "'=known", identity: A.toUpperCase() }),
  ).decisions
  assert.deepEqual(
    [decision!.decision, decision!.until, decision!.reason, decision!.identity],
    ['ack', '2026-12-01', '=known', A],
  )
  assert.deepEqual(readDecisions(lines({ until: '+5bd' })).decisions[0]!.until, '+5bd')
})

test('everything that can not be meant is told with its line', () => {
  assert.deepEqual(
    problemsOf(
      { decision: 'yes' },
      { identity: '1.2E+31' },
      { comparison: 'j.t' },
      { reason: '' },
      { until: '' },
      { decision: 'confirm' },
      {},
      { reason: 'other' },
    ).map(text => text.replaceAll(/"[^"]*"/g, '..')),
    [
      '2 .. is no decision: write ack, unack, confirm, or nothing',
      '3 .. is no id of a break: the spreadsheet changed it, or it was typed',
      '4 does not say which comparison it tells of: the column comparison was changed',
      '5 has no reason',
      '6 has no date until which it holds',
      '7 confirms what another person said, so it takes neither reason nor until',
      '9 says otherwise than line 8 about the same break',
    ],
  )
})
