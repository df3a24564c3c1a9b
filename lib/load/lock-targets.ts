/**
 * One load at a time per target: advisory locks in sorted order, then the tables against other
 * writers. Sorted, so that two loads over the same tables wait for each other and never deadlock.
 * A wait that is too long ends with the names of those who are in the way: lock-holders.ts.
 */
import type { Connection } from '../db/connection.ts'
import { lockedBy } from './lock-holders.ts'
import type { TargetTable } from './target-table.ts'

/**
 * Longest wait for one lock. Another load of ten million rows holds its target for about a minute; a
 * session that somebody forgot holds it until it is ended, and the night is to say so while it is young:
 * three attempts are a quarter of an hour.
 */
export const LOCK_WAIT_MS = 5 * 60_000

/**
 * Takes the locks for the rest of the transaction; readers are not disturbed. From here on no
 * statement of the transaction waits longer than `waitMs` for any lock.
 * @throws LOAD_TARGET_LOCKED
 */
export async function lockTargets(
  connection: Connection,
  tables: readonly TargetTable[],
  waitMs: number,
): Promise<void> {
  await connection.query(`SET LOCAL lock_timeout = ${waitMs}`)
  const sorted = tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  await lockedBy(connection, tables, waitMs, async () => {
    for (const { name } of sorted) {
      await connection.query("SELECT pg_advisory_xact_lock(hashtextextended('tallyman.target ' || $1, 0))", [
        name,
      ])
    }
    for (const { sql } of sorted) {
      await connection.query(`LOCK TABLE ${sql} IN SHARE ROW EXCLUSIVE MODE`)
    }
  })
}

/**
 * The tables in groups, parents before those that refer to them. Tables of one group refer to each
 * other in a circle; they keep their order.
 */
export async function parentsFirst(
  connection: Connection,
  tables: readonly TargetTable[],
): Promise<TargetTable[][]> {
  if (tables.length < 2) return [[...tables]]
  const { rows } = await connection.query<{ child: string; parent: string }>(
    `SELECT cn.nspname || '.' || c.relname AS child, pn.nspname || '.' || p.relname AS parent
     FROM pg_constraint f
     JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
     JOIN pg_class p ON p.oid = f.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
     WHERE f.contype = 'f' AND f.conrelid <> f.confrelid
       AND cn.nspname || '.' || c.relname = ANY($1::text[]) AND pn.nspname || '.' || p.relname = ANY($1::text[])`,
    [tables.map(table => table.name)],
  )
  let left = [...tables]
  const groups: TargetTable[][] = []
  while (left.length > 0) {
    const names = new Set(left.map(table => table.name))
    const free = left.filter(
      ({ name }) => !rows.some(({ child, parent }) => child === name && names.has(parent)),
    )
    groups.push(...(free.length > 0 ? free.map(table => [table]) : [left]))
    left = free.length > 0 ? left.filter(table => !free.includes(table)) : []
  }
  return groups
}
