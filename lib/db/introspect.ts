/**
 * What a table is in the database: columns, keys, the rules that others hang on it. Facts only;
 * whether it fits a table definition is judged by lib/load.
 */
import type { Connection } from './connection.ts'

/** A column as the database has it. */
export interface FoundColumn {
  readonly name: string
  /** As Postgres writes it: `numeric(12,2)`, `character varying(35)`, `timestamp with time zone`. */
  readonly type: string
  readonly nullable: boolean
  readonly hasDefault: boolean
  /** Computed by the database: can't be written. */
  readonly generated: boolean
}

/** A unique or primary key. */
export interface FoundKey {
  readonly name: string
  readonly primary: boolean
  readonly columns: readonly string[]
}

/** A foreign key of another table that points here. */
export interface IncomingReference {
  readonly constraint: string
  /** `schema.table` */
  readonly table: string
  /** What a delete or key change here does there. */
  readonly onDelete: ReferenceAction
  readonly onUpdate: ReferenceAction
}

/** What a foreign key does when its target goes. */
export type ReferenceAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

/** Everything a load needs to know of a table. */
export interface FoundTable {
  readonly schema: string
  readonly name: string
  /** `r` table, `p` partitioned table, `v` view, `m` materialized view, `f` foreign table. */
  readonly kind: string
  /** In their order. */
  readonly columns: readonly FoundColumn[]
  /** Primary key first. */
  readonly keys: readonly FoundKey[]
  readonly incoming: readonly IncomingReference[]
  /** Names of the triggers that people wrote; they may swallow or change rows. */
  readonly triggers: readonly string[]
  /** Row-level security that applies to this session: rows may be invisible. */
  readonly rowSecurity: boolean
  /** What this session may do. */
  readonly may: {
    readonly select: boolean
    readonly insert: boolean
    readonly update: boolean
    readonly delete: boolean
  }
}

const ACTION = (column: string): string =>
  `CASE ${column} WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'set default' END`

const COLUMNS_AS_JSON = `(SELECT coalesce(jsonb_agg(jsonb_build_object('name', a.attname,
    'type', format_type(a.atttypid, a.atttypmod), 'nullable', NOT a.attnotnull, 'hasDefault', a.atthasdef OR a.attidentity <> '',
    'generated', a.attgenerated <> '' OR a.attidentity = 'a') ORDER BY a.attnum), '[]')
  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)`

const KEYS_AS_JSON = `(SELECT coalesce(jsonb_agg(jsonb_build_object('name', ic.relname, 'primary', i.indisprimary,
    'columns', (SELECT jsonb_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.place <= i.indnkeyatts))
    ORDER BY i.indisprimary DESC, ic.relname), '[]')
  FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
  WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL)`

const INCOMING_AS_JSON = `(SELECT coalesce(jsonb_agg(jsonb_build_object('constraint', k.conname,
    'table', fn.nspname || '.' || fc.relname, 'onDelete', ${ACTION('k.confdeltype')}, 'onUpdate', ${ACTION('k.confupdtype')})
    ORDER BY k.conname), '[]')
  FROM pg_constraint k JOIN pg_class fc ON fc.oid = k.conrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
  WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0)`

const TRIGGERS_AS_JSON = `(SELECT coalesce(jsonb_agg(t.tgname ORDER BY t.tgname), '[]') FROM pg_trigger t
  WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D')`

/** The table as it is; null when there is none of that name, or it can't be seen. Cost: one query. */
export async function introspect(
  connection: Connection,
  table: { readonly schema: string; readonly name: string },
): Promise<FoundTable | null> {
  const { rows } = await connection.query<FoundTable>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, ${COLUMNS_AS_JSON} AS columns,
       ${KEYS_AS_JSON} AS keys, ${INCOMING_AS_JSON} AS incoming, ${TRIGGERS_AS_JSON} AS triggers,
       row_security_active(c.oid) AS "rowSecurity",
       jsonb_build_object('select', has_table_privilege(c.oid, 'SELECT'), 'insert', has_table_privilege(c.oid, 'INSERT'),
         'update', has_table_privilege(c.oid, 'UPDATE'), 'delete', has_table_privilege(c.oid, 'DELETE')) AS may
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [table.schema, table.name],
  )
  return rows[0] ?? null
}
