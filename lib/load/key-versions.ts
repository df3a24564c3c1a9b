/**
 * Which version of each key was applied last, so that an older file never overwrites a newer one.
 * A table with an asOf column keeps it there: exact, at the price of one narrow update per unchanged
 * row and newer date. Without one it is kept beside: a floor for all rows of the table
 * (tallyman.table_as_of) and marks for the keys that differ from it (tallyman.key_as_of), so that a
 * nightly file of all keys writes one row, and a small delta writes only its own keys.
 */
import type { Connection } from '../db/connection.ts'
import { KEY_AS_OF, TABLE_AS_OF } from '../ledger/as-of.ts'
import type { LoadMode } from '../model/run.ts'
import type { StagingTable } from './staging.ts'
import { sameKey, type TargetTable } from './target-table.ts'

/** Where the last applied version of a key is kept. */
export function versionKeeping(mode: LoadMode, table: TargetTable): 'column' | 'beside' | 'none' {
  if (mode !== 'upsert') return 'none'
  return table.asOf === null ? 'beside' : 'column'
}

/** What is kept beside a table. */
export interface KeptVersions {
  /** Version of all rows whose key has no mark of its own; null when nothing is known. */
  readonly floor: string | null
  /** Some keys have marks of their own. */
  readonly marks: boolean
}

/** Reads what is kept beside a table; call under its lock. */
export async function readVersions(connection: Connection, table: TargetTable): Promise<KeptVersions> {
  const { rows } = await connection.query<KeptVersions>(
    `SELECT (SELECT as_of FROM ${TABLE_AS_OF} WHERE target = $1) AS floor,
       EXISTS (SELECT FROM ${KEY_AS_OF} WHERE target = $1) AS marks`,
    [table.name],
  )
  return rows[0]!
}

/** The version that a staged row brings, for alias `s`; parameter n holds the versions by file. */
export function versionOf(parameter: number): string {
  return `(($${parameter}::text[])[s._file + 1] COLLATE "C")`
}

/** A key as text, as tallyman.key_as_of has it. */
export function keyText(table: TargetTable, alias: string): string {
  const parts = table.key.map(column => {
    const key = `${alias}.${column.sql}`
    return column.type.kind === 'decimal' ? `trim_scale(${key}::numeric)` : key
  })
  return `json_build_array(${parts.join(', ')})::text`
}

/** What a load did to a table, as far as versions go. */
export interface VersionedLoad {
  readonly staging: StagingTable
  /** The target was empty before. */
  readonly fresh: boolean
  readonly kept: KeptVersions
  /** Version text by position of the file. */
  readonly versions: readonly string[]
}

/**
 * Notes the versions that an upsert applied, after its rows were written. Whichever is less to write:
 * marks for the rows of the set, or a new floor with marks for the rows that the set lacks.
 */
export async function noteVersions(connection: Connection, load: VersionedLoad): Promise<void> {
  const { staging, fresh, kept, versions } = load
  const { table, rows } = staging
  const lowest = versions.toSorted()[0]
  if (lowest === undefined) return
  if (fresh) {
    await connection.query(`DELETE FROM ${KEY_AS_OF} WHERE target = $1`, [table.name])
    await raiseFloor(connection, { ...load, kept: { floor: null, marks: false } }, lowest, 0)
    return
  }
  const counted = await connection.query<{ inSet: string; later: string; inTarget: string }>(
    `SELECT count(*) AS "inSet", count(*) FILTER (WHERE ${versionOf(1)} > $2) AS later,
       (SELECT count(*) FROM ${table.sql}) AS "inTarget" FROM ${rows} s`,
    [versions, lowest],
  )
  const [inSet, later, inTarget] = Object.values(counted.rows[0]!).map(Number) as [number, number, number]
  const lacking = inTarget - inSet
  const rises = kept.floor === null || kept.floor < lowest
  if (rises && lacking + later < inSet) await raiseFloor(connection, load, lowest, lacking)
  else await markSet(connection, load)
}

/** All rows of the set get the floor; rows that it lacks keep what they had, as marks. */
async function raiseFloor(
  connection: Connection,
  { staging, kept, versions }: VersionedLoad,
  floor: string,
  lacking: number,
): Promise<void> {
  const { table, rows } = staging
  if (lacking > 0) {
    await connection.query(
      `INSERT INTO ${KEY_AS_OF} (target, key, as_of)
       SELECT $1, ${keyText(table, 't')}, $2 FROM ${table.sql} t
       WHERE NOT EXISTS (SELECT FROM ${rows} s WHERE ${sameKey(table.key, 's', 't')})
       ON CONFLICT (target, key) DO NOTHING`,
      [table.name, kept.floor ?? ''],
    )
  }
  if (kept.marks) {
    await connection.query(
      `DELETE FROM ${KEY_AS_OF} v USING ${rows} s
       WHERE v.target = $2 AND v.key = ${keyText(table, 's')} AND v.as_of <= ${versionOf(1)}`,
      [versions, table.name],
    )
  }
  if (versions.some(version => version > floor)) {
    await connection.query(
      `INSERT INTO ${KEY_AS_OF} (target, key, as_of)
       SELECT $2, ${keyText(table, 's')}, ${versionOf(1)} FROM ${rows} s WHERE ${versionOf(1)} > $3
       ON CONFLICT (target, key) DO NOTHING`,
      [versions, table.name, floor],
    )
  }
  await setFloor(connection, table, floor)
}

/** The rows of the set get marks; the floor stays. */
async function markSet(connection: Connection, { staging, kept, versions }: VersionedLoad): Promise<void> {
  const { table, rows, plan } = staging
  if (kept.marks) {
    await connection.query(
      `UPDATE ${KEY_AS_OF} v SET as_of = ${versionOf(1)} FROM ${rows} s
       WHERE v.target = $2 AND v.key = ${keyText(table, 's')} AND v.as_of < ${versionOf(1)}`,
      [versions, table.name],
    )
  }
  // a new key that is older than the floor was not in what set the floor
  await connection.query(
    `INSERT INTO ${KEY_AS_OF} (target, key, as_of)
     SELECT $2, ${keyText(table, 's')}, ${versionOf(1)} FROM ${rows} s
     WHERE ${versionOf(1)} > $3 OR EXISTS (SELECT FROM ${plan} p WHERE p._seq = s._seq AND p._kind = 'new')
     ON CONFLICT (target, key) DO NOTHING`,
    [versions, table.name, kept.floor ?? ''],
  )
}

/** A mirror makes all rows of the table one version. */
export async function noteMirror(connection: Connection, table: TargetTable, version: string): Promise<void> {
  await connection.query(`DELETE FROM ${KEY_AS_OF} WHERE target = $1`, [table.name])
  await setFloor(connection, table, version)
}

async function setFloor(connection: Connection, table: TargetTable, version: string): Promise<void> {
  await connection.query(
    `INSERT INTO ${TABLE_AS_OF} (target, as_of) VALUES ($1, $2)
     ON CONFLICT (target) DO UPDATE SET as_of = excluded.as_of`,
    [table.name, version],
  )
}
