/**
 * What a mail tells about comparisons: checks before comparing, the change line, the proof, inputs
 * and scope, likely causes, breaks, resolved and acknowledged ones, rows equal only through rules.
 */
import type { BreakKind } from '../../model/break.ts'
import { count, decimalsFor, decimalsOf, grouped, instant, plural, signed } from '../figures.ts'
import type { BreakLine, BreakValue, ComparisonReport, NightReport } from '../night-report.ts'
import { visible } from '../visible.ts'
import { type Block, type BreakItem, cell, type Level, type Section, shownNote, type Tone } from './blocks.ts'

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
    { value: sum('pending'), label: 'pending', tone: 'plain' },
    { value: rejectsTotal, label: 'refused', tone: 'bad' },
    { value: failedUnits.length, label: 'not tying', tone: 'bad' },
  ]
  const always = comparisons.length === 0 ? [] : ['new', 'persisting', 'resolved']
  const items = figures
    .filter(({ value, label }) => value > 0 || always.includes(label))
    .map(({ value, label, tone }) => ({ value: count(value), label, tone: value === 0 ? 'plain' : tone }))
  return { title: '', blocks: items.length === 0 ? [] : [{ kind: 'figures', items }] }
}

/** Proof and inputs, or everything after them, of each comparison. Those with breaks come first. */
export function comparisonSections(report: NightReport, level: Level, part: 'proof' | 'breaks'): Section[] {
  const ordered = report.comparisons.toSorted((a, b) => b.breaksTotal - a.breaksTotal)
  const told = ordered.slice(0, level.comparisons)
  const prefix = (name: string) => (report.comparisons.length > 1 ? `${visible(name, 60)}: ` : '')
  if (part === 'proof') {
    const rest = ordered.length - told.length
    return told.map((comparison, index) => ({
      title: `${prefix(comparison.name)}${comparison.proof.length === 0 ? 'What was compared' : 'Proof'}`,
      blocks: [
        ...proofBlocks(comparison, level),
        ...inputBlocks(comparison, level),
        ...(rest > 0 && index === told.length - 1
          ? [sentence(`${plural(rest, 'more comparison')} in the attached summary.`)]
          : []),
      ],
    }))
  }
  return told.flatMap(comparison => breakSections(comparison, level, prefix(comparison.name)))
}

const sentence = (text: string, tone: Tone = 'plain'): Block => ({ kind: 'sentence', text, tone })

function proofBlocks({ proof, left, right, outcome }: ComparisonReport, level: Level): Block[] {
  if (proof.length === 0) return []
  const lines = proof.slice(0, level.rows)
  const rows = lines.map(({ total, group, left: a, right: b, difference, explained, unexplained }) => {
    const decimals = decimalsFor(group, [a, b, difference, unexplained, ...Object.values(explained)])
    const kinds = Object.entries(explained)
      .filter(([, amount]) => amount !== '0')
      .map(([kind, amount]) => `${kindWord(kind)} ${signed(amount, decimals)}`)
    return [
      cell(visible([total, group].filter(part => part !== '').join(', '), 60)),
      cell(grouped(a, decimals)),
      cell(grouped(b, decimals)),
      cell(signed(difference, decimals), difference === '0' ? 'plain' : 'bad'),
      cell(kinds.join('; ') || 'nothing to explain'),
      cell(grouped(unexplained, decimals), unexplained === '0' ? 'good' : 'bad'),
    ]
  })
  const note = shownNote(lines.length, proof.length, 'all in the attached summary')
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
    ? [sentence('Not proved: a check before comparing failed. The figures are what was seen.', 'warn'), table]
    : [table]
}

function inputBlocks({ left, right, gates }: ComparisonReport, level: Level): Block[] {
  const passed = gates.filter(({ state }) => state === 'passed').map(({ name }) => visible(name, 40))
  const row = ({ name, rows, asOf, scope, files }: ComparisonReport['left']) => {
    const [first = '', ...others] = files
    const from = others.length === 0 ? first : `${first} and ${count(others.length)} more`
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
        { title: 'Scope and files', align: 'left' },
      ],
      rows: [row(left), row(right)],
      note: '',
    },
    ...(checks.length === 0 ? [] : [sentence(`Checked before comparing: ${checks.join(', ')}.`, 'quiet')]),
  ]
}

function breakSections(comparison: ComparisonReport, level: Level, prefix: string): Section[] {
  const { breaks, breaksTotal, acknowledged, resolved, hints } = comparison
  const open = breaksTotal - acknowledged.length
  const block = (lines: readonly BreakLine[], total: number): Block[] => {
    if (total === 0) return []
    const items = lines.slice(0, level.rows).map(line => breakItem(line, comparison, level))
    return [
      {
        kind: 'breaks',
        leftTitle: visible(comparison.left.name, 40),
        rightTitle: visible(comparison.right.name, 40),
        items,
        note: shownNote(items.length, total, 'all in the attachment'),
      },
    ]
  }
  const gone = resolved.slice(0, level.rows)
  return [
    {
      title: `${prefix}Likely causes`,
      blocks:
        hints.length === 0 ? [] : [{ kind: 'list', items: hints.map(hint => cell(visible(hint, 240))) }],
    },
    { title: `${prefix}Differences`, blocks: block(breaks, open) },
    {
      title: `${prefix}Resolved`,
      blocks:
        gone.length === 0
          ? []
          : [
              {
                kind: 'table',
                columns: [
                  { title: 'Key', align: 'left' },
                  { title: 'Kind', align: 'left' },
                  { title: 'Since', align: 'left' },
                  { title: 'Who moved', align: 'left' },
                ],
                rows: gone.map(({ key, kind, firstSeen, cause }) => [
                  cell(keyText(key, level)),
                  cell(kindWord(kind)),
                  cell(firstSeen),
                  cell(visible(cause, 80), 'good'),
                ]),
                note: shownNote(gone.length, resolved.length, 'all in the attached summary'),
              },
            ],
    },
    { title: `${prefix}Acknowledged`, blocks: block(acknowledged, acknowledged.length) },
    { title: `${prefix}Equal only through rules`, blocks: ruleBlocks(comparison, level) },
  ]
}

