/**
 * What a mail tells about comparisons: checks before comparing, the change line, the proof, inputs
 * and scope. Their breaks are told in break-sections.ts.
 */
import { count, decimalsFor, grouped, instant, plural, signed } from '../figures.ts'
import type { ComparisonReport, NightReport } from '../night-report.ts'
import { plainKind } from '../plain-words.ts'
import { visible } from '../visible.ts'
import { type Block, cell, type Level, type Section, shownNote, type Tone } from './blocks.ts'

/** Checks that failed or warned; on top, because nothing below is proved where one failed. */
export function gateSection({ comparisons }: NightReport, level: Level): Section {
  const all = comparisons.flatMap(({ name, gates }) =>
    gates.filter(({ state }) => state !== 'passed').map(({ state, message }) => ({ name, state, message })),
  )
  const items = all.slice(0, level.rows).map(({ name, state, message }) => {
    const comparison = comparisons.length > 1 ? `${visible(name, 60)}: ` : ''
    const text = `${comparison}${state === 'failed' ? 'failed' : 'warning'}: ${visible(message, 300)}`
    return cell(text, state === 'failed' ? 'bad' : 'warn')
  })
  const rest = all.length - items.length
  const list = rest === 0 ? items : [...items, cell(`${count(rest)} more, all in the attached summary`)]
  return {
    title: 'Checks before comparing',
    blocks: items.length === 0 ? [] : [{ kind: 'list', items: list }],
  }
}

/** The change line: how tonight differs from the nights before. */
export function changesSection({ comparisons, rejectsTotal, failedUnits }: NightReport): Section {
  const sum = (name: keyof ComparisonReport['changes']) =>
    comparisons.reduce((total, { changes }) => total + changes[name], 0)
  const figures: { value: number; label: string; tone: Tone }[] = [
    { value: sum('new'), label: 'new', tone: 'bad' },
    { value: sum('persisting'), label: 'persisting', tone: 'warn' },
    { value: sum('changed'), label: 'changed', tone: 'warn' },
    { value: sum('reopened'), label: 'reopened', tone: 'bad' },
    { value: sum('acknowledged'), label: 'acknowledged', tone: 'plain' },
    { value: sum('resolved'), label: 'resolved', tone: 'good' },
    { value: sum('pending'), label: 'not due yet', tone: 'plain' },
    { value: rejectsTotal, label: 'refused', tone: 'bad' },
    { value: failedUnits.length, label: 'not tying', tone: 'bad' },
  ]
  // A night that proves nothing leaves every difference as it was: no zero may look like a finding.
  const proved = comparisons.some(({ outcome }) => outcome !== 'INCONCLUSIVE')
  const always = proved ? ['new', 'persisting', 'resolved'] : []
  const items = figures
    .filter(({ value, label }) => value > 0 || always.includes(label))
    .map(({ value, label, tone }) => ({ value: count(value), label, tone: value === 0 ? 'plain' : tone }))
  return { title: '', blocks: items.length === 0 ? [] : [{ kind: 'figures', items }] }
}

/** Proof, inputs and scope of each comparison that is told in full. */
export function comparisonProofs(report: NightReport, level: Level): Section[] {
  const told = toldComparisons(report, level)
  const rest = report.comparisons.length - told.length
  return told.map(({ comparison, prefix }, index) => ({
    title: `${prefix}${comparison.proof.length === 0 ? 'What was compared' : 'Proof'}`,
    blocks: [
      ...proofBlocks(comparison, level),
      ...inputBlocks(comparison, level),
      ...(rest > 0 && index === told.length - 1
        ? [sentence(`${plural(rest, 'more comparison')} in the attached summary.`)]
        : []),
    ],
  }))
}

/** Those with most breaks first; with the prefix of their headings where there are several. */
export function toldComparisons(
  { comparisons }: NightReport,
  level: Level,
): { readonly comparison: ComparisonReport; readonly prefix: string }[] {
  return comparisons
    .toSorted((a, b) => b.breaksTotal - a.breaksTotal)
    .slice(0, level.comparisons)
    .map(comparison => ({
      comparison,
      prefix: comparisons.length > 1 ? `${visible(comparison.name, 60)}: ` : '',
    }))
}

