/**
 * The updates of a plan in one table: judged in one join with the target, written where every old
 * value is still there, and looked at afterwards. Changes of the same columns go together.
 */
import type { Connection } from '../db/connection.ts'
import { BugError } from '../model/errors.ts'
import type { AppliedChange, ChangeOutcome, PlannedChange } from '../model/resolution.ts'
import { assertWrote, countOf, laterThan, type RepairedTable, tempName, typed } from './repair-table.ts'
import { canonicalJson, sameKey, type TargetColumn } from './target-table.ts'

/** A change with its place in the plan. */
export interface Placed {
  readonly change: PlannedChange
  readonly position: number
}

/** Makes the updates; gives what became of each. @throws LOAD_ROWS_SWALLOWED */
export async function update(
  connection: Connection,
  repaired: RepairedTable,
  placed: readonly Placed[],
): Promise<AppliedChange[]> {
  const groups = new Map<string, Placed[]>()
  for (const one of placed) {
    const names = JSON.stringify(one.change.columns.map(({ name }) => name))
    const group = groups.get(names)
    if (group === undefined) groups.set(names, [one])
    else group.push(one)
  }
  const applied: AppliedChange[] = []
  for (const [number, group] of [...groups.values()].entries())
    applied.push(...(await updateGroup(connection, repaired, group, `updates_${number}`)))
  return applied
}

async function updateGroup(
  connection: Connection,
  repaired: RepairedTable,
  group: readonly Placed[],
  what: string,
): Promise<AppliedChange[]> {
  const { table } = repaired
  const columns = group[0]!.change.columns.map(({ name }) => columnNamed(repaired, name))
  const changes = tempName(repaired, what)
  await sendChanges(connection, repaired, changes, columns, group)
  const key = sameKey(table.key, 't', 'c')
  const all = (side: 'o' | 'n', comparison: string): string =>
    columns.map((column, i) => `t.${column.sql} ${comparison} c.${side}${i}`).join(' AND ')
  const later = laterThan(repaired, 'c')
  await connection.query(
    `UPDATE ${changes} x SET _outcome = j.outcome, _found = j.found FROM (
       SELECT c._position, CASE WHEN t.${table.key[0]!.sql} IS NULL THEN 'refused' WHEN ${later.condition} THEN 'outdated'
           WHEN ${all('n', 'IS NOT DISTINCT FROM')} THEN 'unchanged' WHEN ${all('o', 'IS NOT DISTINCT FROM')} THEN 'applied'
           ELSE 'refused' END AS outcome,
         CASE WHEN t.${table.key[0]!.sql} IS NOT NULL THEN ${canonicalJson(columns, 't.')} END AS found
       FROM ${changes} c LEFT JOIN ${table.sql} t ON ${key} ${later.join}) j
     WHERE j._position = x._position`,
  )
  const sets = columns.map((column, i) => `${column.sql} = c.n${i}`).join(', ')
  const due = await countOf(connection, `SELECT count(*) AS n FROM ${changes} WHERE _outcome = 'applied'`)
  const { rowCount } = await connection.query(
    `UPDATE ${table.sql} t SET ${sets} FROM ${changes} c WHERE c._outcome = 'applied' AND ${key}`,
  )
  assertWrote(table, 'changed', due, rowCount)
  const standing = await countOf(
    connection,
    `SELECT count(*) AS n FROM ${changes} c JOIN ${table.sql} t ON ${key} WHERE c._outcome = 'applied' AND ${all('n', 'IS NOT DISTINCT FROM')}`,
  )
  assertWrote(table, 'as the plan says afterwards', due, standing)
  const { rows } = await connection.query<{
    position: number
    outcome: ChangeOutcome
    found: AppliedChange['found']
  }>(`SELECT _position AS position, _outcome AS outcome,
        CASE WHEN _outcome IN ('refused', 'outdated') THEN _found END AS found FROM ${changes}`)
  return rows
}

function columnNamed({ table }: RepairedTable, field: string): TargetColumn {
  const column = table.values.find(one => one.field === field)
  if (column !== undefined) return column
  throw new BugError(
    'BUG_PLAN_COLUMN',
    `A plan changes ${field} of ${table.name}, which is no column that it may change. Nothing of the plan took effect.`,
  )
}

/** The changes as a temporary table: place, key, old values `o0`.., new values `n0`... */
async function sendChanges(
  connection: Connection,
  repaired: RepairedTable,
  name: string,
  columns: readonly TargetColumn[],
  group: readonly Placed[],
): Promise<void> {
  const { key } = repaired.table
  const values = columns.flatMap((column, i) => [
    `o${i} ${typed(repaired, column)}`,
    `n${i} ${typed(repaired, column)}`,
  ])
  const keys = key.map(column => `${column.sql} ${typed(repaired, column)}`)
  await connection.query(
    `CREATE TEMPORARY TABLE ${name} (_position integer, ${[...keys, ...values].join(', ')}, _outcome text, _found jsonb) ON COMMIT DROP`,
  )
  const arrays = [
    ...key.map(({ field }) => group.map(({ change }) => change.key[field] ?? null)),
    ...columns.flatMap((_, i) => [
      group.map(({ change }) => change.columns[i]!.old),
      group.map(({ change }) => change.columns[i]!.new),
    ]),
  ]
  const types = [...key, ...columns.flatMap(column => [column, column])].map(column =>
    typed(repaired, column),
  )
  const picked = arrays.map((_, i) => `u.v${i}::${types[i]}`)
  await connection.query(
    `INSERT INTO ${name} SELECT u.position, ${picked.join(', ')}
     FROM unnest($1::int[], ${arrays.map((_, i) => `$${i + 2}::text[]`).join(', ')}) AS u (position, ${arrays.map((_, i) => `v${i}`).join(', ')})`,
    [group.map(({ position }) => position), ...arrays],
  )
}