function ruleBlocks({ rulesUsed, rows, proof }: ComparisonReport, level: Level): Block[] {
  const net = proof
    .filter(({ explained }) => (explained.within_tolerance ?? '0') !== '0')
    .slice(0, level.rows)
    .map(({ total, group, explained }) => {
      const amount = explained.within_tolerance ?? '0'
      const name = visible([total, group].filter(part => part !== '').join(', '), 60)
      return cell(`Net amount within tolerance, ${name}: ${signed(amount, decimalsFor(group, [amount]))}`)
    })
  const used = rulesUsed
    .filter(({ count: times }) => times > 0)
    .slice(0, level.rows)
    .map(({ rule, column, count: times }) =>
      cell(`${visible(rule, 60)} on ${visible(column, 60)}: ${plural(times, 'row')}`),
    )
  const tolerated = rows.within_tolerance.left
  const items = [
    ...(tolerated > 0 ? [cell(`${plural(tolerated, 'row')} within tolerance`)] : []),
    ...net,
    ...used,
  ]
  return items.length === 0 ? [] : [{ kind: 'list', items }]
}

function breakItem(line: BreakLine, { left, right }: ComparisonReport, level: Level): BreakItem {
  const shown = line.columns.slice(0, level.columns)
  const hidden = line.columns.length - shown.length
  const leftName = visible(left.name, 40)
  const rightName = visible(right.name, 40)
  return {
    key: line.key.length === 0 ? 'the whole set' : keyText(line.key, level),
    what: whatOf(line, leftName, rightName),
    state: stateWord(line),
    tone:
      line.state === 'acknowledged'
        ? 'plain'
        : line.state === 'new' || line.state === 'reopened'
          ? 'bad'
          : 'warn',
    values: shown.map(value => valueTexts(value, line.kind, level)),
    remarks: [
      ...(hidden === 0 ? [] : [`${plural(hidden, 'more column')} in the attachment`]),
      ...(line.firstSeen === null ? [] : [`since ${line.firstSeen}`]),
      ...(line.owner === null ? [] : [`owner ${visible(line.owner, 60)}`]),
      ...(line.origin === null ? [] : [`${visible(line.origin.file, level.characters)}:${line.origin.line}`]),
      ...(line.hint === '' ? [] : [visible(line.hint, 120)]),
    ],
  }
}

function valueTexts(value: BreakValue, kind: BreakKind, level: Level): BreakItem['values'][number] {
  const { left, right, delta, numeric, scale } = value
  const known = [left, right, delta].filter(text => text !== null)
  const decimals = Math.max(scale !== null && scale <= 2 ? scale : 0, ...known.map(decimalsOf))
  const show = (text: string | null, absent: string) => {
    if (text === null) return absent
    if (text === '') return '""'
    return visible(numeric ? grouped(text, decimals) : text, level.characters)
  }
  return {
    name: visible(value.name, 60),
    left: show(left, kind === 'missing_in_source' ? 'no row' : 'no value'),
    right: show(right, kind === 'missing_in_target' ? 'no row' : 'no value'),
    delta: delta === null ? '' : visible(signed(delta, decimals), 60),
  }
}

function keyText(key: BreakLine['key'], level: Level): string {
  const parts = key
    .slice(0, level.columns)
    .map(
      ({ name, value }) =>
        `${visible(name, 40)} ${value === null ? 'no value' : value === '' ? '""' : visible(value, level.characters)}`,
    )
  return key.length > parts.length ? `${parts.join(', ')}, …` : parts.join(', ')
}

function stateWord({ state, businessDays }: BreakLine): string {
  return state === 'new' ? 'new' : `${state}, ${plural(businessDays, 'business day')}`
}

function whatOf({ kind, leftRows, rightRows, columns }: BreakLine, left: string, right: string): string {
  switch (kind) {
    case 'missing_in_target':
      return `Missing in ${right}`
    case 'missing_in_source':
      return `Missing in ${left}`
    case 'value_mismatch':
      return columns.length === 1 ? 'One value differs' : `${count(columns.length)} values differ`
    case 'duplicate':
      return `Key not unique: ${plural(leftRows, 'row')} in ${left}, ${plural(rightRows, 'row')} in ${right}`
    case 'unreadable':
      return 'A value can not be read'
    case 'key_invalid':
      return 'A part of the key is empty'
    case 'control_total':
      return 'A control total differs'
    case 'schema':
      return 'The columns are not those declared'
    case 'gate':
      return 'A check before comparing failed'
  }
}

/** A kind in words: `missing in target`. */
function kindWord(kind: string): string {
  return visible(kind.replaceAll('_', ' '), 60)
}
