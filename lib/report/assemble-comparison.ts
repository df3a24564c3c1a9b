/**
 * One comparison as the report tells it: states of its breaks against the nights before, the
 * amounts at risk, the order of the breaks, and what many of them have in common. Pure.
 */
import { type Break, type Comparison, ROW_KINDS, type RowKind } from '../model/break.ts'
import {
  absolute,
  compareDecimals,
  type Decimal,
  decimal,
  parseDecimal,
  toText,
  ZERO,
} from '../model/decimal.ts'
import { judgementReport } from './assemble-judgement.ts'
import type { BreakHistory } from './break-history.ts'
import { sumOf } from './figures.ts'
import type { ColumnFacts } from './mask.ts'
import type { AgeBand, BreakLine, Changes, ComparisonReport } from './night-report.ts'
import { plainGate, plainSide } from './plain-words.ts'

/** Explained, and no risk: in time they come, or rules say they are equal. */
const NO_RISK: readonly string[] = ['pending', 'within_tolerance', 'equal_after_rules', 'identical']

/** Set-level kinds come first: they concern all rows. */
const SET_LEVEL: readonly string[] = ['control_total', 'net_budget']

/** The comparison, masked. Without history every break is new. */
export function comparisonReport(
  result: Comparison,
  history: BreakHistory | null,
  columns: ColumnFacts,
): ComparisonReport {
  const lines = inReportOrder(result.breaks.map(found => breakLine(found, history, columns)))
  const breaks = lines.filter(({ state }) => state !== 'acknowledged')
  const ages = breaks.map(({ businessDays }) => businessDays)
  const [left, right] = [plainSide(result.left), plainSide(result.right)]
  return {
    name: result.reconciliation,
    outcome: result.outcome,
    left,
    right,
    gates: result.gates.map(gate => plainGate(gate, { left: left.name, right: right.name })),
    rows: rowsByKind(result),
    proof: result.proof.toSorted((a, b) => agreement(a) - agreement(b)),
    atRisk: atRisk(result, columns),
    changes: changesOf(result, lines, history),
    oldest: breaks.some(({ state }) => state !== 'new') ? Math.max(...ages) : null,
    breaks,
    acknowledged: lines.filter(({ state }) => state === 'acknowledged'),
    breaksTotal: result.breaksTotal,
    breaksFile: result.breaksFile,
    trend: history?.trend ?? [],
    ages: lines.length < result.breaksTotal ? [] : agesOf(breaks),
    resolved: (history?.resolved ?? []).map(({ kind, key, firstSeen, cause }) => ({
      kind,
      firstSeen,
      cause,
      key: keyOf(key, columns),
    })),
    ...judgementReport(result, { left: left.name, right: right.name }, columns),
    rulesUsed: result.rulesUsed,
  }
}

/** Where one age ends: since tonight, within a week, a month, a quarter of business days. */
const AGES = [0, 5, 20, 60, null] as const

function agesOf(breaks: readonly BreakLine[]): AgeBand[] {
  if (breaks.length === 0) return []
  const bands = AGES.map((to, index) => ({ from: index === 0 ? 0 : AGES[index - 1]! + 1, to }))
  return bands.map(({ from, to }) => ({
    ...{ from, to },
    count: breaks.filter(({ businessDays: age }) => age >= from && (to === null || age <= to)).length,
  }))
}

function rowsByKind({ rows }: Comparison): ComparisonReport['rows'] {
  const byKind = ROW_KINDS.map(kind => [kind, { left: rows.left[kind], right: rows.right[kind] }])
  return Object.fromEntries(byKind) as Record<RowKind, { left: number; right: number }>
}

function keyOf(key: Break['key'], columns: ColumnFacts): BreakLine['key'] {
  return Object.entries(key).map(([name, value]) => ({ name, value: columns.shown(name, value) }))
}

