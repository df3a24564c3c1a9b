/**
 * Names the row that violates a rule of the target, by halves on top of the rows that were accepted:
 * about twice the cost of the merge, whatever the rule is. Here the load then fails whole; the same
 * search by ranges of `_seq` is the seam for taking violators out one by one.
 */
import type { Connection } from '../db/connection.ts'
import { LoadError, RunError } from '../model/errors.ts'
import { type ApplyInput, deleteGone, writeRows } from './merge-apply.ts'
import type { TablePlan } from './merge-plan.ts'

/** The rule and the database's own words about it. */
interface Violation {
  readonly sqlstate: string
  readonly rule: string
  /** Postgres's sentence; empty where it could repeat a value. */
  readonly words: string
}

/** Data exceptions whose sentence never repeats a value: too long, out of range; and all integrity violations. */
const WORDS_WITHOUT_VALUES = /^(23|22001|22003)/

/** What a database error says about a row it refused; null for anything else. */
export function violationOf(error: unknown): Violation | null {
  if (!(error instanceof RunError)) return null
  const sqlstate = String(error.details.sqlstate ?? '')
  // integrity, data exceptions, WITH CHECK OPTION, and a trigger's own RAISE
  if (!/^(23|22|44)/.test(sqlstate) && sqlstate !== 'P0001') return null
  const { constraint, column } = error.details
  const rule = constraint ?? column ?? 'a rule of the table'
  const words = WORDS_WITHOUT_VALUES.test(sqlstate) && error.cause instanceof Error ? error.cause.message : ''
  return { sqlstate, rule: String(rule), words }
}

/**
 * The error for a violated rule, with the row. Call it where the transaction is back at the state
 * before the merge; it leaves it there. `plans` come parents first.
 */
export async function findViolator(
  connection: Connection,
  plans: readonly TablePlan[],
  input: ApplyInput,
  fileNames: readonly string[],
  violation: Violation,
): Promise<LoadError> {
  let found: LoadError | null = null
  const undo = new Error('undo')
  await connection
    .savepoint(async () => {
      found =
        (await violatedByDelete(connection, plans)) ??
        (await violatedByRow(connection, plans, input, fileNames))
      throw undo
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error
    })
  return found ?? refusal(violation, 'A row, which could not be singled out,', {})
}

async function violatedByDelete(
  connection: Connection,
  plans: readonly TablePlan[],
): Promise<LoadError | null> {
  await connection.query('SET CONSTRAINTS ALL DEFERRED')
  for (const plan of plans.toReversed()) {
    const violation = await attempt(connection, () => deleteGone(connection, plan), false)
    if (violation === null) continue
    const { name } = plan.staging.table
    return refusal(violation, `Deleting rows of ${name} that are no longer in the set`, { table: name })
  }
  return null
}

async function violatedByRow(
  connection: Connection,
  plans: readonly TablePlan[],
  input: ApplyInput,
  fileNames: readonly string[],
): Promise<LoadError | null> {
  for (const plan of plans) {
    const { rows } = await connection.query<{ n: string | null }>(
      `SELECT max(_seq) + 1 AS n FROM ${plan.staging.rows}`,
    )
    let from = 0
    let to = Number(rows[0]!.n ?? 0)
    const write = (range: { from: number; to: number }): Promise<Violation | null> =>
      attempt(connection, () => writeRows(connection, plan, input, range), true)
    let violation = await write({ from, to })
    if (violation === null) continue
    while (to - from > 1) {
      const middle = from + Math.floor((to - from) / 2)
      const half = await write({ from, to: middle })
      if (half === null) {
        from = middle
      } else {
        to = middle
        violation = half
      }
    }
    return await nameRow(connection, plan, from, fileNames, violation)
  }
  return null
}

/** Runs `work` in a savepoint of its own, kept when it is accepted. */
async function attempt(
  connection: Connection,
  work: () => Promise<unknown>,
  judgeDeferred: boolean,
): Promise<Violation | null> {
  try {
    await connection.savepoint(async () => {
      await connection.query('SET CONSTRAINTS ALL DEFERRED')
      await work()
      if (judgeDeferred) await connection.query('SET CONSTRAINTS ALL IMMEDIATE')
    })
    return null
  } catch (error) {
    const violation = violationOf(error)
    if (violation === null) throw error
    return violation
  }
}

async function nameRow(
  connection: Connection,
  { staging }: TablePlan,
  seq: number,
  fileNames: readonly string[],
  violation: Violation,
): Promise<LoadError> {
  const { table } = staging
  const key = table.key.map(column => `s.${column.sql}::text`).join(', ')
  const { rows } = await connection.query<{ file: number; line: number; key: string[] }>(
    `SELECT s._file AS file, s._line AS line, ARRAY[${key}]::text[] AS key FROM ${staging.rows} s WHERE s._seq = $1`,
    [seq],
  )
  const row = rows[0]!
  const file = fileNames[row.file] ?? `file ${row.file}`
  const parts = table.key.map((column, at) =>
    column.declared.pii === 'none' ? `${column.name} = ${row.key[at]}` : `${column.name} [masked]`,
  )
  const shown = parts.length === 0 ? '' : ` (${parts.join(', ')})`
  return refusal(violation, `Line ${row.line} of ${file}${shown}, bound for ${table.name},`, {
    table: table.name,
    file,
    line: row.line,
    key: parts.join(', '),
  })
}

function refusal(
  { sqlstate, rule, words }: Violation,
  who: string,
  details: Readonly<Record<string, string | number>>,
): LoadError {
  return new LoadError(
    'LOAD_CONSTRAINT_VIOLATED',
    `${who} violates ${rule} of the target${words === '' ? '' : ` (${words})`}. Nothing of this load was published; the row or the rule has to be corrected.`,
    { details: { ...details, constraint: rule, sqlstate } },
  )
}
