/**
 * Nights of night-samples.ts that stand for many: 100,000 differences, thirty nights with their ages, a date
 * that was compared again, differences of people whose names may not be seen.
 */
import { createHash } from 'node:crypto'
import type { Break } from '../../lib/model/break.ts'
import type { BreakHistory, TrendNight } from '../../lib/report/break-history.ts'
import type { NightReportInput } from '../../lib/report/night-report.ts'
import { BreakSink } from '../../reconcile/compare/breaks-file.ts'
import { ledgerInput } from './night-sample-ledger.ts'
import { comparison, fxInput, hoursMapping, mismatch } from './night-sample-parts.ts'

/** Breaks in memory of a night with 100,000; as many as a comparison keeps (lib/run). */
const IN_MEMORY = 10_000

/** 100,000 differences since a column was written in another unit; what is not in memory lies in `breaksFile`. */
export function hundredThousandInput(breaksFile: string | null = null): NightReportInput {
  const breaks = Array.from({ length: IN_MEMORY }, (_, index) => manyBreak(index))
  const whole = comparison(breaks)
  const [line] = whole.proof
  const rows = { ...whole.rows.left, value_mismatch: 100_000, identical: 1_234_567 - 100_000 - 4 }
  const result = {
    ...whole,
    ...{ breaksTotal: 100_000, breaksFile, rows: { left: rows, right: rows } },
    counts: { value_mismatch: 100_000 },
    patterns: {
      ...whole.patterns!,
      concentrations: whole.patterns!.concentrations.map(one => ({ ...one, count: 100_000, of: 100_000 })),
    },
    left: { ...whole.left, rows: 1_234_567 },
    right: { ...whole.right, rows: 1_234_567 },
    proof: [
      {
        ...line!,
        ...{ left: '617283500', right: '617308500', difference: '25000', unexplained: '0' },
        explained: { value_mismatch: '25000' },
      },
    ],
  }
  return fxInput({ comparisons: [{ result, history: null }] })
}

/** All 100,000 breaks as a comparison writes them into `path`. */
export async function writeManyBreaks(path: string): Promise<void> {
  const sink = new BreakSink(path, ['currency', 'rateDate'], 0)
  for (let index = 0; index < 100_000; index += 1) {
    sink.add(manyBreak(index))
    if (index % 1_000 === 0) await sink.drain()
  }
  await sink.finish()
}

function manyBreak(index: number): Break {
  return mismatch(`C${String(index).padStart(5, '0')}`, `${index}.5`, `${index}.75`)
}

/** Open differences of each working day from 2026-10-12 on; tonight's old ones are among them since they were first seen. */
const OPEN = [
  1, 1, 2, 1, 3, 2, 2, 2, 5, 7, 11, 11, 9, 6, 4, 4, 3, 4, 3, 3, 5, 5, 7, 6, 6, 4, 4, 5, 6, 6,
] as const

/** The night of the pictures after thirty others, with differences of all ages. */
export function thirtyNightsInput(): NightReportInput {
  const base = ledgerInput()
  const result = base.comparisons[0]!.result
  const old = (centre: string, line: number): Break => ({
    ...result.breaks[2]!,
    identity: createHash('sha256').update(centre).digest('hex'),
    key: { costCentre: centre, account: '4120' },
    origin: { file: 'PAY_20261120.csv', line },
  })
  const breaks = [...result.breaks, old('CC-0815', 71), old('CC-0816', 72)]
  const aged = (businessDays: number, firstSeen: string) => ({
    state: 'persisting' as const,
    ...{ firstSeen, businessDays, owner: 'hr-accounting' },
  })
  const history: BreakHistory = {
    ...base.comparisons[0]!.history!,
    open: new Map([
      ...base.comparisons[0]!.history!.open,
      [breaks[5]!.identity, aged(25, '2026-10-16')],
      [breaks[6]!.identity, aged(71, '2026-08-13')],
    ]),
    trend: trend(),
  }
  return {
    ...base,
    comparisons: [{ result: { ...result, breaks, breaksTotal: breaks.length }, history }],
  }
}

function trend(): TrendNight[] {
  const first = Date.UTC(2026, 9, 12)
  const days = Array.from({ length: 60 }, (_, day) => new Date(first + day * 86_400_000)).filter(
    day => day.getUTCDay() % 6 !== 0,
  )
  return OPEN.map((open, night) => ({ date: days[night]!.toISOString().slice(0, 10), open }))
}

/** A date that was compared again after a corrected file: two of five differences are left. */
export function revisedInput(): NightReportInput {
  const base = ledgerInput()
  const [first] = base.comparisons
  const { result } = first!
  const breaks = result.breaks.slice(2, 4)
  const name = 'PAY_20261120_v2.csv'
  return {
    ...base,
    ...{ attempt: 2, revision: 2, comparison: 2, trigger: 'manual', at: '2026-11-21T06:31:50Z' },
    files: [{ ...base.files[0]!, name, verdict: 'correction' }],
    replaces: [{ by: name, name: 'PAY_20261120.csv', receivedAt: '2026-11-20T21:40:00Z' }],
    replacesReport: {
      ...{ attempt: 1, at: '2026-11-20T23:10:12Z' },
      found: [{ reconciliation: result.reconciliation, outcome: 'BREAKS', breaksTotal: 5 }],
    },
    comparisons: [
      {
        history: first!.history,
        result: {
          ...result,
          breaks: breaks.map(found =>
            found.origin === null ? found : { ...found, origin: { file: name, line: 97 } },
          ),
          left: { ...result.left, files: [name], asOf: '2026-11-21T06:30:02Z' },
          right: { ...result.right, asOf: '2026-11-21T06:31:20Z' },
          ...{ breaksTotal: 2, counts: { value_mismatch: 1, missing_in_source: 1 } },
          proof: [
            result.proof[0]!,
            {
              ...result.proof[1]!,
              ...{ left: '1308167.28', right: '1308167.28', difference: '0' },
              explained: { missing_in_source: '19.5', value_mismatch: '-19.5' },
            },
          ],
        },
      },
    ],
  }
}

/** People whose hours differ: no name of theirs is in `PEOPLE` and in the mail. */
export const PEOPLE = ['Ada Placeholder', 'Grace Sample', 'Alan Specimen'] as const

/** Hours of people, whose names are personal. */
export function personalInput(): NightReportInput {
  const breaks = PEOPLE.map((person, index): Break => {
    const found = mismatch(person, `${index + 3}.5`, `${index + 4}.25`)
    return {
      ...found,
      key: { person },
      columns: [
        { ...found.columns[0]!, name: 'hours' },
        { name: 'person', left: person, right: person.toUpperCase(), nature: 'text', delta: null },
      ],
    }
  })
  const base = fxInput({ comparisons: [] })
  return {
    ...base,
    job: { ...base.job, name: 'hours', map: hoursMapping, purpose: 'Hours worked stand in pay.' },
    run: { job: 'hours', businessDate: '2026-11-20' },
    comparisons: [
      {
        result: { ...comparison(breaks), reconciliation: 'hours.terminals' },
        history: {
          open: new Map(),
          resolved: [
            {
              kind: 'missing_in_target',
              key: { person: PEOPLE[0] },
              firstSeen: '2026-11-18',
              cause: 'target moved',
            },
          ],
        },
      },
    ],
  }
}
