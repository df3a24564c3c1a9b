/**
 * One session of a Postgres database: queries, transactions, savepoints, COPY in and out, and the
 * knowledge of having been lost. Sessions are made by database.ts; errors are told by translate.ts;
 * a COMMIT without an answer is decided by commit.ts.
 */
import type { Socket } from 'node:net'
import type pg from 'pg'
import { BugError } from '../model/errors.ts'
import { AnswerWatch, type BackendSeen } from './answer-watch.ts'
import { proveCommit, type Witness } from './commit.ts'
import { copyFrom, copyTo } from './copy.ts'
import { lostError, translateError } from './translate.ts'

/** Rows of a statement and how many it touched. */
export interface Result<Row> {
  readonly rows: Row[]
  /** Rows returned, inserted, updated or deleted; 0 for statements that have no count. */
  readonly rowCount: number
}

/** What a session can ask of the database it belongs to. */
export interface Home extends Witness {
  /** Ends a session on the server, if it is still the one that started at `backendStart`. */
  terminate(pid: number, backendStart: string): Promise<void>
  /** What the server says of a session, over a fresh one. */
  lookAt(pid: number, backendStart: string): Promise<BackendSeen | 'gone' | 'no answer'>
}

/** How a transaction ends. */
export interface TransactionOptions {
  /**
   * `proved`: when the answer to COMMIT is lost, the outcome is looked up by transaction id, so that
   * the call returns only if it committed and throws only if it did not. Costs one round trip.
   */
  readonly commit?: 'plain' | 'proved'
}

/** A dedicated session. Not for use by two callers at once. */
export class Connection {
  /** Process id of the server's backend. */
  readonly pid: number
  /** When that backend started: with the pid it names the session for ever. */
  readonly backendStart: string
  readonly #client: pg.Client
  readonly #home: Home
  readonly #signal: AbortSignal | null
  readonly #watch: AnswerWatch
  readonly #listeners = new Set<(reason: Error) => void>()
  #lost: Error | null = null
  #closed = false
  #inTransaction = false
  #savepoints = 0

  /** Made by Database.connect. */
  constructor(
    client: pg.Client,
    facts: { pid: number; backendStart: string },
    home: Home,
    signal: AbortSignal | null,
  ) {
    this.#client = client
    this.#home = home
    this.#signal = signal
    this.pid = facts.pid
    this.backendStart = facts.backendStart
    const socket = socketOf(client)
    this.#watch = new AnswerWatch(
      home.clock,
      () => home.lookAt(this.pid, this.backendStart),
      () => socket.bytesRead + socket.bytesWritten,
      why => this.#leave(lostError(new Error(why))),
    )
    client.on('error', error => this.#lose(translateError(error)))
    client.on('end', () => this.#lose(lostError(new Error('the session ended'))))
    signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Why the session can't be used any more; null while it can. */
  get lost(): Error | null {
    return this.#lost
  }

  /** True between BEGIN and COMMIT or ROLLBACK. */
  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /**
   * Runs one statement. dates, timestamps, numeric and bigint come back as text.
   * @throws RUN_DATABASE_LOST and the other RUN_DATABASE codes (docs/errors.md); the signal's reason when aborted.
   */
  async query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
  ): Promise<Result<Row>> {
    this.#usable()
    try {
      const result = await this.#watch.over(
        params === undefined ? this.#client.query(sql) : this.#client.query(sql, params as unknown[]),
      )
      return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 }
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /**
   * Runs `work` between BEGIN and COMMIT at READ COMMITTED and gives its value.
   * On failure: rolled back, and the error of `work` is thrown.
   * @throws RUN_COMMIT_UNDECIDED when a `proved` outcome can't be looked up either.
   */
  async transaction<T>(work: () => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#inTransaction) {
      throw new BugError(
        'BUG_TRANSACTION_NESTED',
        'A transaction was begun inside another one. The outer one is rolled back.',
      )
    }
    await this.query('BEGIN ISOLATION LEVEL READ COMMITTED')
    this.#inTransaction = true
    this.#savepoints = 0
    try {
      const value = await work()
      await this.#commit(options.commit ?? 'plain')
      return value
    } catch (error) {
      if (this.#inTransaction && this.#lost === null) await this.#rollback()
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  /** Runs `work` inside a savepoint of the open transaction; on failure only what it did is undone. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#savepoints += 1
    const name = `tallyman_${this.#savepoints}`
    await this.query(`SAVEPOINT ${name}`)
    try {
      const value = await work()
      await this.query(`RELEASE SAVEPOINT ${name}`)
      return value
    } catch (error) {
      if (this.#lost === null) {
        await this.query(`ROLLBACK TO SAVEPOINT ${name}`)
        await this.query(`RELEASE SAVEPOINT ${name}`)
      }
      throw error
    }
  }

  /**
   * Sends `source` as the data of a `COPY ... FROM STDIN` and gives the number of rows that the server stored.
   * Guarantee: reads no faster than the server takes.
   * On failure: the session is destroyed, because a broken COPY leaves it in doubt; errors of `source` are thrown as they are.
   */
  async copyIn(sql: string, source: AsyncIterable<Buffer | string>): Promise<number> {
    this.#usable()
    const outcome = await this.#watch.over(
      copyFrom(this.#client, sql, source, this.#signal, ours => {
        this.#watch.working = ours
      }),
    )
    if (outcome.kind === 'stored') return outcome.rows
    const reason = outcome.from === 'source' ? outcome.error : this.#explain(outcome.error)
    this.destroy(reason instanceof Error ? reason : lostError(reason))
    throw reason
  }

  /**
   * Gives the data of a `COPY ... TO STDOUT` in pieces as they arrive.
   * On failure, or when the caller stops before the end: the session is destroyed.
   */
  async *copyOut(sql: string): AsyncIterable<Buffer> {
    this.#usable()
    let complete = false
    try {
      const pieces = copyTo(this.#client, sql, this.#signal)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const next = await this.#watch.over(pieces.next())
          if (next.done === true) break
          yield next.value
        }
      } finally {
        await pieces.return?.()
      }
      complete = true
    } catch (error) {
      throw this.#explain(error)
    } finally {
      if (!complete) this.destroy(lostError(new Error('a COPY was left before its end')))
    }
  }

