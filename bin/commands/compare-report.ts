/**
 * What `tallyman compare` prints: the outcome first, then counts, proof and the first breaks for a
 * person; one JSON object for programs.
 */
import { type Break, type Comparison, ROW_KINDS } from '../../lib/model/break.ts'
import { type Terminal, table } from '../terminal.ts'

/** Breaks that a person is shown; more are in the file of --out. */
const SHOWN = 20

/** Longest value shown to a person. */
const WIDEST = 40

const OUTCOMES = {
  CLEAN: ['good', 'CLEAN', 'both sides are equal'],
  BREAKS: ['bad', 'BREAKS', 'the sides differ'],
  INCONCLUSIVE: ['warn', 'INCONCLUSIVE', 'nothing was proved'],
} as const

/** The comparison for programs; `breaks` false leaves the list out, for the summary beside breaks.csv. */
export function compareData(comparison: Comparison, breaks: boolean): Record<string, unknown> {
  const { left, right, rows } = comparison
  return {
    outcome: comparison.outcome,
    severity: comparison.severity,
    verdicts: comparison.verdicts ?? [],
    patterns: comparison.patterns ?? null,
    rows: { left: left.rows, right: right.rows },
    counts: comparison.counts,
    rowsByKind: rows,
    totals: comparison.proof,
    gates: comparison.gates,
    rulesUsed: comparison.rulesUsed,
    tolerated: comparison.tolerated ?? [],
    sides: { left, right },
    breaksTotal: comparison.breaksTotal,
    breaksFile: comparison.breaksFile,
    ...(breaks ? { breaks: comparison.breaks } : {}),
  }
}

/** The comparison for a person. */
export function compareText(
  comparison: Comparison,
  terminal: Pick<Terminal, 'paintOut' | 'columns'>,
): string {
  const { left, right } = comparison
  const [style, word, meaning] = OUTCOMES[comparison.outcome]
  const failed = comparison.gates.filter(({ state }) => state === 'failed')
  const total = comparison.breaksTotal
  const parts = [
    `${terminal.paintOut(style, word)}  ${meaning}${total === 0 ? '' : `: ${total} break${total === 1 ? '' : 's'}`}\n`,
    ...failed.map(({ name, message }) => `  ${name}: ${message}\n`),
    `\n${table(
      ['side', 'rows', 'as of', 'what'],
      [
        ['left (source)', String(left.rows), left.asOf, left.name],
        ['right (target)', String(right.rows), right.asOf, right.name],
      ],
    )}`,
    countsText(comparison),
    rulesText(comparison),
    proofText(comparison),
    breaksText(comparison, terminal.columns),
  ]
  return parts.filter(part => part !== '').join('')
}

function countsText({ counts, rows }: Comparison): string {
  const used = ROW_KINDS.filter(kind => rows.left[kind] > 0 || rows.right[kind] > 0)
  if (used.length === 0) return ''
  const lines = used.map(kind => [
    kind,
    String(counts[kind] ?? 0),
    String(rows.left[kind]),
    String(rows.right[kind]),
  ])
  return `\n${table(['kind', 'keys', 'rows left', 'rows right'], lines)}`
}

function rulesText({ rulesUsed, tolerated }: Comparison): string {
  if (rulesUsed.length === 0) return ''
  const lines = rulesUsed.map(({ rule, column, count }) => {
    const sums =
      rule.startsWith('within') || rule.startsWith('relative')
        ? tolerated?.find(sum => sum.column === column)
        : undefined
    return [column, rule, String(count), sums === undefined ? '' : sums.net]
  })
  return `\n${table(['equal through', 'rule', 'times', 'net'], lines)}`
}

function proofText({ proof }: Comparison): string {
  if (proof.length === 0) return ''
  const lines = proof.map(line => [
    `${line.total} ${line.group}`.trim(),
    line.left,
    line.right,
    line.difference,
    line.unexplained,
  ])
  return `\n${table(['total', 'left', 'right', 'difference', 'unexplained'], lines)}`
}

function breaksText({ breaks, breaksTotal, breaksFile }: Comparison, columns: number | null): string {
  if (breaksTotal === 0) return ''
  const lines = breaks.slice(0, SHOWN).flatMap(linesOf)
  const rest =
    breaksTotal <= SHOWN
      ? ''
      : `\n${SHOWN} of ${breaksTotal} shown; ${breaksFile === null ? 'all of them with --out DIR or --json' : `all of them in ${breaksFile}`}\n`
  const where = breaksFile !== null && breaksTotal <= SHOWN ? `\nwritten to ${breaksFile}\n` : ''
  return `\n${filledTable(['kind', 'key', 'column', 'left', 'right', 'delta', 'where', 'hint'], lines, columns)}${rest}${where}`
}

/** A table without the columns that are empty throughout. */
function filledTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | null,
): string {
  const filled = head.map((_, i) => rows.some(row => row[i] !== ''))
  const kept = (cells: readonly string[]): string[] => cells.filter((_, i) => filled[i])
  return table(kept(head), rows.map(kept), columns)
}

/** One line per differing column; a one-sided row takes one line. */
function linesOf(found: Break): string[][] {
  const key = Object.values(found.key).map(shown).join(' | ')
  const where = found.origin === null ? '' : `${found.origin.file}:${found.origin.line}`
  if (found.kind !== 'value_mismatch') {
    return [[found.kind, key, '', rowsText(found.leftRows), rowsText(found.rightRows), '', where, found.hint]]
  }
  return found.columns.map((column, index) =>
    index === 0
      ? [
          found.kind,
          key,
          column.name,
          shown(column.left),
          shown(column.right),
          column.delta ?? '',
          where,
          found.hint,
        ]
      : ['', '', column.name, shown(column.left), shown(column.right), column.delta ?? '', '', ''],
  )
}

function rowsText(rows: number): string {
  return rows === 0 ? '' : `${rows} row${rows === 1 ? '' : 's'}`
}

/** Control, format and separator characters, and the no-break space: what can't be seen, or moves the cursor. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0]/gu

/** A value so that null, blanks and unseen characters can be told, and no control character reaches the terminal. */
function shown(value: string | null): string {
  if (value === null) return '(null)'
  const safe = value.replace(UNSEEN, one => `\\u${one.codePointAt(0)!.toString(16).padStart(4, '0')}`)
  const text = value === '' || value !== value.trim() ? `"${safe}"` : safe
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text
}
