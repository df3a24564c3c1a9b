/**
 * Breaks as commands find them and as `--json` tells them: by the beginning of their id, with ages in the
 * calendar of their job.
 */
import { type LastingBreak, listBreaks } from '../../lib/ledger/break-ledger-list.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import type { Calendar, Timetable } from '../../lib/model/job.ts'
import type { Ages } from '../../lib/model/lasting-break.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { ageCounter } from '../../reconcile/breaks/ages.ts'

/** The breaks of these ids. @throws CONFIG_BREAK_UNKNOWN for an id that names none, or several. */
export async function breaksNamed(engine: Engine, ids: readonly string[]): Promise<LastingBreak[]> {
  const found: LastingBreak[] = []
  for (const id of ids) {
    const [one, another] = await engine.database.use(connection =>
      listBreaks(connection, { prefix: id.toLowerCase() }, 2),
    )
    if (one === undefined || another !== undefined)
      throw new ConfigError(
        'CONFIG_BREAK_UNKNOWN',
        `${one === undefined ? 'No break has' : 'Several breaks have'} an id that begins with ${id}. Nothing was done; breaks list --state all shows them.`,
      )
    found.push(one)
  }
  return found
}

/** A break as `--json` tells it: facts, ages as of its last night, who stands for it. */
export function breakData(found: LastingBreak, ages: Ages): object {
  const { reconciliation, job, identity, shown, asOf, kind, key, columns, course, acknowledgement } = found
  const { firstSeen, lastSeen, stateSince, reopened, cause } = course
  return {
    ...{ id: identity, job, reconciliation, state: shown, openState: course.state, kind, key, columns },
    ...{ leftRows: found.leftRows, rightRows: found.rightRows, origin: found.origin, hint: found.hint },
    explanation: found.explanation ?? null,
    ...{ firstSeen, lastSeen, stateSince, asOf, ages, reopened, cause },
    acknowledgement:
      acknowledgement === null
        ? null
        : {
            owner: acknowledgement.owner,
            by: acknowledgement.by,
            reason: acknowledgement.reason,
            until: acknowledgement.until,
          },
  }
}

/** Weekends, for breaks of a job that is no longer in the timetable. */
const WEEKDAYS: Calendar = { name: 'weekdays', weekend: [6, 7], holidays: [] }

/** Ages by each break's own calendar. */
export function agesIn(timetable: Timetable): (found: LastingBreak) => Ages {
  const counters = new Map<string, ReturnType<typeof ageCounter>>()
  return ({ job, course, asOf }) => {
    let counter = counters.get(job)
    if (counter === undefined) {
      counter = ageCounter(timetable.jobs.find(one => one.job.name === job)?.calendar ?? WEEKDAYS)
      counters.set(job, counter)
    }
    return counter(course, asOf)
  }
}
