/**
 * What a mail says of the report that it replaces: which one that was, and what the comparisons came to then
 * and now. Pure.
 */
import type { EarlierReport } from './break-history.ts'
import { count, instant, plural } from './figures.ts'
import type { ComparisonReport, NightReport } from './night-report.ts'

/** `This report replaces the one of ... (attempt 1): 5 differences then, 2 now.` */
export function replacedSentence(
  { comparisons, revision }: Pick<NightReport, 'comparisons' | 'revision'>,
  { at, attempt, found }: EarlierReport,
): string {
  const changes = comparisons.flatMap(now => {
    const before = found.find(({ reconciliation }) => reconciliation === now.name)
    if (before === undefined) return []
    const named = comparisons.length > 1 ? `${now.name}: ` : ''
    return [`${named}${foundWords(before)} then, ${foundWords(now)} now`]
  })
  const said = changes.length === 0 ? '' : `: ${changes.slice(0, 4).join('; ')}`
  const more = changes.length > 4 ? `; ${count(changes.length - 4)} more comparisons` : ''
  const loaded = revision === null || revision < 2 ? '' : ` It tells of revision ${revision} of this date.`
  return `This report replaces the one of ${instant(at)} (attempt ${attempt})${said}${more}.${loaded}`
}

function foundWords({ outcome, breaksTotal }: Pick<ComparisonReport, 'outcome' | 'breaksTotal'>): string {
  return outcome === 'INCONCLUSIVE' ? 'nothing proved' : plural(breaksTotal, 'difference')
}
