/**
 * How much a comparison's breaks count, what may still arrive, and what many breaks have in common, as the
 * report tells it: masked and in sentences. Pure; judged in reconcile/judge.
 */
import type { Break, Comparison, Concentration, Patterns } from '../model/break.ts'
import { count, plural } from './figures.ts'
import type { JudgedComparison } from './judged-comparison.ts'
import type { ColumnFacts } from './mask.ts'
import { plainKind } from './plain-words.ts'

/** What of a comparison is judged as a whole. */
export type JudgementReport = Omit<JudgedComparison, 'outcome' | 'gates' | 'rulesUsed'>

/** The judgement of a comparison whose sides are called so. */
export function judgementReport(
  result: Comparison,
  sides: { readonly left: string; readonly right: string },
  columns: ColumnFacts,
): JudgementReport {
  const keyOf = (key: Break['key']): { name: string; value: string | null }[] =>
    Object.entries(key).map(([name, value]) => ({ name, value: columns.shown(name, value) }))
  const { pending } = result
  return {
    severity: result.severity ?? null,
    verdicts: result.verdicts ?? [],
    controls: result.controls ?? [],
    pending:
      pending === null || pending === undefined
        ? null
        : { ...pending, rows: pending.rows.map(({ key, due }) => ({ key: keyOf(key), due })) },
    hints: result.patterns === undefined ? [] : hintsOf(result.patterns, sides, columns),
  }
}

function hintsOf(
  { concentrations, rekeyed, openItems, mappingVersion }: Patterns,
  sides: { readonly left: string; readonly right: string },
  columns: ColumnFacts,
): string[] {
  const key = (of: Break['key']): string =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${columns.shown(name, value) ?? 'without a value'}`)
      .join(', ')
  const [first] = rekeyed.pairs
  return [
    ...concentrations.map(one => concentrationText(one, mappingVersion)),
    ...(first === undefined
      ? []
      : [
          `${plural(rekeyed.count, 'row')} missing on both sides ${rekeyed.count === 1 ? 'has' : 'have'} equal values under other keys, so the key was likely changed: ${key(first.left)} and ${key(first.right)}${rekeyed.count > 1 ? ', for one' : ''}.`,
        ]),
    ...openItems.map(
      ({ column, delta, key: of, item, kind }) =>
        `The difference of ${column} ${of === null ? 'in all' : `at ${key(of)}`} (${columns.shown(column, delta)}) is the amount of one row, ${key(item)}, which is ${plainKind(kind, sides)}.`,
    ),
  ]
}

function concentrationText(
  { what, value, count: times, of }: Concentration,
  mappingVersion: number | null,
): string {
  const share = `${count(times)} of ${count(of)} breaks`
  switch (what) {
    case 'file':
      return `${share} come from file ${value}${mappingVersion === null ? '' : `, mapping version ${mappingVersion}`}.`
    case 'column':
      return `${share} differ in the column ${value} alone.`
    case 'hint':
      return `${share} look like this: ${value}.`
  }
}
