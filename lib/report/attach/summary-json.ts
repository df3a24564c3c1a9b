/**
 * The report as JSON for programs: everything but the single breaks and rejects, which stand in
 * the CSV files beside it. `schemaVersion` grows when a name changes its meaning or goes away.
 */
import type { ComparisonReport, NightReport } from '../night-report.ts'

/** Version of the summary's schema. */
export const SUMMARY_SCHEMA_VERSION = 1

/** The summary's text, two spaces of indent, ended by a line end. Values are as in the report: masked. */
export function summaryJson(report: NightReport): string {
  const { rejects: _rejects, comparisons, commands: _commands, ...rest } = report
  return `${JSON.stringify(
    {
      schemaVersion: SUMMARY_SCHEMA_VERSION,
      kind: 'tallyman.night-report',
      ...rest,
      comparisons: comparisons.map(withoutBreaks),
    },
    null,
    2,
  )}\n`
}

function withoutBreaks({ breaks: _breaks, acknowledged: _acknowledged, ...rest }: ComparisonReport): object {
  return rest
}
