/**
 * Mistakes in what a comparison says about the whole of both sides: control totals, limits, gates, and what
 * may still arrive; also budgets and value maps of single columns. What the data breaks of it is found at night.
 */
import {
  type AmountLimit,
  type CompareRule,
  LIMITED_KINDS,
  type Limit,
  type LimitedKind,
  MEASURES,
} from '../model/comparison-rules.ts'
import type { Reconciliation } from '../model/job.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import type { Complain } from './complaint.ts'

type ComplainHere = (problem: string, fix: string) => void

const AMOUNT = /^\d+(\.\d+)?$/

/** Kinds whose breaks are worth an amount. */
const WORTH: readonly LimitedKind[] = [
  'unreadable',
  'key_invalid',
  'duplicate',
  'missing_in_target',
  'missing_in_source',
  'value_mismatch',
]

/** Mistakes of one comparison's `totals`, `limits`, `gates` and `pending`. */
export function checkWhole(item: Reconciliation, table: TableDefinition, complain: Complain): void {
  const at = `reconcile.${item.name}`
  for (const name of Object.keys(item.totals ?? {})) checkTotal(name, item, table, at, complain)
  for (const [kind, limits] of Object.entries(item.limits ?? {})) {
    const where = `${at}.limits.${kind}`
    if (!(LIMITED_KINDS as readonly string[]).includes(kind)) {
      complain(where, 'is no kind of breaks', `one of: ${LIMITED_KINDS.join(', ')}`)
      continue
    }
    for (const level of ['warn', 'fail'] as const) {
      const limit = limits[level]
      if (limit !== undefined)
        checkLimit(kind as LimitedKind, limit, table, (problem, fix) =>
          complain(`${where}.${level}`, problem, fix),
        )
    }
  }
  checkGates(item, (gate, problem, fix) => complain(`${at}.gates.${gate}`, problem, fix))
  if (item.pending === undefined) return
  const { column, graceHours } = item.pending
  const type = table.columns[column]?.type.kind
  if (type !== 'timestamp' && type !== 'date')
    complain(
      `${at}.pending.column`,
      `${column} of ${qualifiedName(table)} is ${type ?? 'no column'}, no time`,
      'an instant or a date',
    )
  if (!(graceHours > 0) || !Number.isFinite(graceHours))
    complain(`${at}.pending.graceHours`, `${graceHours} is no number of hours`, 'a number above 0')
}

function checkTotal(
  name: string,
  item: Reconciliation,
  table: TableDefinition,
  at: string,
  complain: Complain,
): void {
  const { measure, of, by, within } = item.totals![name]!
  const where = `${at}.totals.${name}`
  const columns = Object.keys(table.columns).join(', ')
  if (!MEASURES.includes(measure))
    complain(where, `${measure} is no measure`, `one of: ${MEASURES.join(', ')}`)
  if (measure === 'count' && of !== undefined)
    complain(where, 'counts rows, and names a column', 'drop `of`, or take distinct')
  if (measure !== 'count' && of === undefined)
    complain(where, `does not say what it is the ${measure} of`, 'name a column as `of`')
  for (const field of [...(of === undefined ? [] : [of]), ...(by ?? [])]) {
    if (table.columns[field] === undefined)
      complain(where, `${field} is no column of ${qualifiedName(table)}`, `one of: ${columns}`)
  }
  const type = of === undefined ? 'integer' : table.columns[of]?.type.kind
  const numeric = type === 'decimal' || type === 'integer'
  if (measure === 'sum' && type !== undefined && !numeric)
    complain(where, `sums ${of}, which is ${type}`, 'a number, or another measure')
  if (
    (measure === 'min' || measure === 'max') &&
    type !== undefined &&
    !numeric &&
    type !== 'date' &&
    type !== 'timestamp'
  )
    complain(where, `is the ${measure} of ${of}, which is ${type}`, 'a number, a date or an instant')
  if (within !== undefined && !AMOUNT.test(within))
    complain(where, `the tolerance ${JSON.stringify(within)} is no plain positive decimal`, "such as '0.01'")
}

