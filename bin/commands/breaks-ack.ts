/**
 * `tallyman breaks ack` and `breaks unack`: somebody stands for breaks until a date, confirms what another
 * person said, or takes it back. The rules are lib/run/acknowledge.ts.
 */
import type { LastingBreak } from '../../lib/ledger/break-ledger-list.ts'
import type { Timetable } from '../../lib/model/job.ts'
import { resolveDate } from '../../lib/model/time/business-date.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import type { Acknowledged } from '../../lib/run/acknowledge.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { agesIn, breakData, breaksNamed } from './breaks-data.ts'
import { account, type BreakFlags, usage } from './breaks-flags.ts'
import { keyText } from './breaks-text.ts'

/** Acknowledges, or with --confirm confirms. Exit 0, also while a second person is waited for. */
export async function acknowledge(
  session: Session,
  flags: BreakFlags,
  ids: readonly string[],
): Promise<number> {
  const by = personOf(flags)
  if (flags.confirm === true) {
    if (flags.reason !== undefined || flags.until !== undefined || flags.owner !== undefined)
      throw usage('--confirm takes over what the first person said, without --reason, --until or --owner')
    const engine = await session.engine()
    const { confirmBreaks } = await import('../../lib/run/acknowledge.ts')
    return tell(session, 'confirmed', await confirmBreaks(engine, await breaksNamed(engine, ids), by))
  }
  const reason = required(flags.reason, '--reason', 'why the difference is no reason to act')
  const until = required(flags.until, '--until', 'the last business date on which it holds')
  const { timetable } = await session.configuration()
  const engine = await session.engine()
  const found = await breaksNamed(engine, ids)
  const { acknowledgeBreaks } = await import('../../lib/run/acknowledge.ts')
  const given = { by, owner: flags.owner ?? by.name, reason, until: dateFor(timetable, found[0]!, until) }
  session.terminal.note(`until ${given.until}, the last night on which it holds`)
  return tell(session, 'acknowledged', await acknowledgeBreaks(engine, found, given))
}

/** Takes acknowledgements back. */
export async function takeBack(session: Session, flags: BreakFlags, ids: readonly string[]): Promise<number> {
  const by = personOf(flags)
  const engine = await session.engine()
  const found = await breaksNamed(engine, ids)
  const { takeBackBreaks } = await import('../../lib/run/acknowledge.ts')
  return tell(session, 'open again', await takeBackBreaks(engine, found, by, flags.reason ?? 'taken back'))
}

/** Who says so: the name given, and the account at this machine. */
export function personOf({ by }: Pick<BreakFlags, 'by'>): { name: string; account: string } {
  const name = by ?? account()
  if (name.trim() === '') throw usage('--by needs a name')
  return { name: name.trim(), account: account() }
}

function required(text: string | undefined, option: string, what: string): string {
  if (text === undefined || text.trim() === '') throw usage(`breaks ack needs ${option}: ${what}`)
  return text.trim()
}

/** A date as typed; relative ones are meant in the calendar of the break's job. */
export function dateFor(timetable: Timetable, { job }: LastingBreak, text: string): string {
  const scheduled = timetable.jobs.find(one => one.job.name === job) ?? timetable.jobs[0]!
  return resolveDate(text, {
    zone: scheduled.zone,
    calendar: scheduled.calendar,
    now: systemClock.now(),
  })
}

async function tell(session: Session, what: string, done: readonly Acknowledged[]): Promise<number> {
  const { timetable } = await session.configuration()
  const ages = agesIn(timetable)
  const { terminal } = session
  if (terminal.json) {
    terminal.out(
      jsonDocument({
        breaks: done.map(({ found, waits }) => ({
          ...breakData(found, ages(found)),
          waitsForConfirmation: waits,
        })),
      }),
    )
    return 0
  }
  for (const { found, waits } of done) {
    const state = waits ? 'waits for another person: breaks ack --confirm' : what
    terminal.out(`${found.identity.slice(0, 8)}  ${found.reconciliation}  ${keyText(found)}: ${state}\n`)
  }
  return 0
}
