/**
 * Writes a merge that the target refused as a whole: by halves, each on top of what was accepted before,
 * until every refused row stands alone; refused rows are tried again until none more is accepted. The
 * order of the tries: try-order.ts. The tries: halves-program.ts. What becomes of refused rows:
 * refuse-violators.ts.
 */
import type { Connection } from '../db/connection.ts'
import { BAD_COLUMNS, CHANGED_SETTINGS, halvesProgram, IN_TRY, PROGRESS_COLUMNS } from './halves-program.ts'
import { type Applied, type ApplyInput, deleteGone, WRITE_KINDS, type Write, writes } from './merge-apply.ts'
import type { TablePlan } from './merge-plan.ts'
import type { Staging } from './staging.ts'
import { literal } from './target-table.ts'
import { assertSameTotals, readTotals, sumsOf, type TotalRow, totalsQuery } from './totals.ts'
import { listPending, type Pending, type RankRange, rangesFrom, requeueSkipped } from './try-order.ts'
import { type Violation, violated, violationFrom, violationOf } from './violation.ts'

/** A row that the target refuses on its own. */
export interface RefusedRow {
  /** Position of its table in the load. */
  readonly table: number
  readonly seq: number
  readonly violation: Violation
}

/** `written`: all rows. `refused`: at least these could not be; whoever called undoes the rest. */
export type Halves =
  | { readonly kind: 'written'; readonly applied: Map<TablePlan, Applied> }
  | { readonly kind: 'refused'; readonly rows: readonly RefusedRow[]; readonly tries: number }

/** What is to be written. */
export interface HalvesMerge extends ApplyInput {
  readonly staging: Staging
  /** Parents first; tables of one group refer to each other in a circle. */
  readonly groups: readonly (readonly TablePlan[])[]
  /** So many refused records end the search, because nothing will be published anyway. */
  readonly mostRecords: number
}

/** Tries that it may take besides those that the refused rows explain. */
const SPARE_TRIES = 200

/**
 * Tries per refused record and level of halving. Alone in its half a violator takes one or two; more are
 * only needed when rows wait for each other in a chain that the order does not foresee, where tries
 * would grow with the square of its length.
 */
const TRIES_PER_LEVEL = 4

/**
 * Writes all plans by halves. Call it where the transaction is back at the state before the merge.
 * Guarantee: rows and control totals of what was written are those of the plans, as the target reported
 * them. Cost: tries in proportion to refused records x log(rows), a few statements from here.
 * @throws LOAD_TOTALS_DIFFER; LOAD_CONSTRAINT_VIOLATED when a delete is refused, or when rows wait for
 * each other in too long a chain.
 */
export async function writeByHalves(connection: Connection, input: HalvesMerge): Promise<Halves> {
  const { staging, groups } = input
  const place: Place = {
    pending: await listPending(connection, staging, groups),
    bad: await staging.work('bad', BAD_COLUMNS),
    progress: await staging.work('progress', PROGRESS_COLUMNS),
    sums: await staging.work('sums', '_table integer, _kind text, total text, "group" text, amount text'),
  }
  const deleted = await deleteFirst(connection, groups)
  await connection.query(`INSERT INTO ${place.progress} VALUES (0, 0)`)
  for (let first = 0; ; ) {
    const ranges = await rangesFrom(connection, place.pending, groups, first)
    const { tries, accepted, ended } = await onePass(connection, input, place, ranges)
    const refused = await refusedRows(connection, place.bad)
    if (ended === 'lost') throw lost(refused, tries)
    if (refused.length === 0) break
    if (ended === 'enough' || accepted === 0) return { kind: 'refused', rows: refused, tries }
    first = ranges.at(-1)!.to
    await requeueSkipped(connection, place.pending, first)
  }
  for (const setting of CHANGED_SETTINGS) await connection.query(`RESET ${setting}`)
  const applied = new Map<TablePlan, Applied>()
  for (const plan of groups.flat()) {
    applied.set(plan, { ...(await writtenRows(connection, plan, place.sums)), deleted: deleted.get(plan)! })
  }
  return { kind: 'written', applied }
}

/** Tables of the search, ready for SQL. */
interface Place {
  readonly pending: Pending
  readonly bad: string
  readonly progress: string
  /** What accepted tries wrote: the number of rows (no total) and the control totals. */
  readonly sums: string
}

