/**
 * Mistakes in how a job's rows take effect: tables that do not fit the mapping, modes that can't be
 * honoured (delivery.md, Identity), limits, an API that the environment does not have.
 */
import type { EnvironmentFile } from '../model/environment.ts'
import type { ApiLoad, JobDefinition, PostgresLoad } from '../model/job.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import type { Complain } from './complaint.ts'

/** Mistakes of a job's load. `refused`: its builder has told what is wrong in itself. */
export function checkLoad(
  job: JobDefinition,
  environment: EnvironmentFile,
  refused: boolean,
  complain: Complain,
): void {
  const { load, map } = job
  for (const name of Object.keys(map.tables)) {
    if (load.tables[name] === undefined)
      complain('load.tables', `does not take ${name}, which the mapping makes`, `add ${name}`)
    else if (load.tables[name] !== map.tables[name])
      complain('load.tables', `${name} is another table than the mapping's`, 'use the same defineTable value')
  }
  for (const name of Object.keys(load.tables)) {
    if (map.tables[name] === undefined)
      complain('load.tables', `takes ${name}, which the mapping never makes`, `remove ${name}, or map it`)
  }
  if (load.kind === 'api') checkApi(load, environment, complain)
  else checkDatabase(job, load, environment, complain)
  if (refused) return
  const { maxCount, maxPercent, minRecords } = load.rejects
  if (!(maxCount >= 0) || !(minRecords >= 0)) complain('load.rejects', 'has a negative limit', 'zero or more')
  if (!(maxPercent >= 0 && maxPercent <= 100))
    complain('load.rejects.maxPercent', `${maxPercent} is no percentage`, '0 to 100')
  if (load.kind === 'api') return
  for (const [name, table] of Object.entries(load.tables)) checkMode(load, name, table, complain)
  if (!(load.maxDeletePercent >= 0 && load.maxDeletePercent <= 100))
    complain('load.maxDeletePercent', `${load.maxDeletePercent} is no percentage`, '0 to 100')
}

function checkDatabase(
  job: JobDefinition,
  { database }: PostgresLoad,
  environment: EnvironmentFile,
  complain: Complain,
): void {
  if (database === undefined) return
  if (environment.targets?.[database] === undefined) {
    const known = Object.keys(environment.targets ?? {}).join(', ') || 'none'
    complain(
      'load.database',
      `the environment ${environment.name} has no target ${JSON.stringify(database)}`,
      `one of: ${known}; or add it to targets in environments/${environment.name}.ts`,
    )
  }
  for (const { name, resolve } of job.reconcile.comparisons) {
    if (resolve !== undefined)
      complain(
        `reconcile.${name}.resolve`,
        "would change rows in another Postgres than the run ledger's, which plans can't do yet",
        'drop it, and mend the breaks by a corrected delivery',
      )
  }
}

function checkApi(load: ApiLoad, environment: EnvironmentFile, complain: Complain): void {
  if (environment.api[load.endpoint] === undefined) {
    const known = Object.keys(environment.api).join(', ') || 'none'
    complain(
      'load.endpoint',
      `the environment ${environment.name} has no API ${JSON.stringify(load.endpoint)}`,
      `one of: ${known}; or add it to environments/${environment.name}.ts`,
    )
  }
  if (load.path.split('/').includes('..') || /[?#]/.test(load.path))
    complain('load.path', `${JSON.stringify(load.path)} is no plain path`, 'such as v1/hours')
  for (const table of Object.values(load.tables)) {
    if (table.key.length === 0)
      complain(
        'load.tables',
        `${qualifiedName(table)} has no key, so the API's answers can't be matched to rows`,
        'declare a key',
      )
  }
}

function checkMode(load: PostgresLoad, name: string, table: TableDefinition, complain: Complain): void {
  if (load.mode === 'replace') checkScope(load.scope, table, complain)
  if ((load.mode === 'upsert' || load.mode === 'mirror') && table.key.length === 0) {
    complain(
      'load.mode',
      `${load.mode} needs a key, and ${qualifiedName(table)} (${name}) has none`,
      'declare a key, or use replace within the business date',
    )
  }
}

function checkScope(scope: string | null, table: TableDefinition, complain: Complain): void {
  const full = qualifiedName(table)
  const type = scope === null ? undefined : table.columns[scope]?.type
  if (scope === null)
    complain(
      'load.scope',
      'is missing: replace needs the field that holds the business date',
      "scope: 'businessDate'",
    )
  else if (type === undefined)
    complain('load.scope', `${scope} is no column of ${full}`, 'a date column of each table')
  else if (type.kind !== 'date')
    complain('load.scope', `${scope} of ${full} is ${type.kind}, not a date`, 'a date column')
  else if (table.key.length > 0 && !table.key.includes(scope)) {
    complain(
      'load.scope',
      `the key of ${full} does not hold ${scope}, so two dates could claim one row`,
      `add ${scope} to the key, or use upsert`,
    )
  }
}
