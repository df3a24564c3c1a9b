/**
 * Acknowledging breaks: who stands for one, why and until when; four eyes where the job asks for them.
 * When an acknowledgement holds is reconcile/breaks/acknowledge.ts; the rows are lib/ledger/break-ledger-acks.ts.
 */
import { needsFourEyes } from '../../reconcile/breaks/acknowledge.ts'
import { foldRules } from '../../reconcile/breaks/fold.ts'
import type { Connection } from '../db/connection.ts'
import { lockBreakLedger } from '../ledger/break-ledger.ts'
import {
  type AcknowledgementRow,
  acknowledgementsOfBreak,
  confirmAcknowledgement,
  endAcknowledgements,
  insertAcknowledgement,
  type Person,
  showAcknowledgements,
} from '../ledger/break-ledger-acks.ts'
import { type LastingBreak, listBreaks } from '../ledger/break-ledger-list.ts'
import { ConfigError } from '../model/errors.ts'
import type { Timetable } from '../model/job.ts'
import type { Engine } from './engine.ts'

/** What somebody says of a break. */
export interface Given {
  readonly by: Person
  /** Who stands for it; usually the one who says so. */
  readonly owner: string
  readonly reason: string
  /** Business date, the last night on which it holds. */
  readonly until: string
}

/** A break after an acknowledgement was made, confirmed or taken back. */
export interface Acknowledged {
  readonly found: LastingBreak
  /** It takes another person to confirm. */
  readonly waits: boolean
}

type Parts = Pick<Engine, 'database' | 'timetable'>

/**
 * Acknowledges breaks with the values they have now; all of them or none.
 * @throws CONFIG_ACKNOWLEDGE_REFUSED for a resolved break, or a date before its last night.
 */
export function acknowledgeBreaks(
  { database, timetable }: Parts,
  breaks: readonly LastingBreak[],
  given: Given,
): Promise<Acknowledged[]> {
  return database.use(connection =>
    eachOpenBreak(connection, breaks, found => acknowledgeOne(connection, timetable, found, given)),
  )
}

async function acknowledgeOne(
  connection: Connection,
  timetable: Timetable,
  found: LastingBreak,
  given: Given,
): Promise<void> {
  if (given.until < found.asOf)
    throw refused(found, `${given.until} is before ${found.asOf}, the last night of ${found.reconciliation}`)
  const needsConfirmation = needsFourEyes(found, fourEyesAbove(timetable, found))
  await insertAcknowledgement(connection, found, { ...given, on: found.asOf, needsConfirmation })
}

/**
 * Confirms acknowledgements that wait for a second person; all of them or none.
 * @throws CONFIG_ACKNOWLEDGE_REFUSED where none waits, and for the person who made it.
 */
export function confirmBreaks(
  { database }: Parts,
  breaks: readonly LastingBreak[],
  by: Person,
): Promise<Acknowledged[]> {
  return database.use(connection =>
    eachOpenBreak(connection, breaks, found => confirmOne(connection, found, by)),
  )
}

async function confirmOne(connection: Connection, found: LastingBreak, by: Person): Promise<void> {
  const waiting = waitingOf(await acknowledgementsOfBreak(connection, found), found.asOf)
  if (waiting === null) throw refused(found, 'no acknowledgement of it waits to be confirmed')
  if (samePerson(waiting.by, by.name))
    throw refused(found, `${by.name} acknowledged it, and four eyes are those of two people`)
  await confirmAcknowledgement(connection, waiting.id, by)
}

/** Takes acknowledgements back: from the last night on the breaks are open again. @throws CONFIG_ACKNOWLEDGE_REFUSED where none stands. */
export function takeBackBreaks(
  { database }: Parts,
  breaks: readonly LastingBreak[],
  by: Person,
  why: string,
): Promise<Acknowledged[]> {
  return database.use(connection =>
    eachOpenBreak(connection, breaks, found => takeBackOne(connection, found, by, why)),
  )
}

