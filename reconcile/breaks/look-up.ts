/**
 * Looks up in tonight's snapshots what became of breaks that were open and that tonight's comparison does
 * not have: the rows of their keys on both sides, from which follows who moved (cause.ts). One join for all.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { type DuckDb, type DuckDbLimits, openDuckDb } from '../../lib/format/duckdb/session.ts'
import { quoteText, readSpool } from '../../lib/format/duckdb/sql.ts'
import { ASKED_COLUMNS } from '../../lib/ledger/break-ledger-sightings.ts'
import type { BreakKind } from '../../lib/model/break.ts'
import type { Marks, ResolutionCause } from '../../lib/model/lasting-break.ts'
import { MACROS, normalised } from '../compare/normalise.ts'
import { type ComparePlan, columnsOf } from '../compare/plan.ts'
import {
  keyColumns,
  keyParts,
  ofSide,
  ruledColumns,
  ruledValue,
  SIDES,
  type SideName,
  sideView,
} from '../compare/side-rows.ts'
import type { Snapshot } from '../snapshot/manifest.ts'
import { openSpool } from '../snapshot/spool.ts'
import { causeOf, type Sight } from './cause.ts'
import { isCounted, markOf, markOfCount } from './marks.ts'

/** Tonight's pictures, and where to work. */
export interface LookUpPlace {
  readonly left: Snapshot
  readonly right: Snapshot
  readonly plan: ComparePlan
  readonly sight: Sight
  readonly workFolder: string
  readonly limits?: DuckDbLimits
  readonly signal?: AbortSignal
}

/**
 * Answers the ledger: takes open breaks as CSV lines (ASKED_COLUMNS), gives those that are none any more as COPY lines of
 * identity and cause. Breaks that tonight could not have seen are left out.
 * Cost: one scan of both sides.
 */
export async function lookUp(
  place: LookUpPlace,
  asked: AsyncIterable<Buffer>,
): Promise<AsyncIterable<string>> {
  await mkdir(place.workFolder, { recursive: true })
  const name = `asked-${randomUUID()}`
  const spool = await openSpool(path.join(place.workFolder, `${name}.csv`))
  try {
    for await (const bytes of asked) await spool.append(bytes)
  } catch (error) {
    await spool.close()
    await rm(spool.path, { force: true })
    throw error
  }
  await spool.close()
  const source = readSpool(spool.path, ASKED_COLUMNS, spool.longestLine())
  return answers(place, name, spool.path, source)
}

async function* answers(
  place: LookUpPlace,
  name: string,
  file: string,
  source: string,
): AsyncGenerator<string> {
  const { left, right, plan } = place
  try {
    const db = await openDuckDb({
      spillFolder: path.join(place.workFolder, `${name}.spill`),
      folders: [],
      files: [left.path, right.path, file],
      ...(place.signal === undefined ? {} : { signal: place.signal }),
      ...(place.limits === undefined ? {} : { limits: place.limits }),
    })
    try {
      for (const macro of MACROS) await db.run(macro)
      for (const side of SIDES) await db.run(sideView(side, plan, side === 'left' ? left : right))
      yield* judged(db, source, place)
    } finally {
      await db.close()
    }
  } finally {
    await rm(file, { force: true })
  }
}

/** What was found of one break. */
interface Found {
  readonly facts: readonly (string | null)[]
  readonly rows: { left: number; right: number }
  readonly ruled: { left: readonly (string | null)[] | null; right: readonly (string | null)[] | null }
}

