/**
 * What is known of a snapshot besides its rows, kept as JSON beside the Parquet file. The rows are
 * addressed by content (store.ts); a manifest says whose they are, of when and out of which files.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ReconcileError } from '../../lib/model/errors.ts'
import type { FilterCount } from '../../lib/model/mapping.ts'
import type { SnapshotColumn } from './columns.ts'

/** Whose picture a snapshot is. */
export interface SnapshotFacts {
  readonly job: string
  readonly side: 'source' | 'target'
  /** The side in words: `mapped records`, `sales.order_line`, `eurofxref-hist.csv`. */
  readonly name: string
  readonly businessDate: string | null
  readonly mappingVersion: number | null
  /** Remote names by position in the revision. */
  readonly files: readonly string[]
  /** Records that the side's mapping leaves out on purpose, by reason. Absent: none. */
  readonly leftOut?: readonly FilterCount[]
}

/** A control total of a snapshot, exact text. */
export interface SnapshotTotal {
  readonly total: string
  /** Currency or other group; empty where not grouped. */
  readonly group: string
  readonly amount: string
}

/** The manifest. */
export interface SnapshotManifest extends SnapshotFacts {
  readonly schemaVersion: 1
  /** Instant at which the side was as shown, ISO. */
  readonly asOf: string
  /** `all`, `orderDate = 2026-11-20`, `keys of source`. */
  readonly scope: string
  /** Rows in scope, unreadable ones included. */
  readonly rows: number
  /** Rows left out by the scope. */
  readonly outOfScope: number
  /** Digest of the canonical rows, hex; independent of their order and of where they came from. */
  readonly digest: string
  /** Name of the Parquet file without its ending: the digest, and a part for the origins where there are any. */
  readonly address: string
  readonly columns: readonly SnapshotColumn[]
  readonly schemaHash: string
  readonly totals: readonly SnapshotTotal[]
  /** The Parquet file as it was written. Its bytes depend on the writer; equal rows have equal digests, not equal files. */
  readonly file: { readonly bytes: number; readonly sha256: string }
}

/** A stored snapshot. */
export interface Snapshot {
  readonly manifest: SnapshotManifest
  /** The Parquet file. */
  readonly path: string
  readonly manifestPath: string
}

/** A stored snapshot by the path of its manifest. @throws RECONCILE_SNAPSHOT_MISSING when it, or its rows, are not there. */
export async function readSnapshot(manifestPath: string): Promise<Snapshot> {
  try {
    const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as SnapshotManifest
    return {
      manifest,
      manifestPath,
      path: path.join(path.dirname(manifestPath), `${manifest.address}.parquet`),
    }
  } catch (cause) {
    throw snapshotMissing(manifestPath, cause)
  }
}

/** The error for a snapshot whose files are gone. */
export function snapshotMissing(file: string, cause?: unknown): ReconcileError {
  return new ReconcileError(
    'RECONCILE_SNAPSHOT_MISSING',
    `The snapshot ${path.basename(file)} can't be read, so this date can't be compared from what is stored. Rerun the date: it takes both sides afresh.`,
    { cause, details: { file } },
  )
}
