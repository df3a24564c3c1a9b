/**
 * Compares target tables with their definitions before the first row is sent: everything that would
 * break, change or hide rows, all at once, each with the DDL that mends it.
 * Reads through read-target.ts; creating what is missing is create-target.ts's.
 */
import type { Connection } from '../db/connection.ts'
import { LoadError } from '../model/errors.ts'
import type { ColumnType } from '../model/table.ts'
import { columnComment, createTableDdl } from './ddl.ts'
import { type ActualColumn, type ActualTable, readTarget, schemaExists } from './read-target.ts'
import { columnList, sqlType, type TargetColumn, type TargetTable } from './target-table.ts'

/** One thing about a target that its definition does not allow. */
export interface Mismatch {
  readonly table: string
  /** What is wrong, a clause: `column weight_kg is missing`. */
  readonly problem: string
  /** Statements that mend it; empty where only a person can decide. */
  readonly ddl: readonly string[]
}

/** What the load has to know of a target that fits. */
export interface CheckedTarget {
  /** Quoted collation by column name, for staging; columns without one are absent. */
  readonly collations: ReadonlyMap<string, string>
}

/** All mismatches of the tables, in the tables' order; empty when they fit. */
export async function findMismatches(
  connection: Connection,
  tables: readonly TargetTable[],
): Promise<{ mismatches: Mismatch[]; checked: Map<TargetTable, CheckedTarget> }> {
  const inLoad = tables.map(table => table.name)
  const mismatches: Mismatch[] = []
  const checked = new Map<TargetTable, CheckedTarget>()
  for (const table of tables) {
    const actual = await readTarget(connection, table)
    if (actual === null) {
      const ddl = createTableDdl(table, await schemaExists(connection, table.definition.schema))
      mismatches.push({ table: table.name, problem: 'the table does not exist', ddl })
      continue
    }
    mismatches.push(...judgeTable(table, actual, inLoad))
    const collations = actual.columns.flatMap(({ name, collation }) =>
      collation === null ? [] : [[name, collation] as const],
    )
    checked.set(table, { collations: new Map(collations) })
  }
  return { mismatches, checked }
}

/**
 * The targets as the load needs them.
 * @throws LOAD_TARGET_MISMATCH naming every mismatch, with the DDL in the details.
 */
export async function checkTargets(
  connection: Connection,
  tables: readonly TargetTable[],
): Promise<Map<TargetTable, CheckedTarget>> {
  const { mismatches, checked } = await findMismatches(connection, tables)
  if (mismatches.length === 0) return checked
  const list = mismatches.map(({ table, problem }) => `${table}: ${problem}`)
  const ddl = mismatches.flatMap(mismatch => mismatch.ddl)
  const remedy = ddl.length === 0 ? '' : ` These statements would mend it:\n${ddl.join('\n')}\n`
  throw new LoadError(
    'LOAD_TARGET_MISMATCH',
    `The target does not fit its definition: ${list.join('; ')}. No row was sent.${remedy}`,
    { details: { problems: list, ddl } },
  )
}

/** All mismatches of one existing table; references from tables of the load itself are its own business. Pure. */
export function judgeTable(table: TargetTable, actual: ActualTable, inLoad: readonly string[]): Mismatch[] {
  const { kind, rowSecurity, may, keys, incoming } = actual.found
  const found: Mismatch[] = []
  const say = (problem: string, ...ddl: string[]): void => {
    found.push({ table: table.name, problem, ddl })
  }
  const alter = (change: string): string => `ALTER TABLE ${table.sql} ${change};`
  if (kind !== 'r' && kind !== 'p') {
    say('it is no table but a view, foreign table or the like, whose rows can not be locked and counted')
    return found
  }
  if (rowSecurity) say('row-level security hides rows from this user, so rows would be counted wrongly')
  const missingRights = (['select', 'insert', 'update', 'delete'] as const).filter(right => !may[right])
  if (missingRights.length > 0) {
    const rights = missingRights.join(', ').toUpperCase()
    say(`the right to ${rights} is missing`, `GRANT ${rights} ON ${table.sql} TO ${anyName(actual.user)};`)
  }
  const ours = table.asOf === null ? table.columns : [...table.columns, table.asOf]
  const byName = new Map(actual.columns.map(column => [column.name, column]))
  for (const column of ours) {
    const real = byName.get(column.name)
    if (real === undefined) {
      const notNull = table.key.includes(column) ? ' NOT NULL' : ''
      const add = alter(`ADD COLUMN ${column.sql} ${sqlType(column.type)}${notNull}`)
      say(`column ${column.name} is missing`, add, columnComment(table, column))
    } else {
      judgeColumn(table, column, real, say, alter)
    }
  }
  const known = new Set(ours.map(column => column.name))
  for (const column of actual.columns) {
    if (known.has(column.name) || !column.notNull || column.filled || column.generated) continue
    say(
      `column ${column.name} is NOT NULL, has no default and is not filled by the mapping`,
      alter(`ALTER COLUMN ${anyName(column.name)} DROP NOT NULL`),
    )
  }
  const keyNames = new Set(table.key.map(column => column.name))
  const proves = (unique: readonly string[]): boolean => unique.every(name => keyNames.has(name))
  if (table.key.length > 0 && !keys.some(({ columns }) => proves(columns))) {
    const list = [...keyNames].join(', ')
    say(
      `no unique index holds the declared key (${list})`,
      `CREATE UNIQUE INDEX ON ${table.sql} (${columnList(table.key)});`,
    )
  }
  for (const { constraint, table: from, onDelete, onUpdate } of incoming) {
    const harmless = ['no action', 'restrict']
    if (inLoad.includes(from) || (harmless.includes(onDelete) && harmless.includes(onUpdate))) continue
    const actions = `on delete ${onDelete}, on update ${onUpdate}`
    say(
      `${from} refers to it ${actions} (${constraint}), which would change rows that nobody loads or counts`,
    )
  }
  return found
}

