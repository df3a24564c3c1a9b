/**
 * A snapshot written while rows stream by: the run pushes each mapped block here on its way to the
 * load, and names at the end the units and records that were refused after all. finish.ts does the rest.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText, readSpool } from '../../lib/format/duckdb/sql.ts'
import { boundedRaw } from '../../lib/model/issue.ts'
import type { FilterCount, MappedRows } from '../../lib/model/mapping.ts'
import type { TotalRule, Value } from '../../lib/model/table.ts'
import type { SnapshotColumn } from './columns.ts'
import { finishSnapshot, type SnapshotPlace } from './finish.ts'
import type { Snapshot, SnapshotFacts } from './manifest.ts'
import type { AppliedScope } from './scope.ts'
import { openSpool, type Spool } from './spool.ts'

/** A record that could not be read into a row, but is counted and compared as unreadable. */
export interface UnreadableRecord {
  readonly line: number
  /** Code and message. */
  readonly issue: string
  readonly raw: string
}

/** What happens at the end. */
export interface FinishOptions {
  /** Instant at which the side was as shown, ISO. */
  readonly asOf: string
  readonly scope?: AppliedScope
  /** Units whose records were all refused, after they were pushed. */
  readonly excludeUnits?: readonly { readonly file: number; readonly unit: string }[]
  /** Records that were refused after they were pushed, by file and ordinal. */
  readonly excludeRecords?: readonly { readonly file: number; readonly ordinal: number }[]
  /** Records that the mapping left out on purpose, by reason. */
  readonly leftOut?: readonly FilterCount[]
}

/** A snapshot being written. Call `finish` or `discard` exactly once. */
export interface SnapshotWriter {
  /** Takes the rows of one block of one file. Await it: that is the backpressure. */
  push(file: number, rows: MappedRows): Promise<void>
  /** Takes records that have no row. */
  pushUnreadable(file: number, records: readonly UnreadableRecord[]): Promise<void>
  /** Stores it. Guarantee: fsynced, and a second store of the same rows changes nothing. */
  finish(options: FinishOptions): Promise<Snapshot>
  /** Removes what was written so far. */
  discard(): Promise<void>
}

/** Begins a snapshot of rows whose values stand in the order of `columns`. */
export async function openSnapshotWriter(
  place: SnapshotPlace,
  facts: SnapshotFacts,
  columns: readonly SnapshotColumn[],
  totals: Readonly<Record<string, TotalRule>> = {},
): Promise<SnapshotWriter> {
  await mkdir(place.workFolder, { recursive: true })
  const name = `snapshot-${randomUUID()}`
  const spool = await openSpool(path.join(place.workFolder, `${name}.csv`))
  const width = columns.length
  const discard = async (): Promise<void> => {
    await spool.close()
    for (const ending of ['csv', 'units.csv', 'records.csv', 'parquet', 'parquet.json']) {
      await rm(path.join(place.workFolder, `${name}.${ending}`), { force: true })
    }
  }
  return {
    push: async (file, { rows, lines, ordinals, units }) => {
      for (let i = 0; i < rows.length; i += 1) {
        spool.add(rows[i]!, [file, ordinals[i]!, lines[i]!, units[i]!, null, null])
      }
      await spool.drain()
    },
    pushUnreadable: async (file, records) => {
      const empty: Value[] = new Array<Value>(width).fill(null)
      for (const { line, issue, raw } of records) {
        spool.add(empty, [file, null, line, null, issue, boundedRaw(raw)])
      }
      await spool.drain()
    },
    finish: async options => {
      try {
        await spool.close()
        const gone = await spoolExclusions(place.workFolder, name, options)
        return await finishSnapshot(place, name, {
          facts: options.leftOut?.length ? { ...facts, leftOut: options.leftOut } : facts,
          asOf: options.asOf,
          columns,
          totals,
          scope: options.scope ?? { kind: 'all' },
          before: db => readExclusions(db, gone),
          select: selectOf(spool, columns, facts.files),
        })
      } finally {
        await discard()
      }
    },
    discard,
  }
}

/** SQL over the spool: stored columns, the origin with the file's name, without what was excluded. */
function selectOf(spool: Spool, columns: readonly SnapshotColumn[], files: readonly string[]): string {
  const physical = [...columns.map((_, index) => `c${index}`), 'f', 'ordinal', 'line', 'unit', 'issue', 'raw']
  const values = columns.map((column, index) => `c${index} as ${quoteName(column.stored)}`)
  const names = `([${files.map(quoteText).join(', ')}]::varchar[])`
  return (
    `select ${[...values, `${names}[f::int + 1] as _file`, 'line::bigint as _line', 'issue as _issue', 'raw as _raw'].join(', ')} ` +
    `from ${readSpool(spool.path, physical, spool.longestLine())} s ` +
    'where not exists (select 1 from excluded_units u where u.f = s.f and u.unit = s.unit) ' +
    'and not exists (select 1 from excluded_records r where r.f = s.f and r.ordinal = s.ordinal)'
  )
}

interface Exclusions {
  readonly units: Spool
  readonly records: Spool
}

async function spoolExclusions(folder: string, name: string, options: FinishOptions): Promise<Exclusions> {
  const units = await openSpool(path.join(folder, `${name}.units.csv`))
  const records = await openSpool(path.join(folder, `${name}.records.csv`))
  for (const { file, unit } of options.excludeUnits ?? []) units.add([file, unit])
  for (const { file, ordinal } of options.excludeRecords ?? []) records.add([file, ordinal])
  await units.close()
  await records.close()
  return { units, records }
}

async function readExclusions(db: DuckDb, { units, records }: Exclusions): Promise<void> {
  const table = (name: string, spool: Spool, column: string): Promise<void> =>
    db.run(`create temp table ${name} as from ${readSpool(spool.path, ['f', column], spool.longestLine())}`)
  await table('excluded_units', units, 'unit')
  await table('excluded_records', records, 'ordinal')
}