  /** Calls `listener` once when the session is lost; not when it is closed on purpose. Gives a function that takes it off again. */
  onLost(listener: (reason: Error) => void): () => void {
    if (this.#lost !== null && !this.#closed) listener(this.#lost)
    else this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The session of pg itself, for knex's `.connection()`. Whoever uses it translates its errors. */
  get client(): pg.Client {
    return this.#client
  }

  /** Ends the session in order. Safe to call twice and after a loss. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#watch.end()
    this.#signal?.removeEventListener('abort', this.#abort)
    if (this.#lost === null) {
      this.#lost = lostError(new Error('the session was closed'))
      await this.#client.end().catch(() => {})
    }
  }

  /** Cuts the session without a farewell; the server rolls its transaction back. */
  destroy(reason: Error): void {
    if (this.#closed) return
    this.#lose(reason)
    socketOf(this.#client).destroy()
  }

  async #commit(how: 'plain' | 'proved'): Promise<void> {
    const xid = how === 'proved' ? await this.#transactionId() : null
    try {
      const result = await this.#watch.over(this.#client.query('COMMIT'))
      this.#inTransaction = false
      if (result.command !== 'COMMIT') {
        throw new BugError(
          'BUG_COMMIT_ROLLED_BACK',
          'A transaction was committed after one of its statements had failed; the database rolled it back.',
        )
      }
    } catch (error) {
      const reason = this.#explain(error)
      if (xid === null || this.#lost === null) throw reason
      await proveCommit(this.#home, xid, reason)
    }
  }

  async #transactionId(): Promise<string> {
    const { rows } = await this.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
    return rows[0]!.xid
  }

  async #rollback(): Promise<void> {
    try {
      await this.query('ROLLBACK')
    } catch (error) {
      // A session that can't even roll back is of no use to anyone; the server rolls back when it is gone.
      this.destroy(error instanceof Error ? error : lostError(error))
    }
  }

  #usable(): void {
    if (this.#signal?.aborted === true) throw this.#signal.reason
    if (this.#lost !== null) throw this.#lost
  }

  /** The translated error, which is the abort's reason when that is why the session broke. */
  #explain(error: unknown): Error {
    if (this.#signal?.aborted === true) return this.#signal.reason
    const translated = translateError(error)
    if (!('code' in translated) || translated.code !== 'RUN_DATABASE_LOST') return translated
    this.destroy(translated)
    return this.#lost ?? translated
  }

  #lose(reason: Error): void {
    if (this.#lost !== null) return
    this.#lost = reason
    this.#watch.end()
    this.#signal?.removeEventListener('abort', this.#abort)
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  readonly #abort = (): void => this.#leave(this.#signal?.reason ?? lostError(new Error('aborted')))

  #leave(reason: Error): void {
    if (this.#lost !== null) return
    this.destroy(reason)
    // Its locks would outlive us until the server notices; when this fails it notices by itself within a minute.
    this.#home.terminate(this.pid, this.backendStart).catch(() => {})
  }
}

function socketOf(client: pg.Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream
}
