/**
 * What a benchmark found, as a line for people and as a message for all.ts, which puts the lines of
 * all benchmarks into one table. Every figure is a ratio to something that is named beside it: a
 * limit measured in the same run, or a bound of docs/performance.md.
 */
import type { Measured } from './interleave.ts'

/** One row of the table. */
export interface Figure {
  readonly path: string
  readonly ours: number
  readonly unit: 's' | 'ms' | 'MB' | 'us a row'
  /** What `ours` is held against, in the same unit. */
  readonly limit: number
  /** What the limit is. */
  readonly beside: string
  /** `ours / limit` is to be no more than this. */
  readonly reach: number
}

/** Resident memory that no path may pass. */
const MEMORY_MB = 300

/** Whether a figure is met. */
export function isMet({ ours, limit, reach }: Figure): boolean {
  return ours / limit <= reach
}

/** The cells of a figure: path, ours, limit, ratio, reach, met. */
export function cells(figure: Figure): readonly string[] {
  const { path, ours, unit, limit, beside, reach } = figure
  const places = unit === 's' || unit === 'us a row' ? 2 : 0
  return [
    path,
    `${ours.toFixed(places)} ${unit}`,
    `${limit.toFixed(places)} ${unit}, ${beside}`,
    (ours / limit).toFixed(2),
    reach.toFixed(2),
    isMet(figure) ? 'met' : 'MISSED',
  ]
}

/** Prints a figure and gives it to all.ts, where that started this process. */
export function tellFigure(figure: Figure): void {
  const [path, ours, limit, ratio, reach, met] = cells(figure)
  process.stdout.write(`${path}: ${ours} against ${limit}: ${ratio}, to reach ${reach}: ${met}\n`)
  process.send?.(figure)
}

/** Tells the time of a contender against the one that is its limit, and the memory that it took. */
export function tellAgainst(path: string, [limit, ours]: readonly Measured[], reach: number): void {
  tellFigure({
    path,
    ours: ours!.medianMs / 1000,
    unit: 's',
    limit: limit!.medianMs / 1000,
    beside: limit!.name,
    reach,
  })
  tellMemory(path, ours!.peakMb)
}

/** Tells the largest resident set against the bound that holds for every path. */
export function tellMemory(path: string, peakMb: number): void {
  tellFigure({
    path: `${path}: memory`,
    ours: peakMb,
    unit: 'MB',
    limit: MEMORY_MB,
    beside: 'the bound',
    reach: 1,
  })
}
