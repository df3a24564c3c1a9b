/**
 * The staging tables of one load: created inside its transaction and dropped before its end, so
 * that a crash leaves nothing. Unlogged: a plain table leaves 110 MB behind per kill -9 and writes
 * everything twice; temporary ones, for users without the CREATE right, can't be read in parallel.
 * Filling them: stage-rows.ts. Taking rows out again: exclude-records.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { CheckedTarget } from './target-check.ts'
import { stagingType, type TargetTable } from './target-table.ts'

/** Staging of one target table. All names are ready for SQL. */
export interface StagingTable {
  readonly table: TargetTable
  /** Position among the tables of the load, from 0. */
  readonly position: number
  /** Rows that are to take effect: `_seq, _file, _record, _line, _unit`, then the columns. */
  readonly rows: string
  /** Rows taken out of `rows`, with `_why`. */
  readonly removed: string
  /** What is to be done to the target: `_kind`, `_seq`, and the key or the row's address. */
  readonly plan: string
  /** Collation of a column, ` COLLATE x` or empty. */
  readonly collate: (column: string) => string
}

/** All staging of a load. */
export interface Staging {
  readonly tables: readonly StagingTable[]
  /**
   * Records refused by the load: `file, record, line, unit, why`; `subject` (position of the table) and
   * `key` tell of a conflict or violation, `lines` of a conflict, `rule` and `words` of a violation.
   */
  readonly refused: string
  /** Creates one more empty table that lives as long as these, and gives its name for SQL. */
  readonly work: (what: string, columns: string) => Promise<string>
  /** Drops all of it; before COMMIT. */
  readonly drop: () => Promise<void>
}

/**
 * Why a row is no longer among the rows of its staging table. `excluded`: its unit does not tie;
 * `conflict`, `violated`, `along`: its record is refused; `collapsed`, `outdated`: another row of its key stands.
 */
export const REMOVED_BECAUSE = ['excluded', 'conflict', 'violated', 'along', 'collapsed', 'outdated'] as const
export type RemovedBecause = (typeof REMOVED_BECAUSE)[number]

/** Enough that 2 M keys are sorted and hashed in few passes; small enough for a server of 1 GB. */
const WORK_MEM = '64MB'

/** The engine's columns of a staging table, in COPY order. */
const ENGINE_COLUMNS = '_seq bigint, _file integer, _record integer, _line integer, _unit text'

/** Creates empty staging tables in the open transaction. */
export async function createStaging(
  connection: Connection,
  tables: ReadonlyMap<TargetTable, CheckedTarget>,
): Promise<Staging> {
  const { rows } = await connection.query<{ may: boolean | null }>(
    "SELECT has_schema_privilege(to_regnamespace('tallyman'), 'CREATE') AS may",
  )
  const unlogged = rows[0]?.may === true
  const create = unlogged ? 'CREATE UNLOGGED TABLE' : 'CREATE TEMPORARY TABLE'
  const end = unlogged ? ' WITH (autovacuum_enabled = off)' : ' ON COMMIT DROP'
  // the backend's number is unique among the living, and the dead leave nothing
  const name = (what: string): string =>
    unlogged ? `tallyman."staging_${connection.pid}_${what}"` : `pg_temp."staging_${what}"`
  await connection.query(`SET LOCAL work_mem = '${WORK_MEM}'`)
  // compiling a query that runs once costs more than it saves
  await connection.query('SET LOCAL jit = off')
  const staged: StagingTable[] = []
  for (const [table, checked] of tables) {
    const collate = (column: string): string => {
      const collation = checked.collations.get(column)
      return collation === undefined ? '' : ` COLLATE ${collation}`
    }
    const typed = table.columns.map(
      column =>
        `${column.sql} ${stagingType(column.type)}${column.type.kind === 'text' ? collate(column.name) : ''}`,
    )
    const position = staged.length
    const one: StagingTable = {
      table,
      position,
      rows: name(`${position}_rows`),
      removed: name(`${position}_removed`),
      plan: name(`${position}_plan`),
      collate,
    }
    const columns = [ENGINE_COLUMNS, ...typed].join(', ')
    await connection.query(`${create} ${one.rows} (${columns})${end}`)
    await connection.query(`${create} ${one.removed} (${columns}, _why text)${end}`)
    const address = table.key.map(
      column =>
        `${column.sql} ${stagingType(column.type)}${column.type.kind === 'text' ? collate(column.name) : ''}`,
    )
    const where = address.length > 0 ? address.join(', ') : '_table oid, _row tid'
    await connection.query(`${create} ${one.plan} (_kind text, _seq bigint, ${where})${end}`)
    staged.push(one)
  }
  const refused = name('refused')
  await connection.query(
    `${create} ${refused} (file integer, record integer, line integer, unit text, why text, subject integer, key text, lines integer[], rule text, words text)${end}`,
  )
  const all = new Set([...staged.flatMap(one => [one.rows, one.removed, one.plan]), refused])
  return {
    tables: staged,
    refused,
    work: async (what, columns) => {
      const table = name(what)
      await connection.query(`${create} ${table} (${columns})${end}`)
      all.add(table)
      return table
    },
    drop: async () => {
      // what `work` created in a savepoint may be gone already
      await connection.query(`DROP TABLE IF EXISTS ${[...all].join(', ')}`)
    },
  }
}

/** All columns of a staging table's rows, in COPY order. */
export function stagingColumns(table: TargetTable, prefix = ''): string {
  const names = ['_seq', '_file', '_record', '_line', '_unit', ...table.columns.map(column => column.sql)]
  return names.map(name => `${prefix}${name}`).join(', ')
}
