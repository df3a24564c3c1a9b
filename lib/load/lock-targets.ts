/**
 * One load at a time per target: advisory locks in sorted order, then the tables against other
 * writers. Sorted, so that two loads over the same tables wait for each other and never deadlock.
 */
import type { Connection } from '../db/connection.ts'
import type { TargetTable } from './target-table.ts'

/** Takes the locks for the rest of the transaction; readers are not disturbed. */
export async function lockTargets(connection: Connection, tables: readonly TargetTable[]): Promise<void> {
  const sorted = tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name } of sorted) {
    await connection.query("SELECT pg_advisory_xact_lock(hashtextextended('tallyman.target ' || $1, 0))", [
      name,
    ])
  }
  for (const { sql } of sorted) {
    await connection.query(`LOCK TABLE ${sql} IN SHARE ROW EXCLUSIVE MODE`)
  }
}

/** The tables with parents before those that refer to them; tables in a circle keep their order. */
export async function parentsFirst(
  connection: Connection,
  tables: readonly TargetTable[],
): Promise<TargetTable[]> {
  if (tables.length < 2) return [...tables]
  const { rows } = await connection.query<{ child: string; parent: string }>(
    `SELECT cn.nspname || '.' || c.relname AS child, pn.nspname || '.' || p.relname AS parent
     FROM pg_constraint f
     JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
     JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
     WHERE f.contype = 'f' AND f.conrelid <> f.confrelid
       AND cn.nspname || '.' || c.relname = ANY($1::text[]) AND pn.nspname || '.' || p.relname = ANY($1::text[])`,
    [tables.map(table => table.name)],
  )
  const left = [...tables]
  const ordered: TargetTable[] = []
  while (left.length > 0) {
    const names = new Set(left.map(table => table.name))
    const free = left.findIndex(
      ({ name }) => !rows.some(({ child, parent }) => child === name && names.has(parent)),
    )
    ordered.push(...left.splice(Math.max(free, 0), 1))
  }
  return ordered
}
