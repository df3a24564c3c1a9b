/**
 * What a comparison needs to know, independent of job or command: key, compared columns with their
 * rules, totals. Made from a job's reconciliation here, from the command line in sides/.
 */

import type {
  BreakLimits,
  CompareRule,
  ControlTotal,
  GateRules,
  ValueMap,
} from '../../lib/model/comparison-rules.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import type { Reconciliation } from '../../lib/model/job.ts'
import type { Mapping } from '../../lib/model/mapping.ts'
import { qualifiedName, type TableDefinition, type TotalRule } from '../../lib/model/table.ts'
import { type ValueKind, valueKind } from '../snapshot/columns.ts'

/** One column that takes part. Both snapshots have it under this name. */
export interface PlannedColumn {
  readonly name: string
  readonly kind: ValueKind
  readonly rule: CompareRule
  /** The column by which the table's totals group this one's amounts, normally their currency. */
  readonly groupedBy?: string
  /** The value map of one side, where ofSide (side-rows.ts) named a side. */
  readonly values?: ValueMap
}

/** A comparison as planned. */
export interface ComparePlan {
  /** The reconciliation's name for ever: part of each break's identity. */
  readonly name: string
  /** Empty: rows are compared as bags, by all their columns. */
  readonly key: readonly PlannedColumn[]
  /** Compared columns, none of the key. */
  readonly columns: readonly PlannedColumn[]
  readonly totals: Readonly<Record<string, TotalRule>>
  /** Columns that totals need but that are not compared. */
  readonly carried: readonly PlannedColumn[]
  /** What is declared of the comparison as a whole; absent: nothing. */
  readonly whole?: WholeRules
}

/** How long a row that only the source has may take to arrive. */
export interface Grace {
  /** Column with the event's date or instant. */
  readonly column: string
  readonly graceMs: number
}

/** What a comparison asks of both sides as a whole. */
export interface WholeRules {
  readonly controlTotals: Readonly<Record<string, ControlTotal>>
  readonly limits: BreakLimits
  readonly gates: GateRules
  readonly pending: Grace | null
}

/** All columns of a plan: key, compared, carried, in this order. */
export function columnsOf(plan: ComparePlan): PlannedColumn[] {
  return [...plan.key, ...plan.columns, ...plan.carried]
}

/**
 * The table that a reconciliation of a job compares.
 * @throws CONFIG_RECONCILE_TABLE_UNKNOWN when its mapping makes no such table.
 */
export function tableOf(
  reconciliation: Reconciliation,
  mapping: Pick<Mapping, 'name' | 'tables'>,
): TableDefinition {
  const tables = mapping.tables as Readonly<Record<string, TableDefinition>>
  const found =
    tables[reconciliation.table] ??
    Object.values(tables).find(table => qualifiedName(table) === reconciliation.table)
  if (found !== undefined) return found
  throw new ConfigError(
    'CONFIG_RECONCILE_TABLE_UNKNOWN',
    `The reconciliation ${reconciliation.name} compares ${reconciliation.table}, but the mapping ${mapping.name} makes ${Object.keys(tables).join(', ')}. Nothing was started.`,
  )
}

/** The plan of a job's reconciliation. @throws CONFIG_COMPARE_RULE_INVALID for rules over columns that the table lacks. */
export function planOf(reconciliation: Reconciliation, job: string, table: TableDefinition): ComparePlan {
  const all = Object.entries(table.columns).flatMap(([name, { type }]) => {
    const kind = valueKind(type)
    return kind === null ? [] : [{ name, kind, rule: reconciliation.rules[name] ?? {} }]
  })
  const unknown = [...Object.keys(reconciliation.rules), ...reconciliation.ignore].filter(
    name => !all.some(column => column.name === name),
  )
  if (unknown.length > 0) {
    throw invalidRule(
      `${job}.${reconciliation.name}`,
      `${unknown.join(', ')} is no column of ${qualifiedName(table)}`,
    )
  }
  return planColumns({
    name: `${job}.${reconciliation.name}`,
    key: table.key,
    all,
    ignore: reconciliation.ignore,
    totals: table.totals,
    whole: wholeRules(reconciliation),
  })
}

const HOUR_MS = 3_600_000

function wholeRules({ totals, limits, gates, pending }: Reconciliation): WholeRules {
  return {
    controlTotals: totals ?? {},
    limits: limits ?? {},
    gates: gates ?? {},
    pending: pending === undefined ? null : { column: pending.column, graceMs: pending.graceHours * HOUR_MS },
  }
}

