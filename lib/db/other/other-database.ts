/**
 * Databases of others, read through knex: one session, one picture, rows in blocks as they arrive. Nothing is
 * ever written but a table of keys that the session alone sees. Which differ how: dialects.ts.
 */
import { createRequire } from 'node:module'
import { finished, type Readable } from 'node:stream'
import type { Knex } from 'knex'
import { ConfigError, ReconcileError } from '../../model/errors.ts'
import type { Secret } from '../../model/secret.ts'
import { type ColumnKind, connectionOf, DIALECTS, type Dialect, type ForeignDatabase } from './dialects.ts'

/** A value as the driver gives it. */
export type OtherCell = string | number | bigint | boolean | Uint8Array | Date | null

/** A column to be read. */
export interface ReadColumn {
  /** The database's name for it. */
  readonly sqlName: string
  readonly kind: ColumnKind
}

/** What is read: the columns in order, of what stands after FROM. */
export interface OtherRead {
  readonly columns: readonly ReadColumn[]
  readonly from: string
  /** Only rows with this date in this column; null takes all. */
  readonly onDate: { readonly sqlName: string; readonly date: string } | null
}

/** An open session that holds one picture. */
export interface OtherSession {
  /** Everything that was committed by this instant, ISO, is in the picture. */
  readonly asOf: string
  /** Rows in blocks; each row has its values in the order of the columns. No faster than they are taken. */
  rows(read: OtherRead): AsyncIterable<readonly (readonly OtherCell[])[]>
  /** Ends it; never fails. */
  close(): Promise<void>
}

/** What of a driver's own session is used; SQLite's has neither. */
interface RawConnection {
  on?(event: 'error', listener: (error: Error) => void): unknown
  destroy?(): void
}

/** Connecting is given up after this. */
const CONNECT_MS = 15_000

/** Rows of a block. */
const BLOCK = 1_000

/** What a driver says when the same may work later. */
const PASSING =
  /^(?:E(?:CONNREFUSED|CONNRESET|TIMEDOUT|TIMEOUT|HOSTUNREACH|NETUNREACH|PIPE|SOCKET|AI_AGAIN)|ENOTFOUND|PROTOCOL_.*|ER_(?:CON_COUNT_ERROR|LOCK_WAIT_TIMEOUT|LOCK_DEADLOCK|SERVER_SHUTDOWN|QUERY_INTERRUPTED|TOO_MANY_USER_CONNECTIONS)|SQLITE_BUSY|SQLITE_LOCKED|NJS-(?:500|501|503|510|511))$/

/**
 * Opens a session and begins its picture.
 * @throws CONFIG_DRIVER_MISSING, RECONCILE_SIDE_UNREACHABLE, RECONCILE_SIDE_REFUSED; the signal's reason when aborted
 */
export async function openOther(
  name: string,
  database: ForeignDatabase,
  password: Secret | null,
  signal: AbortSignal,
): Promise<OtherSession> {
  signal.throwIfAborted()
  const dialect = DIALECTS[database.kind]
  assertDriver(name, database.kind, dialect)
  const knex = await clientFor(database, password)
  let connection: RawConnection | null = null
  let reading: Readable | null = null
  let lost: Error | null = null
  // mysql2 tells a session whose query is being streamed of its loss, and not the stream.
  const lose = (error: Error): void => {
    lost ??= error
    reading?.destroy(error)
  }
  const cut = (): void => {
    lose(new Error('stopped'))
    connection?.destroy?.()
  }
  const explain = (error: unknown): Error => (signal.aborted ? signal.reason : translated(name, error))
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', cut)
    if (connection !== null) await knex.client.releaseConnection(connection)
    const ended = knex.destroy().catch(() => {})
    // A farewell to a server that is gone is never answered.
    if (lost === null) await ended
    else connection?.destroy?.()
  }
  try {
    connection = (await knex.client.acquireConnection()) as RawConnection
    connection.on?.('error', lose)
    signal.addEventListener('abort', cut, { once: true })
    const run = async (sql: string): Promise<unknown> => knex.raw(sql).connection(connection)
    for (const sql of dialect.settings) await run(sql)
    for (const sql of dialect.tried) await run(sql).catch(() => {})
    const asOf =
      dialect.clock === null ? new Date().toISOString() : isoOf(await run(dialect.clock), database.kind)
    for (const sql of dialect.begin) await run(sql)
    return {
      asOf,
      close,
      rows: async function* (read) {
        const names = read.columns.map((_, index) => `c${index}`)
        try {
          reading = knex.raw(selectOf(dialect, read)).connection(connection).stream() as unknown as Readable
          for await (const block of blocksOf(reading))
            yield block.map(row => names.map(column => row[column] ?? null))
        } catch (error) {
          throw explain(error)
        }
      },
    }
  } catch (error) {
    const reason = explain(error)
    await close()
    throw reason
  }
}

