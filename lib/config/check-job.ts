/**
 * Mistakes that a job definition can hold, found without running anything. Combinations that
 * can't be honoured (delivery.md, Identity) are refused here, before the first night.
 */
import type { EnvironmentFile } from '../model/environment.ts'
import type { JobDefinition, PostgresLoad, Reconciliation } from '../model/job.ts'
import type { Mapping } from '../model/mapping.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import { checkFetch, checkParse } from './check-source.ts'
import { type Complain, type Complaint, complainAbout, NAME } from './complaint.ts'

function checkScope(load: PostgresLoad, name: string, table: TableDefinition, complain: Complain): void {
  if (load.mode === 'replace') {
    const type = load.scope === null ? undefined : table.columns[load.scope]?.type
    if (load.scope === null)
      complain(
        'load.scope',
        'is missing: replace needs the field that holds the business date',
        "scope: 'businessDate'",
      )
    else if (type === undefined)
      complain(
        'load.scope',
        `${load.scope} is no column of ${qualifiedName(table)}`,
        'a date column of each table',
      )
    else if (type.kind !== 'date')
      complain(
        'load.scope',
        `${load.scope} of ${qualifiedName(table)} is ${type.kind}, not a date`,
        'a date column',
      )
    else if (table.key.length > 0 && !table.key.includes(load.scope)) {
      complain(
        'load.scope',
        `the key of ${qualifiedName(table)} does not hold ${load.scope}, so two dates could claim one row`,
        `add ${load.scope} to the key, or use upsert`,
      )
    }
  }
  if ((load.mode === 'upsert' || load.mode === 'mirror') && table.key.length === 0) {
    complain(
      'load.mode',
      `${load.mode} needs a key, and ${qualifiedName(table)} (${name}) has none`,
      'declare a key, or use replace within the business date',
    )
  }
}

function checkLoad(job: JobDefinition, complain: Complain): void {
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
  const { maxCount, maxPercent, minRecords } = load.rejects
  if (!(maxCount >= 0) || !(minRecords >= 0)) complain('load.rejects', 'has a negative limit', 'zero or more')
  if (!(maxPercent >= 0 && maxPercent <= 100))
    complain('load.rejects.maxPercent', `${maxPercent} is no percentage`, '0 to 100')
  if (load.kind === 'postgres') {
    for (const [name, table] of Object.entries(load.tables)) checkScope(load, name, table, complain)
    if (!(load.maxDeletePercent >= 0 && load.maxDeletePercent <= 100))
      complain('load.maxDeletePercent', `${load.maxDeletePercent} is no percentage`, '0 to 100')
    return
  }
  for (const table of Object.values(load.tables)) {
    if (table.key.length === 0)
      complain(
        'load.tables',
        `${qualifiedName(table)} has no key, so the API's answers can't be matched to rows`,
        'declare a key',
      )
  }
}

/** A mapping's tables without their row types. */
function tablesOf(mapping: Mapping): Readonly<Record<string, TableDefinition>> {
  return mapping.tables as Readonly<Record<string, TableDefinition>>
}

