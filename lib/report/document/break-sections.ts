/**
 * What a mail tells about the breaks of a comparison: likely causes, the differences themselves,
 * resolved and acknowledged ones, and rows that are equal only through rules.
 */
import type { BreakKind } from '../../model/break.ts'
import { count, decimalsFor, grouped, plural, signed } from '../figures.ts'
import { MASKED } from '../mask.ts'
import type { BreakLine, BreakValue, ComparisonReport, NightReport } from '../night-report.ts'
import { plainKind } from '../plain-words.ts'
import { visible } from '../visible.ts'
import {
  type Attached,
  type Block,
  type BreakItem,
  cell,
  type Level,
  type Section,
  shownNote,
} from './blocks.ts'
import { toldComparisons } from './comparison-sections.ts'
import { trendSection } from './trend-section.ts'

/** What stands after the proof, for each comparison that is told in full. */
export function comparisonBreaks(report: NightReport, level: Level, attached: Attached): Section[] {
  return toldComparisons(report, level).flatMap(({ comparison, prefix }) =>
    breakSections(comparison, level, prefix, attached.breaks(comparison.name)),
  )
}

function breakSections(comparison: ComparisonReport, level: Level, prefix: string, where: string): Section[] {
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
        note: shownNote(items.length, total, where),
      },
    ]
  }
  const gone = resolved.slice(0, level.rows)
  const sides = { left: comparison.left.name, right: comparison.right.name }
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
                  cell(visible(plainKind(kind, sides), 80)),
                  cell(firstSeen),
                  cell(visible(cause, 80), 'good'),
                ]),
                note: shownNote(gone.length, resolved.length, 'all in the attached summary'),
              },
            ],
    },
    { title: `${prefix}Acknowledged`, blocks: block(acknowledged, acknowledged.length) },
    trendSection(comparison, prefix),
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
      // Breaks whose keys are masked look alike: the commands take this.
      ...(line.key.some(({ value }) => value === MASKED) ? [`break ${line.identity.slice(0, 12)}`] : []),
      ...(hidden === 0 ? [] : [`${plural(hidden, 'more column')} in the attachment`]),
      ...(line.firstSeen === null ? [] : [`since ${line.firstSeen}`]),
      ...(line.owner === null ? [] : [`owner ${visible(line.owner, 60)}`]),
      ...(line.acknowledgement === undefined
        ? []
        : [`until ${line.acknowledgement.until}: ${visible(line.acknowledgement.reason, 120)}`]),
      ...(line.origin === null ? [] : [`${visible(line.origin.file, level.characters)}:${line.origin.line}`]),
      ...(line.explanation === null ? [] : [explanationText(line, level)]),
      ...(line.hint === '' ? [] : [visible(line.hint, 120)]),
    ],
  }
}

/** The cause, with where its record is unless that is where the row itself came from. */
function explanationText({ explanation, origin }: BreakLine, level: Level): string {
  const { text, file, line } = explanation!
  const said = visible(text, 200)
  if (file === null || (file === origin?.file && line === origin.line)) return said
  return `${said} (${visible(file, level.characters)}${line === null ? '' : `:${line}`})`
}

function valueTexts(value: BreakValue, kind: BreakKind, level: Level): BreakItem['values'][number] {
  const { left, right, delta, numeric, scale } = value
  const known = [left, right, delta].filter(text => text !== null)
  const decimals = Math.max(scale !== null && scale <= 2 ? scale : 0, decimalsFor('', known))
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
    case 'net_budget':
      return 'What tolerances let pass is more than its budget'
  }
}
