/**
 * Finds the rows that have to be looked at, with bounded memory: groups both sides by key with a
 * 128-bit digest of the raw row, and reads values only for keys that are not one equal row on each
 * side. What those rows mean is decided in key-fold.ts.
 */
import type { Cell, DuckDb } from '../../lib/format/duckdb/session.ts'
import { type ComparePlan, columnsOf } from './plan.ts'
import { digestOf, keyParts, ruledColumns, ruledValue, SIDES, type SideName } from './side-rows.ts'

/** A row that is looked at. */
export interface SideRow {
  readonly side: SideName
  /** By position of columnsOf(plan). */
  readonly raw: readonly (string | null)[]
  /** Under rules; the same array where no rule changes anything. */
  readonly ruled: readonly (string | null)[]
  readonly file: string | null
  readonly line: number | null
  /** Why it can't be read; null for readable rows. */
  readonly unread: string | null
  /** The text of a record that is no row. */
  readonly rawText: string | null
}

/** What one scan tells about a side. */
export interface SideCounts {
  readonly rows: number
  readonly unreadable: number
  readonly keyInvalid: number
}

/** Counts the rows of a side. */
export async function countSide(db: DuckDb, side: SideName): Promise<SideCounts> {
  const [row] = await db.rows(
    `select count(*), count(unread), count(*) filter (where invalid) from ${side}_rows`,
  )
  const [rows, unreadable, keyInvalid] = row!.map(Number)
  return { rows: rows!, unreadable: unreadable!, keyInvalid: keyInvalid! }
}

/** Unreadable rows, or those with an invalid key, of one side; equal ones follow each other. */
export function unusableRows(
  db: DuckDb,
  plan: ComparePlan,
  side: SideName,
  kind: 'unreadable' | 'key_invalid',
): AsyncIterable<SideRow[]> {
  const count = columnsOf(plan).length
  const order = Array.from({ length: count }, (_, i) => `v${i} nulls first`)
  return readRows(
    db,
    plan,
    `${selectRows(plan, side, `${side}_rows`)} where ${kind === 'unreadable' ? 'unread is not null' : 'invalid'}
     order by ${[...order, 'unread nulls first', '_raw nulls first', '_file nulls first', '_line nulls first'].join(', ')}`,
  )
}

/** How many usable rows lie behind the keys that differ, by side. */
export interface Differing {
  readonly left: number
  readonly right: number
}

/** Finds the differing keys and keeps them in the table `differing`. */
export async function findDiffering(
  db: DuckDb,
  plan: ComparePlan,
  counts: Readonly<Record<SideName, SideCounts>>,
): Promise<Differing> {
  const keys = keyParts(plan)
  const digest = digestOf(columnsOf(plan).map((_, i) => `v${i}`))
  const side = (name: SideName): string =>
    `select ${keys.join(', ')}, ${digest} as h, ${name === 'left' ? '1 as l, 0 as r' : '0 as l, 1 as r'} from ${name}_rows${usable(counts[name])}`
  await db.run(
    `create temp table differing as
     select ${keys.join(', ')}, sum(l)::bigint as l, sum(r)::bigint as r
     from (${SIDES.map(side).join(' union all ')})
     group by ${keys.join(', ')}
     having not (sum(l) = 1 and sum(r) = 1 and min(h) = max(h))`,
  )
  const [row] = await db.rows(
    'select coalesce(sum(l), 0)::bigint, coalesce(sum(r), 0)::bigint from differing',
  )
  const [left, right] = row!.map(Number)
  return { left: left!, right: right! }
}

/** The rows of the differing keys, ordered bytewise by key; within a key equal rows follow each other. */
export function differingRows(
  db: DuckDb,
  plan: ComparePlan,
  counts: Readonly<Record<SideName, SideCounts>>,
): AsyncIterable<SideRow[]> {
  const keys = keyParts(plan)
  const columns = columnsOf(plan)
  const ruled = columns.map((column, i) =>
    ruledColumns(plan).includes(i) ? ruledValue(column, `v${i}`) : `v${i}`,
  )
  // Null keys only occur without a declared key, where null equals null.
  const match = keys.map(key => `s.${key} is not distinct from d.${key}`).join(' and ')
  // Joined before anything is computed: digests and rules are for the differing rows only.
  const joined = (name: SideName): string =>
    `(select s.* from ${name}_rows s semi join differing d on ${match}${usable(counts[name])})`
  const digests = [`${digestOf(ruled)} as hn`, `${digestOf(columns.map((_, i) => `v${i}`))} as hr`]
  const side = (name: SideName): string => selectRows(plan, name, joined(name), [...keys, ...digests])
  const order = [
    ...keys.map(key => `${key} nulls first`),
    'hn',
    'hr',
    'side',
    '_file nulls first',
    '_line nulls first',
  ]
  return readRows(
    db,
    plan,
    `select * exclude (${[...keys, 'hn', 'hr'].join(', ')}) from (${SIDES.map(side).join(' union all ')}) order by ${order.join(', ')}`,
  )
}

function usable({ unreadable, keyInvalid }: SideCounts): string {
  return unreadable === 0 && keyInvalid === 0 ? '' : ' where unread is null and not invalid'
}

/** SELECT of what SideRow needs; `x` says how a value changes under rules: null unchanged, '' null, 't...' text. */
function selectRows(plan: ComparePlan, side: SideName, from: string, more: readonly string[] = []): string {
  const columns = columnsOf(plan)
  const values = columns.map((_, i) => `v${i}`)
  const changes = ruledColumns(plan).map(i => {
    const ruled = ruledValue(columns[i]!, `v${i}`)
    return `case when ${ruled} is not distinct from v${i} then null when ${ruled} is null then '' else 't' || ${ruled} end as x${i}`
  })
  const facts = [
    `${side === 'left' ? 0 : 1} as side`,
    ...values,
    ...changes,
    '_file',
    '_line',
    'unread',
    '_raw',
  ]
  return `select ${[...facts, ...more].join(', ')} from ${from}`
}

async function* readRows(db: DuckDb, plan: ComparePlan, sql: string): AsyncGenerator<SideRow[]> {
  const count = columnsOf(plan).length
  const ruledAt = ruledColumns(plan)
  for await (const block of db.stream(sql)) yield rowsOf(block, count, ruledAt)
}

function rowsOf(block: readonly (readonly Cell[])[], count: number, ruledAt: readonly number[]): SideRow[] {
  const [sides, ...rest] = block
  const values = rest.slice(0, count) as (readonly (string | null)[])[]
  const changes = rest.slice(count, count + ruledAt.length) as (readonly (string | null)[])[]
  const [files, lines, unread, rawTexts] = rest.slice(count + ruledAt.length)
  const rows: SideRow[] = []
  for (let r = 0; r < sides!.length; r += 1) {
    const raw = values.map(column => column[r] ?? null)
    let ruled = raw
    for (let c = 0; c < ruledAt.length; c += 1) {
      const change = changes[c]![r]!
      if (change === null) continue
      if (ruled === raw) ruled = [...raw]
      ruled[ruledAt[c]!] = change === '' ? null : change.slice(1)
    }
    rows.push({
      side: sides![r] === 0 ? 'left' : 'right',
      raw,
      ruled,
      file: files![r] as string | null,
      line: lines![r] === null ? null : Number(lines![r]),
      unread: unread![r] as string | null,
      rawText: rawTexts![r] as string | null,
    })
  }
  return rows
}
