/**
 * `tallyman breaks list|show|history|ack|unack|resolve`: proved differences over many nights. Looking is here; what
 * a person says about them is breaks-ack.ts, what is done about them breaks-resolve.ts.
 */
import { type AcknowledgementRow, acknowledgementsOfBreak } from '../../lib/ledger/break-ledger-acks.ts'
import { countBreaks, type LastingBreak, listBreaks } from '../../lib/ledger/break-ledger-list.ts'
import { SHOWN_STATES, type ShownState } from '../../lib/model/lasting-break.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import type { Session } from '../session.ts'
import { jsonDocument, table } from '../terminal.ts'
import { acknowledge, takeBack } from './breaks-ack.ts'
import { agesIn, breakData, breaksNamed } from './breaks-data.ts'
import { type BreakFlags, usage } from './breaks-flags.ts'
import { breakText, historyText, keyText, stateText } from './breaks-text.ts'
import { businessDateFor, jobNamed, wholeNumber } from './options.ts'

const ACTIONS = ['list', 'show', 'history', 'ack', 'unack', 'import', 'resolve']

/** Lists, shows, acknowledges. Exit 0, whatever is listed; 2 for what can't be asked or done. */
export async function breaks(
  session: Session,
  options: Record<string, unknown>,
  action: string,
  ...given: unknown[]
): Promise<number> {
  const flags = options as unknown as BreakFlags
  const ids = (given[0] as string[] | undefined) ?? []
  if (!ACTIONS.includes(action))
    throw usage(`breaks knows ${ACTIONS.join(', ')}, not ${JSON.stringify(action)}`)
  if (action === 'list') return list(session, flags)
  if (action === 'import') return (await import('./breaks-import.ts')).importFile(session, flags, ids)
  for (const id of ids) assertId(id)
  if (action === 'resolve') return (await import('./breaks-resolve.ts')).resolve(session, flags, ids)
  if (ids.length === 0) throw usage(`breaks ${action} needs the id of a break, as breaks list prints it`)
  if (action === 'show' || action === 'history') {
    if (ids.length > 1) throw usage(`breaks ${action} takes one id`)
    return action === 'show' ? show(session, ids[0]!) : history(session, ids[0]!)
  }
  return action === 'ack' ? acknowledge(session, flags, ids) : takeBack(session, flags, ids)
}

/** Fewer characters would name many breaks. */
const SHORTEST_ID = 4

function assertId(id: string): void {
  if (new RegExp(`^[0-9a-fA-F]{${SHORTEST_ID},32}$`).test(id)) return
  throw usage(
    `${JSON.stringify(id)} is no id of a break: ${SHORTEST_ID} to 32 hex digits, as breaks list prints them`,
  )
}

function statesOf(text: string | undefined): readonly ShownState[] {
  if (text === undefined || text === 'open') return SHOWN_STATES.filter(state => state !== 'resolved')
  if (text === 'all') return SHOWN_STATES
  return text.split(',').map(name => {
    const state = SHOWN_STATES.find(one => one === name.trim())
    if (state === undefined)
      throw usage(
        `--state takes open, all, or some of ${SHOWN_STATES.join(', ')}, not ${JSON.stringify(name)}`,
      )
    return state
  })
}

async function list(session: Session, flags: BreakFlags): Promise<number> {
  const { terminal } = session
  const limit = wholeNumber('--limit', flags.limit, 1, 1_000_000)
  const states = statesOf(flags.state)
  const { timetable } = await session.configuration()
  const scheduled = flags.job === undefined ? timetable.jobs[0]! : jobNamed(timetable, flags.job)
  const date = flags.date === undefined ? null : businessDateFor(scheduled, flags.date, systemClock, terminal)
  const { database } = await session.engine()
  const filter = { states, ...(flags.job === undefined ? {} : { job: flags.job }) }
  const { breaks: found, total } =
    date === null
      ? await database.use(async connection => ({
          breaks: await listBreaks(connection, filter, limit),
          total: await countBreaks(connection, filter),
        }))
      : await (await import('../../lib/run/breaks-as-of.ts')).breaksAsOf(
          database,
          { job: flags.job ?? null, states, date },
          limit,
        )
  const ages = agesIn(timetable)
  if (terminal.json) {
    terminal.out(jsonDocument({ breaks: found.map(one => breakData(one, ages(one))), total }))
    return 0
  }
  const rows = found.map(one => {
    const { calendarDays, businessDays, runs } = ages(one)
    return [
      one.identity.slice(0, 8),
      one.reconciliation,
      stateText(one),
      one.kind,
      keyText(one),
      one.course.firstSeen,
      `${calendarDays} d`,
      `${businessDays} bd`,
      String(runs),
      one.acknowledgement?.owner ?? '',
    ]
  })
  const head = ['id', 'reconciliation', 'state', 'kind', 'key', 'since', 'age', 'age', 'nights', 'owner']
  terminal.out(table(head, rows, terminal.columns))
  if (total > found.length) terminal.note(`${found.length} of ${total}; more with --limit`)
  return 0
}

async function show(session: Session, id: string): Promise<number> {
  const { timetable } = await session.configuration()
  const engine = await session.engine()
  const [found] = (await breaksNamed(engine, [id])) as [LastingBreak]
  const acknowledgements = await engine.database.use(connection => acknowledgementsOfBreak(connection, found))
  const ages = agesIn(timetable)(found)
  session.terminal.out(
    session.terminal.json
      ? jsonDocument({
          break: breakData(found, ages),
          acknowledgements: acknowledgements.map(acknowledgementData),
        })
      : breakText(found, ages, acknowledgements, session.terminal),
  )
  return 0
}

async function history(session: Session, id: string): Promise<number> {
  const engine = await session.engine()
  const [found] = (await breaksNamed(engine, [id])) as [LastingBreak]
  const { breakHistory } = await import('../../lib/run/breaks-as-of.ts')
  const steps = await breakHistory(engine.database, found)
  const data = steps.map(({ date, shown, sighting, course, owner }) => ({
    ...{ date, state: shown, seen: sighting?.sight === 'seen', withdrawn: sighting?.sight === 'withdrawn' },
    ...{ runs: course.runs, reopened: course.reopened, owner },
    cause: shown === 'resolved' ? course.cause : null,
  }))
  session.terminal.out(
    session.terminal.json
      ? jsonDocument({ id: found.identity, reconciliation: found.reconciliation, nights: data })
      : historyText(found, steps, session.terminal),
  )
  return 0
}

function acknowledgementData(one: AcknowledgementRow): object {
  const { on, until, owner, by, account, reason, madeAt } = one
  const { needsConfirmation, confirmedBy, confirmedAt, endedOn, endedBy, endedWhy, endedAt } = one
  return {
    ...{ on, until, owner, by, account, reason, madeAt },
    ...{ needsConfirmation, confirmedBy, confirmedAt, endedOn, endedBy, endedWhy, endedAt },
  }
}
