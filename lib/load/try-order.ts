/**
 * The rows that a merge would write, in the order in which write-by-halves.ts tries them: tables with
 * parents first and, inside a table that refers to itself, a row after the row it refers to, wherever
 * both stand in the file. The order never decides what is accepted, only how many tries that takes.
 */
import type { Connection } from '../db/connection.ts'
import type { TablePlan } from './merge-plan.ts'
import type { Staging, StagingTable } from './staging.ts'

/** A part of the ranks of one group of tables, `from` included, `to` excluded. */
export interface RankRange {
  readonly group: number
  readonly from: number
  readonly to: number
}

/**
 * The rows to be written. The table `name` (ready for SQL) has `_rank` (from 0), `_table, _seq, _file,
 * _record, _unit` (a hash), and `_skipped` for refused rows and what is left of their records and units.
 */
export interface Pending {
  readonly name: string
  /** Rows listed; ranks from here on belong to rows that are tried again. */
  readonly rows: number
}

/** Longest way from a row to its ancestors that is followed; rows beyond it are tried last, in the order of the files. */
const DEEPEST = 10_000

/** Lists all rows to be written. `groups` come parents first; tables of one group refer to each other in a circle. */
export async function listPending(
  connection: Connection,
  staging: Staging,
  groups: readonly (readonly TablePlan[])[],
): Promise<Pending> {
  const name = await staging.work(
    'pending',
    '_rank bigint, _table integer, _seq bigint, _file integer, _record integer, _unit bigint, _skipped boolean',
  )
  for (const group of groups) {
    const depth = group.length === 1 ? await depths(connection, staging, group[0]!.staging) : null
    const order = group.length === 1 ? '_depth NULLS LAST, _seq' : '_file, _record, _table, _seq'
    await connection.query(
      `INSERT INTO ${name}
       SELECT (SELECT count(*) FROM ${name}) + row_number() OVER (ORDER BY ${order}) - 1,
         _table, _seq, _file, _record, hashtextextended(_unit, 0), false
       FROM (${group.map(plan => toWrite(plan, depth)).join(' UNION ALL ')}) w`,
    )
    for (const { staging: one, fresh } of group) {
      await connection.query(`CREATE INDEX ON ${one.rows} (_seq)`)
      if (!fresh) await connection.query(`CREATE INDEX ON ${one.plan} (_seq)`)
    }
  }
  for (const columns of ['_rank', '_file, _record', '_unit']) {
    await connection.query(`CREATE INDEX ON ${name} (${columns})`)
  }
  await connection.query(`ANALYZE ${name}`)
  const { rows } = await connection.query<{ n: string }>(`SELECT count(*) AS n FROM ${name}`)
  return { name, rows: Number(rows[0]!.n) }
}

/** The ranks of all groups from `first` on, in order. */
export async function rangesFrom(
  connection: Connection,
  { name }: Pending,
  groups: readonly (readonly TablePlan[])[],
  first: number,
): Promise<RankRange[]> {
  const { rows } = await connection.query<{ table: number; from: string; to: string }>(
    `SELECT _table AS "table", min(_rank) AS "from", max(_rank) + 1 AS "to" FROM ${name} WHERE _rank >= ${first} GROUP BY _table`,
  )
  const groupOf = (table: number): number =>
    groups.findIndex(group => group.some(({ staging }) => staging.position === table))
  const ranges = [...Map.groupBy(rows, ({ table }) => groupOf(table))].map(([group, bounds]) => ({
    group,
    from: Math.min(...bounds.map(({ from }) => Number(from))),
    to: Math.max(...bounds.map(({ to }) => Number(to))),
  }))
  return ranges.sort((a, b) => a.from - b.from)
}

/** Ranks the skipped rows anew, from `first` on, to be tried again. */
export async function requeueSkipped(
  connection: Connection,
  { name }: Pending,
  first: number,
): Promise<void> {
  await connection.query(
    `UPDATE ${name} w SET _skipped = false, _rank = n.rank
     FROM (SELECT _rank, ${first} - 1 + row_number() OVER (ORDER BY _rank) AS rank FROM ${name} WHERE _skipped) n
     WHERE w._rank = n._rank`,
  )
}

function toWrite({ staging, fresh }: TablePlan, depth: string | null): string {
  const { rows, plan, position } = staging
  const planned = fresh
    ? ''
    : ` JOIN ${plan} p ON p._seq = s._seq AND p._kind IN ('new', 'changed', 'touched')`
  const known = depth === null ? '' : ` LEFT JOIN ${depth} d ON d._seq = s._seq`
  return `SELECT ${position} AS _table, s._seq, s._file, s._record, s._unit, ${depth === null ? '0' : 'd._depth'} AS _depth
    FROM ${rows} s${planned}${known}`
}

/** How many staged ancestors each row has, as a table; rows of a circle are not in it. Null where the table never refers to itself. */
async function depths(
  connection: Connection,
  staging: Staging,
  { table, rows, position }: StagingTable,
): Promise<string | null> {
  const { rows: found } = await connection.query<{ child: string[]; parent: string[] }>(
    `SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, at) JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY at) AS child,
       ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k(n, at) JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY at) AS parent
     FROM pg_constraint WHERE contype = 'f' AND conrelid = confrelid AND conrelid = $1::regclass`,
    [table.sql],
  )
  const mapped = new Map(table.columns.map(column => [column.name, column.sql]))
  const joins = found
    .filter(({ child, parent }) => [...child, ...parent].every(name => mapped.has(name)))
    .map(({ child, parent }) =>
      child.map((name, at) => `c.${mapped.get(name)} = p.${mapped.get(parent[at]!)}`).join(' AND '),
    )
  if (joins.length === 0) return null
  const edges = await staging.work(`edges_${position}`, '_parent bigint, _child bigint')
  for (const join of joins) {
    await connection.query(
      `INSERT INTO ${edges} SELECT p._seq, c._seq FROM ${rows} c JOIN ${rows} p ON ${join} WHERE c._seq <> p._seq`,
    )
  }
  await connection.query(`CREATE INDEX ON ${edges} (_parent)`)
  await connection.query(`ANALYZE ${edges}`)
  const depth = await staging.work(`depth_${position}`, '_seq bigint, _depth integer')
  // OFFSET 0 keeps the look-up by index: a hash join would read all edges once per level
  await connection.query(
    `WITH RECURSIVE walk(_seq, _depth) AS (
       SELECT s._seq, 0 FROM ${rows} s WHERE NOT EXISTS (SELECT FROM ${edges} e WHERE e._child = s._seq)
       UNION
       SELECT e._child, w._depth + 1
       FROM walk w CROSS JOIN LATERAL (SELECT e._child FROM ${edges} e WHERE e._parent = w._seq OFFSET 0) e
       WHERE w._depth < ${DEEPEST}
     )
     INSERT INTO ${depth} SELECT _seq, max(_depth) FROM walk GROUP BY _seq`,
  )
  return depth
}
