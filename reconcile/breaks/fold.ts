/**
 * What nights make of a break: the pure rules of the break ledger, one night at a time, in the order of
 * business dates. Exact meaning: docs/breaks.md. Where states are kept is lib/ledger/break-ledger.ts.
 */
import type { Course, FoldRules, LedgerNight, Marks, Sighting } from '../../lib/model/lasting-break.ts'
import { holding } from './acknowledge.ts'

/** The break after a night; null while it was never seen. Nights without a proof are never given here. */
export function step(before: Course | null, night: LedgerNight, sighting: Sighting | null): Course | null {
  if (sighting === null) return unseen(before, night)
  switch (sighting.sight) {
    case 'seen':
      return seen(before, night, sighting)
    case 'gone':
      return gone(before, night, sighting)
    case 'withdrawn':
      return withdrawn(before, night, sighting)
  }
}

function seen(
  before: Course | null,
  { date }: LedgerNight,
  { marks, columns, awaitedSince }: Sighting,
): Course {
  // Only ever seen by comparisons that were replaced since: new, but first seen then.
  if (before === null || before.runs === 0) {
    return {
      ...{
        state: 'new',
        firstSeen: before?.firstSeen ?? awaitedSince ?? date,
        lastSeen: date,
        stateSince: date,
      },
      ...{ valuesSince: date, runs: 1, reopened: 0, cause: null, marks, columns },
    }
  }
  const now = { ...before, lastSeen: date, runs: before.runs + 1, cause: null, marks, columns }
  if (before.state === 'resolved')
    return {
      ...now,
      state: 'reopened',
      stateSince: date,
      valuesSince: date,
      reopened: before.reopened + 1,
    }
  if (!sameMarks(before.marks, marks))
    return { ...now, state: 'changed', stateSince: date, valuesSince: date }
  return {
    ...now,
    state: 'persisting',
    stateSince: before.state === 'persisting' ? before.stateSince : date,
  }
}

function unseen(before: Course | null, { date, sees }: LedgerNight): Course | null {
  if (before === null || before.state === 'resolved') return before
  if (sees === 'all') return { ...before, state: 'resolved', stateSince: date, cause: 'unknown' }
  return before.state === 'out_of_scope' ? before : { ...before, state: 'out_of_scope', stateSince: date }
}

function gone(before: Course | null, { date }: LedgerNight, { cause, marks }: Sighting): Course | null {
  if (before === null || before.state === 'resolved') return before
  // What was looked up was compared with other values than the nights before have by now: who moved is not known.
  const known = sameMarks(before.marks, marks) ? cause : null
  return { ...before, state: 'resolved', stateSince: date, cause: known ?? 'unknown' }
}

/** A later comparison of the same date does not find it any more. */
function withdrawn(before: Course | null, night: LedgerNight, { cause, marks, columns }: Sighting): Course {
  const { date, sees } = night
  const was: Course = before ?? {
    ...{ state: 'new', firstSeen: date, lastSeen: date, stateSince: date },
    ...{ valuesSince: date, runs: 0, reopened: 0, cause: null, marks, columns },
  }
  if (was.state === 'resolved') return was
  if (cause === null && sees === 'keys')
    return was.state === 'out_of_scope' ? was : { ...was, state: 'out_of_scope', stateSince: date }
  return { ...was, state: 'resolved', stateSince: date, cause: cause ?? 'unknown' }
}

function sameMarks(a: Marks, b: Marks): boolean {
  return a.source === b.source && a.target === b.target
}

/** The rules, as the ledger takes them. */
export const foldRules: FoldRules = { step, acknowledged: holding }