async function takeBackOne(
  connection: Connection,
  found: LastingBreak,
  by: Person,
  why: string,
): Promise<void> {
  const ended = await endAcknowledgements(connection, found, { on: found.asOf, by: by.name, why })
  if (ended === 0) throw refused(found, 'nobody acknowledged it')
}

/** One decision about one break. */
export interface BreakDecision {
  readonly found: LastingBreak
  readonly decision: 'ack' | 'unack' | 'confirm'
  /** Of an acknowledgement. */
  readonly until: string
  readonly reason: string
  readonly owner: string
}

/** Takes different decisions about several breaks; all of them or none. @throws CONFIG_ACKNOWLEDGE_REFUSED */
export function decideBreaks(
  { database, timetable }: Parts,
  decisions: readonly BreakDecision[],
  by: Person,
): Promise<Acknowledged[]> {
  const wanted = new Map(decisions.map(one => [one.found.identity, one]))
  const breaks = decisions.map(({ found }) => found)
  return database.use(connection =>
    eachOpenBreak(connection, breaks, found => {
      const { decision, until, reason, owner } = wanted.get(found.identity)!
      if (decision === 'ack')
        return acknowledgeOne(connection, timetable, found, { by, owner, reason, until })
      if (decision === 'confirm') return confirmOne(connection, found, by)
      return takeBackOne(connection, found, by, reason === '' ? 'taken back' : reason)
    }),
  )
}

/** The acknowledgement that waits for a second person, null when none does. */
export function waitingOf(
  acknowledgements: readonly AcknowledgementRow[],
  asOf: string,
): AcknowledgementRow | null {
  return (
    acknowledgements.findLast(
      ({ needsConfirmation, confirmedBy, endedOn, until }) =>
        needsConfirmation && confirmedBy === null && endedOn === null && until >= asOf,
    ) ?? null
  )
}

/** Does `work` for each break as it is now, its reconciliation locked, in one transaction. */
function eachOpenBreak(
  connection: Connection,
  breaks: readonly LastingBreak[],
  work: (found: LastingBreak) => Promise<void>,
): Promise<Acknowledged[]> {
  return connection.transaction(async () => {
    const done: Acknowledged[] = []
    // One order for everybody, so that two people never wait for each other.
    const reconciliations = [...new Map(breaks.map(found => [found.reconciliation, found.job]))].sort(
      ([a], [b]) => (a < b ? -1 : 1),
    )
    for (const [reconciliation, job] of reconciliations) {
      const ledger = await lockBreakLedger(connection, reconciliation, job)
      const identities = breaks
        .filter(found => found.reconciliation === reconciliation)
        .map(({ identity }) => identity)
      const now = await listBreaks(connection, { ledger, identities }, identities.length)
      for (const found of now) {
        if (found.course.state === 'resolved')
          throw refused(found, `it was resolved on ${found.course.stateSince}`)
        await work(found)
      }
      const [{ asOf }] = now as [LastingBreak]
      await showAcknowledgements(connection, ledger, identities, asOf, foldRules)
      for (const found of await listBreaks(connection, { ledger, identities }, identities.length)) {
        const waits = waitingOf(await acknowledgementsOfBreak(connection, found), asOf) !== null
        done.push({ found, waits })
      }
    }
    return done
  })
}

function fourEyesAbove(timetable: Timetable, { job, reconciliation }: LastingBreak): string | null {
  const comparisons = timetable.jobs.find(({ job: { name } }) => name === job)?.job.reconcile.comparisons
  const one = comparisons?.find(({ name }) => `${job}.${name}` === reconciliation)
  return one?.acknowledge?.fourEyesAbove ?? null
}

/** Whether two names, typed by hand, are one person's. */
export function samePerson(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase()
}

function refused(found: LastingBreak, why: string): ConfigError {
  return new ConfigError(
    'CONFIG_ACKNOWLEDGE_REFUSED',
    `Break ${found.identity.slice(0, 8)} of ${found.reconciliation} was left as it is: ${why}. Nothing was changed.`,
    { details: { identity: found.identity, reconciliation: found.reconciliation } },
  )
}
