/**
 * What `compare --out DIR` leaves there: breaks.csv, breaks.parquet and summary.json, always all three. They are made
 * aside and renamed, the summary last; it holds the hashes of the others, so that whoever reads it knows they belong to it.
 */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Comparison } from '../../lib/model/break.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import { writeBreaksParquet } from '../../reconcile/breaks/breaks-parquet.ts'
import { breaksHead } from '../../reconcile/compare/breaks-file.ts'
import { publish, sha256Of } from '../../reconcile/snapshot/store.ts'
import { compareData } from './compare-report.ts'

/** Version of summary.json; raised when a field changes its meaning or goes. */
const SUMMARY_VERSION = 1

/** Where the files are made; what a killed process left there goes with the next one. */
const ASIDE = '.part'

/** Files on their way. */
export interface CompareOut {
  /** Where the comparison writes its breaks. */
  readonly breaksFile: string
  readonly sightingsFile: string
  /** Puts all three in their places; gives where the breaks are. */
  finish(comparison: Comparison, keys: readonly string[], signal: AbortSignal): Promise<string>
  /** Removes what was made aside. */
  discard(): Promise<void>
}

/** Prepares the folder. @throws CONFIG_USAGE when it can't be written. */
export async function openCompareOut(folder: string): Promise<CompareOut> {
  const aside = path.join(folder, ASIDE)
  try {
    await mkdir(folder, { recursive: true })
    await rm(aside, { recursive: true, force: true })
    await mkdir(aside)
  } catch (cause) {
    throw new ConfigError(
      'CONFIG_USAGE',
      `--out ${folder} can't be written: ${(cause as Error).message}. Nothing was compared.`,
      { cause },
    )
  }
  const inAside = (name: string): string => path.join(aside, name)
  const [csv, parquet, summary] = ['breaks.csv', 'breaks.parquet', 'summary.json'] as const
  return {
    breaksFile: inAside(csv),
    sightingsFile: inAside('sightings'),
    finish: async (comparison, keys, signal) => {
      if (comparison.breaksFile === null) await writeFile(inAside(csv), breaksHead(keys))
      if (comparison.outcome === 'INCONCLUSIVE') await writeFile(inAside('sightings'), '')
      await writeBreaksParquet(inAside('sightings'), keys, inAside(parquet), aside, signal)
      const files: Record<string, object> = {}
      for (const name of [csv, parquet]) {
        const { size } = await stat(inAside(name))
        files[name] = { bytes: size, sha256: await sha256Of(inAside(name)) }
      }
      const { breaksFile: _, ...data } = compareData(comparison, false)
      const text = JSON.stringify({ schemaVersion: SUMMARY_VERSION, ...data, files }, null, 2)
      await writeFile(inAside(summary), `${text}\n`)
      for (const name of [csv, parquet, summary]) await publish(inAside(name), path.join(folder, name))
      return path.join(folder, csv)
    },
    discard: () => rm(aside, { recursive: true, force: true }),
  }
}
