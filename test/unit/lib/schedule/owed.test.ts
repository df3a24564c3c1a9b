/** What is owed, as a pure function of timetable, ledger and clock. Mirrors lib/schedule/owed.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScheduledJob } from '../../../../lib/model/job.ts'
import type { RunState } from '../../../../lib/model/run.ts'
import { everyDay, weekdays } from '../../../../lib/schedule/calendars.ts'
import { owedRuns } from '../../../../lib/schedule/owed.ts'

const scheduled = (changes: Partial<ScheduledJob> = {}): ScheduledJob => ({
  job: { name: 'orders' } as ScheduledJob['job'],
  cron: '30 5 * * *',
  zone: 'Europe/Berlin',
  calendar: everyDay,
  businessDate: 'previous-day',
  catchUp: 'latest',
  fileUntil: null,
  ...changes,
})
const at = (text: string): number => Date.parse(text)
const states = (entries: Record<string, RunState>): ReadonlyMap<string, RunState> =>
  new Map(Object.entries(entries).map(([date, state]) => [`orders ${date}`, state]))
const dates = (runs: readonly { businessDate: string }[]): string[] => runs.map(run => run.businessDate)

test('a job is owed from the minute of its occurrence on, and not before', () => {
  const timetable = { jobs: [scheduled()] }
  const done = states({ '2026-11-19': 'succeeded' })
  assert.deepEqual(dates(owedRuns(timetable, done, at('2026-11-21T04:29:59Z')).runs), [])
  const owed = owedRuns(timetable, done, at('2026-11-21T04:30:00Z'))
  assert.deepEqual(dates(owed.runs), ['2026-11-20'])
  assert.equal(owed.runs[0]?.because, 'due')
  assert.equal(new Date(owed.nextAt!).toISOString(), '2026-11-22T04:30:00.000Z')
})

test('F7: after three nights down, catch-up latest takes the last one and names the two it skips', () => {
  const owed = owedRuns(
    { jobs: [scheduled()] },
    states({ '2026-11-16': 'succeeded' }),
    at('2026-11-20T12:00:00Z'),
  )
  assert.deepEqual(dates(owed.runs), ['2026-11-19'])
  assert.deepEqual(dates(owed.skipped), ['2026-11-17', '2026-11-18'])
})

test('catch-up all takes every missed night, oldest first', () => {
  const owed = owedRuns(
    { jobs: [scheduled({ catchUp: 'all' })] },
    states({ '2026-11-16': 'succeeded', '2026-11-18': 'succeeded' }),
    at('2026-11-20T12:00:00Z'),
  )
  assert.deepEqual(dates(owed.runs).slice(-2), ['2026-11-17', '2026-11-19'])
})

test('catch-up none takes nothing that is overdue', () => {
  const owed = owedRuns(
    { jobs: [scheduled({ catchUp: 'none' })] },
    states({ '2026-11-16': 'succeeded' }),
    at('2026-11-20T12:00:00Z'),
  )
  assert.deepEqual(owed.runs, [])
  assert.deepEqual(dates(owed.skipped), ['2026-11-17', '2026-11-18', '2026-11-19'])
})

test('a finished or failed run is not owed again, an interrupted one is', () => {
  const now = at('2026-11-20T05:00:00Z')
  const owedIn = (state: RunState): string[] =>
    owedRuns(
      { jobs: [scheduled()] },
      states({ '2026-11-18': 'succeeded', '2026-11-19': state }),
      now,
    ).runs.map(run => run.because)
  assert.deepEqual(owedIn('succeeded'), [])
  assert.deepEqual(owedIn('failed'), [])
  assert.deepEqual(owedIn('running'), ['recovery'])
  assert.deepEqual(owedIn('applied'), ['recovery'])
  assert.deepEqual(owedIn('waiting'), ['waiting'])
})

test('on Monday the previous business day is Friday, and the weekend owes nothing', () => {
  const timetable = { jobs: [scheduled({ calendar: weekdays, businessDate: 'previous-business-day' })] }
  const known = states({ '2026-11-19': 'succeeded' })
  assert.deepEqual(dates(owedRuns(timetable, known, at('2026-11-22T12:00:00Z')).runs), [])
  assert.deepEqual(dates(owedRuns(timetable, known, at('2026-11-23T04:30:00Z')).runs), ['2026-11-20'])
})

test('a job without cron is never owed', () => {
  assert.deepEqual(owedRuns({ jobs: [scheduled({ cron: null })] }, new Map(), at('2026-11-20T12:00:00Z')), {
    runs: [],
    skipped: [],
    nextAt: null,
  })
})
