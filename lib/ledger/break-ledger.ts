/**
 * The break ledger, READ FIRST: writes down what one night's comparison found and derives every break's
 * state from it, inside the caller's transaction (T6). What a night says is break-ledger-sightings.ts, deriving
 * is break-ledger-fold.ts with the rules of reconcile/breaks, looking is break-ledger-list.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { FoldRules, LedgerNight, Sees } from '../model/lasting-break.ts'
import { type FoldedNight, foldEverything, foldOneNight } from './break-ledger-fold.ts'
import { storePending } from './break-ledger-pending.ts'
import {
  askOpenBreaks,
  type LookUp,
  rememberDate,
  storeMoved,
  storeSightings,
  type Tonight,
} from './break-ledger-sightings.ts'

/** What one night's comparison found, as far as breaks go. Only of comparisons that proved something. */
export interface NightOfBreaks {
  /** `job.comparison`. */
  readonly reconciliation: string
  readonly job: string
  readonly businessDate: string
  /** Id of the comparison. */
  readonly comparisonId: string
  readonly sees: Sees
  /** Every break, one COPY line each, with the columns of SIGHTING_COLUMNS. */
  readonly sightings: AsyncIterable<Buffer | string>
  /** Identities of rows that could still arrive, one a line; null or absent: there are none. */
  readonly pending?: AsyncIterable<Buffer | string> | null
  /** Looks up what became of open breaks that a night does not have; null where that night's pictures are gone. */
  readonly lookUpAt: (night: LedgerNight) => Promise<LookUp | null>
  /** Breaks whose states are wanted back; all are counted. */
  readonly watched: ReadonlySet<string>
}

/**
 * Writes a night down and brings every break up to date. A night that is not the last one, or was compared before, is
 * followed by deriving everything anew, so that the order in which dates are compared does not matter.
 * Guarantee: the same comparison again changes nothing.
 * Cost: 100,000 breaks take about 4 s when they are the last night's; an older night reads every sighting kept.
 */
export async function recordNight(
  connection: Connection,
  night: NightOfBreaks,
  rules: FoldRules,
): Promise<FoldedNight> {
  const ledger = await lockBreakLedger(connection, night.reconciliation, night.job)
  const { businessDate: date, sees } = night
  const before = await nightsOf(connection, ledger)
  const again = before.some(one => one.date === date)
  const last = before.every(one => one.date < date)
  await connection.query(
    `INSERT INTO tallyman.break_night (ledger, business_date, comparison, sees) VALUES ($1, $2, $3, $4)
     ON CONFLICT (ledger, business_date) DO UPDATE SET comparison = excluded.comparison, sees = excluded.sees`,
    [ledger, date, night.comparisonId, sees],
  )
  const tonight = { ledger, date, watched: night.watched }
  if (!last) await rememberDate(connection, tonight)
  await storeSightings(connection, tonight, night.sightings, again)
  await storePending(connection, tonight, night.pending ?? null)
  const lookUp = await night.lookUpAt({ date, sees })
  if (lookUp !== null) await askOpenBreaks(connection, tonight, last ? 'standing' : 'sighted', lookUp)
  if (last) return foldOneNight(connection, tonight, { date, sees }, rules)
  const nights = await nightsOf(connection, ledger)
  await askLaterNights(connection, tonight, nights, night.lookUpAt)
  return foldEverything(connection, tonight, nights, rules)
}

/** What an older date says otherwise now may be news to the nights after it: they are asked about it as they would have been. */
async function askLaterNights(
  connection: Connection,
  tonight: Tonight,
  nights: readonly LedgerNight[],
  lookUpAt: NightOfBreaks['lookUpAt'],
): Promise<void> {
  const later = nights.filter(({ date }) => date > tonight.date)
  if (later.length === 0) return
  await storeMoved(connection, tonight)
  for (const night of later) {
    const lookUp = await lookUpAt(night)
    if (lookUp !== null)
      await askOpenBreaks(connection, { ledger: tonight.ledger, date: night.date }, 'moved', lookUp)
  }
}

/** The ledger of a reconciliation, made when it is the first time, and locked until the transaction ends. */
export async function lockBreakLedger(
  connection: Connection,
  reconciliation: string,
  job: string,
): Promise<number> {
  await connection.query(
    'INSERT INTO tallyman.break_ledger (reconciliation, job) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [reconciliation, job],
  )
  const { rows } = await connection.query<{ id: number }>(
    'SELECT id FROM tallyman.break_ledger WHERE reconciliation = $1 FOR UPDATE',
    [reconciliation],
  )
  return rows[0]!.id
}

/** All nights of a ledger that proved something, in the order of their dates. */
export async function nightsOf(connection: Connection, ledger: number): Promise<LedgerNight[]> {
  const { rows } = await connection.query<LedgerNight>(
    'SELECT business_date AS date, sees FROM tallyman.break_night WHERE ledger = $1 ORDER BY business_date',
    [ledger],
  )
  return rows
}
