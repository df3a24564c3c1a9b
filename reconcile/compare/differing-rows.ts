/**
 * Finds the rows that have to be looked at, with bounded memory: groups both sides by key with a
 * 128-bit digest of the raw row, and reads values only for keys that are not one equal row on each
 * side. What those rows mean is decided in key-fold.ts.
 */
import type { DuckDb } from '../../lib/format/duckdb/session.ts'
import { type ComparePlan, columnsOf } from './plan.ts'
import {
  digestOf,
  keyParts,
  ofSide,
  ruledColumns,
  ruledValue,
  SIDES,
  type SideName,
  skipDigestOf,
} from './side-rows.ts'

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
  const rows = `(from ${side}_rows where ${kind === 'unreadable' ? 'unread is not null' : 'invalid'})`
  const last = ['unread nulls first', '_raw nulls first', '_file nulls first', '_line nulls first']
  return readRows(db, plan, `${selectRows(plan, side, rows)} order by ${[...order, ...last].join(', ')}`)
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
  // Two sides may mean different things by one text of an enumeration, so its meaning is part of the digest.
  const values = (name: SideName): string[] =>
    columnsOf(plan).flatMap((column, i) =>
      column.rule.values === undefined ? [`v${i}`] : [`v${i}`, ruledValue(ofSide(column, name), `v${i}`)],
    )
  const side = (name: SideName): string =>
    `select ${keys.join(', ')}, ${skipDigestOf(values(name))} as h, ${name === 'left' ? '1 as l, 0 as r' : '0 as l, 1 as r'} from ${name}_rows${usable(counts[name])}`
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

/**
 * The rows of the differing keys, ordered bytewise by key; within a key by digests of compared values, so
 * that equal rows follow each other in an order that any implementation can repeat.
 */
export function differingRows(
  db: DuckDb,
  plan: ComparePlan,
  counts: Readonly<Record<SideName, SideCounts>>,
): AsyncIterable<SideRow[]> {
  const keys = keyParts(plan)
  // Null keys only occur without a declared key, where null equals null.
  const match = keys.map(key => `s.${key} is not distinct from d.${key}`).join(' and ')
  // Joined before anything is computed: digests and rules are for the differing rows only.
  const joined = (name: SideName): string =>
    `(select s.* from ${name}_rows s semi join differing d on ${match}${usable(counts[name])})`
  const digests = (name: SideName): string[] => {
    const { raw, ruled } = valuesOf(plan, name)
    const judged = ruled.slice(0, plan.key.length + plan.columns.length)
    return [`${digestOf(judged)} as hn`, `${digestOf(raw)} as hr`]
  }
  const order = [
    ...keys.map(key => `${key} nulls first`),
    'hn',
    'hr',
    'side',
    '_file nulls first',
    '_line nulls first',
  ]
  const sides = SIDES.map(name =>
    selectRows(plan, name, joined(name), [...keys, ...digests(name), '_file', '_line']),
  )
  return readRows(
    db,
    plan,
    `select side, facts, ruled from (${sides.join(' union all ')}) order by ${order.join(', ')}`,
  )
}

function usable({ unreadable, keyInvalid }: SideCounts): string {
  return unreadable === 0 && keyInvalid === 0 ? '' : ' where unread is null and not invalid'
}

/** SQL of all values of a side's row, raw and under rules. */
function valuesOf(plan: ComparePlan, side: SideName): { readonly raw: string[]; readonly ruled: string[] } {
  const rules = new Set(ruledColumns(plan))
  const columns = columnsOf(plan).map(column => ofSide(column, side))
  return {
    raw: columns.map((_, i) => `v${i}`),
    ruled: columns.map((column, i) => (rules.has(i) ? ruledValue(column, `v${i}`) : `v${i}`)),
  }
}

/**
 * SELECT of what SideRow needs. A row travels as one JSON text, because each text that crosses over to
 * JavaScript costs as much as parsing ten values (110 k rows/s of 13 columns against 500 k).
 * `ruled` is null where no rule changes a value.
 */
function selectRows(plan: ComparePlan, side: SideName, from: string, more: readonly string[] = []): string {
  const { raw, ruled } = valuesOf(plan, side)
  const changed = raw.flatMap((value, i) =>
    ruled[i] === value ? [] : [`${ruled[i]} is distinct from ${value}`],
  )
  const facts = `to_json([${[...raw, '_file', '_line::varchar', 'unread', '_raw'].join(', ')}])`
  const rules =
    changed.length === 0
      ? 'null'
      : `case when ${changed.join(' or ')} then to_json([${ruled.join(', ')}]) end`
  const parts = [`${side === 'left' ? 0 : 1} as side`, `${facts} as facts`, `${rules} as ruled`]
  return `select ${[...parts, ...more].join(', ')} from ${from}`
}

async function* readRows(db: DuckDb, plan: ComparePlan, sql: string): AsyncGenerator<SideRow[]> {
  const count = columnsOf(plan).length
  for await (const [sides, facts, ruled] of db.stream(sql)) {
    const rows: SideRow[] = new Array<SideRow>(sides!.length)
    for (let r = 0; r < rows.length; r += 1) {
      const side = sides![r] === 0 ? 'left' : 'right'
      rows[r] = rowOf(side, facts![r] as string, ruled![r] as string | null, count)
    }
    yield rows
  }
}

function rowOf(side: SideName, facts: string, ruled: string | null, count: number): SideRow {
  const raw = JSON.parse(facts) as (string | null)[]
  const [file, line, unread, rawText] = raw.splice(count) as [
    string | null,
    string | null,
    string | null,
    string | null,
  ]
  return {
    side,
    raw,
    ruled: ruled === null ? raw : (JSON.parse(ruled) as (string | null)[]),
    file,
    line: line === null ? null : Number(line),
    unread,
    rawText,
  }
}
