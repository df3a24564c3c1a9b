/**
 * The engine's result in the oracle's form: one JSON list per line, breaks in their order, then counts,
 * rules, tolerances and proof. Hints of values are for display only and left out.
 */
import type { Break, Comparison } from '../../../lib/model/break.ts'
import { ROW_KINDS } from '../../../lib/model/break.ts'

/** Kinds whose hint says how many rows there were, or why a row can't be used. */
const TELLING = new Set<string>(['duplicate', 'unreadable', 'key_invalid'])

const LEFT_OVER = 'left over after equal duplicates were cancelled'

/** The lines of a comparison whose breaks are all in memory. */
export function canonicalLines(comparison: Comparison): string[] {
  const kinds = ROW_KINDS.filter(kind => (comparison.counts[kind] ?? 0) > 0)
  return [
    ...comparison.breaks.map(breakLine),
    ...[...kinds]
      .sort()
      .map(kind => [
        'kind',
        kind,
        comparison.rows.left[kind],
        comparison.rows.right[kind],
        comparison.counts[kind],
      ]),
    ...bytewise(comparison.rulesUsed.map(({ column, rule, count }) => ['rule', column, rule, count])),
    ...bytewise(
      (comparison.tolerated ?? []).map(({ column, group, count, net, gross }) => [
        'tolerated',
        column,
        group,
        count,
        net,
        gross,
      ]),
    ),
    ...bytewise(
      comparison.proof.map(({ total, group, left, right, difference, explained, unexplained }) => [
        'total',
        total,
        group,
        left,
        right,
        difference,
        Object.entries(explained).sort(([a], [b]) => (a < b ? -1 : 1)),
        unexplained,
      ]),
    ),
  ].map(line => JSON.stringify(line))
}

function breakLine(found: Break): unknown[] {
  const hint = TELLING.has(found.kind) || found.hint === LEFT_OVER ? found.hint : ''
  return [
    'break',
    found.kind,
    Object.values(found.key),
    found.columns.map(({ name, left, right, nature, delta }) => [name, left, right, nature, delta]),
    found.leftRows,
    found.rightRows,
    found.origin === null ? null : [found.origin.file, String(found.origin.line)],
    hint,
    found.identity,
  ]
}

/** By the bytes of the second and third field, as Postgres orders under "C". */
function bytewise(lines: readonly unknown[][]): unknown[][] {
  const bytes = (line: unknown[], index: number): Buffer => Buffer.from(String(line[index]))
  return lines.toSorted(
    (a, b) => Buffer.compare(bytes(a, 1), bytes(b, 1)) || Buffer.compare(bytes(a, 2), bytes(b, 2)),
  )
}