/** A plan from named columns; judges every rule. @throws CONFIG_COMPARE_RULE_INVALID */
export function planColumns(input: {
  readonly name: string
  readonly key: readonly string[]
  readonly all: readonly PlannedColumn[]
  readonly ignore: readonly string[]
  readonly totals: Readonly<Record<string, TotalRule>>
  readonly whole?: WholeRules
}): ComparePlan {
  const { name, ignore, totals, whole } = input
  for (const column of input.all) judgeRule(name, column, input.key)
  const all = input.all.map(column => {
    const groupedBy = groupOf(column.name, totals)
    return groupedBy === undefined ? column : { ...column, groupedBy }
  })
  const byName = new Map(all.map(column => [column.name, column]))
  const key = input.key.map(field => byName.get(field)!)
  const columns = all.filter(column => !input.key.includes(column.name) && !ignore.includes(column.name))
  const needed = new Set([
    ...Object.values(totals).flatMap(rule => [...rule.sum, ...(rule.per === undefined ? [] : [rule.per])]),
    ...(whole === undefined ? [] : judgeWhole(name, byName, whole)),
  ])
  const carried = all.filter(
    column => needed.has(column.name) && !key.includes(column) && !columns.includes(column),
  )
  for (const [total, rule] of Object.entries(totals)) {
    for (const field of rule.sum) {
      if (!isNumeric(byName.get(field)?.kind ?? 'text'))
        throw invalidRule(name, `the total ${total} sums ${field}, which is no number`)
    }
  }
  return { name, key, columns, totals, carried, ...(whole === undefined ? {} : { whole }) }
}

/** The columns that the rules of the whole need. */
function judgeWhole(
  plan: string,
  columns: ReadonlyMap<string, PlannedColumn>,
  { controlTotals, pending }: WholeRules,
): string[] {
  const kindOf = (field: string, what: string): ValueKind => {
    const kind = columns.get(field)?.kind
    if (kind === undefined) throw invalidRule(plan, `${what} names ${field}, which is no column`)
    return kind
  }
  const fields: string[] = []
  for (const [name, { measure, of, by }] of Object.entries(controlTotals)) {
    const what = `the control total ${name}`
    if ((measure === 'count') !== (of === undefined))
      throw invalidRule(
        plan,
        `${what} ${of === undefined ? `measures ${measure} of nothing` : 'counts rows, not a column'}`,
      )
    if (of !== undefined) fields.push(of)
    fields.push(...(by ?? []))
    for (const field of by ?? []) kindOf(field, what)
    const kind = of === undefined ? 'integer' : kindOf(of, what)
    const ordered = isNumeric(kind) || kind === 'date' || kind === 'timestamp'
    if ((measure === 'sum' && !isNumeric(kind)) || ((measure === 'min' || measure === 'max') && !ordered))
      throw invalidRule(plan, `${what} is the ${measure} of ${of}, which is ${kind}`)
  }
  if (pending === null) return fields
  const kind = kindOf(pending.column, 'pending')
  if (kind !== 'timestamp' && kind !== 'date')
    throw invalidRule(plan, `pending names ${pending.column}, which is ${kind} and no time`)
  return [...fields, pending.column]
}

/** The field by which totals group the amounts of a field; undefined where none does. */
export function groupOf(field: string, totals: Readonly<Record<string, TotalRule>>): string | undefined {
  return Object.values(totals).find(({ sum, per }) => per !== undefined && sum.includes(field))?.per
}

/** Whether values of this kind are exact numbers. */
export function isNumeric(kind: ValueKind): boolean {
  return kind === 'decimal' || kind === 'integer'
}

function judgeRule(plan: string, { name, kind, rule }: PlannedColumn, key: readonly string[]): void {
  const tolerant = rule.within !== undefined || rule.relative !== undefined
  if (tolerant && key.includes(name))
    throw invalidRule(plan, `the key column ${name} has a tolerance; keys are equal or not`)
  if (tolerant && !isNumeric(kind))
    throw invalidRule(plan, `${name} has a tolerance but is ${kind}, no number`)
  for (const text of [rule.within, rule.relative]) {
    if (text !== undefined && !/^\d+(\.\d+)?$/.test(text))
      throw invalidRule(plan, `the tolerance ${JSON.stringify(text)} of ${name} is no plain positive decimal`)
  }
  if (rule.withinSeconds !== undefined && (kind !== 'timestamp' || key.includes(name)))
    throw invalidRule(
      plan,
      `${name} has a tolerance of seconds but is ${kind === 'timestamp' ? 'part of the key' : `${kind}, no timestamp`}`,
    )
  if (rule.netBudget !== undefined && !tolerant)
    throw invalidRule(plan, `${name} has a budget but no tolerance that could use it`)
  if (rule.values !== undefined && kind !== 'text')
    throw invalidRule(plan, `${name} has a value map but is ${kind}, no text`)
  if (rule.precision !== undefined && rule.withinSeconds !== undefined)
    throw invalidRule(plan, `${name} is cut to a ${rule.precision} and has a tolerance of seconds; take one`)
  if (rule.precision !== undefined && kind !== 'timestamp')
    throw invalidRule(plan, `${name} is cut to a ${rule.precision} but is ${kind}, no timestamp`)
}

function invalidRule(plan: string, what: string): ConfigError {
  return new ConfigError(
    'CONFIG_COMPARE_RULE_INVALID',
    `The comparison ${plan} can't be made: ${what}. Nothing was started.`,
  )
}
