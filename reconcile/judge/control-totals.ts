/**
 * Declared control totals: a figure of each side, by groups, that both must have in common. Measured over
 * all rows in SQL, exactly; what differs is a break of the whole side.
 */
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import type { Break, ControlResult } from '../../lib/model/break.ts'
import type { ControlTotal } from '../../lib/model/comparison-rules.ts'
import {
  absolute,
  compareDecimals,
  decimal,
  parseDecimal,
  subtract,
  toText,
} from '../../lib/model/decimal.ts'
import { breakIdentity } from '../compare/identity.ts'
import { normalised, unreadable } from '../compare/normalise.ts'
import { type ComparePlan, columnsOf, groupOf, isNumeric, type PlannedColumn } from '../compare/plan.ts'
import { ofSide, type SideName } from '../compare/side-rows.ts'
import { sumTotals } from '../snapshot/totals.ts'

/** A figure of one group on both sides; null where there is none. */
interface Figure {
  left: string | null
  right: string | null
  readonly rows: Record<SideName, number>
}

/** What control totals came to. */
export interface JudgedTotals {
  readonly results: readonly ControlResult[]
  /** Ordered by total and group. */
  readonly breaks: readonly Break[]
}

/**
 * Measures and judges the control totals of a plan over the views of both sides. `date`: part of the identity where a
 * night sees its own date only. Cost: one or two passes a total and side; the groups are held in memory.
 */
export async function judgeControlTotals(
  db: DuckDb,
  plan: ComparePlan,
  totals: Readonly<Record<string, ControlTotal>>,
  date: string | null,
): Promise<JudgedTotals> {
  const results: ControlResult[] = []
  const breaks: Break[] = []
  for (const [name, total] of Object.entries(totals)) {
    const by = groupsOf(plan, total)
    const figures = await measure(db, plan, total, by)
    const differing = [...figures].filter(([, { left, right }]) => !ties(total, left, right))
    results.push({ name, groups: figures.size, differing: differing.length })
    for (const [group, figure] of differing)
      breaks.push(
        breakOf(plan, name, total, { by, values: JSON.parse(group) as (string | null)[], date }, figure),
      )
  }
  return { results, breaks }
}

/** The fields that group a total: those declared, and the currency of its amounts. */
export function groupsOf(
  plan: Pick<ComparePlan, 'totals'>,
  { measure: kind, of, by }: ControlTotal,
): string[] {
  const currency =
    of === undefined || kind === 'distinct' || kind === 'count' ? undefined : groupOf(of, plan.totals)
  const declared = by ?? []
  return currency === undefined || declared.includes(currency) ? [...declared] : [...declared, currency]
}

