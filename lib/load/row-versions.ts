/**
 * Which version of the target's rows stands behind some keys: business date and file that wrote them last,
 * where an upsert keeps that. Asked for in sets; who explains breaks with it is lib/run/explain-night.ts.
 */
import type { Connection } from '../db/connection.ts'
import { KEY_AS_OF } from '../ledger/as-of.ts'
import type { PostgresLoad } from '../model/job.ts'
import type { TableDefinition } from '../model/table.ts'
import { targetTables } from './create-target.ts'
import { keyText, readVersions, versionKeeping } from './key-versions.ts'
import { stagingType, type TargetTable } from './target-table.ts'

/** What is known of one key. */
export interface RowVersion {
  /** Its place among those asked. */
  readonly position: number
  /** `2026-11-20#000000000042`. */
  readonly version: string
}

/** Answers for one table, some thousand keys at a time. */
export type AskVersions = (
  keys: readonly Readonly<Record<string, string | null>>[],
) => Promise<readonly RowVersion[]>

/**
 * Gives who answers for a table of a load; null where the load keeps no versions of it. A floor that a whole set
 * was given is no version of a single row, so such a key has none.
 */
export async function versionsOf(
  connection: Connection,
  spec: PostgresLoad,
  definition: TableDefinition,
): Promise<AskVersions | null> {
  const table = targetTables(spec).find(one => one.definition === definition)
  if (table === undefined) return null
  const keeping = versionKeeping(spec.mode, table)
  if (keeping === 'none') return null
  if (keeping === 'beside' && !(await readVersions(connection, table)).marks) return null
  const sql = keeping === 'column' ? inColumn(table) : beside(table)
  return async keys => {
    const values = table.key.map(({ field }) => keys.map(key => key[field] ?? null))
    const { rows } = await connection.query<RowVersion>(sql, [keys.map((_, position) => position), ...values])
    return rows
  }
}

/** The asked keys, typed as the table's columns, under their names. */
function asked({ key }: TargetTable): string {
  const names = key.map((_, i) => `v${i}`)
  const typed = key.map((column, i) => `a.v${i}::${stagingType(column.type)} AS ${column.sql}`)
  return `(SELECT a.position, ${typed.join(', ')}
    FROM unnest($1::int[], ${key.map((_, i) => `$${i + 2}::text[]`).join(', ')}) AS a (position, ${names.join(', ')}))`
}

function inColumn(table: TargetTable): string {
  const same = table.key.map(({ sql }) => `t.${sql} = s.${sql}`).join(' AND ')
  return `SELECT s.position, t.${table.asOf!.sql} AS version FROM ${asked(table)} s JOIN ${table.sql} t ON ${same}
    WHERE t.${table.asOf!.sql} IS NOT NULL`
}

function beside(table: TargetTable): string {
  return `SELECT s.position, v.as_of AS version FROM ${asked(table)} s
    JOIN ${KEY_AS_OF} v ON v.target = '${table.name}' AND v.key = ${keyText(table, 's')}`
}
