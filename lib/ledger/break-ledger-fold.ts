/**
 * Derives the states of breaks from the sightings of all nights, with the rules it is given. The last
 * night is one step for each open break; anything older folds everything again from the first night.
 * Rows come through a cursor and go back by COPY, so that 100,000 breaks take a handful of statements.
 */
import type { Connection } from '../db/connection.ts'
import {
  type Acknowledgement,
  type Course,
  type FoldRules,
  type LedgerNight,
  SHOWN_STATES,
  type StateCounts,
} from '../model/lasting-break.ts'
import { acknowledgementsOf } from './break-ledger-acks.ts'
import {
  fetchPages,
  foldBreak,
  type SightingRow,
  sightingOf,
  sightingsByBreak,
  type ToldBreak,
} from './break-ledger-history.ts'
import { awaitedSql } from './break-ledger-pending.ts'
import { type CourseRow, courseColumns, courseOf } from './break-ledger-rows.ts'
import { dateLiteral, inSets, type Tonight } from './break-ledger-sightings.ts'

/** Resolved breaks told by name; all are counted. */
const RESOLVED_TOLD = 10_000

/** What a night came to. */
export interface FoldedNight {
  readonly ledger: number
  /** The watched breaks, by identity. */
  readonly breaks: ReadonlyMap<string, ToldBreak>
  /** Identities of those resolved by this night, the first ones. */
  readonly resolved: readonly string[]
  readonly counts: StateCounts
}

/** No break in any state. */
export function noStates(): Record<keyof StateCounts, number> {
  return Object.fromEntries(SHOWN_STATES.map(state => [state, 0])) as Record<keyof StateCounts, number>
}

/** Gathers what breaks come to: lines for the ledger, counts for each night, and what is told of one night. */
class Outcome {
  readonly counts = new Map<string, ReturnType<typeof noStates>>()
  readonly told = new Map<string, ToldBreak>()
  readonly resolved: string[] = []
  readonly #tonight: Tonight
  readonly #rules: FoldRules
  readonly #acknowledgements: ReadonlyMap<string, readonly Acknowledgement[]>
  #lines: string[] = []

  constructor(
    tonight: Tonight,
    nights: readonly LedgerNight[],
    rules: FoldRules,
    acknowledgements: ReadonlyMap<string, readonly Acknowledgement[]>,
  ) {
    for (const { date } of nights) this.counts.set(date, noStates())
    this.#tonight = tonight
    this.#rules = rules
    this.#acknowledgements = acknowledgements
  }

