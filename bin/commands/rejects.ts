/**
 * `tallyman rejects list|show|export`: records that may not be loaded, with file, line, raw text and
 * every issue. The export is the CSV that goes to the partner.
 */
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { listRejects, type RejectFilter, type RejectRow } from '../../lib/ledger/reject.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import { printableName } from '../../lib/model/source.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { sheetLines } from '../../lib/report/attach/spreadsheet.ts'
import { visible } from '../../lib/report/visible.ts'
import type { Session } from '../session.ts'
import { jsonDocument, type Terminal, table } from '../terminal.ts'
import { businessDateFor, jobNamed, wholeNumber } from './options.ts'

/** Rejects read at a time. */
const PAGE = 1_000

/** Lists, shows or exports rejects. Exit 0; 2 for an unknown action or id. */
export async function rejects(
  session: Session,
  options: Record<string, unknown>,
  action: string,
  id?: string,
): Promise<number> {
  if (action === 'list') return list(session, options)
  if (action === 'show') return show(session, id)
  if (action === 'export') return exportAll(session, options)
  throw new ConfigError(
    'CONFIG_USAGE',
    `rejects knows list, show and export, not ${JSON.stringify(action)}. Nothing was done.`,
  )
}

async function filterOf(session: Session, options: Record<string, unknown>): Promise<RejectFilter> {
  const { timetable } = await session.configuration()
  const name = options.job as string | undefined
  const text = options.date as string | undefined
  const scheduled = name === undefined ? timetable.jobs[0]! : jobNamed(timetable, name)
  return {
    state: 'open',
    ...(name === undefined ? {} : { job: name }),
    ...(text === undefined
      ? {}
      : { businessDate: businessDateFor(scheduled, text, systemClock, session.terminal) }),
  }
}

async function list(session: Session, options: Record<string, unknown>): Promise<number> {
  const limit = wholeNumber('--limit', options.limit as string, 1, 1_000_000)
  const filter = await filterOf(session, options)
  const { database } = await session.engine()
  const found = await database.use(connection => listRejects(connection, filter, { limit }))
  if (session.terminal.json) {
    session.terminal.out(jsonDocument({ rejects: found }))
    return 0
  }
  const rows = found.map(reject => [
    reject.id,
    reject.job,
    reject.businessDate,
    shownName(reject),
    String(reject.line),
    reject.issues.map(issue => issue.code).join(' '),
    reject.issues[0]!.message,
  ])
  const head = ['id', 'job', 'date', 'file', 'line', 'code', 'why']
  session.terminal.out(table(head, rows, session.terminal.columns))
  if (found.length === limit)
    session.terminal.note(`only the first ${limit}; more with --limit, all with export`)
  return 0
}

/** The file's name without the quotes that keep it apart from a message's words. */
function shownName(reject: RejectRow): string {
  return printableName(reject.fileName).slice(1, -1)
}

async function show(session: Session, id: string | undefined): Promise<number> {
  if (id === undefined || !/^\d{1,18}$/.test(id))
    throw new ConfigError(
      'CONFIG_USAGE',
      'rejects show needs the id of a reject, as rejects list prints it. Nothing was done.',
    )
  const engine = await session.engine()
  const [reject] = await engine.database.use(connection => listRejects(connection, { id }, { limit: 1 }))
  if (reject === undefined)
    throw new ConfigError('CONFIG_USAGE', `There is no reject ${id}. Nothing was done.`)
  if (session.terminal.json) {
    session.terminal.out(jsonDocument({ reject }))
    return 0
  }
  session.terminal.data(rejectText(reject, session.terminal).trimEnd())
  return 0
}

/** Everything about a reject; what came from outside has its control characters escaped. */
function rejectText(reject: RejectRow, { paintOut }: Terminal): string {
  const whole = (text: string): string => visible(text, Number.POSITIVE_INFINITY)
  const issues = reject.issues.map(({ code, column, value, message }) => {
    const read = [column, value === null ? null : JSON.stringify(value)].filter(part => part !== null)
    const from = read.length === 0 ? '' : `  ${whole(read.join(' '))}`
    return `${paintOut('bad', code)}${from}\n  ${whole(message)}\n`
  })
  const unit = reject.unit === null ? '' : `, unit ${whole(reject.unit)}`
  const raw = reject.raw.split(/\r?\n/).map(line => `  ${whole(line)}\n`)
  return [
    `${paintOut('strong', `${reject.job} ${reject.businessDate}`)}, revision ${reject.revision}, ${reject.state}\n`,
    `${shownName(reject)}:${reject.line}${unit}\n\n`,
    ...issues,
    `\n${paintOut('dim', 'raw text')}\n`,
    ...raw,
  ].join('')
}

async function exportAll(session: Session, options: Record<string, unknown>): Promise<number> {
  const filter = await filterOf(session, options)
  const engine = await session.engine()
  async function* lines(): AsyncGenerator<string> {
    yield sheetLines([
      ['id', 'job', 'business_date', 'file', 'line', 'unit', 'code', 'column', 'value', 'why', 'raw'],
    ])
    for (let after = '0'; ; ) {
      const page = await engine.database.use(connection =>
        listRejects(connection, filter, { limit: PAGE, after }),
      )
      if (page.length === 0) return
      yield sheetLines(page.flatMap(exportRows))
      after = page.at(-1)!.id
    }
  }
  const out = options.out as string | undefined
  if (out === undefined) for await (const text of lines()) session.terminal.out(text)
  else await pipeline(Readable.from(lines()), createWriteStream(path.resolve(session.workingDirectory, out)))
  return 0
}

/** One line per issue. */
function exportRows(reject: RejectRow): string[][] {
  return reject.issues.map(issue => [
    reject.id,
    reject.job,
    reject.businessDate,
    reject.fileName,
    String(reject.line),
    reject.unit ?? '',
    issue.code,
    issue.column ?? '',
    issue.value ?? '',
    issue.message,
    reject.raw,
  ])
}
