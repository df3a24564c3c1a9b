/**
 * Which columns of two opened sides are compared with which, and how: from names, maps and rules given
 * by hand to a plan. What the two sides do not share is said, never guessed.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { CompareRule } from '../../lib/model/job.ts'
import { type ComparePlan, isNumeric, planColumns } from '../compare/plan.ts'
import type { ValueKind } from '../snapshot/columns.ts'
import type { OpenedSide, SideColumn, TakenColumn } from './opened-side.ts'

/** What is said of the comparison by hand. Columns by either side's name. */
export interface MatchOptions {
  readonly key: readonly string[]
  /** Pairs of left and right names. */
  readonly map: readonly (readonly [string, string])[]
  /** Column and inclusive absolute tolerance; declares the column a number. */
  readonly tolerance: readonly (readonly [string, string])[]
  readonly ignore: readonly string[]
  readonly trim: boolean
  readonly nullTokens: readonly string[]
}

/** Two sides matched. */
export interface Match {
  readonly plan: ComparePlan
  readonly left: readonly TakenColumn[]
  readonly right: readonly TakenColumn[]
  readonly warnings: readonly string[]
}

interface Pair {
  readonly left: SideColumn
  readonly right: SideColumn
}

/** Columns of one side that a warning names. */
const NAMED = 20

/** Matches columns. @throws CONFIG_COLUMN_UNKNOWN, CONFIG_USAGE, CONFIG_COMPARE_RULE_INVALID */
export function matchColumns(left: OpenedSide, right: OpenedSide, options: MatchOptions): Match {
  const pairs = pairUp(left, right, options.map)
  const find = (given: string, what: string): Pair => {
    const found =
      pairs.find(pair => pair.left.name === given) ?? pairs.find(pair => pair.right.name === given)
    if (found !== undefined) return found
    throw unknownColumn(given, what, left, right)
  }
  const warnings: string[] = []
  const tolerances = new Map(
    options.tolerance.map(([column, amount]) => [find(column, '--tolerance').left.name, amount]),
  )
  const ignore = options.ignore.map(column => find(column, '--ignore').left.name)
  const key = options.key.map(column => find(column, '--key').left.name)
  const shared: CompareRule = {
    ...(options.trim ? { trim: true } : {}),
    ...(options.nullTokens.length > 0 || options.trim
      ? { nullTokens: [...options.nullTokens, ...(options.trim ? [''] : [])] }
      : {}),
  }
  const all = pairs.map(pair => {
    const within = tolerances.get(pair.left.name)
    const kind = within === undefined ? kindOf(pair, warnings) : 'decimal'
    return { name: pair.left.name, kind, rule: within === undefined ? shared : { ...shared, within } }
  })
  const totals = all.filter(
    ({ name, kind }) => isNumeric(kind) && !key.includes(name) && !ignore.includes(name),
  )
  const plan = planColumns({
    name: `${left.name} -> ${right.name}`,
    key,
    all,
    ignore,
    totals: Object.fromEntries(totals.map(({ name }) => [name, { sum: [name] as const }])),
  })
  if (plan.key.length + plan.columns.length === 0)
    throw usage(`${left.name} and ${right.name} share no column to compare; name pairs with --map`)
  return {
    plan,
    left: pairs.map(pair => ({ name: pair.left.name, own: pair.left.name })),
    right: pairs.map(pair => ({ name: pair.left.name, own: pair.right.name })),
    warnings: [
      ...oneSided(
        left,
        pairs.map(pair => pair.left),
      ),
      ...oneSided(
        right,
        pairs.map(pair => pair.right),
      ),
      ...warnings,
    ],
  }
}

function pairUp(left: OpenedSide, right: OpenedSide, map: MatchOptions['map']): Pair[] {
  const named = (side: OpenedSide, name: string): SideColumn => {
    const found = side.columns.find(column => column.name === name)
    if (found !== undefined) return found
    throw new ConfigError(
      'CONFIG_COLUMN_UNKNOWN',
      `--map names ${name}, but ${side.name} has ${listed(side)}. Nothing was compared.`,
    )
  }
  const pairs = map.map(([l, r]) => ({ left: named(left, l), right: named(right, r) }))
  const taken = new Set(pairs.map(pair => pair.right))
  const mapped = new Set(pairs.map(pair => pair.left))
  if (taken.size < pairs.length || mapped.size < pairs.length) throw usage('--map names a column twice')
  const byName = new Map(
    right.columns.filter(column => !taken.has(column)).map(column => [column.name, column]),
  )
  return left.columns.flatMap(column => {
    const given = pairs.find(pair => pair.left === column)
    if (given !== undefined) return [given]
    const other = byName.get(column.name)
    return other === undefined ? [] : [{ left: column, right: other }]
  })
}

/** The type under which two columns are compared: what either side declares, text where none does or they disagree. */
function kindOf({ left, right }: Pair, warnings: string[]): ValueKind {
  const [a, b] = [left.kind ?? 'text', right.kind ?? 'text']
  if (a === b || b === 'text') return a
  if (a === 'text') return b
  if (isNumeric(a) && isNumeric(b)) return 'decimal'
  warnings.push(`${left.name} is ${a} on the left and ${b} on the right: compared as text`)
  return 'text'
}

function oneSided(side: OpenedSide, used: readonly SideColumn[]): string[] {
  const rest = side.columns.filter(column => !used.includes(column)).map(column => column.name)
  const more = rest.length > NAMED ? ` and ${rest.length - NAMED} more` : ''
  return rest.length === 0
    ? []
    : [`only in ${side.name}, not compared: ${rest.slice(0, NAMED).join(', ')}${more}`]
}

function listed(side: OpenedSide): string {
  return side.columns.map(column => column.name).join(', ')
}

function unknownColumn(given: string, what: string, left: OpenedSide, right: OpenedSide): ConfigError {
  const only = [left, right].find(side => side.columns.some(column => column.name === given))
  const why =
    only === undefined ? 'neither side has it' : `only ${only.name} has it; name its partner with --map`
  return new ConfigError(
    'CONFIG_COLUMN_UNKNOWN',
    `${what} names ${given}, but ${why}. ${left.name} has ${listed(left)}; ${right.name} has ${listed(right)}. Nothing was compared.`,
  )
}

function usage(what: string): ConfigError {
  return new ConfigError('CONFIG_USAGE', `${what}. Nothing was compared.`)
}
