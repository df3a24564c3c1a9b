/**
 * `tallyman trace JOB KEY`: where a record came from and what became of it, on all dates that are kept or on one. How
 * the key is typed: trace-key.ts.
 */
import { silentLog } from '../../lib/model/progress.ts'
import { printableName } from '../../lib/model/source.ts'
import { snakeCase } from '../../lib/model/table.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { visible } from '../../lib/report/visible.ts'
import type { Trace, TracedDate, TracedRow } from '../../lib/run/trace.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument, type Terminal } from '../terminal.ts'
import { businessDateFor, jobNamed } from './options.ts'
import { keyFor, readKey } from './trace-key.ts'

/** Traces. Exit 0, also when nothing is known of the key; 2 when it fits no table of the job. */
export async function trace(
  session: Session,
  options: Record<string, unknown>,
  name: string,
  key: string,
): Promise<number> {
  const parts = readKey(key)
  const { timetable } = await session.configuration()
  const scheduled = jobNamed(timetable, name)
  const text = options.date as string | undefined
  const date = text === undefined ? null : businessDateFor(scheduled, text, systemClock, session.terminal)
  const engine = await session.engine()
  const { trace: traceKey } = await import('../../lib/run/trace.ts')
  const { clock, signal, progress } = engine
  const traces = await traceKey(engine, scheduled, table => keyFor(parts, table, snakeCase), date, {
    ...{ clock, log: silentLog, signal, progress },
  })
  const { terminal } = session
  session.progress.clear()
  terminal.out(
    terminal.json ? jsonDocument({ traces }) : traces.map(one => traceText(one, terminal)).join('\n'),
  )
  return EXIT.done
}

const whole = (text: string): string => visible(text, Number.POSITIVE_INFINITY)
const plainName = (name: string): string => printableName(name).slice(1, -1)

function valuesText(values: Readonly<Record<string, string | null>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value === null ? 'null' : whole(value)}`)
    .join(', ')
}

function traceText(one: Trace, { paintOut }: Terminal): string {
  const nothing = one.dates.length + one.breaks.length + one.rejects.length === 0
  return [
    `${paintOut('strong', `${one.reconciliation}, ${one.table}: ${valuesText(one.key)}`)}\n`,
    ...(nothing ? ['  nothing that is kept knows it\n'] : []),
    ...one.breaks.map(
      found =>
        `  ${paintOut('bad', 'break')}   ${found.kind}, ${found.state}, ${found.firstSeen} to ${found.lastSeen}: ${valuesText(found.key)}  (${found.id.slice(0, 8)})\n`,
    ),
    ...one.dates.map(date => dateText(date, paintOut)),
    ...one.rejects.map(reject => {
      const [issue] = reject.issues
      const certain = reject.certain ? '' : ' (its key can not be read; its text has the values)'
      return `  ${paintOut('bad', 'reject')}  ${reject.businessDate}, revision ${reject.revision}, ${plainName(reject.fileName)}:${reject.line}, ${reject.state}${certain}\n          ${issue?.code ?? ''} ${whole(issue?.message ?? '')}\n          ${whole(reject.raw)}\n`
    }),
  ].join('')
}

function dateText(date: TracedDate, paintOut: Terminal['paintOut']): string {
  const { load, comparison } = date
  const counts = load?.tables
    .map(
      ({ table, inserted, updated, unchanged }) =>
        `${table} ${inserted} inserted, ${updated} updated, ${unchanged} unchanged`,
    )
    .join('; ')
  return [
    `  ${paintOut('strong', date.businessDate)}${comparison === null ? '' : `, comparison ${comparison}`}\n`,
    ...date.rows.map(rowText),
    ...(load === null
      ? []
      : [
          `    load    revision ${load.revision}, ${load.loadedAt}, ${load.counts.read} records read, ${load.counts.mapped} mapped; ${counts}\n`,
        ]),
  ].join('')
}

function rowText(row: TracedRow): string {
  const from =
    row.file === null
      ? ''
      : `            ${plainName(row.file)}:${row.line}${row.contentSha256 === null ? '' : `, SHA-256 ${row.contentSha256}`}\n`
  const raw = row.raw === null ? '' : `            ${whole(row.raw)}\n`
  return `    ${row.side.padEnd(8)}${valuesText(row.values)}\n${from}${raw}`
}
