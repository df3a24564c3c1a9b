/**
 * Limits of age: a break that is older than its kind may be counts, unless somebody stands for it. Judged
 * where the break ledger knows first dates; the rest of the limits is limits.ts. Pure.
 */
import type { Comparison, KindVerdict } from '../../lib/model/break.ts'
import {
  type BreakLimits,
  LIMITED_KINDS,
  type LimitedKind,
  SEVERITIES,
} from '../../lib/model/comparison-rules.ts'
import type { Calendar } from '../../lib/model/job.ts'
import { addDays, isBusinessDay } from '../../lib/model/time/business-date.ts'
import { outcomeOf, worstOf } from './limits.ts'

/** A limit of age as of a night. */
export interface AgeLimit {
  readonly kind: LimitedKind
  readonly level: 'warn' | 'fail'
  readonly businessDays: number
  /** A break first seen then or earlier is too old. */
  readonly firstSeenUntil: string
}

/** The limits of age that a comparison declares, in dates as of a night. */
export function ageLimits(limits: BreakLimits, calendar: Calendar, date: string): AgeLimit[] {
  return LIMITED_KINDS.flatMap(kind =>
    (['fail', 'warn'] as const).flatMap(level => {
      const businessDays = limits[kind]?.[level]?.businessDays
      return businessDays === undefined
        ? []
        : [{ kind, level, businessDays, firstSeenUntil: tooOld(businessDays, calendar, date) }]
    }),
  )
}

/** The latest first date with an age above the limit: a business day counts when it is over, as in breaks/ages.ts. */
function tooOld(businessDays: number, calendar: Calendar, date: string): string {
  let [day, age] = [date, 0]
  while (age <= businessDays) {
    if (isBusinessDay(day, calendar)) age += 1
    day = addDays(day, -1)
  }
  return day
}

/** The comparison with its ages judged: `older` says how many breaks are above each limit. The same one when none is. */
export function withAges(
  comparison: Comparison,
  older: readonly (AgeLimit & { readonly count: number })[],
): Comparison {
  const above = older.filter(({ count }) => count > 0)
  const verdicts = (comparison.verdicts ?? []).map(verdict => {
    const [worst] = above.filter(({ kind }) => kind === verdict.kind)
    return worst === undefined ? verdict : aged(verdict, worst)
  })
  const severity = worstOf(verdicts)
  if (above.length === 0) return comparison
  const outcome = outcomeOf(severity)
  return {
    ...comparison,
    severity,
    verdicts,
    outcome,
    ...(outcome === comparison.outcome ? {} : { outcomeBeforeAges: comparison.outcome }),
  }
}

function aged(
  verdict: KindVerdict,
  { level, businessDays, count }: AgeLimit & { readonly count: number },
): KindVerdict {
  const why = `${count} older than ${businessDays} business ${businessDays === 1 ? 'day' : 'days'}`
  if (SEVERITIES.indexOf(verdict.severity) >= SEVERITIES.indexOf(level)) {
    return { ...verdict, why: `${verdict.why}; ${why}` }
  }
  return { ...verdict, severity: level, why: verdict.severity === 'within' ? why : `${verdict.why}; ${why}` }
}
