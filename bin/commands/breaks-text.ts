/**
 * Breaks for a terminal: one in full, and night by night. Pure; what came from outside has its control
 * characters escaped.
 */
import type { AcknowledgementRow } from '../../lib/ledger/break-ledger-acks.ts'
import type { LastingBreak } from '../../lib/ledger/break-ledger-list.ts'
import type { Explanation } from '../../lib/model/explanation.ts'
import type { Ages } from '../../lib/model/lasting-break.ts'
import { visible } from '../../lib/report/visible.ts'
import type { BreakStep } from '../../lib/run/breaks-as-of.ts'
import { causeWords } from '../../reconcile/breaks/cause.ts'
import { type Terminal, table } from '../terminal.ts'

const whole = (text: string): string => visible(text, Number.POSITIVE_INFINITY)

/** `account DE-1, currency EUR`; what the whole set has in common has no key. */
export function keyText({ key }: Pick<LastingBreak, 'key'>): string {
  const parts = Object.entries(key).map(
    ([name, value]) => `${name} ${value === null ? 'null' : whole(value)}`,
  )
  return parts.length === 0 ? 'the whole set' : parts.join(', ')
}

/** The state, with who moved or how often it came back. */
export function stateText({ shown, course }: Pick<LastingBreak, 'shown' | 'course'>): string {
  const words = shown.replaceAll('_', ' ')
  if (shown === 'resolved') return `${words}, ${causeWords(course.cause)}`
  return course.reopened === 0 ? words : `${words}, reopened ${course.reopened}x`
}

/** Everything about a break. */
export function breakText(
  found: LastingBreak,
  { calendarDays, businessDays, runs }: Ages,
  acknowledgements: readonly AcknowledgementRow[],
  { paintOut }: Terminal,
): string {
  const { course, origin } = found
  const values = found.columns.map(({ name, left, right, delta }) => [
    name,
    left ?? 'no value',
    right ?? 'no value',
    delta ?? '',
  ])
  const from = origin === null ? '' : `${whole(origin.file)}:${origin.line}\n`
  return [
    `${paintOut('strong', `${found.reconciliation}, ${keyText(found)}`)}\n`,
    `${found.kind}, ${stateText(found)}, as of ${found.asOf}\n`,
    `first seen ${course.firstSeen}, last seen ${course.lastSeen}, in this state since ${course.stateSince}\n`,
    `${calendarDays} calendar days, ${businessDays} business days, seen in ${runs} nights\n`,
    from,
    found.explanation == null ? '' : `${explanationText(found.explanation)}\n`,
    found.hint === '' ? '' : `${whole(found.hint)}\n`,
    `\n${table(['column', 'source', 'target', 'difference'], values)}`,
    acknowledgements.length === 0 ? '' : `\n${paintOut('dim', 'acknowledgements')}\n`,
    ...acknowledgements.map(one => `  ${acknowledgementText(one)}\n`),
    `\n${paintOut('dim', 'id')} ${found.identity}\n`,
  ].join('')
}

function explanationText({ text, file, line }: Explanation): string {
  return `cause: ${whole(text)}${file === null ? '' : `, ${whole(file)}${line === null ? '' : `:${line}`}`}`
}

function acknowledgementText(one: AcknowledgementRow): string {
  const name = (text: string): string => whole(text)
  const confirmed =
    one.confirmedBy !== null
      ? `, confirmed by ${name(one.confirmedBy)} ${one.confirmedAt}`
      : one.needsConfirmation
        ? ', waits for another person'
        : ''
  const ended =
    one.endedOn === null
      ? ''
      : `; ended from ${one.endedOn} by ${name(one.endedBy ?? '')}: ${name(one.endedWhy ?? '')}`
  return `${one.on} to ${one.until}, owner ${name(one.owner)}, by ${name(one.by)} ${one.madeAt}${confirmed}: ${name(one.reason)}${ended}`
}

/** A break night by night. */
export function historyText(
  found: LastingBreak,
  steps: readonly BreakStep[],
  { paintOut }: Terminal,
): string {
  const rows = steps.map(({ date, shown, sighting, course, owner }) => {
    const remark =
      shown === 'inconclusive'
        ? 'nothing was proved'
        : sighting?.sight === 'withdrawn'
          ? 'found at first, not when the date was compared again'
          : (owner ?? '')
    const state = shown === 'inconclusive' ? shown : stateText({ shown, course })
    return [date, state, String(course.runs), remark]
  })
  return `${paintOut('strong', `${found.reconciliation}, ${keyText(found)}`)}\n${table(['night', 'state', 'seen', 'remark'], rows)}`
}
