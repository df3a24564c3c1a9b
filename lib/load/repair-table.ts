/**
 * What repairing one target table needs: its versions, its temporary tables, and the SQL of values and
 * of proofs that updates and reloads have in common.
 */
import type { Connection } from '../db/connection.ts'
import { KEY_AS_OF } from '../ledger/as-of.ts'
import { LoadError } from '../model/errors.ts'
import { type KeptVersions, keyText } from './key-versions.ts'
import { literal, stagingType, type TargetColumn, type TargetTable } from './target-table.ts'

/** One target table while a plan is applied to it, under its lock. */
export interface RepairedTable {
  readonly table: TargetTable
  /** Begin of the names of its temporary tables, quoted; the caller of `tempName` closes the quote. */
  readonly name: string
  /** Collation of a column, ` COLLATE x` or empty. */
  readonly collate: (column: string) => string
  /** What is kept beside the table; null where versions are not. */
  readonly kept: KeptVersions | null
  /** The latest version that the base's load brought; null where tables know no versions. */
  readonly latest: string | null
  readonly versionOf: (fileId: string) => string
}

/** The name of a temporary table. */
export function tempName({ name }: RepairedTable, what: string): string {
  return `${name}_${what}"`
}

/** A column's type in a temporary table. */
export function typed({ collate }: RepairedTable, column: TargetColumn): string {
  const type = stagingType(column.type)
  return column.type.kind === 'text' ? `${type}${collate(column.name)}` : type
}

/** SQL that is true where a later load than the base's wrote row `t` of the target or its key, with the join that it needs; `s` has the key. */
export function laterThan(
  { table, kept, latest }: RepairedTable,
  s: string,
): { readonly join: string; readonly condition: string } {
  if (latest === null) return { join: '', condition: 'false' }
  const after = `> ${literal(latest)} COLLATE "C"`
  if (table.asOf !== null) return { join: '', condition: `coalesce(t.${table.asOf.sql} ${after}, false)` }
  if (kept === null || (kept.floor === null && !kept.marks)) return { join: '', condition: 'false' }
  const join = `LEFT JOIN ${KEY_AS_OF} v ON v.target = ${literal(table.name)} AND v.key = ${keyText(table, s)}`
  const floor = kept.floor === null ? 'NULL' : literal(kept.floor)
  return { join, condition: `coalesce(coalesce(v.as_of, ${floor} COLLATE "C") ${after}, false)` }
}

/** Refuses a count that is not what was judged. @throws LOAD_ROWS_SWALLOWED */
export function assertWrote({ name }: TargetTable, what: string, expected: number, found: number): void {
  if (expected === found) return
  throw new LoadError(
    'LOAD_ROWS_SWALLOWED',
    `${expected} rows of ${name} were to be ${what}, and the database reports ${found}. A trigger or rule on the table takes rows away or writes others. Nothing of the plan took effect.`,
    { details: { table: name, what, expected, found } },
  )
}

/** The number that a query gives as `n`. */
export async function countOf(connection: Connection, sql: string): Promise<number> {
  const { rows } = await connection.query<{ n: string }>(sql)
  return Number(rows[0]!.n)
}
