/**
 * A snapshot of database rows: one COPY in one REPEATABLE READ transaction, with the instant at which
 * that picture was taken. Values become canonical text in the database, never in a driver.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { quoteName, quoteText, readSpool } from '../../lib/format/duckdb/sql.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import { qualifiedName, snakeCase, type TableDefinition, type TotalRule } from '../../lib/model/table.ts'
import { columnsOfTable, type SnapshotColumn, type ValueKind } from './columns.ts'
import { finishSnapshot, type SnapshotPlace } from './finish.ts'
import type { Snapshot, SnapshotFacts } from './manifest.ts'
import type { AppliedScope } from './scope.ts'
import { openSpool } from './spool.ts'

/** A session of a Postgres that is in no transaction (lib/db's Connection is one). */
export interface CopySession {
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
  ): Promise<{ readonly rows: Row[] }>
  transaction<T>(work: () => Promise<T>): Promise<T>
  copyOut(sql: string): AsyncIterable<Buffer>
}

/** Rows to be copied out: columns in order, each with the SQL name it has in `from`. */
export interface CopiedRows {
  readonly columns: readonly (SnapshotColumn & { readonly sqlName: string })[]
  readonly totals: Readonly<Record<string, TotalRule>>
  /** What stands after FROM. */
  readonly from: string
  readonly scope: AppliedScope
}

/** The rows of a declared table. */
export function rowsOfTable(table: TableDefinition, scope: AppliedScope): CopiedRows {
  return {
    columns: columnsOfTable(table).map(column => ({ ...column, sqlName: snakeCase(column.name) })),
    totals: table.totals,
    from: qualifiedName(table).split('.').map(quoteName).join('.'),
    scope,
  }
}

/** The rows of a query that gives the table's columns by their database names. */
export function rowsOfQuery(sql: string, table: TableDefinition, scope: AppliedScope): CopiedRows {
  return { ...rowsOfTable(table, scope), from: `(\n${sql}\n) as side` }
}

/** Takes the picture. `facts.name` says what of. Guarantee: all rows as of one instant, fsynced. */
export async function snapshotDatabase(
  place: SnapshotPlace,
  facts: SnapshotFacts,
  session: CopySession,
  rows: CopiedRows,
): Promise<Snapshot> {
  await mkdir(place.workFolder, { recursive: true })
  const name = `snapshot-${randomUUID()}`
  const spool = await openSpool(path.join(place.workFolder, `${name}.csv`))
  try {
    const asOf = await session.transaction(async () => {
      await session.query('set transaction isolation level repeatable read, read only')
      // The first statement fixes the picture, so its clock is the picture's. Styles: what ::text gives depends on them.
      await session.query("set local datestyle = 'ISO, YMD'")
      await session.query("set local timezone = 'UTC'")
      const { rows: clock } = await session.query<{ at: string }>(
        `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`,
      )
      for await (const bytes of session.copyOut(copySql(rows))) await spool.append(bytes)
      return clock[0]!.at
    })
    await spool.close()
    const physical = rows.columns.map((_, index) => `c${index}`)
    const values = rows.columns.map(({ stored }, index) => `c${index} as ${quoteName(stored)}`)
    const origin = [
      'null::varchar as _file',
      'null::bigint as _line',
      'null::varchar as _issue',
      'null::varchar as _raw',
    ]
    return await finishSnapshot(place, name, {
      facts,
      asOf,
      columns: rows.columns.map(({ name: column, kind, stored }) => ({ name: column, kind, stored })),
      totals: rows.totals,
      scope: rows.scope,
      select: `select ${[...values, ...origin].join(', ')} from ${readSpool(spool.path, physical, spool.longestLine())}`,
    })
  } finally {
    await spool.close()
    for (const ending of ['csv', 'parquet', 'parquet.json']) {
      await rm(path.join(place.workFolder, `${name}.${ending}`), { force: true })
    }
  }
}

/** The COPY that gives the rows in the spool's form. */
function copySql({ columns, from, scope }: CopiedRows): string {
  const values = columns.map(({ kind, sqlName }) => canonicalText(kind, quoteName(sqlName)))
  return `copy (select ${values.join(', ')} from ${from}${whereOf(columns, scope)}) to stdout (format csv, null '\\N', force_quote *, encoding 'UTF8')`
}

function whereOf(columns: CopiedRows['columns'], scope: AppliedScope): string {
  if (scope.kind !== 'businessDate') return ''
  const column = columns.find(({ name }) => name === scope.field)
  if (column === undefined) {
    throw new ConfigError(
      'CONFIG_SCOPE_INVALID',
      `A scope names ${scope.field}, which is no column of its side. Nothing was compared.`,
    )
  }
  return ` where ${quoteName(column.sqlName)} = ${quoteText(scope.businessDate)}`
}

/** Postgres SQL for a value's canonical text (lib/model/table.ts). */
function canonicalText(kind: ValueKind, value: string): string {
  switch (kind) {
    case 'decimal':
      // trim_scale also for a column declared with fewer places than it holds by now.
      return `trim_scale(${value}::numeric)::text`
    case 'timestamp': {
      const instant = `to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`
      return `rtrim(rtrim(${instant}, '0'), '.') || 'Z'`
    }
    case 'text':
    case 'integer':
    case 'date':
    case 'boolean':
      return `${value}::text`
  }
}
