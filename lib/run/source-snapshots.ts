/**
 * Source snapshots of a run: written while the rows stream into the load, finished before its COMMIT,
 * found again by the names that the `load` row keeps.
 */
import path from 'node:path'
import { tableOf } from '../../reconcile/compare/plan.ts'
import { columnsOfTable } from '../../reconcile/snapshot/columns.ts'
import { readSnapshot, type Snapshot, type SnapshotFacts } from '../../reconcile/snapshot/manifest.ts'
import { openSnapshotWriter, type SnapshotWriter } from '../../reconcile/snapshot/writer.ts'
import type { RefusedRecords } from '../load/load-input.ts'
import type { JobDefinition } from '../model/job.ts'
import type { MappedBlock } from '../model/mapping.ts'
import type { TableDefinition } from '../model/table.ts'
import type { Engine } from './engine.ts'

/** Source snapshots by the mapping's table names. */
export type SourceSnapshots = ReadonlyMap<string, Snapshot>

/** Source snapshots being written. */
export interface SourceSnapshotWriters {
  push(block: MappedBlock): Promise<void>
  /** Finishes all of them, without the records that were refused in the end; gives what the `load` row keeps, null when there is none. */
  finish(
    refused: RefusedRecords,
    asOf: string,
  ): Promise<{ readonly snapshots: SourceSnapshots; readonly kept: string | null }>
  discard(): Promise<void>
}

/** The mapping's table names whose mapped records a comparison of the job needs. */
function comparedTables(job: JobDefinition): [string, TableDefinition][] {
  const needed = new Set(
    job.reconcile.comparisons
      .filter(({ source, target }) => source.kind === 'mapped' || target.kind === 'mapped')
      .map(comparison => tableOf(comparison, job.map)),
  )
  return Object.entries(job.map.tables as Readonly<Record<string, TableDefinition>>).filter(([, table]) =>
    needed.has(table),
  )
}

/** The source in words that an accountant knows: the file, or how many of which feed. */
function sourceName(job: JobDefinition, files: readonly string[]): string {
  const [only] = files
  return files.length === 1 ? only! : `${files.length} files of ${job.fetch.feed}`
}

function factsOf(job: JobDefinition, businessDate: string, files: readonly string[]): SnapshotFacts {
  return {
    job: job.name,
    side: 'source',
    name: sourceName(job, files),
    businessDate,
    mappingVersion: job.map.version,
    files,
  }
}

/** Begins the source snapshots of a run, none for a dry run (`job` null). `files` are remote names by position. */
export async function openSourceSnapshots(
  engine: Engine,
  job: JobDefinition | null,
  businessDate: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<SourceSnapshotWriters> {
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal }
  const writers = new Map<string, SnapshotWriter>()
  for (const [name, table] of job === null ? [] : comparedTables(job)) {
    const facts = factsOf(job!, businessDate, files)
    writers.set(name, await openSnapshotWriter(place, facts, columnsOfTable(table), table.totals))
  }
  return {
    push: async block => {
      for (const [name, writer] of writers) await writer.push(block.file, block.tables[name]!)
    },
    finish: async ({ units, records }, asOf) => {
      const snapshots = new Map<string, Snapshot>()
      const options = { asOf, excludeUnits: units, excludeRecords: records }
      for (const [name, writer] of writers) snapshots.set(name, await writer.finish(options))
      writers.clear()
      const kept = [...snapshots].map(([name, { manifestPath }]) => `${name}=${path.basename(manifestPath)}`)
      return { snapshots, kept: kept.length === 0 ? null : kept.join(' ') }
    },
    discard: async () => {
      for (const writer of writers.values()) await writer.discard()
    },
  }
}

/** The source snapshots that a `load` row keeps. @throws RECONCILE_SNAPSHOT_MISSING */
export async function readSourceSnapshots(engine: Engine, kept: string | null): Promise<SourceSnapshots> {
  const snapshots = new Map<string, Snapshot>()
  for (const entry of kept?.split(' ') ?? []) {
    const [name, manifest] = entry.split('=') as [string, string]
    snapshots.set(name, await readSnapshot(path.join(engine.folders.snapshots, manifest)))
  }
  return snapshots
}
