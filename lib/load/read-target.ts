/**
 * What the database says about a target table: lib/db's introspection, and what a load must know
 * besides: base types with their limits, and collations. Judging is target-check.ts's.
 */
import type { Connection } from '../db/connection.ts'
import { type FoundTable, introspect } from '../db/introspect.ts'
import type { TargetTable } from './target-table.ts'

/** A column with the facts that decide whether values come back as they went in. */
export interface ActualColumn {
  readonly name: string
  /** Internal name of its type, a domain's base type: `varchar`, `int4`, `numeric`, `timestamptz`. */
  readonly type: string
  /** As SQL writes it: `character varying(20)`. */
  readonly shown: string
  readonly typmod: number
  readonly notNull: boolean
  /** It fills itself: a default or an identity. */
  readonly filled: boolean
  /** Computed by the database, so that it can't be written at all. */
  readonly generated: boolean
  /** Quoted and qualified collation; null for types without one. */
  readonly collation: string | null
  readonly deterministic: boolean
}

/** A table as it is in the database. */
export interface ActualTable {
  readonly found: FoundTable
  readonly columns: readonly ActualColumn[]
  /** Who we are there. */
  readonly user: string
}

const TYPES = `
SELECT a.attname AS name, base.typname AS type, format_type(a.atttypid, a.atttypmod) AS shown,
  CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod,
  a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS "notNull",
  CASE WHEN a.attcollation <> 0 THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
  COALESCE(co.collisdeterministic, true) AS deterministic
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

/** The table as it is, null when there is none. */
export async function readTarget(
  connection: Connection,
  { definition }: TargetTable,
): Promise<ActualTable | null> {
  const found = await introspect(connection, definition)
  if (found === null) return null
  const types = await connection.query<Omit<ActualColumn, 'filled' | 'generated'>>(TYPES, [
    definition.schema,
    definition.name,
  ])
  const { rows } = await connection.query<{ user: string }>('SELECT current_user::text AS "user"')
  const columns = types.rows.map(column => {
    const same = found.columns.find(({ name }) => name === column.name)
    return { ...column, filled: same?.hasDefault === true, generated: same?.generated === true }
  })
  return { found, columns, user: rows[0]!.user }
}

/** Whether a schema of that name exists. */
export async function schemaExists(connection: Connection, name: string): Promise<boolean> {
  return (await connection.query('SELECT FROM pg_namespace WHERE nspname = $1', [name])).rowCount > 0
}
