/**
 * Finds the rows that the target refuses: pending rows are tried by halves, each on top of what was
 * accepted before, until every refused row stands alone; refused rows are tried again until none more is
 * accepted. All of it is undone; what stays is who is to blame or, when nobody is, the pieces in which
 * the rows can be written. The order of the tries: try-order.ts. The tries: try-by-halves.ts.
 */
import type { Connection } from '../db/connection.ts'
import { type ApplyInput, deleteGone, type Part, writes } from './merge-apply.ts'
import type { TablePlan } from './merge-plan.ts'
import type { Staging } from './staging.ts'
import { literal } from './target-table.ts'
import { BAD_COLUMNS, IN_TRY, PASS_COLUMNS, PIECE_COLUMNS, tryByHalves } from './try-by-halves.ts'
import { listPending, type Pending, type RankRange, rangesFrom, requeueSkipped } from './try-order.ts'
import { type Violation, violated, violationFrom, violationOf } from './violation.ts'

/** A row that the target refuses on its own. */
export interface RefusedRow {
  /** Position of its table in the load. */
  readonly table: number
  readonly seq: number
  readonly violation: Violation
}

/**
 * `refused`: at least these rows. `pieces`: none; written in these parts, in this order, all are accepted.
 * `settle` gives rows their final ranks, which `parts` mean, and is called once before.
 */
export type Found =
  | { readonly kind: 'refused'; readonly rows: readonly RefusedRow[]; readonly tries: number }
  | {
      readonly kind: 'pieces'
      readonly parts: readonly Part[]
      readonly tries: number
      readonly settle: () => Promise<void>
    }

/** What is to be written. */
export interface SearchInput extends ApplyInput {
  readonly staging: Staging
  /** Parents first; tables of one group refer to each other in a circle. */
  readonly groups: readonly (readonly TablePlan[])[]
  /** So many refused records end the search, because nothing will be published anyway. */
  readonly mostRecords: number
}

/** Tries that a pass may take besides those that its violators explain. */
const SPARE_TRIES = 200

/**
 * Tries per refused record and level of halving. Alone in its half a violator takes one or two; more are
 * only needed when rows wait for each other in a chain that the order does not foresee, where tries
 * would grow with the square of its length.
 */
const TRIES_PER_LEVEL = 12

/**
 * Searches. Call it where the transaction is back at the state before the merge; it leaves it there.
 * Cost: tries in proportion to refused records x log(rows), a few statements from here.
 * @throws LOAD_CONSTRAINT_VIOLATED when a delete is refused, or when rows wait for each other in too long a chain.
 */
export async function findViolators(connection: Connection, input: SearchInput): Promise<Found> {
  const { staging, groups } = input
  const place: Place = {
    pending: await listPending(connection, staging, groups),
    bad: await staging.work('bad', BAD_COLUMNS),
    pass: await staging.work('pass', PASS_COLUMNS),
    pieces: await staging.work('pieces', PIECE_COLUMNS),
  }
  const undo = new Error('undo')
  let found: Found | null = null
  try {
    await connection.savepoint(async () => {
      await deleteFirst(connection, groups)
      found = await passes(connection, input, place)
      // the order of the pieces is wanted, not their rows: written again, they are proved like any others
      throw undo
    })
  } catch (error) {
    if (error !== undo) throw error
  }
  return found!
}

/** The tables of a search, ready for SQL. */
interface Place {
  readonly pending: Pending
  readonly bad: string
  readonly pass: string
  readonly pieces: string
}

async function passes(connection: Connection, input: SearchInput, place: Place): Promise<Found> {
  const { pending, bad, pass } = place
  await connection.query(`INSERT INTO ${pass} VALUES (0, 0)`)
  for (let first = 0; ; ) {
    const ranges = await rangesFrom(connection, pending, input.groups, first)
    const ended = await onePass(connection, input, place, ranges)
    const refused = await refusedRows(connection, bad)
    if (ended.how === 'lost') throw lost(refused, ended.tries)
    if (refused.length === 0) return await inPieces(connection, place, ended.tries)
    if (ended.how === 'enough' || ended.accepted === 0) {
      return { kind: 'refused', rows: refused, tries: ended.tries }
    }
    first = ranges.at(-1)!.to
    await requeueSkipped(connection, pending, first)
  }
}

