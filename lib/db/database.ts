/**
 * A Postgres database: gives dedicated sessions and lends short ones from a small pool.
 * What a session can do is connection.ts. Everything above uses these two and never pg itself.
 */
import pg from 'pg'
import { RunError } from '../model/errors.ts'
import { type Clock, systemClock } from '../model/time/clock.ts'
import type { BackendSeen } from './answer-watch.ts'
import { Connection, type Home } from './connection.ts'
import { translateConnectError } from './translate.ts'
import { typeParsers } from './type-parsers.ts'

/** What one session is to be. */
export interface SessionOptions {
  /** Shown in pg_stat_activity; at most 63 characters. */
  readonly name?: string
  /** Server-side limit of one statement; 0, the default, is none. */
  readonly statementTimeoutMs?: number
  /** Server-side limit of waiting for one lock; 0, the default, is none. */
  readonly lockTimeoutMs?: number
  /** Server-side limit of doing nothing inside a transaction; 0, the default, is none. */
  readonly idleInTransactionTimeoutMs?: number
  /** When aborted, the session is destroyed here and terminated on the server. */
  readonly signal?: AbortSignal
}

/** Connecting, and what is asked of a session before it is used, is given up after this: a healthy server answers in 30 ms, a loaded one in seconds. */
const CONNECT_TIMEOUT_MS = 10_000

/** First TCP keepalive probe after this silence; finds half-open connections. */
const KEEPALIVE_MS = 10_000

/** Sessions kept for short work. A run needs one at a time; more only serve concurrent commands. */
const POOL_SIZE = 4

/**
 * Settings that every session gets: text forms of dates never depend on the server's configuration,
 * and a backend in the middle of a long statement notices within 2 s that its client was killed
 * (a server on Windows can't look).
 */
const SESSION_SETTINGS = `SELECT pg_backend_pid() AS pid,
  (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS "backendStart",
  set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),
  set_config('idle_in_transaction_session_timeout', $3, false),
  set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),
  set_config('IntervalStyle', 'iso_8601', false),
  CASE WHEN version() !~* 'windows|mingw|visual c' THEN set_config('client_connection_check_interval', '2s', false) END,
  set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
  set_config('tcp_keepalives_count', '3', false), set_config('synchronous_commit', 'on', false)`

/** What a backend does: whether it is its client's turn, and since when. A COPY that waits for data, or to be read, is active. */
const WHAT_A_BACKEND_DOES = `SELECT state LIKE 'idle%' OR (state = 'active' AND COALESCE(wait_event, '') IN ('ClientRead', 'ClientWrite')) AS "waitsForUs", state_change::text AS since
  FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz`

/** A statement that is answered at once or, on a half-open connection, never. */
function timely(text: string, values: unknown[]): pg.QueryConfig {
  return { text, values, query_timeout: CONNECT_TIMEOUT_MS } as pg.QueryConfig
}

/** One database, by URL. */
export class Database implements Home {
  readonly clock: Clock
  readonly #url: string
  readonly #idle: Connection[] = []
  readonly #waiting: (() => void)[] = []
  #lent = 0
  #closed = false

  private constructor(url: string, clock: Clock) {
    this.#url = url
    this.clock = clock
  }

  /**
   * A database that answered.
   * @throws RUN_DATABASE_UNREACHABLE, RUN_DATABASE_TOO_MANY, RUN_DATABASE_REFUSED (wrong password, no such database).
   */
  static async open(url: string, options: { readonly clock?: Clock } = {}): Promise<Database> {
    const database = new Database(url, options.clock ?? systemClock)
    await database.use(async () => {})
    return database
  }

  /** Where it is. Contains the password: for the migration runner, never for people. */
  get url(): string {
    return this.#url
  }

  /** A dedicated session; whoever asks for it closes it. @throws as open. */
  async connect(options: SessionOptions = {}): Promise<Connection> {
    options.signal?.throwIfAborted()
    const client = this.#client(options.name ?? 'tallyman')
    try {
      await client.connect()
      const { rows } = await client.query(
        timely(SESSION_SETTINGS, [
          String(options.statementTimeoutMs ?? 0),
          String(options.lockTimeoutMs ?? 0),
          String(options.idleInTransactionTimeoutMs ?? 0),
        ]),
      )
      return new Connection(client, rows[0], this, options.signal ?? null)
    } catch (error) {
      client.end().catch(() => {})
      throw translateConnectError(error)
    }
  }

  /** Lends a pooled session for short work and takes it back. The session must be left outside a transaction. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#borrow()
    try {
      return await work(connection)
    } finally {
      await this.#giveBack(connection)
    }
  }

  /** Ends a session on the server if it is still the one that started at `backendStart`; waits for nothing. */
  async terminate(pid: number, backendStart: string): Promise<void> {
    await this.use(connection =>
      connection.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz',
        [pid, backendStart],
      ),
    )
  }

  /** What the server says of a session; over a fresh connection, because a pooled one may be as dead as that session. */
  async lookAt(pid: number, backendStart: string): Promise<BackendSeen | 'gone' | 'no answer'> {
    const client = this.#client('tallyman watch')
    try {
      await client.connect()
      const { rows } = await client.query<BackendSeen>(timely(WHAT_A_BACKEND_DOES, [pid, backendStart]))
      return rows[0] ?? 'gone'
    } catch (error) {
      // A server that refuses one more session lives.
      return error instanceof pg.DatabaseError ? { waitsForUs: false, since: '' } : 'no answer'
    } finally {
      client.end().catch(() => {})
    }
  }

  /** The fate of a transaction: `committed`, `aborted`, `in progress`, or null when the server no longer knows. */
  async transactionStatus(xid: string): Promise<string | null> {
    const connection = await this.connect()
    try {
      const { rows } = await connection.query<{ status: string | null }>(
        'SELECT pg_xact_status($1::text::xid8) AS status',
        [xid],
      )
      return rows[0]!.status
    } finally {
      await connection.close()
    }
  }

  /** Ends the pooled sessions. Dedicated ones belong to whoever asked for them. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#idle.splice(0).map(connection => connection.close()))
  }

  #client(name: string): pg.Client {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
      application_name: name,
      types: typeParsers,
    })
    // Without a listener an error of an idle session ends the process (D8).
    client.on('error', () => {})
    return client
  }

  async #borrow(): Promise<Connection> {
    while (this.#lent >= POOL_SIZE) await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (this.#closed) {
      throw new RunError(
        'RUN_DATABASE_CLOSED',
        'The database was closed while work was still to be done with it. The work is not done.',
      )
    }
    this.#lent += 1
    try {
      let idle = this.#idle.pop()
      while (idle !== undefined && idle.lost !== null) idle = this.#idle.pop()
      return idle ?? (await this.connect())
    } catch (error) {
      this.#returned()
      throw error
    }
  }

  async #giveBack(connection: Connection): Promise<void> {
    try {
      if (connection.lost !== null) return
      if (this.#closed || connection.inTransaction) await connection.close()
      else this.#idle.push(connection)
    } finally {
      this.#returned()
    }
  }

  #returned(): void {
    this.#lent -= 1
    this.#waiting.shift()?.()
  }
}
