/**
 * Mistakes in what a job compares: tables, rules, scopes and second feeds. What is wrong in the
 * compared data is a break and found at night.
 */
import type { EnvironmentFile } from '../model/environment.ts'
import {
  type AnyJob,
  type CompareRule,
  movesRecords,
  type Reconciliation,
  type Scope,
  type Side,
} from '../model/job.ts'
import type { Mapping } from '../model/mapping.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import { checkResolve } from './check-resolve.ts'
import { checkSide } from './check-side.ts'
import { checkColumnRule, checkWhole } from './check-whole.ts'
import { type Complain, NAME } from './complaint.ts'

/** Mistakes of one comparison of a job. */
export function checkReconciliation(
  item: Reconciliation,
  job: AnyJob,
  environment: EnvironmentFile,
  refused: ReadonlySet<object>,
  complain: Complain,
): void {
  const at = `reconcile.${item.name}`
  if (!NAME.test(item.name)) complain(at, 'is no name', 'lower-case letters, digits and dashes')
  const table = tableNamed(item, job.map)
  if (table === undefined) {
    complain(
      `${at}.table`,
      `the mapping makes no ${item.table}`,
      `one of: ${Object.keys(job.map.tables).join(', ')}`,
    )
    return
  }
  checkRules(item, table, at, complain)
  checkWhole(item, table, complain)
  if (item.resolve !== undefined) {
    if (movesRecords(job)) checkResolve(item, item.resolve, table, job, complain)
    else complain(`${at}.resolve`, 'is about a target, and this job loads none', 'drop it')
  }
  for (const side of [item.source, item.target]) {
    checkScope(side, table, at, complain)
    checkSide(side, { item, table, job, environment, refused }, at, complain)
  }
  if (scopeOf(item.source) === 'keysOfOther' && scopeOf(item.target) === 'keysOfOther')
    complain(at, 'limits both sides to the keys of the other', 'let one side be all')
}

/** The table that a comparison is about, by the mapping's name for it or by its own. */
function tableNamed(item: Reconciliation, mapping: Pick<Mapping, 'tables'>): TableDefinition | undefined {
  const tables = mapping.tables as Readonly<Record<string, TableDefinition>>
  return tables[item.table] ?? Object.values(tables).find(one => qualifiedName(one) === item.table)
}

function checkRules(item: Reconciliation, table: TableDefinition, at: string, complain: Complain): void {
  const full = qualifiedName(table)
  if (table.key.length === 0 && Object.keys(item.rules).length > 0)
    complain(`${at}.rules`, `${full} has no key: its rows are compared whole, as bags`, 'drop the rules')
  const columns = Object.keys(table.columns).join(', ')
  for (const field of item.ignore) {
    if (table.columns[field] === undefined)
      complain(`${at}.ignore`, `${field} is no column of ${full}`, `one of: ${columns}`)
    else if (table.key.includes(field))
      complain(`${at}.ignore`, `${field} is part of the key, by which rows are found`, 'drop it')
  }
  for (const [field, rule] of Object.entries(item.rules)) {
    const type = table.columns[field]?.type.kind
    if (type === undefined) complain(`${at}.rules.${field}`, `is no column of ${full}`, `one of: ${columns}`)
    else {
      const here = (problem: string, fix: string): void => complain(`${at}.rules.${field}`, problem, fix)
      checkRule(rule, type, table.key.includes(field), here)
      checkColumnRule(rule, type, table.key.includes(field), here)
    }
  }
}

function checkRule(
  rule: CompareRule,
  type: string,
  isKey: boolean,
  complain: (problem: string, fix: string) => void,
): void {
  const tolerances = [rule.within, rule.relative].filter(text => text !== undefined)
  if (tolerances.length > 0 && isKey) complain('a key has no tolerance: keys are equal or not', 'drop it')
  else if (tolerances.length > 0 && type !== 'decimal' && type !== 'integer')
    complain(`a tolerance is for numbers, and this is ${type}`, 'drop it, or compare a number')
  for (const text of tolerances) {
    if (!/^\d+(\.\d+)?$/.test(text))
      complain(`the tolerance ${JSON.stringify(text)} is no plain positive decimal`, "such as '0.01'")
  }
  if (rule.precision !== undefined && type !== 'timestamp')
    complain(`is cut to a ${rule.precision}, and this is ${type}, no instant`, 'drop the precision')
}

function scopeOf(side: Side): Scope {
  return side.kind === 'mapped' ? 'all' : side.scope
}

function checkScope(side: Side, table: TableDefinition, at: string, complain: Complain): void {
  const scope = scopeOf(side)
  const full = qualifiedName(table)
  if (scope === 'keysOfOther' && table.key.length === 0)
    complain(`${at}.scope`, `keysOfOther needs a key, and ${full} has none`, "'all', or a business date")
  if (typeof scope !== 'object') return
  const type = table.columns[scope.businessDate]?.type.kind
  if (type !== 'date')
    complain(
      `${at}.scope`,
      `${scope.businessDate} of ${full} is ${type ?? 'no column'}, not a date`,
      'a date column',
    )
}