async function onePass(
  connection: Connection,
  { groups, versions, mostRecords }: SearchInput,
  { pending, bad, pass, pieces }: Place,
  ranges: readonly RankRange[],
): Promise<{ readonly tries: number; readonly accepted: number; readonly how: 'lost' | 'enough' | null }> {
  await connection.query(`DELETE FROM ${bad}`)
  await connection.query(`UPDATE ${pass} SET accepted = 0, records = 0`)
  const triesPerRecord = TRIES_PER_LEVEL * Math.ceil(Math.log2(2 + pending.rows))
  for (const { group, from, to } of ranges) {
    const statements = statementsOf(groups[group]!, versions, pending)
    const names = { pending: pending.name, bad, pass, pieces }
    const limits = { mostRecords, spareTries: SPARE_TRIES, triesPerRecord }
    await connection.query(tryByHalves({ ...names, ...limits, from, to, statements }))
  }
  const { rows } = await connection.query<{ tries: string; accepted: string; how: 'lost' | 'enough' | null }>(
    `SELECT tries, accepted, ended AS how FROM ${pass}`,
  )
  const { tries, accepted, how } = rows[0]!
  return { tries: Number(tries), accepted: Number(accepted), how }
}

/** The accepted ranges in their order; rows that were tried again come with the ranks that they have at the end. */
async function inPieces(
  connection: Connection,
  { pending: { name, rows: listed }, pieces }: Place,
  tries: number,
): Promise<Found> {
  const requeued = await connection.query<{ table: number; seq: string; rank: string }>(
    `SELECT _table AS "table", _seq AS seq, _rank AS rank FROM ${name} WHERE _rank >= ${listed}`,
  )
  const { rows } = await connection.query<{ from: string; to: string }>(
    `SELECT _from AS "from", _to AS "to" FROM ${pieces} ORDER BY _at`,
  )
  return {
    kind: 'pieces',
    tries,
    parts: rows.map(({ from, to }) => ({ pending: name, where: `w._rank >= ${from} AND w._rank < ${to}` })),
    settle: async () => {
      const [tables, seqs, ranks] = [
        requeued.rows.map(({ table }) => table),
        requeued.rows.map(({ seq }) => seq),
        requeued.rows.map(({ rank }) => rank),
      ]
      await connection.query(
        `UPDATE ${name} w SET _rank = v.rank FROM unnest($1::int[], $2::bigint[], $3::bigint[]) v("table", seq, rank)
         WHERE w._table = v."table" AND w._seq = v.seq`,
        [tables, seqs, ranks],
      )
    },
  }
}

/** The statements of one try of a group: those of a merge, without the proofs that follow the real one. */
function statementsOf(plans: readonly TablePlan[], versions: readonly string[], { name }: Pending): string[] {
  const version = `((ARRAY[${versions.map(literal).join(', ')}]::text[])[s._file + 1] COLLATE "C")`
  return plans.flatMap(plan => {
    const { updated, touched, inserted } = writes(plan, version, { pending: name, where: IN_TRY })
    return [updated, touched, inserted].flatMap(write => (write === null ? [] : [write.sql]))
  })
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
async function deleteFirst(connection: Connection, groups: readonly (readonly TablePlan[])[]): Promise<void> {
  const plans = groups.flat().toReversed()
  await connection.query('SET CONSTRAINTS ALL DEFERRED')
  for (const plan of plans) {
    const { name } = plan.staging.table
    await blamed(name, () => connection.savepoint(() => deleteGone(connection, plan)))
  }
  const names = plans.filter(({ counts }) => counts.gone > 0).map(({ staging }) => staging.table.name)
  await blamed(names.join(' or '), () => connection.query('SET CONSTRAINTS ALL IMMEDIATE'))
}

async function blamed(name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const violation = violationOf(error)
    if (violation === null) throw error
    throw violated(violation, `Deleting rows of ${name} that are no longer in the set`, { table: name })
  }
}
