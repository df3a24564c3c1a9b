/**
 * The second implementation of the comparison: plain SQL in Postgres (rules.sql, comparison.sql) over rows
 * as a test wrote them. It shares no code with reconcile/ and gives its result as lines of text (canonical.ts
 * brings the engine's result into the same form). Gates, snapshots and memory are not its business.
 */
import { readFileSync } from 'node:fs'
import type { Connection } from '../../../lib/db/connection.ts'
import type { CompareRule } from '../../../lib/model/comparison-rules.ts'
import type { TotalRule, Value } from '../../../lib/model/table.ts'

/** A row as a side has it; a record that is no row has an issue and its raw text. */
export interface OracleRow {
  readonly cells: readonly Value[]
  readonly file?: string | null
  readonly line?: number | null
  readonly issue?: string | null
  readonly raw?: string | null
}

/** What is compared. */
export interface OracleTask {
  readonly name: string
  readonly kinds: Readonly<Record<string, string>>
  /** Empty: rows are compared as bags. */
  readonly key: readonly string[]
  readonly rules?: Readonly<Record<string, CompareRule>>
  readonly ignore?: readonly string[]
  readonly totals?: Readonly<Record<string, TotalRule>>
  readonly left: readonly OracleRow[]
  readonly right: readonly OracleRow[]
  readonly pending?: { readonly column: string; readonly graceMs: number; readonly asOf: string }
  /** A side whose rows take part only where the other side has their key. */
  readonly keysOfOther?: 'left' | 'right'
}

const RULES = readFileSync(new URL('rules.sql', import.meta.url), 'utf8')
const COMPARISON = readFileSync(new URL('comparison.sql', import.meta.url), 'utf8')

const TABLES = `
  create temp table o_fact (reconciliation text, keyed boolean, marks text, pending int, grace interval, as_of timestamptz, scoped int) on commit drop;
  create temp table o_column (i int, name text, kind text, rule jsonb, is_key boolean, judged boolean, is_group boolean, grouped_by int) on commit drop;
  create temp table o_total (total text, factors int[], per int) on commit drop;
  create temp table o_row (side int, n bigint, cells text[], file text, line bigint, issue text, raw text) on commit drop;
`

/** The lines of the comparison, each a JSON list without spaces. The connection must be in no transaction. */
export async function askOracle(connection: Connection, task: OracleTask): Promise<string[]> {
  const names = Object.keys(task.kinds)
  const ignored = new Set(task.ignore ?? [])
  const isKey = (name: string): boolean =>
    task.key.length === 0 ? !ignored.has(name) : task.key.includes(name)
  // The columns in the order of the result: key, compared, and those that only totals need.
  const totals = Object.entries(task.totals ?? {})
  const needed = new Set(totals.flatMap(([, { sum, per }]) => [...sum, ...(per === undefined ? [] : [per])]))
  const order = [
    ...task.key,
    ...names.filter(name => !task.key.includes(name) && !ignored.has(name)),
    ...names.filter(name => !task.key.includes(name) && ignored.has(name) && needed.has(name)),
  ]
  const groupOf = (name: string): number | null => {
    const per = totals.find(([, total]) => total.per !== undefined && total.sum.includes(name))?.[1].per
    return per === undefined ? null : order.indexOf(per) + 1
  }
  const groups = new Set(totals.flatMap(([, { per }]) => (per === undefined ? [] : [per])))
  const columns = order.map((name, index) => ({
    i: index + 1,
    name,
    kind: task.kinds[name],
    rule: ruleFor(task.rules?.[name] ?? {}),
    is_key: isKey(name),
    judged: isKey(name) || !ignored.has(name),
    is_group: groups.has(name),
    grouped_by: groupOf(name),
  }))
  const at = (name: string): number => order.indexOf(name) + 1
  const positions = order.map(name => names.indexOf(name))
  const rows = (side: number, given: readonly OracleRow[]) =>
    given.map(({ cells, file, line, issue, raw }, n) => ({
      side,
      n,
      cells: positions.map(position => {
        const cell = cells[position]
        return cell === null || cell === undefined ? null : String(cell)
      }),
      file,
      line,
      issue,
      raw,
    }))
  const fact = {
    reconciliation: task.name,
    keyed: task.key.length > 0,
    marks: MARKS,
    pending: task.pending === undefined ? null : at(task.pending.column),
    grace: task.pending === undefined ? null : `${task.pending.graceMs} milliseconds`,
    as_of: task.pending?.asOf ?? null,
    scoped: task.keysOfOther === undefined ? null : task.keysOfOther === 'left' ? 0 : 1,
  }
  const fill = async (table: string, values: readonly object[]): Promise<void> => {
    await connection.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [
      JSON.stringify(values),
    ])
  }
  return connection.transaction(async () => {
    await connection.query('set local jit = off')
    await connection.query("set local work_mem = '64MB'")
    await connection.query(RULES)
    await connection.query(TABLES)
    await fill('o_fact', [fact])
    await fill('o_column', columns)
    await fill(
      'o_total',
      totals.map(([total, { sum, per }]) => ({
        total,
        factors: sum.map(at),
        per: per === undefined ? null : at(per),
      })),
    )
    await fill('o_row', rows(0, task.left))
    await fill('o_row', rows(1, task.right))
    await connection.query('analyze o_row')
    await connection.query(COMPARISON)
    const { rows: lines } = await connection.query<{ line: unknown }>(
      'select line from o_line order by part, place',
    )
    return lines.map(({ line }) => JSON.stringify(line))
  })
}

/** A bracket expression of all combining marks, which Postgres has no class for. */
const MARKS = bracketOf(/\p{M}/u)

function bracketOf(characters: RegExp): string {
  let text = ''
  const hex = (code: number): string => `\\U${code.toString(16).padStart(8, '0')}`
  let from = -1
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const one = (code < 0xd800 || code > 0xdfff) && characters.test(String.fromCodePoint(code))
    if (one && from < 0) from = code
    if (!one && from >= 0) {
      text += `${hex(from)}-${hex(code - 1)}`
      from = -1
    }
  }
  return `[${text}]`
}

/** What is set of a rule; value maps by side, in their order. */
function ruleFor({ values, ...rule }: CompareRule): object {
  const set = Object.entries(rule).filter(
    ([, value]) => value !== false && value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  const maps = [values?.source, values?.target].map(map => (map === undefined ? null : Object.entries(map)))
  return {
    ...Object.fromEntries(set),
    ...(values === undefined
      ? {}
      : { values: Object.fromEntries(maps.entries().filter(([, map]) => map !== null)) }),
  }
}
