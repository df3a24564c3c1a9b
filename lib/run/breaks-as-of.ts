/**
 * Breaks as they stood after a night of the past, and one break night by night: derived from what is
 * stored, with the same rules as tonight's (reconcile/breaks). Reads only.
 */
import { foldRules } from '../../reconcile/breaks/fold.ts'
import type { Connection } from '../db/connection.ts'
import type { Database } from '../db/database.ts'
import { nightsOf } from '../ledger/break-ledger.ts'
import { acknowledgementsOfBreak } from '../ledger/break-ledger-acks.ts'
import { foldBreak, foldUntil, type ToldBreak } from '../ledger/break-ledger-history.ts'
import {
  breakLedgers,
  inconclusiveDates,
  type LastingBreak,
  listBreaks,
  nightsOfBreak,
} from '../ledger/break-ledger-list.ts'
import type { Course, ShownState, Sighting } from '../model/lasting-break.ts'

/**
 * The breaks of a job (null: of all) in some states, as of the last night up to a date; the oldest first. Values are
 * those last seen, also after that date.
 * Cost: reads every sighting of the reconciliations.
 */
export async function breaksAsOf(
  database: Database,
  wanted: { readonly job: string | null; readonly states: readonly ShownState[]; readonly date: string },
  limit: number,
): Promise<{ readonly breaks: LastingBreak[]; readonly total: number }> {
  return database.use(connection =>
    connection.transaction(async () => {
      const found: { ledger: number; identity: string; asOf: string; told: ToldBreak }[] = []
      for (const { id: ledger } of await breakLedgers(connection, wanted.job)) {
        const nights = (await nightsOf(connection, ledger)).filter(({ date }) => date <= wanted.date)
        await foldUntil(connection, ledger, nights, foldRules, (identity, told) => {
          if (wanted.states.includes(shownState(told)))
            found.push({ ledger, identity, asOf: nights.at(-1)!.date, told })
        })
      }
      found.sort((a, b) => order(a.told.course.firstSeen, b.told.course.firstSeen))
      return { breaks: await withFaces(connection, found.slice(0, limit)), total: found.length }
    }),
  )
}

async function withFaces(
  connection: Connection,
  found: readonly { ledger: number; identity: string; asOf: string; told: ToldBreak }[],
): Promise<LastingBreak[]> {
  const faces = new Map<string, LastingBreak>()
  for (const ledger of new Set(found.map(one => one.ledger))) {
    const identities = found.filter(one => one.ledger === ledger).map(({ identity }) => identity)
    for (const face of await listBreaks(connection, { ledger, identities }, identities.length))
      faces.set(face.identity, face)
  }
  return found.map(({ identity, asOf, told }) => ({
    ...faces.get(identity)!,
    asOf,
    shown: shownState(told),
    course: told.course,
    acknowledgement: told.acknowledgement,
  }))
}

function shownState({ course, acknowledgement }: ToldBreak): ShownState {
  return acknowledgement === null ? course.state : 'acknowledged'
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What one night says of a break, and how it stood afterwards. `inconclusive`: nothing was proved, so nothing changed. */
export interface BreakStep {
  readonly date: string
  readonly shown: ShownState | 'inconclusive'
  readonly sighting: Sighting | null
  readonly course: Course
  readonly owner: string | null
}

/** A break night by night, from the first that saw it to its end; nights after it was resolved are left out. */
export function breakHistory(
  database: Database,
  found: Pick<LastingBreak, 'ledger' | 'identity' | 'reconciliation'>,
): Promise<BreakStep[]> {
  return database.use(async connection => {
    const nights = await nightsOfBreak(connection, found.ledger, found.identity)
    const acknowledgements = await acknowledgementsOfBreak(connection, found)
    const sightings = new Map(
      nights.flatMap(({ date, sighting }) => (sighting === null ? [] : [[date, sighting] as const])),
    )
    const steps: BreakStep[] = []
    foldBreak(sightings, nights, foldRules, (course, { date }) => {
      if (course.state === 'resolved' && course.stateSince !== date) return
      const held = foldRules.acknowledged(course, acknowledgements, date)
      const shown = held === null ? course.state : 'acknowledged'
      steps.push({ date, shown, sighting: sightings.get(date) ?? null, course, owner: held?.owner ?? null })
    })
    const unproved = await inconclusiveDates(connection, found.reconciliation)
    return withInconclusive(steps, unproved)
  })
}

/** Dates without a proof stand between the nights while the break was open. */
function withInconclusive(steps: readonly BreakStep[], dates: readonly string[]): BreakStep[] {
  const between = dates.flatMap(date => {
    const before = steps.findLast(step => step.date < date)
    if (before === undefined || before.course.state === 'resolved') return []
    return [{ ...before, date, shown: 'inconclusive' as const, sighting: null }]
  })
  return [...steps, ...between].sort((a, b) => order(a.date, b.date))
}
