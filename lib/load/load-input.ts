/**
 * What a load into Postgres is given and what it gives. Who fills it: lib/run; who uses it:
 * load-into-postgres.ts and merge.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { Holding } from '../ledger/fence.ts'
import type { LoadRow } from '../ledger/load.ts'
import type { LoadBook } from '../ledger/load-book.ts'
import type { Revision } from '../ledger/revision.ts'
import type { MapError } from '../model/errors.ts'
import type { Reject } from '../model/issue.ts'
import type { PostgresLoad } from '../model/job.ts'
import type { FailedUnit, FilterCount, MappedBlock, RecordCounts } from '../model/mapping.ts'
import type { LoadResult, TotalResult } from '../model/run.ts'

/** What map says once all files were read: `MapTally.result()`. */
export interface MapSummary {
  /** Records of failed units count as rejected. */
  readonly counts: RecordCounts
  readonly filters: readonly FilterCount[]
  /** Rows by the mapping's table names, without those of failed units. */
  readonly rows: Readonly<Record<string, number>>
  readonly totals: readonly TotalResult[]
  readonly failedUnits: readonly FailedUnit[]
  /** Records rejected on their own. */
  readonly rejectedAlone: number
  /** Why nothing may be published. */
  readonly breach: MapError | null
}

/** What the caller says once `blocks` ended. */
export interface StreamEnd {
  readonly mapped: MapSummary
  /** What the files said about themselves; kept with the counts. */
  readonly warnings?: readonly string[]
}

/** A record of a file as staging knows it. */
export interface StagedRecord {
  readonly line: number
  readonly ordinal: number
}

/** The texts of some records of one file as received, by ordinal; makes a second pass over the file. */
export type RawOf = (file: number, records: readonly StagedRecord[]) => Promise<ReadonlyMap<number, string>>

/** Records that the load refused after they were mapped: all of some units, and single ones that have none. */
export interface RefusedRecords {
  readonly units: readonly { readonly file: number; readonly unit: string }[]
  readonly records: readonly { readonly file: number; readonly ordinal: number }[]
}

/** One load. */
export interface PostgresLoadInput {
  /** A session of the load's own. */
  readonly connection: Connection
  readonly lease: Holding
  /** Where it is written down, for a target in another Postgres. Absent: in the run ledger, over `connection`. */
  readonly book?: LoadBook
  readonly revision: Revision
  readonly spec: PostgresLoad
  readonly businessDate: string
  /** All files of the revision, one after the other. Not read when the load was done before. */
  readonly blocks: AsyncIterable<MappedBlock>
  /** Asked once `blocks` ended. */
  readonly afterStream: () => Promise<StreamEnd>
  /** The rejects of records that fall with their unit, from a second pass (`rejectFailedUnits`). */
  readonly unitRejects: (failed: readonly FailedUnit[]) => AsyncIterable<readonly Reject[]>
  readonly rawOf: RawOf
  /**
   * Finishes the picture of the mapped records without those that the load refused, and gives what the
   * `load` row keeps of it. Asked at most once, after the merge and before the COMMIT; never by a dry run.
   */
  readonly sourceSnapshot: (refused: RefusedRecords) => Promise<string | null>
  readonly mappingVersion: number | null
  /** Everything up to the counts, then back: nothing is written anywhere. */
  readonly dryRun: boolean
  /** Longest wait for one lock; LOCK_WAIT_MS where left out. */
  readonly lockWaitMs?: number
}

/** What became of a load. `done-before`: the gate found it done, published or refused. `planned`: a dry run. */
export type PostgresLoadOutcome =
  | { readonly kind: 'loaded' | 'planned'; readonly result: LoadResult; readonly withheldDeletes: number }
  | { readonly kind: 'done-before'; readonly load: LoadRow }