/** Totals without a difference that a mail shows. */
const AGREEING = 6

const sentence = (text: string, tone: Tone = 'plain'): Block => ({ kind: 'sentence', text, tone })

function proofBlocks({ proof, left, right, outcome }: ComparisonReport, level: Level): Block[] {
  if (proof.length === 0) return []
  const apart = proof.filter(({ difference }) => difference !== '0').length
  // Totals that agree say the same thing each: beyond a handful, a sentence says it for the rest.
  const lines = proof.slice(0, Math.min(level.rows, Math.max(apart, AGREEING)))
  const rows = lines.map(({ total, group, left: a, right: b, difference, explained, unexplained }) => {
    const decimals = decimalsFor(group, [a, b, difference, unexplained, ...Object.values(explained)])
    const kinds = Object.entries(explained)
      .filter(([, amount]) => amount !== '0')
      .map(
        ([kind, amount]) =>
          `${visible(plainKind(kind, { left: left.name, right: right.name }), 80)} ${signed(amount, decimals)}`,
      )
    return [
      cell(visible([total, group].filter(part => part !== '').join(', '), 60)),
      cell(grouped(a, decimals)),
      cell(grouped(b, decimals)),
      cell(signed(difference, decimals), difference === '0' ? 'plain' : 'bad'),
      cell(kinds.join('; ') || 'nothing to explain'),
      cell(
        grouped(unexplained, decimals),
        unexplained !== '0' ? 'bad' : outcome === 'INCONCLUSIVE' ? 'plain' : 'good',
      ),
    ]
  })
  const further = proof.length - lines.length
  const note =
    apart <= lines.length && further > 0
      ? `${plural(further, 'further total')} ${further === 1 ? 'agrees' : 'agree'} to the last digit, all in the attached summary`
      : shownNote(lines.length, proof.length, 'all in the attached summary')
  const table: Block = {
    kind: 'table',
    columns: [
      { title: 'Total', align: 'left' },
      { title: visible(left.name, 40), align: 'right' },
      { title: visible(right.name, 40), align: 'right' },
      { title: 'Difference', align: 'right' },
      { title: 'Explained by', align: 'left' },
      { title: 'Unexplained', align: 'right' },
    ],
    rows,
    note,
  }
  return outcome === 'INCONCLUSIVE'
    ? [
        sentence(
          'Not proved: a check before comparing failed. The figures are what was seen; earlier differences stay as they were.',
          'warn',
        ),
        table,
      ]
    : [table]
}

function inputBlocks({ left, right, gates }: ComparisonReport, level: Level): Block[] {
  // Not only that something was left out on purpose: what, why and how much.
  const leftOut = gates.filter(({ name }) => name.startsWith('left out of '))
  const passed = gates
    .filter(gate => gate.state === 'passed' && !leftOut.includes(gate))
    .map(({ name }) => visible(name, 40))
  const row = ({ name, rows, asOf, scope, files }: ComparisonReport['left']) => {
    const [first = '', ...others] = files
    // A side of one file is called like it.
    const from =
      others.length === 0 ? (first === name ? '' : first) : `${first} and ${count(others.length)} more`
    return [
      cell(visible(name, 60)),
      cell(count(rows)),
      cell(instant(asOf)),
      cell(visible([scope, from].filter(part => part !== '').join('; '), level.characters * 2)),
    ]
  }
  const checks = passed.slice(0, 12)
  return [
    {
      kind: 'table',
      columns: [
        { title: 'Side', align: 'left' },
        { title: 'Rows', align: 'right' },
        { title: 'As of', align: 'left' },
        { title: 'Which rows, of which files', align: 'left' },
      ],
      rows: [row(left), row(right)],
      note: '',
    },
    ...leftOut.map(({ name, message }) =>
      sentence(`On purpose ${visible(name, 60)}: ${visible(message, level.characters * 4)}.`, 'quiet'),
    ),
    ...(checks.length === 0 ? [] : [sentence(`Checked before comparing: ${checks.join(', ')}.`, 'quiet')]),
  ]
}
