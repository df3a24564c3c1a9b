/**
 * A stored snapshot as a side: its rows again, limited to a scope. Which snapshot that is says the run
 * ledger (lib/run/take-stored.ts).
 */
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import type { TotalRule } from '../../lib/model/table.ts'
import { ORIGIN_COLUMNS } from '../snapshot/columns.ts'
import { finishSnapshot, type SnapshotPlace } from '../snapshot/finish.ts'
import type { Snapshot, SnapshotFacts } from '../snapshot/manifest.ts'
import type { AppliedScope } from '../snapshot/scope.ts'

/** The rows of a stored snapshot that are in scope, as a snapshot of their own. Its as-of is that of the stored one. */
export function snapshotStored(
  place: SnapshotPlace,
  { manifest, path }: Snapshot,
  wanted: {
    /** Of the files in the work folder. */
    readonly name: string
    readonly facts: SnapshotFacts
    readonly totals: Readonly<Record<string, TotalRule>>
    readonly scope: AppliedScope
  },
): Promise<Snapshot> {
  const { job, side, name, businessDate, mappingVersion, files } = wanted.facts
  const columns = [...manifest.columns.map(({ stored }) => quoteName(stored)), ...ORIGIN_COLUMNS]
  return finishSnapshot(place, wanted.name, {
    facts: { job, side, name, businessDate, mappingVersion, files },
    asOf: manifest.asOf,
    columns: manifest.columns,
    totals: wanted.totals,
    scope: wanted.scope,
    readable: [path],
    select: `select ${columns.join(', ')} from read_parquet(${quoteText(path)})`,
  })
}
