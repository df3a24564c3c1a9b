/**
 * The subject line: status, job, date, and the figures that decide whether the mail is opened now.
 * `[BREAKS] fx-rates 2026-11-20: 2 new, 5 open (oldest 12 bd), 3 resolved, EUR 1,240.00 at risk`.
 */
import { count, plural } from './figures.ts'
import type { NightReport } from './night-report.ts'
import { allAcknowledged, loadedRecords, riskOf } from './outcome.ts'
import { shadowCount } from './shadow-words.ts'
import { visible } from './visible.ts'

/** Longest subject: what is longer is cut by mail programs anyway. */
const LONGEST = 180

/** The subject of a report; without control characters, whatever the data was. */
export function subjectOf(report: NightReport): string {
  const { job, run, environment, status } = report
  const where = environment.production ? '' : ` (${environment.name})`
  return visible(`[${status}] ${job.name} ${run.businessDate}: ${figuresOf(report)}${where}`, LONGEST)
}

function figuresOf(report: NightReport): string {
  switch (report.status) {
    case 'FAILED':
      return report.failure === null ? 'not finished' : `${report.failure.step}, ${report.failure.code}`
    case 'INCONCLUSIVE': {
      const failed = report.comparisons.flatMap(({ gates }) => gates).find(({ state }) => state === 'failed')
      return failed === undefined ? 'not comparable' : `not comparable, ${failed.name}`
    }
    case 'BREAKS':
      return breakFigures(report)
    case 'REJECTS':
      return rejectFigures(report)
    case 'NOTHING TO DO':
      return report.files.length === 0 ? 'no new file' : 'the same files as already loaded'
    case 'CLEAN':
      return report.shadow === null
        ? `${cleanCount(report)}, ${withinLimits(report)}`
        : shadowCount(report.shadow)
    case 'LOADED':
      return `${plural(loadedRecords(report), 'record')}, not compared`
  }
}

/** Differences that do not count are told all the same. */
function withinLimits({ comparisons }: NightReport): string {
  const found = comparisons.reduce((sum, { breaksTotal }) => sum + breaksTotal, 0)
  return found === 0 ? '0 breaks' : `${plural(found, 'break')} within limits`
}

/** What was proved: the records that are loaded, or the rows that were compared. */
function cleanCount(report: NightReport): string {
  if (!report.comparesOnly) return plural(loadedRecords(report), 'record')
  const rows = report.comparisons.reduce((sum, { left, right }) => sum + Math.max(left.rows, right.rows), 0)
  return plural(rows, 'row')
}

function breakFigures(report: NightReport): string {
  const sum = (name: 'new' | 'persisting' | 'changed' | 'reopened' | 'resolved' | 'acknowledged') =>
    report.comparisons.reduce((total, { changes }) => total + changes[name], 0)
  const open = sum('new') + sum('persisting') + sum('changed') + sum('reopened')
  const oldest = Math.max(0, ...report.comparisons.map(comparison => comparison.oldest ?? 0))
  const risk = riskOf(report.comparisons)
  return [
    `${count(sum('new'))} new`,
    ...(open > sum('new') ? [`${count(open)} open (oldest ${count(oldest)} bd)`] : []),
    ...(allAcknowledged(report.comparisons) ? [`all ${count(sum('acknowledged'))} acknowledged`] : []),
    ...(sum('resolved') > 0 ? [`${count(sum('resolved'))} resolved`] : []),
    ...(risk === '' ? [] : [`${risk} at risk`]),
    ...(report.rejectsTotal === 0 ? [] : [`${count(report.rejectsTotal)} refused`]),
  ].join(', ')
}

function rejectFigures(report: NightReport): string {
  const read = report.laws[0]?.whole.value ?? report.rejectsTotal
  const units = report.failedUnits.length
  const refused = `${count(report.rejectsTotal)} of ${plural(read, 'record')} refused`
  if (units === 0) return refused
  return `${plural(units, report.unitName)} ${units === 1 ? 'does' : 'do'} not tie, ${refused}`
}
