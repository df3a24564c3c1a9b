/**
 * What seeded tables look like: columns of mixed types, a key of one to three parts or none, rules of
 * single columns, totals, a column that is not compared. All drawn from one seed.
 */
import type { CompareRule } from '../../lib/model/comparison-rules.ts'
import type { TotalRule } from '../../lib/model/table.ts'
import type { ValueKind } from '../../reconcile/snapshot/columns.ts'
import { NULL_TOKENS, type Random } from './mutation-values.ts'

/** A drawn shape. */
export interface Shape {
  readonly names: readonly string[]
  readonly kinds: Readonly<Record<string, ValueKind>>
  /** Empty: rows are compared as bags. */
  readonly key: readonly string[]
  /** The columns that a break's key shows: the key, or without one all compared columns. */
  readonly keyNames: readonly string[]
  /** Compared columns other than the key, `seed` and `id`: those that edits may change. */
  readonly compared: readonly string[]
  /** The same with the key's other parts. */
  readonly judged: readonly string[]
  readonly rules: Readonly<Record<string, CompareRule>>
  readonly ignore: readonly string[]
  readonly totals: Readonly<Record<string, TotalRule>>
}

const KINDS: readonly ValueKind[] = [
  'text',
  'text',
  'decimal',
  'decimal',
  'integer',
  'date',
  'timestamp',
  'boolean',
]

/** Names that mean nothing, and names by which a difference is called a currency, a status or a reference. */
const NAMES = ['alpha', 'customerName', 'currency', 'bookingStatus', 'orderRef', 'beta', 'gamma', 'delta']

/** A shape. Every one has the columns `seed` (integer) and `id` (text), which tell its rows apart. */
export function shapeOf(random: Random): Shape {
  const kinds: Record<string, ValueKind> = { seed: 'integer', id: 'text' }
  const keyed = random(6) > 0
  const parts = keyed ? random(3) : 0
  for (let i = 0; i < parts; i += 1) kinds[`part${i}`] = KINDS[random(KINDS.length - 1)]!
  const count = 2 + random(6)
  for (let i = 0; i < count; i += 1) kinds[NAMES[i]!] = i === 0 ? 'decimal' : KINDS[random(KINDS.length)]!
  kinds.amount = 'decimal'
  const names = Object.keys(kinds)
  const key = keyed ? names.filter(name => ['seed', 'id'].includes(name) || name.startsWith('part')) : []
  const ignore = random(3) === 0 ? ['amount'] : []
  const free = names.filter(
    name => !key.includes(name) && !ignore.includes(name) && name !== 'seed' && name !== 'id',
  )
  const judged = names.filter(name => !ignore.includes(name) && name !== 'seed')
  const rules: Record<string, CompareRule> = {}
  for (const name of names)
    if (name !== 'seed') rules[name] = ruleOf(kinds[name]!, key.includes(name) || !keyed, random)
  const text = free.find(name => kinds[name] === 'text')
  const totals: Record<string, TotalRule> = {
    amount: { sum: ['amount'], ...(text === undefined ? {} : { per: text }) },
    alpha: { sum: ['alpha'] },
    product: { sum: ['alpha', 'amount'] },
  }
  const keyNames = keyed ? key : names.filter(name => !ignore.includes(name))
  return { names, kinds, key, keyNames, compared: free, judged, rules, ignore, totals }
}

function ruleOf(kind: ValueKind, exact: boolean, random: Random): CompareRule {
  const sometimes = (rule: CompareRule): CompareRule => (random(3) === 0 ? rule : {})
  switch (kind) {
    case 'text':
      return {
        ...sometimes({ trim: true }),
        ...sometimes({ collapse: true }),
        ...sometimes({ stripAccents: true }),
        ...sometimes({ foldCase: true }),
        ...(exact ? {} : sometimes({ nullTokens: NULL_TOKENS })),
      }
    case 'decimal':
    case 'integer':
      return exact
        ? {}
        : {
            ...sometimes({ within: kind === 'integer' ? '2' : '0.015' }),
            ...sometimes({ relative: '0.001' }),
          }
    case 'timestamp':
      return sometimes({ precision: (['second', 'minute', 'day'] as const)[random(3)]! })
    default:
      return {}
  }
}