  /** One night of one break; gives the acknowledgement that holds. */
  visit(identity: string, course: Course, date: string): Acknowledgement | null {
    const acknowledgements = this.#acknowledgements.get(identity)
    const held =
      acknowledgements === undefined ? null : this.#rules.acknowledged(course, acknowledgements, date)
    if (course.state === 'resolved' && course.stateSince !== date) return null
    this.counts.get(date)![held === null ? course.state : 'acknowledged'] += 1
    if (date === this.#tonight.date) {
      if (this.#tonight.watched.has(identity)) this.told.set(identity, { course, acknowledgement: held })
      if (course.state === 'resolved' && this.resolved.length < RESOLVED_TOLD) this.resolved.push(identity)
    }
    return held
  }

  /** The break as of the last night. */
  keep(identity: string, course: Course, held: Acknowledgement | null): void {
    const { state, firstSeen, lastSeen, stateSince, valuesSince, runs, reopened, cause, marks, columns } =
      course
    const values = [identity, state, firstSeen, lastSeen, stateSince, valuesSince, runs, reopened]
    const more = [cause, marks.source, marks.target, columns, held?.id ?? null]
    this.#lines.push(`${[...values, ...more.map(value => value ?? '\\N')].join('\t')}\n`)
  }

  /** Sends what was kept so far to the table `folded`. */
  async send(connection: Connection): Promise<void> {
    const lines = this.#lines
    if (lines.length === 0) return
    this.#lines = []
    async function* text(): AsyncGenerator<string> {
      yield lines.join('')
    }
    await connection.copyIn('COPY pg_temp.folded FROM STDIN', text())
  }
}

async function begin(
  connection: Connection,
  tonight: Tonight,
  nights: readonly LedgerNight[],
  rules: FoldRules,
): Promise<Outcome> {
  await connection.query('DROP TABLE IF EXISTS pg_temp.folded')
  await connection.query(
    `CREATE TEMP TABLE folded (identity uuid, state text, first_seen date, last_seen date, state_since date,
       values_since date, runs int, reopened int, cause text, source_mark bigint, target_mark bigint, columns_id int, acknowledgement bigint)
     ON COMMIT DROP`,
  )
  return new Outcome(tonight, nights, rules, await acknowledgementsOf(connection, tonight.ledger))
}

/** The next night after all others: one step for every open break and every one that the night tells of. */
export async function foldOneNight(
  connection: Connection,
  tonight: Tonight,
  night: LedgerNight,
  rules: FoldRules,
): Promise<FoldedNight> {
  const { ledger, date } = tonight
  const outcome = await begin(connection, tonight, [night], rules)
  const pages = fetchPages<StepRow>(
    connection,
    `SELECT replace(i.identity::text, '-', '') AS identity, ${courseColumns('l')},
       s.sight, s.source_mark AS "seenSource", s.target_mark AS "seenTarget", s.cause AS "seenCause", s.columns_id AS "seenColumns",
       a.since AS "awaitedSince"
     FROM (SELECT identity FROM tallyman.lasting_break WHERE ledger = ${ledger} AND state <> 'resolved'
           UNION SELECT identity FROM pg_temp.tonight) i
     LEFT JOIN tallyman.lasting_break l ON l.ledger = ${ledger} AND l.identity = i.identity
     LEFT JOIN (SELECT identity, 'seen' AS sight, source_mark, target_mark, NULL AS cause, columns_id FROM pg_temp.tonight
           UNION ALL SELECT identity, 'gone', source_mark, target_mark, cause, columns_id FROM pg_temp.gone) s ON s.identity = i.identity
     LEFT JOIN (${awaitedSql(ledger, 'SELECT identity FROM pg_temp.tonight')}) a
       ON a.identity = i.identity AND a.seen_on = ${dateLiteral(date)}`,
  )
  for await (const rows of pages) {
    for (const row of rows) {
      const after = rules.step(row.state === null ? null : courseOf(row as CourseRow), night, sightingOf(row))
      if (after !== null) outcome.keep(row.identity, after, outcome.visit(row.identity, after, date))
    }
    await outcome.send(connection)
  }
  return finish(connection, tonight, outcome)
}

/** Every break from its first night on. */
export async function foldEverything(
  connection: Connection,
  tonight: Tonight,
  nights: readonly LedgerNight[],
  rules: FoldRules,
): Promise<FoldedNight> {
  const outcome = await begin(connection, tonight, nights, rules)
  for await (const page of sightingsByBreak(connection, tonight.ledger)) {
    for (const [identity, sightings] of page) {
      let held: Acknowledgement | null = null
      const course = foldBreak(sightings, nights, rules, (after, { date }) => {
        held = outcome.visit(identity, after, date)
      })
      if (course !== null) outcome.keep(identity, course, held)
    }
    await outcome.send(connection)
  }
  return finish(connection, tonight, outcome)
}

/** Writes what was derived: states of all, and the values of those that this night saw last. */
async function finish(connection: Connection, tonight: Tonight, outcome: Outcome): Promise<FoldedNight> {
  const { ledger, date } = tonight
  await connection.query('ANALYZE pg_temp.folded')
  await inSets(connection, true, () => store(connection, tonight))
  const dates = [...outcome.counts.keys()]
  await connection.query(
    `UPDATE tallyman.break_night n SET counts = u.counts
     FROM unnest($2::date[], $3::jsonb[]) AS u (date, counts) WHERE n.ledger = $1 AND n.business_date = u.date`,
    [ledger, dates, dates.map(one => JSON.stringify(outcome.counts.get(one)))],
  )
  return {
    ledger,
    breaks: outcome.told,
    resolved: outcome.resolved,
    counts: outcome.counts.get(date)!,
  }
}

async function store(connection: Connection, { ledger, date }: Tonight): Promise<void> {
  const face = ['kind', 'key', 'columns', 'left_rows', 'right_rows', 'origin', 'hint']
  const course = ['state', 'first_seen', 'last_seen', 'state_since', 'values_since', 'runs', 'reopened']
  const all = [...course, 'cause', 'source_mark', 'target_mark', 'columns_id', 'acknowledgement']
  const columns = [...face, ...all]
  await connection.query(
    `INSERT INTO tallyman.lasting_break AS l (ledger, identity, ${columns.join(', ')})
     SELECT $1, f.identity, ${[...face.map(name => `t.${name}`), ...all.map(name => `f.${name}`)].join(', ')}
     FROM pg_temp.folded f JOIN pg_temp.tonight t ON t.identity = f.identity
     WHERE f.last_seen = $2 OR NOT EXISTS (SELECT 1 FROM tallyman.lasting_break b WHERE b.ledger = $1 AND b.identity = f.identity)
     ON CONFLICT (ledger, identity) DO UPDATE SET ${columns.map(name => `${name} = excluded.${name}`).join(', ')}
     WHERE (${columns.map(name => `l.${name}`).join(', ')}) IS DISTINCT FROM (${columns.map(name => `excluded.${name}`).join(', ')})`,
    [ledger, date],
  )
  await connection.query(
    `UPDATE tallyman.lasting_break l SET ${all.map(name => `${name} = f.${name}`).join(', ')}
     FROM pg_temp.folded f WHERE l.ledger = $1 AND l.identity = f.identity
       AND (${all.map(name => `l.${name}`).join(', ')}) IS DISTINCT FROM (${all.map(name => `f.${name}`).join(', ')})`,
    [ledger],
  )
}

type StepRow = Omit<SightingRow, 'date'> & (CourseRow | { readonly state: null })