function breakLine(found: Break, history: BreakHistory | null, columns: ColumnFacts): BreakLine {
  const known = history?.open.get(found.identity)
  return {
    identity: found.identity,
    state: known?.state ?? 'new',
    kind: found.kind,
    key: keyOf(found.key, columns),
    columns: found.columns.map(({ name, left, right, delta, nature }) => ({
      name,
      left: columns.shown(name, left),
      right: columns.shown(name, right),
      delta: columns.shown(name, delta),
      nature,
      numeric: columns.isNumeric(name) || delta !== null,
      scale: columns.scaleOf(name),
    })),
    leftRows: found.leftRows,
    rightRows: found.rightRows,
    origin: found.origin,
    hint: found.hint,
    firstSeen: known?.firstSeen ?? null,
    businessDays: known?.businessDays ?? 0,
    owner: known?.owner ?? null,
    explanation: found.explanation ?? null,
    ...(known?.acknowledgement === undefined ? {} : { acknowledgement: known.acknowledgement }),
  }
}

/** Set-level kinds, then new, then oldest, then largest; ties keep the order of the comparison. */
function inReportOrder(lines: readonly BreakLine[]): BreakLine[] {
  const rank = ({ kind, state }: BreakLine) => (SET_LEVEL.includes(kind) ? 0 : state === 'new' ? 1 : 2)
  return lines
    .map(line => ({ line, rank: rank(line), size: sizeOf(line) }))
    .sort(
      (a, b) =>
        a.rank - b.rank || b.line.businessDays - a.line.businessDays || compareDecimals(b.size, a.size),
    )
    .map(({ line }) => line)
}

/** The largest amount a break is about: its difference, or the whole value of a row on one side only. */
function sizeOf({ columns }: BreakLine): Decimal {
  let largest = ZERO
  for (const { delta, left, right, numeric, nature } of columns) {
    if (!numeric || nature !== 'amount') continue
    const value = parseDecimal(delta ?? left ?? right ?? '')
    if (value !== null && compareDecimals(absolute(value), largest) > 0) largest = absolute(value)
  }
  return largest
}

/** Lines that need explaining come first; otherwise the order stays. */
function agreement({ difference, explained, unexplained }: Comparison['proof'][number]): number {
  const amounts = [difference, unexplained, ...Object.values(explained)]
  return amounts.every(amount => amount === '0') ? 1 : 0
}

function atRisk(result: Comparison, columns: ColumnFacts): ComparisonReport['atRisk'] {
  const first = result.proof.find(({ total }) => columns.isMoney(total))
  return result.proof
    .filter(({ total }) => total === first?.total)
    .map(({ group, explained, unexplained }) => {
      const parts = Object.entries(explained).filter(([kind]) => !NO_RISK.includes(kind))
      const amounts = [...parts.map(([, amount]) => amount), unexplained]
      return {
        total: first!.total,
        group,
        amount: toText(sumOf(amounts.map(text => toText(absolute(decimal(text)))))),
      }
    })
    .filter(({ amount }) => amount !== '0')
}

function changesOf(result: Comparison, lines: readonly BreakLine[], history: BreakHistory | null): Changes {
  const pending = result.counts.pending ?? 0
  if (history?.counts !== undefined) {
    const { persisting, changed, reopened, acknowledged, resolved } = history.counts
    return { new: history.counts.new, persisting, changed, reopened, acknowledged, resolved, pending }
  }
  const of = (state: BreakLine['state']) => lines.filter(line => line.state === state).length
  const known = {
    persisting: of('persisting'),
    changed: of('changed'),
    reopened: of('reopened'),
    acknowledged: of('acknowledged'),
  }
  return {
    ...known,
    // What is beyond the breaks in memory is counted as new: a break is never left out of the sum.
    new: result.breaksTotal - known.persisting - known.changed - known.reopened - known.acknowledged,
    resolved: history?.resolved.length ?? 0,
    pending,
  }
}
