/**
 * SQLite for knex over the SQLite that is part of Node: read-only, integers exact, rows given while they are
 * read. knex's own clients need a compiled package and hold a whole result in memory.
 */
import { createRequire } from 'node:module'
import type { DatabaseSync as Database } from 'node:sqlite'
import { type Duplex, Readable } from 'node:stream'
import type { Knex } from 'knex'

/** Another process may hold the file locked for so long while it writes. */
const BUSY_MS = 30_000

/** Rows read ahead of who takes them. */
const AHEAD = 500

interface Query {
  readonly sql: string
  response?: unknown
}

/** What of knex's SQLite client is built upon; knex declares no types for it. */
type Base = new (config: Knex.Config) => { readonly connectionSettings: { readonly filename: string } }

/** The client, made when it is first asked for: reading it loads all of knex. */
export function sqliteClient(): typeof Knex.Client {
  const require = createRequire(import.meta.url)
  const Sqlite = require('knex/lib/dialects/sqlite3/index.js') as Base
  const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: typeof Database }

  class NodeSqlite extends Sqlite {
    _driver(): unknown {
      return DatabaseSync
    }

    async acquireRawConnection(): Promise<Database> {
      return new DatabaseSync(this.connectionSettings.filename, { readOnly: true, timeout: BUSY_MS })
    }

    async destroyRawConnection(connection: Database): Promise<void> {
      if (connection.isOpen) connection.close()
    }

    async _query(connection: Database, query: Query): Promise<Query> {
      query.response = connection.prepare(query.sql).all()
      return query
    }

    _stream(connection: Database, { sql }: Query, stream: Duplex): Promise<void> {
      return new Promise((resolve, reject) => {
        // Told in the next tick: knex gives the stream away only after this.
        const fail = (error: unknown): void => {
          reject(error)
          stream.destroy(error as Error)
        }
        stream.on('end', resolve)
        try {
          const statement = connection.prepare(sql)
          statement.setReadBigInts(true)
          const rows = Readable.from(statement.iterate(), { objectMode: true, highWaterMark: AHEAD })
          rows.on('error', fail)
          rows.pipe(stream)
        } catch (error) {
          fail(error)
        }
      })
    }
  }
  return NodeSqlite as unknown as typeof Knex.Client
}
