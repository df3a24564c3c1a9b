/**
 * Compares rows written in a test: writes a snapshot of each side and compares them, in a folder that
 * is removed when the test file ends. Real Parquet, real DuckDB.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { Comparison } from '../../lib/model/break.ts'
import type { CompareRule } from '../../lib/model/comparison-rules.ts'
import { type StepContext, silentLog } from '../../lib/model/progress.ts'
import type { TotalRule, Value } from '../../lib/model/table.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { type CompareOptions, compareSides } from '../../reconcile/compare/compare-sides.ts'
import { type ComparePlan, planColumns, type WholeRules } from '../../reconcile/compare/plan.ts'
import { snapshotColumns, type ValueKind } from '../../reconcile/snapshot/columns.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import { openSnapshotWriter } from '../../reconcile/snapshot/writer.ts'

/** A context that nobody watches. */
export const quietContext: StepContext = {
  clock: systemClock,
  log: silentLog,
  signal: new AbortController().signal,
  progress: () => {},
}

/** A folder of the calling test file. */
export function reconcileFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tallyman-reconcile-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What is compared: column kinds in order, the key, rules, and two sides. */
export interface Compared {
  readonly kinds: Readonly<Record<string, ValueKind>>
  readonly key: readonly string[]
  readonly rules?: Readonly<Record<string, CompareRule>>
  readonly ignore?: readonly string[]
  readonly totals?: Readonly<Record<string, TotalRule>>
  readonly whole?: Partial<WholeRules>
  readonly left: Iterable<readonly Value[]>
  readonly right: Iterable<readonly Value[]>
  readonly options?: Partial<CompareOptions>
}

/** The plan of a test's comparison. */
export function planFor({
  kinds,
  key,
  rules,
  ignore,
  totals,
  whole,
}: Omit<Compared, 'left' | 'right'>): ComparePlan {
  return planColumns({
    name: 'test.compared',
    key,
    all: Object.entries(kinds).map(([name, kind]) => ({ name, kind, rule: rules?.[name] ?? {} })),
    ignore: ignore ?? [],
    totals: totals ?? {},
    ...(whole === undefined
      ? {}
      : { whole: { controlTotals: {}, limits: {}, gates: {}, pending: null, ...whole } }),
  })
}

/** Writes rows as a snapshot. */
export async function snapshotOf(
  folder: string,
  side: 'source' | 'target',
  input: Pick<Compared, 'kinds' | 'totals'>,
  rows: Iterable<readonly Value[]>,
): Promise<Snapshot> {
  const columns = snapshotColumns(Object.entries(input.kinds).map(([name, kind]) => ({ name, kind })))
  const place = { folder: path.join(folder, 'snapshots'), workFolder: path.join(folder, 'work') }
  const facts = {
    job: 'test',
    side,
    name: side,
    businessDate: '2026-11-20',
    mappingVersion: 1,
    files: [`${side}.csv`],
  }
  const writer = await openSnapshotWriter(place, facts, columns, input.totals ?? {})
  let line = 0
  let block: Value[][] = []
  const push = async (): Promise<void> => {
    const lines = block.map((_, i) => line - block.length + i + 2)
    await writer.push(0, { rows: block, lines, ordinals: lines, units: lines.map(() => null) })
    block = []
  }
  for (const row of rows) {
    block.push([...row])
    line += 1
    if (block.length === 1000) await push()
  }
  await push()
  return writer.finish({ asOf: '2026-11-21T03:00:00.000Z' })
}

/** The comparison of two lists of rows, and the text of its breaks file (empty without breaks). */
export async function compared(
  folder: string,
  input: Compared,
): Promise<Comparison & { readonly csv: string }> {
  const left = await snapshotOf(folder, 'source', input, input.left)
  const right = await snapshotOf(folder, 'target', input, input.right)
  const options: CompareOptions = {
    run: null,
    workFolder: path.join(folder, 'work'),
    breaksFile: path.join(
      folder,
      `breaks-${left.manifest.digest.slice(0, 8)}-${right.manifest.digest.slice(0, 8)}.csv`,
    ),
    allowEmpty: true,
    ...input.options,
  }
  const comparison = await compareSides(left, right, planFor(input), options, quietContext)
  return {
    ...comparison,
    csv: comparison.breaksFile === null ? '' : readFileSync(comparison.breaksFile, 'utf8'),
  }
}

/** Counts without the kinds that did not occur. */
export function countsOf({ counts }: Comparison): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
