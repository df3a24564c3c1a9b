/**
 * The digest of a snapshot's rows: their number and the sum of a 128-bit hash of each, under the
 * hash of the schema. A sum does not depend on the order and, unlike XOR, sees a row that comes twice.
 */
import { createHash } from 'node:crypto'
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteName, quoteText } from '../../lib/format/duckdb/sql.ts'
import { ReconcileError } from '../../lib/model/errors.ts'
import { rowText } from '../compare/normalise.ts'
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
  const values = rowText([...columns.map(column => quoteName(column.stored)), '_issue', '_raw'])
  const origin = rowText([values, '_file', '_line::varchar'])
  const [row] = await db.rows(
    `select count(*), ${sumOf('h')}, count(_line), ${sumOf('o')}
     from (select _line, md5_number(${values}) as h, case when _line is null then null else md5_number(${origin}) end as o from ${from})`,
  )
  const [rows, sum, withOrigin, originSum] = row!.map(String)
  const schema = schemaHash(columns)
  const digest = sha256('snapshot-1', schema, rows!, sum!)
  const address =
    withOrigin === '0' ? digest : `${digest}-${sha256('origins-1', withOrigin!, originSum!).slice(0, 16)}`
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

/** The exact sum of 128-bit numbers as text: halves are added apart, because a sum of the whole overflows. */
function sumOf(hash: string): string {
  return `coalesce(sum((${hash} >> 64)::ubigint), 0)::varchar || ':' || coalesce(sum((${hash} & 18446744073709551615::uhugeint)::ubigint), 0)::varchar`
}

function sha256(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}
