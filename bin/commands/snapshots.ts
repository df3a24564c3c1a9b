/**
 * `tallyman snapshots list|show|verify|purge`: the stored pictures of both sides. Listing is here; proving a past
 * night again is snapshots-verify.ts, letting go of what nothing needs is snapshots-purge.ts.
 */
import { type ListedSnapshot, listSnapshots } from '../../lib/ledger/snapshot.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { visible } from '../../lib/report/visible.ts'
import type { Session } from '../session.ts'
import { jsonDocument, type Terminal, table } from '../terminal.ts'
import { businessDateFor, jobNamed, wholeNumber } from './options.ts'
import { purgeCommand } from './snapshots-purge.ts'
import { type Asked, verify } from './snapshots-verify.ts'

/** Options of `snapshots` as commander read them. */
interface SnapshotFlags {
  readonly job?: string
  readonly date?: string
  readonly limit: string
  readonly dryRun?: boolean
}

/** Lists, shows, verifies, purges. Exit 0; verify: 1 when something is damaged or comes out otherwise, 5 when nothing is proved. */
export async function snapshots(
  session: Session,
  options: Record<string, unknown>,
  action: string,
  id?: string,
): Promise<number> {
  const flags = options as unknown as SnapshotFlags
  if (action === 'list') return list(session, flags)
  if (action === 'show') return show(session, id)
  if (action === 'verify') return verify(session, await asked(session, flags))
  if (action === 'purge') return purgeCommand(session, flags.dryRun === true)
  throw usage(`snapshots knows list, show, verify and purge, not ${JSON.stringify(action)}`)
}

async function asked(session: Session, flags: SnapshotFlags): Promise<Asked> {
  const { timetable } = await session.configuration()
  const scheduled = flags.job === undefined ? timetable.jobs[0]! : jobNamed(timetable, flags.job)
  const date =
    flags.date === undefined ? null : businessDateFor(scheduled, flags.date, systemClock, session.terminal)
  return { job: flags.job ?? null, date }
}

async function list(session: Session, flags: SnapshotFlags): Promise<number> {
  const { terminal } = session
  const limit = wholeNumber('--limit', flags.limit, 1, 1_000_000)
  const { job, date } = await asked(session, flags)
  const { database } = await session.engine()
  const filter = { ...(job === null ? {} : { job }), ...(date === null ? {} : { businessDate: date }) }
  const found = await database.use(connection => listSnapshots(connection, filter, limit))
  if (terminal.json) {
    terminal.out(jsonDocument({ snapshots: found }))
    return 0
  }
  const rows = found.map(one => [
    one.id,
    one.businessDate,
    one.reconciliation,
    one.number === null ? '' : `#${one.number}`,
    one.side,
    String(one.rows),
    one.asOf.slice(0, 19),
    one.digest.slice(0, 12),
    one.scope,
  ])
  const head = ['id', 'date', 'reconciliation', 'compared', 'side', 'rows', 'as of', 'digest', 'scope']
  terminal.out(table(head, rows, terminal.columns))
  if (found.length === limit) terminal.note(`only the latest ${limit}; more with --limit`)
  return 0
}

async function show(session: Session, id: string | undefined): Promise<number> {
  if (id === undefined || !/^\d{1,18}$/.test(id))
    throw usage('snapshots show needs the id of a snapshot, as snapshots list prints it')
  const { database } = await session.engine()
  const [found] = await database.use(connection => listSnapshots(connection, { id }, 1))
  if (found === undefined) throw usage(`There is no snapshot ${id}, or retention let go of it`)
  session.terminal.out(
    session.terminal.json ? jsonDocument({ snapshot: found }) : snapshotText(found, session.terminal),
  )
  return 0
}

/** What a person is shown of a manifest; it is kept as JSON, so nothing about it is taken for granted. */
interface ShownManifest {
  readonly name?: string
  readonly outOfScope?: number
  readonly files?: readonly string[]
  readonly columns?: readonly { readonly name: string; readonly kind: string }[]
  readonly totals?: readonly { readonly total: string; readonly group: string; readonly amount: string }[]
  readonly file?: { readonly bytes: number; readonly sha256: string }
}

/** Everything about a snapshot. */
function snapshotText(found: ListedSnapshot, { paintOut }: Terminal): string {
  const whole = (text: string): string => visible(text, Number.POSITIVE_INFINITY)
  const {
    name = '',
    outOfScope = 0,
    files = [],
    columns = [],
    totals = [],
    file,
  } = found.manifest as ShownManifest
  const compared = found.number === null ? '' : `, comparison ${found.number}`
  return [
    `${paintOut('strong', `${found.reconciliation} ${found.businessDate}`)}${compared}, ${found.side}: ${whole(name)}\n`,
    `${found.rows} rows in scope (${whole(found.scope)}), ${outOfScope} outside; as of ${found.asOf}\n`,
    ...(files.length === 0 ? [] : [`made of ${files.map(whole).join(', ')}\n`]),
    `digest ${found.digest}\n`,
    ...(file === undefined ? [] : [`file   ${file.bytes} bytes, SHA-256 ${file.sha256}\n`]),
    `${whole(found.path)}\n`,
    `\n${table(
      ['column', 'type'],
      columns.map(column => [column.name, column.kind]),
    )}`,
    ...(totals.length === 0
      ? []
      : [
          `\n${table(
            ['total', 'of', 'amount'],
            totals.map(({ total, group, amount }) => [total, group, amount]),
          )}`,
        ]),
  ].join('')
}

function usage(what: string): ConfigError {
  return new ConfigError('CONFIG_USAGE', `${what}. Nothing was done.`)
}
