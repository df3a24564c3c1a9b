/**
 * Rows that are missing on both sides and have equal values under different keys: likely one row whose
 * key was changed. For display only; both stay the breaks they are.
 */
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import type { Patterns } from '../../lib/model/break.ts'
import { type ComparePlan, columnsOf } from '../compare/plan.ts'
import { digestOf, keyParts, ofSide, ruledValue, type SideName } from '../compare/side-rows.ts'

/** Pairs that are told; all are counted. */
const TOLD = 20

/** Fewer equal values than this are chance: a status and a currency are shared by many rows. */
const LEAST_VALUES = 2

/**
 * The likely re-keyed rows: one row on each side alone has these values, at least two of them not null. Reads the table
 * `differing` (compare/differing-rows.ts). Cost: one more look at the rows that only one side has.
 */
export async function findRekeyed(db: DuckDb, plan: ComparePlan): Promise<Patterns['rekeyed']> {
  const compared = plan.columns.length
  if (plan.key.length === 0 || compared < LEAST_VALUES) return { count: 0, pairs: [] }
  const names = plan.key.map(({ name }) => name)
  await db.run(`create temp table rekeyed as
    select l.k as l, r.k as r from (${alone('left', plan)}) l join (${alone('right', plan)}) r on l.h = r.h`)
  const [[count]] = (await db.rows('select count(*) from rekeyed')) as [[unknown]]
  const rows = await db.rows(`select l, r from rekeyed order by l limit ${TOLD}`)
  const keyOf = (text: unknown): Record<string, string | null> => {
    const values = JSON.parse(String(text)) as (string | null)[]
    return Object.fromEntries(names.map((name, i) => [name, values[i] ?? null]))
  }
  return { count: Number(count), pairs: rows.map(([l, r]) => ({ left: keyOf(l), right: keyOf(r) })) }
}

/** Keys by the digest of their values, of rows that only this side has and whose values no second one shares. */
function alone(side: SideName, plan: ComparePlan): string {
  const columns = columnsOf(plan)
  const first = plan.key.length
  const values = columns
    .slice(first, first + plan.columns.length)
    .map((column, i) => ruledValue(ofSide(column, side), `s.v${first + i}`))
  const key = plan.key.map((_, i) => `s.v${i}`)
  const match = keyParts(plan).map(part => `s.${part} is not distinct from d.${part}`)
  const known = values.map(value => `(${value} is not null)::int`).join(' + ')
  const [mine, others] = side === 'left' ? ['l', 'r'] : ['r', 'l']
  return `select h, any_value(k) as k from (
      select ${digestOf(values)} as h, to_json([${key.join(', ')}]) as k
      from ${side}_rows s semi join (from differing where ${mine} = 1 and ${others} = 0) d on ${match.join(' and ')}
      where s.unread is null and not s.invalid and ${known} >= ${LEAST_VALUES}) group by h having count(*) = 1`
}
