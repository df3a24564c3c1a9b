/**
 * What a mail tells of a comparison's limits: which kinds of differences count and why, control totals, and
 * the rows that are not due yet.
 */
import { count, instant, plural } from '../figures.ts'
import type { ComparisonReport, NightReport } from '../night-report.ts'
import { plainKind } from '../plain-words.ts'
import { visible } from '../visible.ts'
import { type Cell, cell, type Level, type Section, shownNote } from './blocks.ts'
import { toldComparisons } from './comparison-sections.ts'

const WORDS = { within: 'does not count', warn: 'warning', fail: 'failure' } as const
const TONES = { within: 'plain', warn: 'warn', fail: 'bad' } as const

/** The sections of each comparison that is told in full. */
export function judgementSections(report: NightReport, level: Level): Section[] {
  return toldComparisons(report, level).flatMap(({ comparison, prefix }) => [
    limitsSection(comparison, prefix, level),
    pendingSection(comparison, prefix, level),
  ])
}

function limitsSection(comparison: ComparisonReport, prefix: string, level: Level): Section {
  const { verdicts, controls, left, right } = comparison
  // That any difference counts needs no words where nothing else is declared.
  const told = verdicts.some(({ severity, why }) => severity !== 'warn' || !why.endsWith('any one counts'))
  const items: Cell[] = told
    ? verdicts.map(({ kind, severity, why }) =>
        cell(
          `${visible(plainKind(kind, { left: left.name, right: right.name }), 80)}: ${visible(why, 160)} (${WORDS[severity]})`,
          TONES[severity],
        ),
      )
    : []
  const totals = controls.slice(0, level.rows).map(({ name, groups, differing }) => {
    const what = groups === 1 ? '' : ` in ${plural(groups, 'group')}`
    return differing === 0
      ? cell(`control total ${visible(name, 60)}: the same on both sides${what}`, 'good')
      : cell(
          `control total ${visible(name, 60)}: differs${what === '' ? '' : ` in ${count(differing)} of ${count(groups)} groups`}`,
          'bad',
        )
  })
  const all = [...items, ...totals]
  return { title: `${prefix}Limits`, blocks: all.length === 0 ? [] : [{ kind: 'list', items: all }] }
}

function pendingSection({ pending, left, right }: ComparisonReport, prefix: string, level: Level): Section {
  if (pending === null) return { title: '', blocks: [] }
  const rows = pending.rows.slice(0, level.rows).map(({ key, due }) => [
    cell(
      key
        .slice(0, level.columns)
        .map(
          ({ name, value }) =>
            `${visible(name, 40)} ${value === null ? 'no value' : visible(value, level.characters)}`,
        )
        .join(', '),
    ),
    cell(instant(due.replace(/\.\d+Z$/, 'Z'))),
  ])
  return {
    title: `${prefix}Not due yet`,
    blocks: [
      {
        kind: 'sentence',
        tone: 'plain',
        text: `${plural(pending.count, 'row')} of ${visible(left.name, 40)} may still arrive in ${visible(right.name, 40)}, until ${instant(pending.lastDue.replace(/\.\d+Z$/, 'Z'))} at the latest.`,
      },
      {
        kind: 'table',
        columns: [
          { title: 'Key', align: 'left' },
          { title: 'Due', align: 'left' },
        ],
        rows,
        note: shownNote(rows.length, pending.count, 'the rest is not listed'),
      },
    ],
  }
}
