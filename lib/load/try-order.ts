/**
 * The rows that a merge would write, in the order in which write-by-halves.ts tries them: tables with
 * parents first and, inside a table that refers to itself, a row after the row it refers to, wherever
 * both stand in the file (parent-depth.ts). Rows that need each other share a rank.
 */
import type { Connection } from '../db/connection.ts'
import type { TablePlan } from './merge-plan.ts'
import { parentDepth } from './parent-depth.ts'
import type { Staging } from './staging.ts'

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
    const depth = group.length === 1 ? await parentDepth(connection, staging, group[0]!.staging) : null
    // rows of one rank are accepted together or not at all: they may need each other
    const order = group.length === 1 ? '_depth NULLS LAST, _together' : '_file, _record'
    await connection.query(
      `INSERT INTO ${name}
       SELECT (SELECT COALESCE(max(_rank) + 1, 0) FROM ${name}) + dense_rank() OVER (ORDER BY ${order}) - 1,
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
     FROM (SELECT _rank, ${first} - 1 + row_number() OVER (ORDER BY _rank) AS rank
       FROM ${name} WHERE _skipped GROUP BY _rank) n
     WHERE w._rank = n._rank AND w._skipped`,
  )
}

function toWrite({ staging, fresh }: TablePlan, depth: string | null): string {
  const { rows, plan, position } = staging
  const planned = fresh
    ? ''
    : ` JOIN ${plan} p ON p._seq = s._seq AND p._kind IN ('new', 'changed', 'touched')`
  const known = depth === null ? '' : ` LEFT JOIN ${depth} d ON d._seq = s._seq`
  const order =
    depth === null ? '0 AS _depth, s._seq AS _together' : 'd._depth, COALESCE(d._circle, s._seq) AS _together'
  return `SELECT ${position} AS _table, s._seq, s._file, s._record, s._unit, ${order}
    FROM ${rows} s${planned}${known}`
}
