/**
 * The digest of a snapshot's rows: their number and the sum of a 128-bit hash of each, under the
 * hash of the schema. A sum does not depend on the order and, unlike XOR, sees a row that comes twice.
 */
import { createHash } from 'node:crypto'
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import { ReconcileError } from '../../lib/model/errors.ts'
import { rowJson } from '../compare/normalise.ts'
import { type SnapshotColumn, schemaHash } from './columns.ts'

/** What addresses a snapshot. */
export interface RowsDigest {
  readonly rows: number
  /** Of the values alone. */
  readonly digest: string
  /** The digest, followed by one of the origins where rows have any. */
  readonly address: string
}

/** The digest of the rows of `from`. Cost: one pass; 2 M rows of 12 columns a second and thread, about. */
export async function digestRows(
  db: DuckDb,
  from: string,
  columns: readonly SnapshotColumn[],
): Promise<RowsDigest> {
  const values = rowJson([...columns.map(column => quoteName(column.stored)), '_issue', '_raw'])
  const origin = rowJson([...halves('h').map(half => `${half}::varchar`), '_file', '_line::varchar'])
  const [row] = await db.rows(
    `select count(*), ${sumOf('h')}, count(_line), ${sumOf('o')}
     from (select _line, h, case when _line is null then null else md5_number(${origin}) end as o
           from (select _file, _line, md5_number(${values}) as h from ${from}))`,
  )
  const [rows, sum, withOrigin, originSum] = row!.map(String)
  const schema = schemaHash(columns)
  const digest = sha256('snapshot-2', schema, rows!, sum!)
  const address =
    withOrigin === '0' ? digest : `${digest}-${sha256('origins-2', withOrigin!, originSum!).slice(0, 16)}`
  return { rows: Number(rows), digest, address }
}

/** Whether a Parquet file can be read and has the rows of this address. Cost: as digestRows. */
export async function hasDigest(
  db: DuckDb,
  parquet: string,
  columns: readonly SnapshotColumn[],
  address: string,
): Promise<boolean> {
  try {
    return (await digestRows(db, `read_parquet(${quoteText(parquet)})`, columns)).address === address
  } catch (error) {
    if (error instanceof ReconcileError && error.code === 'RECONCILE_ENGINE_FAILED') return false
    throw error
  }
}

/** The two halves of a 128-bit number. Its own text would take DuckDB 100 microseconds. */
function halves(hash: string): [string, string] {
  return [`(${hash} >> 64)::ubigint`, `(${hash} & 18446744073709551615::uhugeint)::ubigint`]
}

/** The exact sum of 128-bit numbers as text: halves are added apart, because a sum of the whole overflows. */
function sumOf(hash: string): string {
  return halves(hash)
    .map(half => `coalesce(sum(${half}), 0)::varchar`)
    .join(" || ':' || ")
}

function sha256(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}
