/** What a report says of a night: status, words, figures, and what it must never show. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoadError } from '../../../../lib/model/errors.ts'
import { laws, nightReport } from '../../../../lib/report/assemble.ts'
import { MASKED } from '../../../../lib/report/mask.ts'
import type { NightReportInput } from '../../../../lib/report/night-report.ts'
import { subjectOf } from '../../../../lib/report/subject.ts'
import {
  comparison,
  fxInput,
  hoursMapping,
  mismatch,
  oneSided,
  patternsOf,
} from '../../../support/night-sample-parts.ts'
import { nightSample } from '../../../support/night-samples.ts'

const plain = { redact: (text: string) => text }
const report = (input: NightReportInput) => nightReport(input, plain)

test('each kind of night has its status, the worst one first', () => {
  const statuses = ['failed', 'inconclusive', 'one-break', 'rejects', 'clean', 'duplicate'].map(
    name => report(nightSample(name)).status,
  )
  assert.deepEqual(statuses, ['FAILED', 'INCONCLUSIVE', 'BREAKS', 'REJECTS', 'CLEAN', 'NOTHING TO DO'])
  assert.equal(
    report(fxInput({ comparisons: [] })).status,
    'LOADED',
    'nothing is compared, so nothing is proved',
  )
  const both = { ...nightSample('rejects'), comparisons: nightSample('one-break').comparisons }
  assert.equal(report(both).status, 'BREAKS')
})

test('the subject counts new, open, oldest and resolved breaks and the money at risk', () => {
  const breaks = [
    mismatch('USD', '10', '1250'),
    mismatch('GBP', '1', '2'),
    oneSided('NOK', '5'),
    oneSided('SEK', '5'),
  ]
  const base = comparison(breaks)
  const [line] = base.proof
  const proof = [
    { ...line!, total: 'amount', group: 'EUR', explained: { value_mismatch: '-1240', pending: '77' } },
    { ...line!, total: 'amount', group: 'JPY', explained: { missing_in_target: '-500' } },
  ]
  const open = new Map(
    breaks
      .slice(1)
      .map(({ identity }) => [
        identity,
        { state: 'persisting' as const, firstSeen: '2026-11-04', businessDays: 12, owner: null },
      ]),
  )
  const resolved = [
    { kind: 'value_mismatch' as const, key: { currency: 'CHF' }, firstSeen: '2026-11-19', cause: 'both' },
  ]
  const night = report(
    fxInput({ comparisons: [{ result: { ...base, proof }, history: { open, resolved } }] }),
  )
  assert.equal(
    subjectOf(night),
    '[BREAKS] fx-rates 2026-11-20: 1 new, 4 open (oldest 12 bd), 1 resolved, EUR 1,240.00 and JPY 500 at risk',
  )
})

test('breaks come new first, then oldest, then largest', () => {
  const breaks = [
    mismatch('A', '1', '2'),
    mismatch('B', '1', '900'),
    mismatch('C', '1', '3'),
    mismatch('D', '1', '4'),
  ]
  const open = new Map(
    [
      [breaks[2]!, 30],
      [breaks[3]!, 3],
    ].map(([found, businessDays]) => [
      (found as { identity: string }).identity,
      {
        state: 'persisting' as const,
        firstSeen: '2026-10-01',
        businessDays: businessDays as number,
        owner: null,
      },
    ]),
  )
  const night = report(
    fxInput({ comparisons: [{ result: comparison(breaks), history: { open, resolved: [] } }] }),
  )
  assert.deepEqual(
    night.comparisons[0]!.breaks.map(({ key }) => key[0]?.value),
    ['B', 'A', 'C', 'D'],
  )
})

test('a law that does not add up is told as such', () => {
  const { load } = nightSample('clean')
  assert.ok(laws(load!).every(({ holds }) => holds))
  const table = load!.tables[0]!
  for (const term of ['inserted', 'updated', 'unchanged', 'collapsed', 'outdated'] as const) {
    const broken = laws({ ...load!, tables: [{ ...table, [term]: table[term] + 1 }] })
    assert.deepEqual(
      broken.map(({ holds }) => holds),
      [true, false],
      term,
    )
  }
  for (const term of ['mapped', 'rejected', 'filtered'] as const) {
    const broken = laws({ ...load!, counts: { ...load!.counts, [term]: load!.counts[term] + 1 } })
    assert.equal(broken[0]?.holds, false, term)
  }
})

test('a correction says which file it replaces, when that came, and what became of its rows', () => {
  const [file] = report(nightSample('correction')).files
  assert.equal(
    file?.replaces,
    'replaces ORDERS_20261119.csv received 2026-11-20 02:14 UTC: 40 rows deleted, 41 inserted',
  )
})

test('personal values are masked in breaks, keys, rejects and messages, and what no column declares as well', () => {
  const person = 'Erika Mustermann'
  const base = comparison([])
  const found = {
    ...mismatch('x', '1', '2'),
    key: { person },
    columns: [
      { name: 'hours', left: '7.5', right: '8', nature: 'amount', delta: '0.5' },
      { name: 'person', left: person, right: 'E. Mustermann', nature: 'text', delta: null },
      { name: '(record)', left: `${person};7,5`, right: null, nature: 'text', delta: null },
    ],
  }
  const issue = {
    code: 'MAP_TOO_LONG',
    field: 'person',
    column: 'NAME',
    value: person,
    message: `${person} is too long`,
  }
  const input: NightReportInput = {
    ...fxInput({}),
    job: { ...fxInput({}).job, map: hoursMapping },
    comparisons: [{ result: { ...base, outcome: 'BREAKS', breaks: [found], breaksTotal: 1 }, history: null }],
    rejects: [
      {
        file: 0,
        line: 4,
        step: 'map',
        raw: `${person};7,5`,
        unit: null,
        issues: [
          issue,
          { ...issue, field: 'hours', column: 'HRS', value: '7,5x', message: '7,5x is no decimal' },
        ],
      },
    ],
    rejectsByCode: [{ code: 'MAP_TOO_LONG', count: 1 }],
  }
  const night = report(input)
  assert.doesNotMatch(JSON.stringify(night), /Mustermann/)
  assert.equal(night.rejects[0]?.rule, `${MASKED} is too long`)
  assert.equal(night.rejects[1]?.value, '7,5x')
  assert.deepEqual(
    night.comparisons[0]?.breaks[0]?.columns.map(({ left }) => left),
    ['7.5', MASKED, MASKED],
  )
})

test('a known secret in an error never reaches the report', () => {
  const error = new LoadError('LOAD_REFUSED', 'login of app with hunter2 failed', {
    details: { url: 'pg://a:hunter2@x' },
  })
  const input = { ...nightSample('failed'), failure: { error, nextAttemptAt: null } }
  const night = nightReport(input, { redact: text => text.replaceAll('hunter2', '[secret]') })
  assert.doesNotMatch(JSON.stringify(night), /hunter2/)
  assert.match(night.failure?.message ?? '', /\[secret\]/)
})

test('a failure that is tried again asks nobody to act yet', () => {
  const input = nightSample('failed')
  const night = report({ ...input, failure: { ...input.failure!, nextAttemptAt: '2026-11-21T05:30:00Z' } })
  assert.equal(night.action, 'Nothing yet: it is tried again at 2026-11-21 05:30 UTC.')
})

test('breaks that mostly share a file, a column or a cause are told once as that', () => {
  const breaks = Array.from({ length: 10 }, (_, index) => ({
    ...mismatch(`C${index}`, '1', '10', 'the target is 10 times the source'),
    origin: { file: index === 0 ? 'a.xml' : 'b.xml', line: index + 1 },
  }))
  const base = comparison(breaks)
  const result = { ...base, patterns: patternsOf(breaks, 2) }
  assert.deepEqual(report(fxInput({ comparisons: [{ result, history: null }] })).comparisons[0]?.hints, [
    '9 of 10 breaks come from file b.xml, mapping version 14.',
    '10 of 10 breaks differ in the column rate alone.',
    '10 of 10 breaks look like this: the target is 10 times the source.',
  ])
})
