/**
 * A Parquet file as a side. Its declared types are kept: numbers, dates and instants become the
 * canonical text of their type inside DuckDB.
 */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { openDuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import { ParseError } from '../../lib/model/errors.ts'
import { snakeCase, type TableDefinition } from '../../lib/model/table.ts'
import type { ComparedSide } from '../compare/gates.ts'
import { columnsOfTable, snapshotColumns, type ValueKind } from '../snapshot/columns.ts'
import { finishSnapshot, type SnapshotPlace } from '../snapshot/finish.ts'
import type { SnapshotFacts } from '../snapshot/manifest.ts'
import type { AppliedScope } from '../snapshot/scope.ts'
import { filtered, judgeCondition } from './condition.ts'
import type { OpenedSide, SidePlace } from './opened-side.ts'
import { conditionFailed } from './spooled-side.ts'

/** Opens a Parquet file. @throws PARSE_PARQUET_UNREADABLE */
export async function openParquetSide(place: SidePlace, file: string): Promise<OpenedSide> {
  const name = path.basename(file)
  const types = await describe(place, file, name)
  const asOf = (await stat(file)).mtime.toISOString()
  const from = `select *, ${quoteText(name)} as _file, null::bigint as _line, null::varchar as _issue, null::varchar as _raw from read_parquet(${quoteText(file)})`
  return {
    name,
    notes: [],
    columns: types.map(({ column, type }) => ({ name: column, kind: kindOf(type) })),
    take: async (side, taken) => {
      const kinds = taken.map(({ own }) => kindOf(types.find(({ column }) => column === own)!.type) ?? 'text')
      const columns = snapshotColumns(taken.map(({ name: column }, i) => ({ name: column, kind: kinds[i]! })))
      const picked = taken.map(
        ({ own }, i) => `${canonicalText(kinds[i]!, quoteName(own))} as ${quoteName(columns[i]!.stored)}`,
      )
      try {
        return await finishSnapshot(place, `side-${randomUUID()}`, {
          facts: { job: 'compare', side, name, businessDate: null, mappingVersion: null, files: [name] },
          asOf,
          columns,
          totals: {},
          scope: { kind: 'all' },
          readable: [file],
          before: db => judgeCondition(db, from, place.where, name),
          select: `select ${[...picked, '_file', '_line', '_issue', '_raw'].join(', ')} from (${filtered(from, place.where)})`,
        })
      } catch (error) {
        throw conditionFailed(error, place.where, name)
      }
    },
    close: async () => {},
  }
}

/** What a job says of a Parquet side. */
export interface ParquetRows {
  readonly table: TableDefinition
  /** Columns by field, where they are not the field's database name. */
  readonly columns: Readonly<Record<string, string>>
  readonly asOf: string
  readonly scope: AppliedScope
}

/**
 * The picture of received Parquet files with the table's columns; a column that a file lacks is missing in the
 * picture, which the schema gate tells. Absent when a file is no Parquet.
 */
export async function snapshotParquet(
  place: SnapshotPlace,
  facts: SnapshotFacts,
  files: readonly { readonly row: { readonly remoteName: string }; readonly path: string }[],
  { table, columns: named, asOf, scope }: ParquetRows,
  feed: string,
): Promise<ComparedSide> {
  try {
    const described = await Promise.all(
      files.map(async ({ row, path: file }) => ({
        file,
        name: row.remoteName,
        types: await describe(place, file, row.remoteName),
      })),
    )
    const own = (field: string): string => named[field] ?? snakeCase(field)
    const columns = columnsOfTable(table).filter(({ name }) =>
      described.every(({ types }) => types.some(({ column }) => column === own(name))),
    )
    const selects = described.map(({ file, name, types }) => {
      const picked = columns.map(({ name: field, stored }) => {
        const { type } = types.find(({ column }) => column === own(field))!
        return `${canonicalText(kindOf(type) ?? 'text', quoteName(own(field)))} as ${quoteName(stored)}`
      })
      const origin = `${quoteText(name)} as _file, null::bigint as _line, null::varchar as _issue, null::varchar as _raw`
      return `select ${[...picked, origin].join(', ')} from read_parquet(${quoteText(file)})`
    })
    return await finishSnapshot(place, `side-${randomUUID()}`, {
      facts,
      asOf,
      columns,
      totals: table.totals,
      scope,
      readable: files.map(({ path: file }) => file),
      select: selects.join(' union all '),
    })
  } catch (error) {
    if (error instanceof ParseError) return { name: feed, absent: error.message }
    throw error
  }
}

async function describe(
  place: SnapshotPlace,
  file: string,
  name: string,
): Promise<{ column: string; type: string }[]> {
  const db = await openDuckDb({
    spillFolder: path.join(place.workFolder, `${randomUUID()}.spill`),
    folders: [],
    files: [file],
  })
  try {
    const rows = await db.rows(`describe from read_parquet(${quoteText(file)})`)
    return rows.map(([column, type]) => ({ column: String(column), type: String(type) }))
  } catch (cause) {
    throw new ParseError(
      'PARSE_PARQUET_UNREADABLE',
      `${name} can't be read as a Parquet file. Nothing was compared.`,
      { cause },
    )
  } finally {
    await db.close()
  }
}

function kindOf(type: string): ValueKind | null {
  if (/^DECIMAL/.test(type)) return 'decimal'
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'integer'
  if (type === 'DATE') return 'date'
  if (/^TIMESTAMP/.test(type)) return 'timestamp'
  return type === 'BOOLEAN' ? 'boolean' : null
}

function canonicalText(kind: ValueKind, value: string): string {
  if (kind === 'decimal') return `canonical_decimal(${value}::varchar)`
  if (kind !== 'timestamp') return `${value}::varchar`
  // Timestamps of Parquet without a zone are taken as UTC.
  return `rtrim(rtrim(strftime(${value}::timestamp, '%Y-%m-%dT%H:%M:%S.%f'), '0'), '.') || 'Z'`
}
