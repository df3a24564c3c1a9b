/**
 * How old a break is: in calendar days, in business days of its job's calendar, and in nights that saw
 * it. Pure. A night that proved nothing ages nothing, because nobody counts as of it.
 */
import type { Calendar } from '../../lib/model/job.ts'
import type { Ages, Course } from '../../lib/model/lasting-break.ts'
import { businessDaysBetween, dateRange } from '../../lib/model/time/business-date.ts'

/**
 * Gives ages as of `date`; a resolved break stays as old as it was when it was resolved. On its first day a break
 * is 0 days old; a business day counts when it is over, so from Friday to Monday is one.
 * Cost: dates are remembered, so that 100,000 breaks of one night are counted once.
 */
export function ageCounter(calendar: Calendar): (course: Course, date: string) => Ages {
  const known = new Map<string, Omit<Ages, 'runs'>>()
  return ({ state, firstSeen, stateSince, runs }, date) => {
    const end = state === 'resolved' ? stateSince : date
    const span = `${firstSeen} ${end}`
    let ages = known.get(span)
    if (ages === undefined) {
      const days = dateRange(firstSeen, end).slice(1)
      ages = {
        calendarDays: days.length,
        businessDays: days.length === 0 ? 0 : businessDaysBetween(days[0]!, end, calendar).length,
      }
      known.set(span, ages)
    }
    return { ...ages, runs }
  }
}
