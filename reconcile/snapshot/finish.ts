/**
 * From a spool to a stored snapshot: Parquet, digest, control totals, manifest. Used by writer.ts for
 * rows that stream through this process and by target.ts for rows that a database sends.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { DuckDb, DuckDbLimits } from '../../lib/format/duckdb/session.ts'
import { openDuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import type { TotalRule } from '../../lib/model/table.ts'
import { MACROS, normalised } from '../compare/normalise.ts'
import { type SnapshotColumn, schemaHash } from './columns.ts'
import { digestRows } from './digest.ts'
import type { Snapshot, SnapshotFacts } from './manifest.ts'
import { type AppliedScope, describeScope, SCOPED, scopeCondition } from './scope.ts'
import { storeSnapshot } from './store.ts'
import { sumTotals, totalExpressions } from './totals.ts'

/** Where and how snapshots are made. */
export interface SnapshotPlace {
  /** Where it is kept. */
  readonly folder: string
  /** For the spool and what spills; on the same file system as `folder`. */
  readonly workFolder: string
  readonly limits?: DuckDbLimits
  readonly signal?: AbortSignal
}

/** What a snapshot is made of. */
export interface SnapshotRows {
  readonly facts: SnapshotFacts
  readonly asOf: string
  readonly columns: readonly SnapshotColumn[]
  readonly totals: Readonly<Record<string, TotalRule>>
  readonly scope: AppliedScope
  /** SQL that gives the stored columns and the origin columns, before the scope. */
  readonly select: string
  /** Files outside of the place that `select` reads. */
  readonly readable?: readonly string[]
  /** Statements to be run before it. */
  readonly before?: (db: DuckDb) => Promise<void>
}

/** Writes the rows as Parquet and stores them. Guarantee: everything is on disk (fsynced) when it returns. */
export async function finishSnapshot(
  place: SnapshotPlace,
  name: string,
  input: SnapshotRows,
): Promise<Snapshot> {
  const { columns, scope, facts } = input
  await mkdir(place.folder, { recursive: true })
  const other = scope.kind === 'keysOfOther' ? [scope.other.path] : []
  const db = await openDuckDb({
    spillFolder: path.join(place.workFolder, `${name}.spill`),
    folders: [place.folder, place.workFolder],
    files: [...other, ...(input.readable ?? [])],
    ...(place.limits === undefined ? {} : { limits: place.limits }),
    ...(place.signal === undefined ? {} : { signal: place.signal }),
  })
  try {
    for (const macro of MACROS) await db.run(macro)
    await input.before?.(db)
    const written = path.join(place.workFolder, `${name}.parquet`)
    await db.run(
      `copy (select * from (${input.select}) ${SCOPED} where ${scopeCondition(scope, columns)}) to ${quoteText(written)} (format parquet, compression zstd, compression_level 1)`,
    )
    const from = `read_parquet(${quoteText(written)})`
    const { rows, digest, address } = await digestRows(db, from, columns)
    const totals = await sumTotals(
      db,
      `(select * from ${from} where _issue is null)`,
      Object.entries(input.totals).map(([total, rule]) => totalExpressions(total, rule, readable(columns))),
    )
    const [[before]] =
      scope.kind === 'all'
        ? [[rows]]
        : ((await db.rows(`select count(*) from (${input.select})`)) as [[number]])
    const manifest = {
      schemaVersion: 1 as const,
      ...facts,
      asOf: input.asOf,
      scope: describeScope(scope),
      rows,
      outOfScope: Number(before) - rows,
      digest,
      address,
      columns,
      schemaHash: schemaHash(columns),
      totals,
    }
    return await storeSnapshot(place.folder, written, manifest)
  } finally {
    await db.close()
  }
}

/** SQL of a column's canonical text; null where it is not what its type promises, such as NaN. */
function readable(columns: readonly SnapshotColumn[]): (field: string) => string {
  return field => {
    const column = columns.find(({ name }) => name === field)!
    const value = quoteName(column.stored)
    const text = normalised({ name: field, kind: column.kind, rule: {} }, value)
    return column.kind === 'decimal' || column.kind === 'integer'
      ? `case when regexp_full_match(${value}, '[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)') then ${text} end`
      : text
  }
}
