/**
 * Nights that failed: a file that is cut off, one that did not come, a target that does not fit. With
 * the texts of the errors as the steps write them.
 */
import { FetchError, LoadError, ParseError } from '../../lib/model/errors.ts'
import type { NightReportInput } from '../../lib/report/night-report.ts'
import { fxInput, hoursMapping } from './night-sample-parts.ts'

function failed(
  error: NonNullable<NightReportInput['failure']>['error'],
  change: Partial<NightReportInput>,
): NightReportInput {
  return fxInput({
    state: 'failed',
    load: null,
    published: false,
    comparison: null,
    failure: { nextAttemptAt: null, error },
    ...change,
  })
}

/** The file of the evening ends in the middle; what is kept of it can be looked at. */
export function cutInput(): NightReportInput {
  const name = 'hours_20261120.csv'
  const base = fxInput({})
  return failed(
    new ParseError(
      'PARSE_TRAILER_MISSING',
      `${name} ended without its trailer line, which starts with "T;" (9 lines read). It is incomplete, so nothing of it is loaded; it has to be sent again.`,
      { details: { lines: 9 } },
    ),
    {
      job: {
        name: 'payroll-hours',
        purpose: 'The hours of the day reach payroll, which pays from them at the end of the month.',
        owner: 'payroll',
        ifLate:
          'Harmless on most days; on the last business day of the month wages are paid late after 12:00.',
        map: hoursMapping,
      },
      run: { job: 'payroll-hours', businessDate: '2026-11-20' },
      files: [
        {
          ...base.files[0]!,
          name,
          bytes: 427,
          archived: '/var/lib/tallyman/archive/payroll-hours/2026-11-20/d72ba772.raw',
        },
      ],
      steps: [
        { step: 'fetch', state: 'done', ms: 2_012 },
        { step: 'parse', state: 'skipped', ms: 0 },
        { step: 'map', state: 'skipped', ms: 0 },
        { step: 'load', state: 'failed', ms: 22 },
        { step: 'reconcile', state: 'skipped', ms: 0 },
      ],
    },
  )
}

/** Nothing came by the hour. */
export function missingInput(): NightReportInput {
  return failed(
    new FetchError(
      'FETCH_FILE_MISSING',
      'No file came for fx-rates of 2026-11-20: looked for eurofxref-hist*_20261120.xml in /; it was expected by 19:00 (Europe/Berlin). Nothing was loaded; when it lands, the next run of that date takes it.',
      { details: { lookedFor: 'eurofxref-hist*_20261120.xml in /' } },
    ),
    {
      attempt: 4,
      revision: null,
      files: [],
      steps: [
        { step: 'fetch', state: 'done', ms: 1_840 },
        { step: 'parse', state: 'skipped', ms: 0 },
        { step: 'map', state: 'skipped', ms: 0 },
        { step: 'load', state: 'skipped', ms: 0 },
        { step: 'reconcile', state: 'skipped', ms: 0 },
      ],
    },
  )
}

const DDL = [
  'ALTER TABLE "treasury"."fx_rate" ADD COLUMN "source" text;',
  `COMMENT ON COLUMN "treasury"."fx_rate"."source" IS 'Where it came from.';`,
  'CREATE TABLE "treasury"."fx_source" (\n  "source" text NOT NULL,\n  "name" text\n);',
]
const PROBLEMS = [
  'treasury.fx_rate: column source is missing',
  'treasury.fx_source: the table does not exist',
]

/** The target lacks a column and a table; the statements that mend it are in the message. */
export function targetDiffersInput(): NightReportInput {
  return failed(
    new LoadError(
      'LOAD_TARGET_MISMATCH',
      `The target does not fit its definition: ${PROBLEMS.join('; ')}. No row was sent. These statements would mend it:\n${DDL.join('\n')}\n`,
      { details: { problems: PROBLEMS, ddl: DDL } },
    ),
    {
      steps: [
        { step: 'fetch', state: 'done', ms: 1_840 },
        { step: 'parse', state: 'skipped', ms: 0 },
        { step: 'map', state: 'skipped', ms: 0 },
        { step: 'load', state: 'failed', ms: 41 },
        { step: 'reconcile', state: 'skipped', ms: 0 },
      ],
    },
  )
}
