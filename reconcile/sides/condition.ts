/**
 * A condition written by hand, over rows in DuckDB. It may be any SQL expression over the side's
 * columns; it reaches no file, no network, and is one expression, not a statement.
 */
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import { whereInvalid } from './opened-side.ts'

/** SQL of the rows for which the condition holds; records that are no rows stay, they are counted unreadable. */
export function filtered(select: string, where: string | null): string {
  // The line ends keep a trailing comment from swallowing what follows.
  return where === null ? select : `select * from (${select}) where _issue is not null or (\n${where}\n)`
}

/** Proves that a condition can be used before any row is read. @throws CONFIG_WHERE_INVALID */
export async function judgeCondition(
  db: DuckDb,
  select: string,
  where: string | null,
  name: string,
): Promise<void> {
  if (where === null) return
  try {
    if ((await db.statements(`select (\n${where}\n)`)) !== 1)
      throw new Error('it is more than one expression')
    await db.rows(`explain ${filtered(select, where)}`)
    const [type] = await db.rows(`describe select (\n${where}\n) as condition from (${select})`)
    if (String(type?.[1]) !== 'BOOLEAN')
      throw new Error(`it gives ${String(type?.[1])}, neither true nor false`)
  } catch (error) {
    throw whereInvalid(where, name, error)
  }
}