async function measure(
  db: DuckDb,
  plan: ComparePlan,
  total: ControlTotal,
  by: readonly string[],
): Promise<Map<string, Figure>> {
  const figures = new Map<string, Figure>()
  for (const side of ['left', 'right'] as const) {
    const columns = columnsOf(plan).map(column => ofSide(column, side))
    const of = (field: string): string => {
      const position = columns.findIndex(({ name }) => name === field)
      return readable(columns[position]!, `v${position}`)
    }
    const group = `to_json([${by.map(of).join(', ')}]::varchar[])::varchar`
    const column = columns.find(({ name }) => name === total.of)
    const value = column === undefined ? null : of(column.name)
    const rows = await db.rows(
      `select g, count(*), ${figureSql(total, column)} from (select ${group} as g, ${value ?? 'null'} as v from ${side}_rows) group by g order by g`,
    )
    const sums =
      total.measure === 'sum' && value !== null
        ? await sumTotals(db, `${side}_rows`, [{ total: '', factors: [value], group }])
        : []
    for (const [key, count, figure] of rows) {
      const text = String(key)
      const known = figures.get(text) ?? { left: null, right: null, rows: { left: 0, right: 0 } }
      known.rows[side] = Number(count)
      known[side] =
        total.measure === 'sum'
          ? (sums.find(sum => sum.group === text)?.amount ?? '0')
          : figure === null
            ? null
            : String(figure)
      figures.set(text, known)
    }
  }
  // A group that a side lacks has nothing in it, which is a figure where things are counted or added up.
  const nothing = total.measure === 'min' || total.measure === 'max' ? null : '0'
  for (const figure of figures.values()) {
    if (figure.rows.left === 0) figure.left = nothing
    if (figure.rows.right === 0) figure.right = nothing
  }
  return new Map([...figures].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** SQL of a value as it is compared; null where it can't be read. */
function readable(column: PlannedColumn, value: string): string {
  const condition = unreadable(column, value)
  const ruled = normalised(column, value)
  return condition === null ? ruled : `case when ${condition} then null else ${ruled} end`
}

/** SQL of the measure over the values `v` of a group; sums are added up elsewhere. */
function figureSql({ measure: kind }: ControlTotal, column: PlannedColumn | undefined): string {
  switch (kind) {
    case 'count':
      return 'count(*)'
    case 'sum':
      return 'null'
    case 'distinct':
      return 'count(distinct v)'
    case 'min':
    case 'max':
      return column !== undefined && isNumeric(column.kind) ? extremeNumber(kind) : extremeTime(kind)
  }
}

/**
 * The smallest or largest of canonical decimals of any length, exactly: of two without sign the one with more whole digits
 * is larger, else the one whose digits come later. A cast would round or overflow.
 */
function extremeNumber(kind: 'min' | 'max'): string {
  const size = (digits: string): string =>
    `{'n': strlen(split_part(${digits}, '.', 1)), 'w': split_part(${digits}, '.', 1), 'f': split_part(${digits}, '.', 2)}`
  const text = (struct: string, sign: string): string =>
    `'${sign}' || ${struct}.w || case when ${struct}.f = '' then '' else '.' || ${struct}.f end`
  const other = kind === 'max' ? 'min' : 'max'
  const positive = text(`${kind}(${size('v')}) filter (where v not like '-%')`, '')
  const negative = text(`${other}(${size("ltrim(v, '-')")}) filter (where v like '-%')`, '-')
  return kind === 'max' ? `coalesce(${positive}, ${negative})` : `coalesce(${negative}, ${positive})`
}

/** Dates and instants are ordered as texts, once the Z is off that stands after a fraction or none. */
function extremeTime(kind: 'min' | 'max'): string {
  return `${kind}(rtrim(v, 'Z'))`
}

function ties({ within }: ControlTotal, left: string | null, right: string | null): boolean {
  if (left === right) return true
  if (left === null || right === null) return false
  const [a, b] = [parseDecimal(left), parseDecimal(right)]
  if (a === null || b === null) return false
  return compareDecimals(absolute(subtract(b, a)), decimal(within ?? '0')) <= 0
}

function breakOf(
  plan: ComparePlan,
  name: string,
  { measure: kind, of }: ControlTotal,
  group: {
    readonly by: readonly string[]
    readonly values: readonly (string | null)[]
    readonly date: string | null
  },
  { left, right, rows }: Figure,
): Break {
  const [a, b] = [parseDecimal(left ?? ''), parseDecimal(right ?? '')]
  const delta = a === null || b === null ? null : toText(subtract(b, a))
  return {
    identity: breakIdentity(plan.name, 'control_total', [
      { kind: 'total', value: name },
      ...group.values.map(value => ({ kind: 'group', value })),
      ...(group.date === null ? [] : [{ kind: 'date', value: group.date }]),
    ]),
    kind: 'control_total',
    key: {
      total: name,
      ...Object.fromEntries(group.by.map((field, i) => [field, group.values[i] ?? null])),
      ...(group.date === null ? {} : { businessDate: group.date }),
    },
    columns: [
      {
        name: of === undefined ? kind : `${kind} of ${of}`,
        left,
        right,
        nature: delta === null ? (left === null || right === null ? 'null_vs_value' : 'date_time') : 'amount',
        delta,
      },
    ],
    leftRows: rows.left,
    rightRows: rows.right,
    origin: null,
    hint: '',
  }
}
