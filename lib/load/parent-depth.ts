/**
 * How deep each staged row hangs below other staged rows of its table, for tables that refer to
 * themselves, and which rows refer to each other in a circle. try-order.ts ranks them by it.
 */
import type { Connection } from '../db/connection.ts'
import type { Staging, StagingTable } from './staging.ts'

/** Longest way from a row to its ancestors that is followed; rows beyond it are tried last, in the order of the files. */
const DEEPEST = 10_000

/** Rows in and below circles whose ancestors are all looked at, which takes the square of a circle's length; of more, each is tried alone. */
const MOST_CIRCLING = 5_000

/**
 * A table of staged rows, ready for SQL, with `_depth` and `_circle` (the same number for the rows of one
 * circle, else null); rows that are too deep are not in it. Null where the table never refers to itself.
 */
export async function parentDepth(
  connection: Connection,
  staging: Staging,
  one: StagingTable,
): Promise<string | null> {
  const joins = await selfReferences(connection, one)
  if (joins.length === 0) return null
  const { rows, position } = one
  const edges = await staging.work(`edges_${position}`, '_parent bigint, _child bigint')
  for (const join of joins) {
    await connection.query(
      `INSERT INTO ${edges} SELECT p._seq, c._seq FROM ${rows} c JOIN ${rows} p ON ${join} WHERE c._seq <> p._seq`,
    )
  }
  await connection.query(`CREATE INDEX ON ${edges} (_parent)`)
  await connection.query(`CREATE INDEX ON ${edges} (_child)`)
  await connection.query(`ANALYZE ${edges}`)
  const depth = await staging.work(`depth_${position}`, '_seq bigint, _depth integer, _circle bigint')
  await walk(connection, rows, edges, depth)
  const { rowCount: left } = await connection.query(
    `SELECT FROM ${rows} s WHERE NOT EXISTS (SELECT FROM ${depth} d WHERE d._seq = s._seq) LIMIT ${MOST_CIRCLING + 1}`,
  )
  if (left > 0 && left <= MOST_CIRCLING && (await findCircles(connection, rows, edges, depth))) {
    await walk(connection, rows, edges, depth)
  }
  return depth
}

/** Conditions on child `c` and parent `p`, one for each foreign key of the table to itself over mapped columns. */
async function selfReferences(connection: Connection, { table }: StagingTable): Promise<string[]> {
  const { rows } = await connection.query<{ child: string[]; parent: string[] }>(
    `SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, at) JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY at) AS child,
       ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k(n, at) JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY at) AS parent
     FROM pg_constraint WHERE contype = 'f' AND conrelid = confrelid AND conrelid = $1::regclass`,
    [table.sql],
  )
  const mapped = new Map(table.columns.map(column => [column.name, column.sql]))
  return rows
    .filter(({ child, parent }) => [...child, ...parent].every(name => mapped.has(name)))
    .map(({ child, parent }) =>
      child.map((name, at) => `c.${mapped.get(name)} = p.${mapped.get(parent[at]!)}`).join(' AND '),
    )
}

/** Walks from rows without parents, and from circles found before, down to all that hang below. */
async function walk(connection: Connection, rows: string, edges: string, depth: string): Promise<void> {
  // OFFSET 0 keeps the look-up by index: a hash join would read all edges once per level
  await connection.query(
    `WITH RECURSIVE walk(_seq, _depth) AS (
       SELECT s._seq, 0 FROM ${rows} s
       WHERE NOT EXISTS (SELECT FROM ${depth} d WHERE d._seq = s._seq) AND NOT EXISTS (SELECT FROM ${edges} e WHERE e._child = s._seq)
       UNION SELECT d._seq, 0 FROM ${depth} d WHERE d._circle IS NOT NULL
       UNION
       SELECT e._child, w._depth + 1
       FROM walk w CROSS JOIN LATERAL (SELECT e._child FROM ${edges} e WHERE e._parent = w._seq OFFSET 0) e
       WHERE w._depth < ${DEEPEST} AND NOT EXISTS (SELECT FROM ${depth} d WHERE d._seq = e._child)
     )
     INSERT INTO ${depth} SELECT w._seq, max(w._depth) FROM walk w
     WHERE NOT EXISTS (SELECT FROM ${depth} d WHERE d._seq = w._seq) GROUP BY w._seq`,
  )
}

/** Notes the rows of circles; false when there are none. A circle is named by its least row. */
async function findCircles(
  connection: Connection,
  rows: string,
  edges: string,
  depth: string,
): Promise<boolean> {
  const { rowCount } = await connection.query(
    `WITH RECURSIVE above(_seq, _ancestor) AS (
       SELECT e._child, e._parent FROM ${rows} s JOIN ${edges} e ON e._child = s._seq
       WHERE NOT EXISTS (SELECT FROM ${depth} d WHERE d._seq = s._seq)
       UNION
       SELECT a._seq, e._parent FROM above a JOIN ${edges} e ON e._child = a._ancestor
     )
     INSERT INTO ${depth} SELECT a._seq, 0, min(a._ancestor)
     FROM above a JOIN above b ON b._seq = a._ancestor AND b._ancestor = a._seq GROUP BY a._seq`,
  )
  return rowCount > 0
}
