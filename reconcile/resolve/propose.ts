/**
 * What is proposed for one break: a conditional change of the target where the source is right, a line for
 * the source's owner where the target is, and for the rest why nothing is. Pure; nothing is ever deleted.
 */
import type { Break, BreakColumn } from '../../lib/model/break.ts'
import {
  absolute,
  compareDecimals,
  type Decimal,
  decimal,
  multiply,
  parseDecimal,
  toText,
  ZERO,
} from '../../lib/model/decimal.ts'
import type { PlannedChange, ResolveRule } from '../../lib/model/resolution.ts'
import type { TotalRule } from '../../lib/model/table.ts'
import { amountOf } from '../breaks/acknowledge.ts'

/** What the source's owner is to be told. Null columns: the whole row is meant. */
export interface TellSource {
  readonly found: Break
  readonly column: string | null
  /** What the source has, and what it should have. */
  readonly has: string | null
  readonly should: string | null
  readonly reason: string
}

/** What is not proposed, and why. */
export interface NotProposed {
  readonly found: Break
  readonly column: string | null
  readonly why: string
}

/** What is proposed for one break. */
export interface Proposal {
  readonly change: PlannedChange | null
  readonly tell: readonly TellSource[]
  readonly not: readonly NotProposed[]
}

/** What proposing needs to know besides the break. */
export interface Standing {
  readonly reconciliation: string
  /** `schema.table`. */
  readonly table: string
  readonly rule: ResolveRule | undefined
  /** Who acknowledged it until when, null when nobody did: what somebody stands for is left alone. */
  readonly acknowledged: string | null
  /** Control totals of the table: a row is worth what it adds to those of money. */
  readonly totals: Readonly<Record<string, TotalRule>>
  /** Whether the source is the job's own records, which can be made anew from their files. */
  readonly ownRecords: boolean
}

/** What is proposed for a break. */
export function propose(found: Break, standing: Standing): Proposal {
  const { rule } = standing
  const nothing = (why: string): Proposal => ({ change: null, tell: [], not: [{ found, column: null, why }] })
  if (rule === undefined) return nothing('the job declares no authority for this comparison')
  if (standing.acknowledged !== null) return nothing(standing.acknowledged)
  switch (found.kind) {
    case 'value_mismatch':
      return values(found, standing, rule)
    case 'missing_in_target':
      return missingInTarget(found, standing, rule)
    case 'missing_in_source':
      return missingInSource(found, rule)
    case 'duplicate':
      return nothing('more than one row has this key; a person decides which of them stays')
    case 'unreadable':
    case 'key_invalid':
      return nothing('the row has no value or key that could be found again')
    default:
      return nothing('it is about a whole side, not about a row')
  }
}

function values(found: Break, standing: Standing, { authority }: ResolveRule): Proposal {
  const of = (side: 'source' | 'target' | undefined): BreakColumn[] =>
    found.columns.filter(({ name }) => authority[name] === side)
  const tell = of('target').map(({ name, left, right }) => ({
    ...{ found, column: name, has: left, should: right },
    reason: `the target is right about ${name}`,
  }))
  const not: NotProposed[] = of(undefined).map(({ name }) => ({
    found,
    column: name,
    why: `no authority is declared for ${name}`,
  }))
  const changing = of('source')
  if (changing.length === 0) return { change: null, tell, not }
  const amount = amountOf({ kind: found.kind, columns: found.columns })
  if (amount === null)
    return {
      change: null,
      tell,
      not: [
        ...not,
        { found, column: null, why: 'the currency differs, so what a change is worth can not be told' },
      ],
    }
  const names = changing.map(({ name }) => name)
  const worth = amountOf({ kind: found.kind, columns: changing })!
  const change = changeOf(found, standing, 'update', {
    columns: changing.map(({ name, left, right }) => ({ name, old: right, new: left })),
    amount: toText(worth),
    reason: `the source is right about ${names.join(', ')}`,
  })
  return { change, tell, not }
}

function missingInTarget(found: Break, standing: Standing, { rows }: ResolveRule): Proposal {
  if (rows === 'target')
    return {
      change: null,
      tell: [
        {
          found,
          column: null,
          has: 'a row',
          should: 'no row',
          reason: 'the target is right about which rows there are',
        },
      ],
      not: [],
    }
  const nothing = (why: string): Proposal => ({ change: null, tell: [], not: [{ found, column: null, why }] })
  if (rows === undefined)
    return nothing('the job does not say which side is right about which rows there are')
  if (!standing.ownRecords || found.origin === null)
    return nothing('the source is not made of records of this job, which alone can be loaded again')
  const change = changeOf(found, standing, 'reload', {
    columns: found.columns.map(({ name, left }) => ({ name, old: null, new: left })),
    amount: toText(worthOfRows(found, standing.totals)),
    reason: 'the target lacks a row that the source has',
  })
  return { change, tell: [], not: [] }
}

function missingInSource(found: Break, { rows }: ResolveRule): Proposal {
  if (rows === 'target')
    return {
      change: null,
      tell: [
        {
          found,
          column: null,
          has: 'no row',
          should: 'a row',
          reason: 'the target is right about which rows there are',
        },
      ],
      not: [],
    }
  const why =
    rows === 'source'
      ? 'nothing is ever deleted: where the source is right, remove the row in the target by hand'
      : 'the job does not say which side is right about which rows there are'
  return { change: null, tell: [], not: [{ found, column: null, why }] }
}

function changeOf(
  found: Break,
  { reconciliation, table }: Standing,
  operation: PlannedChange['operation'],
  made: Pick<PlannedChange, 'columns' | 'amount' | 'reason'>,
): PlannedChange {
  const { identity, key, origin } = found
  const rows = operation === 'reload' ? found.leftRows : 1
  return { identity, reconciliation, table, operation, key, ...made, rows, origin }
}

/** What the rows of a break add to the money totals of their table; without such totals their largest amount. */
function worthOfRows(found: Break, totals: Standing['totals']): Decimal {
  const values = new Map<string, string | null>([
    ...Object.entries(found.key),
    ...found.columns.map(({ name, left }) => [name, left] as const),
  ])
  const rows = decimal(String(found.leftRows))
  const money = Object.values(totals).filter(({ of }) => of !== 'quantity')
  if (money.length === 0) return multiply(amountOf(found) ?? ZERO, rows)
  let largest = ZERO
  for (const { sum } of money) {
    const factors = sum.map(field => parseDecimal(values.get(field) ?? '') ?? ZERO)
    const worth = absolute(factors.reduce(multiply, rows))
    if (compareDecimals(worth, largest) > 0) largest = worth
  }
  return largest
}