function checkLimit(kind: LimitedKind, limit: Limit, table: TableDefinition, complain: ComplainHere): void {
  const { count, percent, amount, amountPercent, businessDays } = limit
  if (Object.values(limit).every(value => value === undefined))
    complain(
      'has no limit in it',
      'count, percent, amount, amountPercent or businessDays; `count: 0` for any one',
    )
  for (const [name, value] of [
    ['count', count],
    ['businessDays', businessDays],
  ] as const) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      complain(`${name} is ${value}`, 'a whole number from 0 on')
  }
  for (const [name, value] of [
    ['percent', percent],
    ['amountPercent', amountPercent],
  ] as const) {
    if (value !== undefined && !isPercent(value)) complain(`${name} is ${value}`, 'a number from 0 to 100')
  }
  if (amount !== undefined) checkAmount(amount, complain)
  if (amount !== undefined || amountPercent !== undefined) {
    if (!WORTH.includes(kind)) complain('limits an amount, and breaks of this kind have none', 'count them')
    else if (!Object.values(table.totals).some(rule => rule.of !== 'quantity'))
      complain(
        `limits an amount, and ${qualifiedName(table)} has no control total of money`,
        'declare one in `totals` of the table',
      )
  }
  if (businessDays !== undefined && kind === 'currency')
    complain('limits the age of a kind that the break ledger keeps as value_mismatch', 'limit value_mismatch')
}

function checkGates(
  { gates }: Reconciliation,
  complain: (gate: string, problem: string, fix: string) => void,
): void {
  if (gates === undefined) return
  const { rowBandPercent: band, maxUnreadable, asOf } = gates
  if (band !== undefined && !(band > 0 && Number.isFinite(band)))
    complain('rowBandPercent', `is ${band}`, 'a number above 0')
  if (maxUnreadable !== undefined && (!Number.isSafeInteger(maxUnreadable) || maxUnreadable < 0))
    complain('maxUnreadable', `is ${maxUnreadable}`, 'a whole number from 0 on')
  if (asOf !== undefined && !(asOf.fromHours < asOf.untilHours))
    complain(
      'asOf',
      `is from ${asOf.fromHours} until ${asOf.untilHours} hours, which is no window`,
      'fromHours below untilHours',
    )
}

/** Mistakes in a column's rule that are about more than its own texts: seconds, budgets, value maps. */
export function checkColumnRule(
  rule: CompareRule,
  type: string,
  isKey: boolean,
  complain: ComplainHere,
): void {
  const { withinSeconds, precision, netBudget, values } = rule
  if (withinSeconds !== undefined) {
    if (isKey) complain('a key has no tolerance: keys are equal or not', 'drop withinSeconds')
    else if (type !== 'timestamp')
      complain(`a tolerance of seconds is for instants, and this is ${type}`, 'drop it')
    if (!Number.isSafeInteger(withinSeconds) || withinSeconds < 1)
      complain(`withinSeconds is ${withinSeconds}`, 'a whole number from 1 on')
    if (precision !== undefined)
      complain('is cut to a precision and has a tolerance of seconds', 'take one of them')
  }
  if (netBudget !== undefined) {
    if (rule.within === undefined && rule.relative === undefined)
      complain('has a net budget, and no tolerance that could use it', 'add `within` or `relative`')
    checkAmount(netBudget, complain)
  }
  if (values === undefined) return
  if (type !== 'text')
    complain(`a value map is for text, and this is ${type}`, 'map it where the side is made')
  for (const side of ['source', 'target'] as const) {
    if (values[side] !== undefined && Object.keys(values[side]).length === 0)
      complain(`the value map of the ${side} is empty, so no value could be read`, 'fill it, or leave it out')
  }
  if (values.source === undefined && values.target === undefined)
    complain('has a value map for neither side', 'name source or target')
}

function checkAmount(amount: AmountLimit, complain: ComplainHere): void {
  for (const text of typeof amount === 'string' ? [amount] : Object.values(amount)) {
    if (!AMOUNT.test(text))
      complain(`the amount ${JSON.stringify(text)} is no plain positive decimal`, "such as '10.00'")
  }
}

/** Numbers that are written with an exponent are no percentage that somebody meant. */
function isPercent(value: number): boolean {
  return value >= 0 && value <= 100 && AMOUNT.test(String(value))
}