async function* judged(db: DuckDb, source: string, place: LookUpPlace): AsyncGenerator<string> {
  const positions = new Map(columnsOf(place.plan).map(({ name }, index) => [name, index]))
  let found: Found | null = null
  let lines = ''
  const close = (): void => {
    const cause = found === null ? null : judge(found, place, positions)
    if (cause !== null) lines += `${found!.facts[0]}\t${cause}\n`
  }
  await db.run(askedTable(source, place.plan))
  for await (const [facts, sides, values] of db.stream(rowsSql(place.plan))) {
    for (let i = 0; i < facts!.length; i += 1) {
      const text = facts![i] as string
      const identity = text.slice(2, text.indexOf('"', 2))
      if (found?.facts[0] !== identity) {
        close()
        found = {
          facts: JSON.parse(text) as (string | null)[],
          rows: { left: 0, right: 0 },
          ruled: { left: null, right: null },
        }
      }
      if (sides![i] === 2) continue
      const side = sides![i] === 0 ? 'left' : 'right'
      found.rows[side] += 1
      found.ruled[side] ??= JSON.parse(values![i] as string) as (string | null)[]
    }
    if (lines !== '') yield lines
    lines = ''
  }
  close()
  if (lines !== '') yield lines
}

/** The asked breaks with their keys under the rules of tonight. */
function askedTable(source: string, plan: ComparePlan): string {
  const facts = ASKED_COLUMNS.filter(column => column !== 'key')
  const parts = keyColumns(plan).map((column, i) => {
    const raw = `(key::json ->> ${quoteText(`$."${column.name}"`)})`
    const [left, right] = SIDES.map(side => normalised(ofSide(column, side), raw))
    // A key is told as the side writes it that has the row.
    return left === right
      ? `${left} as k${i}`
      : `case when side = 'source' then ${left} else ${right} end as k${i}`
  })
  return `create temp table asked as select identity, to_json([${facts.join(', ')}]) as facts, ${parts.join(', ')} from ${source}`
}

/** The rows of the asked keys on both sides, and each asked break once more by itself, those of one break together. */
function rowsSql(plan: ComparePlan): string {
  const rules = new Set(ruledColumns(plan))
  const values = (side: SideName): string[] =>
    columnsOf(plan).map((column, i) =>
      rules.has(i) ? ruledValue(ofSide(column, side), `s.v${i}`) : `s.v${i}`,
    )
  // Null keys only occur without a declared key, where null equals null.
  const equal = plan.key.length > 0 ? '=' : 'is not distinct from'
  const match = keyParts(plan)
    .map(key => `s.${key} ${equal} a.${key}`)
    .join(' and ')
  const sides = SIDES.map(
    (side, number) =>
      `select a.identity, a.facts, ${number} as side, to_json([${values(side).join(', ')}]) as ruled
       from asked a join ${side}_rows s on ${match} where s.unread is null and not s.invalid`,
  )
  const alone = 'select identity, facts, 2 as side, null as ruled from asked'
  return `select facts, side, ruled from (${[...sides, alone].join(' union all ')}) order by identity, side`
}

function judge(
  { facts, rows, ruled }: Found,
  { plan, sight }: LookUpPlace,
  positions: ReadonlyMap<string, number>,
): ResolutionCause | null {
  const [, kind, names, source, target, side, sameDate] = facts as [string, BreakKind, ...(string | null)[]]
  const again = sameDate === 'true' || sameDate === 't'
  // A figure of a whole side has no rows of its own that could be looked up.
  if (kind === 'control_total' || kind === 'net_budget')
    return sight.sees === 'all' || again ? 'unknown' : null
  // A row without a valid key can't be looked up, but it was on one side only: that side has it no longer.
  if (kind === 'unreadable' || kind === 'key_invalid')
    return sight.sees === 'all' || again ? (side as 'source' | 'target') : null
  const known = names === null || names === undefined ? null : (JSON.parse(names) as string[])
  const before: Marks | null =
    known === null || known.some(name => !positions.has(name))
      ? null
      : { source: source ?? null, target: target ?? null }
  const counted = isCounted(kind, plan.key.length > 0)
  const now = (of: 'left' | 'right'): string | null => {
    if (rows[of] === 0) return null
    if (counted || rows[of] > 1 || known === null) return markOfCount(rows[of])
    return markOf(
      known,
      known.map(name => ruled[of]![positions.get(name) ?? -1] ?? null),
    )
  }
  return causeOf(before, { source: now('left'), target: now('right') }, sight, again)
}
