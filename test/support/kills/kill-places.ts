/**
 * Where a failpoint kills: at its first, a middle and its last pass of a run that passes it three times
 * and more. One that is passed less often kills once, then both a run and its recovery, then a run of
 * another job. Pure: how often each scenario passes it is handed in. Who kills there: kill-night.ts.
 */
import type { Passes } from './kill-night.ts'
import { SCENARIOS } from './scenarios.ts'

/** A place to die at. */
export interface KillPlace {
  readonly failpoint: string
  /** Name of the scenario. */
  readonly scenario: string
  /** From 1. */
  readonly pass: number
  /** Where the recoveries die, one after the other, each at its first pass. */
  readonly then: readonly string[]
}

/** So many positions has every failpoint. */
export const POSITIONS = 3

/** The last point before a run is told, which most recoveries come by. */
const LATE = 'report.before-commit'

/**
 * Places of a failpoint, best first: the first three are meant, those after them stand in for one whose
 * recovery does not come by again. Empty when no scenario passes it.
 */
export function killPlaces(failpoint: string, passesOf: ReadonlyMap<string, Passes>): KillPlace[] {
  const counts = [...passesOf]
    .map(([scenario, passes]) => ({ scenario, count: passes.get(failpoint) ?? 0 }))
    .filter(({ count }) => count > 0)
  // Sorting is stable: of equal ones the cheapest scenario stays first.
  const [most, ...others] = counts.toSorted((a, b) => b.count - a.count)
  if (most === undefined) return []
  const at = (scenario: string, pass: number, ...then: string[]): KillPlace => {
    return { failpoint, scenario, pass, then }
  }
  const { scenario, count } = most
  if (count >= POSITIONS) return [1, Math.ceil(count / 2), count].map(pass => at(scenario, pass))
  const jobOf = (name: string): string => SCENARIOS[name]!.job
  const [otherJobs, sameJob] = [
    others.filter(other => jobOf(other.scenario) !== jobOf(scenario)),
    others.filter(other => jobOf(other.scenario) === jobOf(scenario)),
  ]
  return [
    at(scenario, 1),
    at(scenario, 1, failpoint),
    ...(count === 2 ? [at(scenario, 2)] : []),
    ...[...otherJobs, ...sameJob].map(other => at(other.scenario, 1)),
    at(scenario, 1, failpoint, failpoint),
    at(scenario, 1, LATE),
  ]
}