async function onePass(
  connection: Connection,
  { staging, groups, versions, mostRecords }: HalvesMerge,
  { pending, bad, progress, sums }: Place,
  ranges: readonly RankRange[],
): Promise<{ readonly tries: number; readonly accepted: number; readonly ended: 'lost' | 'enough' | null }> {
  await connection.query(`DELETE FROM ${bad}`)
  await connection.query(`UPDATE ${progress} SET accepted = 0, records = 0`)
  const version = `((ARRAY[${versions.map(literal).join(', ')}]::text[])[s._file + 1] COLLATE "C")`
  const triesPerRecord = TRIES_PER_LEVEL * Math.ceil(Math.log2(2 + pending.rows))
  for (const { group, from, to } of ranges) {
    const statements = groups[group]!.flatMap(plan => {
      const all = writes(plan, version, { pending: pending.name, where: IN_TRY })
      return WRITE_KINDS.flatMap(kind => {
        const write = all[kind]
        return write === null ? [] : [summed(plan, kind, write, sums)]
      })
    })
    const names = {
      ...{ pending: pending.name, bad, progress },
      tables: staging.tables.map(({ table }) => table.name),
    }
    const limits = { mostRecords, spareTries: SPARE_TRIES, triesPerRecord }
    await connection.query(halvesProgram({ ...names, ...limits, from, to, statements }))
  }
  const { rows } = await connection.query<{
    tries: string
    accepted: string
    ended: 'lost' | 'enough' | null
  }>(`SELECT tries, accepted, ended FROM ${progress}`)
  const { tries, accepted, ended } = rows[0]!
  return { tries: Number(tries), accepted: Number(accepted), ended }
}

/** A write that notes what the target says it wrote. */
function summed({ staging }: TablePlan, kind: string, { sql, prefix }: Write, sums: string): string {
  const { table, position } = staging
  const totals = kind === 'touched' ? null : totalsQuery(table, 'written')
  const returned = totals === null ? '1' : table.columns.map(column => `${prefix}${column.sql}`).join(', ')
  return `WITH written AS (${sql} RETURNING ${returned})
        INSERT INTO ${sums} SELECT ${position}, '${kind}', NULL, '', count(*)::text FROM written${
          totals === null
            ? ''
            : ` UNION ALL SELECT ${position}, '${kind}', x.total, x."group", x.amount FROM (${totals}) x`
        }`
}

/** What was written of a plan, by kind, with its control totals proved. */
async function writtenRows(
  connection: Connection,
  plan: TablePlan,
  sums: string,
): Promise<Omit<Applied, 'deleted'>> {
  const { table, position } = plan.staging
  const applied = { inserted: 0, updated: 0, touched: 0 }
  for (const kind of WRITE_KINDS) {
    const write = writes(plan, 'NULL', null)[kind]
    if (write === null) continue
    const { rows } = await connection.query<TotalRow>(
      `SELECT total, "group", amount FROM ${sums} WHERE _table = ${position} AND _kind = $1`,
      [kind],
    )
    for (const { total, amount } of rows) if (total === null) applied[kind] += Number(amount)
    if (kind === 'touched') continue
    const stored = sumsOf(rows.filter(({ total }) => total !== null))
    assertSameTotals(
      table,
      await readTotals(connection, table, write.source),
      stored,
      'in the rows that it stored',
    )
  }
  return applied
}

async function refusedRows(connection: Connection, bad: string): Promise<RefusedRow[]> {
  const { rows } = await connection.query<
    Record<'seq' | 'sqlstate' | 'constraint' | 'column' | 'message', string> & { table: number }
  >(
    `SELECT _table AS "table", _seq AS seq, sqlstate, constraint_name AS constraint, column_name AS column, message FROM ${bad}`,
  )
  return rows.map(({ table, seq, ...facts }) => ({
    table,
    seq: Number(seq),
    violation: violationFrom(facts),
  }))
}

function lost(refused: readonly RefusedRow[], tries: number): Error {
  const { violation } = refused[0] ?? { violation: violationFrom({ sqlstate: '23000' }) }
  return violated(
    violation,
    `After ${tries} tries it is still open which rows can be written before which others; one of them`,
    { tries },
  )
}

/** Deletes what is gone. A refused delete has no record that could be blamed. */
async function deleteFirst(
  connection: Connection,
  groups: readonly (readonly TablePlan[])[],
): Promise<Map<TablePlan, number>> {
  const plans = groups.flat().toReversed()
  const deleted = new Map<TablePlan, number>()
  await connection.query('SET CONSTRAINTS ALL DEFERRED')
  for (const plan of plans) {
    const { name } = plan.staging.table
    deleted.set(plan, await blamed(name, () => connection.savepoint(() => deleteGone(connection, plan))))
  }
  const names = plans.filter(({ counts }) => counts.gone > 0).map(({ staging }) => staging.table.name)
  await blamed(names.join(' or '), () => connection.query('SET CONSTRAINTS ALL IMMEDIATE'))
  return deleted
}

async function blamed<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const violation = violationOf(error)
    if (violation === null) throw error
    throw violated(violation, `Deleting rows of ${name} that are no longer in the set`, { table: name })
  }
}