function checkReconciliation(
  item: Reconciliation,
  job: JobDefinition,
  environment: EnvironmentFile,
  complain: Complain,
): void {
  const at = `reconcile.${item.name}`
  if (!NAME.test(item.name)) complain(at, 'is no name', 'lower-case letters, digits and dashes')
  const named = (mapping: Mapping): TableDefinition | undefined =>
    tablesOf(mapping)[item.table] ??
    Object.values(tablesOf(mapping)).find(one => qualifiedName(one) === item.table)
  const table = named(job.map)
  if (table === undefined) {
    complain(
      `${at}.table`,
      `the mapping makes no ${item.table}`,
      `one of: ${Object.keys(job.map.tables).join(', ')}`,
    )
    return
  }
  if (table.key.length === 0 && Object.keys(item.rules).length > 0) {
    complain(
      `${at}.rules`,
      `${qualifiedName(table)} has no key: its rows are compared whole, as bags`,
      'drop the rules',
    )
  }
  for (const [field, rule] of Object.entries(item.rules)) {
    const type = table.columns[field]?.type.kind
    if (type === undefined)
      complain(
        `${at}.rules.${field}`,
        `is no column of ${qualifiedName(table)}`,
        Object.keys(table.columns).join(', '),
      )
    const numeric = type === 'decimal' || type === 'integer'
    if ((rule.within !== undefined || rule.relative !== undefined) && !numeric)
      complain(`${at}.rules.${field}`, 'a tolerance is for numbers', 'drop it, or compare a number')
    if (table.key.includes(field) && (rule.within !== undefined || rule.relative !== undefined))
      complain(`${at}.rules.${field}`, 'a key has no tolerance', 'drop it')
  }
  for (const side of [item.source, item.target]) {
    if (side.kind !== 'files') continue
    checkFetch(side.fetch, environment, complain)
    checkParse(side.parse, side.map, complain, `${at}.`)
    if (named(side.map) !== table)
      complain(
        `${at}`,
        `the mapping of the second feed does not make ${item.table} of ${qualifiedName(table)}`,
        'map it into the same table definition',
      )
  }
}

/** All mistakes of one job, empty when there are none. */
export function checkJob(job: JobDefinition, environment: EnvironmentFile): Complaint[] {
  const complaints: Complaint[] = []
  const complain = complainAbout(`job ${job.name}`, complaints)
  if (!NAME.test(job.name))
    complain('name', `${JSON.stringify(job.name)} is no name`, 'lower-case letters, digits and dashes')
  for (const part of ['purpose', 'owner', 'ifLate'] as const) {
    if (job[part].trim() === '') complain(part, 'is empty', 'a sentence for the person who is paged at night')
  }
  checkFetch(job.fetch, environment, complain)
  checkParse(job.parse, job.map, complain, '')
  checkLoad(job, complain)
  for (const item of job.reconcile.comparisons) checkReconciliation(item, job, environment, complain)
  if (environment.recipients[job.report.to] === undefined) {
    const known = Object.keys(environment.recipients).join(', ') || 'none'
    complain(
      'report.to',
      `the environment ${environment.name} has no recipients list ${JSON.stringify(job.report.to)}`,
      `one of: ${known}; or add it to environments/${environment.name}.ts`,
    )
  }
  return complaints
}

/** Mistakes between jobs: doubled names and feeds, two jobs that would replace each other's rows. */
export function checkJobsTogether(jobs: readonly JobDefinition[]): Complaint[] {
  const complaints: Complaint[] = []
  const seen = (kind: string, names: readonly (readonly [name: string, job: string])[]): void => {
    const first = new Map<string, string>()
    for (const [name, job] of names) {
      const other = first.get(name)
      if (other !== undefined)
        complaints.push({
          where: `job ${job}`,
          problem: `the ${kind} ${name} is also that of job ${other}`,
          fix: `give each its own ${kind}`,
        })
      else first.set(name, job)
    }
  }
  seen(
    'name',
    jobs.map(job => [job.name, job.name]),
  )
  seen(
    'feed',
    jobs.flatMap(job => [
      [job.fetch.feed, job.name] as const,
      ...job.reconcile.comparisons.flatMap(item =>
        [item.source, item.target].flatMap(side =>
          side.kind === 'files' ? [[side.fetch.feed, job.name] as const] : [],
        ),
      ),
    ]),
  )
  seen(
    "target (replace or mirror: it would delete the other job's rows)",
    jobs.flatMap(job =>
      job.load.kind === 'postgres' && (job.load.mode === 'replace' || job.load.mode === 'mirror')
        ? Object.values(job.load.tables).map(table => [qualifiedName(table), job.name] as const)
        : [],
    ),
  )
  return complaints
}
