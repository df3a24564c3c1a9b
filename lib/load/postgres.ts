/**
 * `postgres({ ... })`: says how the mapped rows of a job take effect in Postgres tables.
 * Plain data with defaults; what can't be honoured is refused here. Who does it: load-into-postgres.ts.
 */
import { ConfigError } from '../model/errors.ts'
import type { LoadTables, PostgresLoad, RejectLimit } from '../model/job.ts'
import { refuseDefinition } from '../model/refusal.ts'
import type { LoadMode } from '../model/run.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'

/**
 * More rejects than this publish nothing. 1 % of a file that was clean for months is a changed
 * format, not bad luck; below 100 records percents say nothing.
 */
export const DEFAULT_REJECT_LIMIT: RejectLimit = { maxCount: 1_000, maxPercent: 1, minRecords: 100 }

/** A set that lost half of its rows is more often half a file than half a business. */
export const DEFAULT_MAX_DELETE_PERCENT = 50

/** What all loads into Postgres can be told besides their tables. */
export interface PostgresOptions {
  /**
   * `append`: rows are added. `upsert`: rows win by key, older never over newer. `mirror`: the whole
   * table equals the set. `replace`: the rows of the business date equal the set of that date.
   */
  readonly mode: LoadMode
  /**
   * Field of every table that holds the business date. `replace` needs it; with it, an `append` can
   * honour a correction, which then replaces the rows of its date.
   */
  readonly scope?: string
  readonly rejects?: Partial<RejectLimit>
  /** A mirror or replace that would delete more than this share of the rows in scope publishes nothing. */
  readonly maxDeletePercent?: number
  /** The Postgres that the tables are in, by its name among the environment's `targets`. Default: the run ledger's own. */
  readonly database?: string
}

/**
 * A load into one table, or into several in one transaction (keys are the mapping's table names).
 * @throws CONFIG_LOAD_INVALID for a combination that can't be honoured; all complaints at once.
 */
export function postgres<const T extends TableDefinition>(
  options: PostgresOptions & { readonly table: T },
): PostgresLoad<{ readonly rows: T }>
export function postgres<const T extends LoadTables>(
  options: PostgresOptions & { readonly tables: T },
): PostgresLoad<T>
export function postgres(
  options: PostgresOptions & {
    readonly table?: TableDefinition
    readonly tables?: LoadTables
  },
): PostgresLoad {
  const tables: LoadTables = options.tables ?? (options.table === undefined ? {} : { rows: options.table })
  const rejects: RejectLimit = { ...DEFAULT_REJECT_LIMIT, ...options.rejects }
  const maxDeletePercent = options.maxDeletePercent ?? DEFAULT_MAX_DELETE_PERCENT
  const complaints = [
    ...Object.values(tables).flatMap(table => tableComplaints(table, options)),
    ...numberComplaints(rejects, maxDeletePercent),
  ]
  const names = Object.values(tables).map(qualifiedName)
  if (names.length === 0) complaints.push('it names no table')
  if (new Set(names).size !== names.length) complaints.push('one database table stands there twice')
  if (options.mode === 'replace' && options.scope === undefined) {
    complaints.push('mode replace needs `scope`, the field that holds the business date')
  }
  if ((options.mode === 'upsert' || options.mode === 'mirror') && options.scope !== undefined) {
    complaints.push(`mode ${options.mode} takes no scope; replacing the rows of a date is mode replace`)
  }
  const spec: PostgresLoad = {
    kind: 'postgres',
    mode: options.mode,
    tables,
    scope: options.scope ?? null,
    rejects,
    maxDeletePercent,
    ...(options.database === undefined ? {} : { database: options.database }),
  }
  if (complaints.length > 0) {
    const into = names.join(', ') || 'Postgres'
    const text = `The load into ${into} can't be honoured: ${complaints.join('; ')}. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_LOAD_INVALID', text), spec)
  }
  return spec
}

function tableComplaints(table: TableDefinition, options: PostgresOptions): string[] {
  const name = qualifiedName(table)
  const complaints: string[] = []
  for (const field of Object.keys(table.columns)) {
    if (field.startsWith('_')) complaints.push(`${name}.${field} begins with _, as the columns of staging do`)
  }
  if (options.mode === 'upsert' && table.key.length === 0) {
    complaints.push(`${name} has no key, and mode upsert finds rows by key`)
  }
  if (options.scope !== undefined) {
    const column = table.columns[options.scope]
    if (column === undefined) complaints.push(`${name} has no field ${options.scope} for the scope`)
    else if (column.type.kind !== 'date') complaints.push(`${name}.${options.scope} is no date`)
    else if (table.key.length > 0 && !table.key.includes(options.scope)) {
      complaints.push(`${name} lacks ${options.scope} in its key, so a row could move between dates`)
    }
  }
  return complaints
}

function numberComplaints(rejects: RejectLimit, maxDeletePercent: number): string[] {
  const complaints: string[] = []
  for (const [name, value] of Object.entries(rejects)) {
    if (!(value >= 0)) complaints.push(`rejects.${name} is ${value}`)
  }
  if (!(rejects.maxPercent <= 100)) complaints.push(`rejects.maxPercent is ${rejects.maxPercent}`)
  if (!(maxDeletePercent >= 0 && maxDeletePercent <= 100)) {
    complaints.push(`maxDeletePercent is ${maxDeletePercent}, not between 0 and 100`)
  }
  return complaints
}
