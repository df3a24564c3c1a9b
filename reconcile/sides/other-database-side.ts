/**
 * A query of another database as a side: its rows in one picture, as canonical text. How such a database is
 * read is lib/db/other; a Postgres is copied out by snapshot/target.ts.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { quoteName, readSpool } from '../../lib/format/duckdb/sql.ts'
import { snakeCase, type TableDefinition } from '../../lib/model/table.ts'
import { columnsOfTable } from '../snapshot/columns.ts'
import { finishSnapshot, type SnapshotPlace } from '../snapshot/finish.ts'
import type { Snapshot, SnapshotFacts } from '../snapshot/manifest.ts'
import type { AppliedScope } from '../snapshot/scope.ts'
import { openSpool } from '../snapshot/spool.ts'
import { cellReader, type DriverCell } from './canonical-cell.ts'

/** A session that holds one picture (lib/db/other's OtherSession is one). */
export interface PictureSession {
  readonly asOf: string
  rows(read: {
    readonly columns: readonly { readonly sqlName: string; readonly kind: string }[]
    readonly from: string
    readonly onDate: { readonly sqlName: string; readonly date: string } | null
  }): AsyncIterable<readonly (readonly DriverCell[])[]>
}

/** What is read of it. */
export interface OtherQuery {
  readonly sql: string
  readonly table: TableDefinition
  /** IANA zone of times without an offset. */
  readonly zone: string
  readonly scope: AppliedScope
}

const NO_ORIGIN = ['_file', '_line', '_issue', '_raw']
const ORIGIN_TYPES = ['varchar', 'bigint', 'varchar', 'varchar']

/** Takes the picture. Guarantee: all rows as of one instant where the database can give that, fsynced. Cost: memory does not grow with the rows. */
export async function snapshotOtherDatabase(
  place: SnapshotPlace,
  facts: SnapshotFacts,
  session: PictureSession,
  { sql, table, zone, scope }: OtherQuery,
): Promise<Snapshot> {
  await mkdir(place.workFolder, { recursive: true })
  const columns = columnsOfTable(table)
  const name = `snapshot-${randomUUID()}`
  const spool = await openSpool(path.join(place.workFolder, `${name}.csv`))
  try {
    const readers = columns.map(({ kind }) => cellReader(kind, zone))
    const read = {
      columns: columns.map(column => ({ sqlName: snakeCase(column.name), kind: column.kind })),
      from: sql,
      onDate:
        scope.kind === 'businessDate' ? { sqlName: snakeCase(scope.field), date: scope.businessDate } : null,
    }
    for await (const block of session.rows(read)) {
      for (const row of block) spool.add(row.map((cell, index) => readers[index]!(cell)))
      await spool.drain()
    }
    await spool.close()
    const physical = columns.map((_, index) => `c${index}`)
    const values = columns.map(({ stored }, index) => `c${index} as ${quoteName(stored)}`)
    const origin = NO_ORIGIN.map((column, index) => `null::${ORIGIN_TYPES[index]} as ${column}`)
    return await finishSnapshot(place, name, {
      facts,
      asOf: session.asOf,
      columns,
      totals: table.totals,
      scope,
      select: `select ${[...values, ...origin].join(', ')} from ${readSpool(spool.path, physical, spool.longestLine())}`,
    })
  } finally {
    await spool.close()
    for (const ending of ['csv', 'parquet', 'parquet.json'])
      await rm(path.join(place.workFolder, `${name}.${ending}`), { force: true })
  }
}
