/**
 * What the database says about a target table: columns with their base types, unique indexes,
 * references from outside, rights. Reads the catalogs only; judging is target-check.ts's.
 */
import type { Connection } from '../db/connection.ts'
import type { TargetTable } from './target-table.ts'

/** A column as it is in the database. */
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

/** A reference from another table that would change or delete rows behind our back. */
export interface ForeignReference {
  readonly constraint: string
  readonly from: string
  readonly onDelete: string
}

/** A table as it is in the database. */
export interface ActualTable {
  /** `r` table, `p` partitioned table; anything else can't be loaded. */
  readonly kind: string
  readonly schemaExists: boolean
  readonly columns: readonly ActualColumn[]
  /** Column names of each valid, unconditional unique index over plain columns. */
  readonly uniques: readonly (readonly string[])[]
  readonly references: readonly ForeignReference[]
  /** Rights of ours that are missing, of SELECT, INSERT, UPDATE, DELETE. */
  readonly missingRights: readonly string[]
  /** Row-level security hides rows from us. */
  readonly hidesRows: boolean
  readonly user: string
}

const TABLE = `
SELECT c.oid, c.relkind AS kind, row_security_active(c.oid) AS "hidesRows", current_user::text AS "user",
  ARRAY(SELECT r FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE']) r
        WHERE NOT has_table_privilege(c.oid, r)) AS "missingRights"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2`

const COLUMNS = `
SELECT a.attname AS name, base.typname AS type, format_type(a.atttypid, a.atttypmod) AS shown,
  CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod,
  a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS "notNull",
  (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' AS filled,
  a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
  CASE WHEN a.attcollation <> 0 THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
  COALESCE(co.collisdeterministic, true) AS deterministic
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

const UNIQUES = `
SELECT (SELECT array_agg(a.attname::text ORDER BY k.at) FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k(attnum, at)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum) AS columns
FROM pg_index i
WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL`

const REFERENCES = `
SELECT c.conname AS constraint, n.nspname || '.' || r.relname AS from,
  CASE WHEN c.confdeltype IN ('c', 'n', 'd')
    THEN 'ON DELETE ' || CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END
    ELSE 'ON UPDATE ' || CASE c.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END
  END AS "onDelete"
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE c.confrelid = $1 AND c.contype = 'f' AND c.conparentid = 0
  AND (c.confdeltype IN ('c', 'n', 'd') OR c.confupdtype IN ('c', 'n', 'd'))
  AND NOT (n.nspname || '.' || r.relname = ANY($2::text[]))`

/** The table as it is, null when it does not exist. `inLoad` are the names of all tables of the load. */
export async function readTarget(
  connection: Connection,
  table: TargetTable,
  inLoad: readonly string[],
): Promise<ActualTable | { readonly kind: 'missing'; readonly schemaExists: boolean }> {
  const { schema, name } = table.definition
  const found = await connection.query<{ oid: number } & Omit<ActualTable, 'columns'>>(TABLE, [schema, name])
  const row = found.rows[0]
  if (row === undefined) {
    const schemas = await connection.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
    return { kind: 'missing', schemaExists: schemas.rowCount > 0 }
  }
  const columns = await connection.query<ActualColumn>(COLUMNS, [row.oid])
  const uniques = await connection.query<{ columns: string[] }>(UNIQUES, [row.oid])
  const references = await connection.query<ForeignReference>(REFERENCES, [row.oid, inLoad])
  return {
    kind: row.kind,
    schemaExists: true,
    columns: columns.rows,
    uniques: uniques.rows.map(unique => unique.columns),
    references: references.rows,
    missingRights: row.missingRights,
    hidesRows: row.hidesRows,
    user: row.user,
  }
}