/** A name in quotes that is not ours, so that it may hold anything. */
function anyName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function judgeColumn(
  table: TargetTable,
  column: TargetColumn,
  real: ActualColumn,
  say: (problem: string, ...ddl: string[]) => void,
  alter: (change: string) => string,
): void {
  const at = `column ${column.name}`
  if (real.generated) {
    say(`${at} is generated by the database and can't be written`)
    return
  }
  const wrong = typeProblem(column.type, real)
  if (wrong !== null) {
    const type = sqlType(column.type)
    say(
      `${at} is ${real.shown}, declared ${type}: ${wrong}`,
      alter(
        `ALTER COLUMN ${column.sql} TYPE ${type} USING ${column.sql}::${type.replace(/ COLLATE .*/, '')}`,
      ),
    )
  } else if (!real.deterministic) {
    say(`${at} has the collation ${real.collation}, under which different texts are equal`)
  }
  if (column.declared.nullable && real.notNull) {
    say(`${at} is NOT NULL, declared nullable`, alter(`ALTER COLUMN ${column.sql} DROP NOT NULL`))
  }
  if (table.key.includes(column) && !real.notNull) {
    say(`${at} is in the key and allows NULL`, alter(`ALTER COLUMN ${column.sql} SET NOT NULL`))
  }
}

/** Digits before the point of JavaScript's largest safe integer. */
const SAFE_INTEGER_DIGITS = 16

/** Postgres keeps a type's limits in typmod, with 4 added for its header. */
const TYPMOD_HEADER = 4

/** Why a declared value would not fit, or would come back changed; null when it always comes back the same. */
function typeProblem(declared: ColumnType, real: ActualColumn): string | null {
  const { type, typmod } = real
  const unlimited = typmod < 0
  switch (declared.kind) {
    case 'asOf':
      if (type !== 'text') return 'it holds dates and numbers as one text'
      return real.collation === 'pg_catalog."C"' ? null : 'its order must be that of its bytes'
    case 'text': {
      if (type === 'bpchar') return 'it is padded, so that texts come back changed'
      if (type !== 'text' && type !== 'varchar') return 'it is no text'
      if (unlimited) return null
      const max = typmod - TYPMOD_HEADER
      if (declared.max === null) return 'longer texts would be refused'
      return max < declared.max ? `${max} characters are fewer than ${declared.max}` : null
    }
    case 'integer':
      if (type === 'int8') return null
      if (type === 'int4' || type === 'int2') return 'it holds smaller numbers only'
      return type === 'numeric' ? numericProblem(SAFE_INTEGER_DIGITS, 0, typmod) : 'it is no whole number'
    case 'decimal': {
      if (type === 'float4' || type === 'float8') return 'it is not exact'
      if (type !== 'numeric') return 'it is no decimal'
      return numericProblem(declared.precision - declared.scale, declared.scale, typmod)
    }
    case 'date':
      return type === 'date' ? null : 'it is no calendar date'
    case 'timestamp':
      if (type === 'timestamp') return 'without a zone it is no instant'
      if (type !== 'timestamptz') return 'it is no instant'
      return unlimited || typmod >= 6 ? null : 'microseconds would be rounded'
    case 'boolean':
      return type === 'bool' ? null : 'it is no boolean'
  }
}

function numericProblem(digits: number, scale: number, typmod: number): string | null {
  if (typmod < 0) return null
  const realPrecision = ((typmod - TYPMOD_HEADER) >> 16) & 0xffff
  // 11 bits, signed: numeric(2, -3) exists
  const realScale = (((typmod - TYPMOD_HEADER) & 0x7ff) ^ 1024) - 1024
  if (realScale < scale) return `${realScale} decimal places are fewer than ${scale}`
  if (realPrecision - realScale < digits) {
    return `${realPrecision - realScale} digits before the point are fewer than ${digits}`
  }
  return null
}