/** Before anything is opened: knex would write to the console. */
function assertDriver(name: string, kind: string, { driver }: Dialect): void {
  if (driver === null) return
  try {
    createRequire(import.meta.url).resolve(driver)
  } catch {
    throw new ConfigError(
      'CONFIG_DRIVER_MISSING',
      `The database ${name} is ${kind}, and its driver is not installed. Nothing was compared; install it with: npm install --save-exact ${driver}`,
    )
  }
}

async function clientFor(database: ForeignDatabase, password: Secret | null): Promise<Knex> {
  const { default: knex } = await import('knex')
  const clients = { mysql: 'mysql2', mssql: 'mssql', oracle: 'oracledb' } as const
  const client =
    database.kind === 'sqlite' ? (await import('./sqlite-client.ts')).sqliteClient() : clients[database.kind]
  return knex({
    client,
    connection: connectionOf(database, password),
    useNullAsDefault: true,
    pool: { min: 0, max: 1 },
    acquireConnectionTimeout: CONNECT_MS,
    // What fails is thrown and told once; knex would write it to the console as well.
    log: { warn: () => {}, error: () => {}, debug: () => {}, deprecate: () => {} },
  })
}

function selectOf(dialect: Dialect, { columns, from, onDate }: OtherRead): string {
  const picked = columns.map(
    ({ sqlName, kind }, index) =>
      `${dialect.exact(kind, dialect.quote(sqlName))} as ${dialect.quote(`c${index}`)}`,
  )
  const where =
    onDate === null ? '' : ` where ${dialect.quote(onDate.sqlName)} = ${dialect.date(onDate.date)}`
  return `select ${picked.join(', ')} from (\n${from}\n) side${where}`
}

type Row = Readonly<Record<string, OtherCell | undefined>>

/** The rows of a stream in blocks: one promise a block, not one a row. */
async function* blocksOf(stream: Readable): AsyncGenerator<Row[]> {
  let wake = (): void => {}
  let ended = false
  let failure: Error | null = null
  finished(stream, { writable: false }, error => {
    ended = true
    failure = error ?? null
    wake()
  })
  stream.on('readable', () => wake())
  try {
    for (;;) {
      const block: Row[] = []
      while (block.length < BLOCK) {
        const row = stream.read() as unknown as Row | null
        if (row === null) break
        block.push(row)
      }
      if (failure !== null) throw failure
      if (block.length > 0) yield block
      else if (ended) return
      else
        await new Promise<void>(resolve => {
          wake = resolve
        })
    }
  } finally {
    stream.destroy()
  }
}

function isoOf(answer: unknown, kind: string): string {
  // mysql2 gives [rows, fields]; the others give rows.
  const rows = kind === 'mysql' ? (answer as [Row[]])[0] : (answer as Row[])
  return new Date(String(rows[0]!.c0).replace(/(\.\d{3})\d*Z$/, '$1Z')).toISOString()
}

function translated(name: string, error: unknown): Error {
  if (error instanceof ReconcileError || error instanceof ConfigError) return error
  const { code, message, errcode } = error as { code?: string; message?: string; errcode?: number }
  // node:sqlite says ERR_SQLITE_ERROR for all; 5 is busy, 6 is locked.
  const passing =
    PASSING.test(code ?? '') ||
    errcode === 5 ||
    errcode === 6 ||
    /Timeout acquiring a connection/.test(message ?? '')
  if (passing) {
    return new ReconcileError(
      'RECONCILE_SIDE_UNREACHABLE',
      `The side ${name} can't be read now: the database does not answer as it should (${code ?? message}). Nothing was compared; it is tried again by itself.`,
      { retry: 'backoff', cause: error },
    )
  }
  return new ReconcileError(
    'RECONCILE_SIDE_REFUSED',
    `The side ${name} can't be read: the database says ${message ?? String(error)}. Nothing was compared; correct the job or the environment, or have the right to read it given, and run the date again.`,
    { cause: error },
  )
}
