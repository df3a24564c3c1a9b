/**
 * What differs between the databases that comparisons read: driver, settings of a session, how one picture is
 * begun, names and literals. Plain facts; other-database.ts works with them. SQLite's client is sqlite-client.ts.
 */
import type { OtherDatabase } from '../../model/environment.ts'
import type { Secret } from '../../model/secret.ts'

/** A database of another kind than Postgres, which lib/db itself speaks. */
export type ForeignDatabase = Exclude<OtherDatabase, { kind: 'postgres' }>

/** What a column of a table is declared as. */
export type ColumnKind = 'text' | 'integer' | 'decimal' | 'date' | 'timestamp' | 'boolean'

/** The facts of one kind of database. */
export interface Dialect {
  /** npm package that knex loads; null where Node has it. */
  readonly driver: string | null
  /** Statements after connecting. A failing one of `tried` is passed over: older servers lack it. */
  readonly settings: readonly string[]
  readonly tried: readonly string[]
  /** The statement that gives the instant, as text in UTC; null: this machine's clock, which is the database's. */
  readonly clock: string | null
  /** Begin one picture: all that is read afterwards is as of one instant. */
  readonly begin: readonly string[]
  readonly quote: (name: string) => string
  /** SQL that gives a column as text without loss, or in a type that the driver gives exactly. */
  readonly exact: (kind: ColumnKind, column: string) => string
  /** SQL of a date literal, `yyyy-MM-dd`. */
  readonly date: (date: string) => string
}

/** A statement may take this long on the server: a full read of some 100 M rows. */
const STATEMENT_SECONDS = 3_600

/** The server waits so long for us to take rows: ours are written to disk between two blocks. */
const WRITE_SECONDS = 600

const doubled = (mark: string, name: string): string => `${mark}${name.replaceAll(mark, mark + mark)}${mark}`
const standardDate = (date: string): string => `date '${date}'`

/** The facts by kind. */
export const DIALECTS: Readonly<Record<ForeignDatabase['kind'], Dialect>> = {
  mysql: {
    driver: 'mysql2',
    settings: [
      "set session time_zone = '+00:00'",
      `set session net_write_timeout = ${WRITE_SECONDS}`,
      'set session transaction isolation level repeatable read',
    ],
    // MariaDB knows the first, MySQL the second.
    tried: [
      `set session max_statement_time = ${STATEMENT_SECONDS}`,
      `set session max_execution_time = ${STATEMENT_SECONDS}000`,
    ],
    clock: "select date_format(utc_timestamp(3), '%Y-%m-%dT%H:%i:%s.%fZ') as c0",
    begin: ['start transaction with consistent snapshot, read only'],
    quote: name => doubled('`', name),
    exact: (_kind, column) => column,
    date: standardDate,
  },
  sqlite: {
    driver: null,
    settings: [],
    tried: [],
    clock: null,
    // A deferred transaction begins to hold its picture at the first read.
    begin: ['begin', 'select count(*) as c0 from sqlite_schema'],
    quote: name => doubled('"', name),
    exact: (_kind, column) => column,
    date: date => `'${date}'`,
  },
  mssql: {
    driver: 'tedious',
    settings: ['set lock_timeout 60000', 'set transaction isolation level snapshot'],
    tried: [],
    clock: "select convert(varchar(23), sysutcdatetime(), 126) + 'Z' as c0",
    begin: ['begin transaction'],
    quote: name => `[${name.replaceAll(']', ']]')}]`,
    // The driver gives decimals as floats; style 126 is ISO 8601.
    exact: (kind, column) =>
      kind === 'text' ? column : `convert(nvarchar(100), ${column}${kind === 'timestamp' ? ', 126' : ''})`,
    date: date => `convert(date, '${date}', 23)`,
  },
  oracle: {
    driver: 'oracledb',
    settings: [
      "alter session set nls_numeric_characters = '.,'",
      "alter session set nls_date_format = 'YYYY-MM-DD'",
      'alter session set nls_timestamp_format = \'YYYY-MM-DD"T"HH24:MI:SS.FF6\'',
      'alter session set nls_timestamp_tz_format = \'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM\'',
    ],
    tried: [],
    clock: `select to_char(sys_extract_utc(systimestamp), 'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"') as "c0" from dual`,
    begin: ['set transaction read only'],
    // Oracle keeps unquoted names in capitals; the names of a declared table are plain.
    quote: name => name,
    exact: (kind, column) => {
      if (kind === 'decimal' || kind === 'integer') return `to_char(${column}, 'TM9')`
      return kind === 'date' || kind === 'timestamp' ? `to_char(${column})` : column
    },
    date: standardDate,
  },
}

/** What knex takes as `connection`. Each driver is told to give values exactly: as the text that was sent. */
export function connectionOf(database: ForeignDatabase, password: Secret | null): object {
  switch (database.kind) {
    case 'sqlite':
      return { filename: database.file }
    case 'mysql': {
      const { host, port, user, tls, ca } = database
      return {
        ...{ host, port, user, password: password!.reveal(), database: database.database },
        charset: 'utf8mb4',
        connectTimeout: 10_000,
        // Every value as the text that the server sent: no float, no Date of this machine's zone.
        typeCast: (field: { string(): string | null }) => field.string(),
        ...(tls === 'none' ? {} : { ssl: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) } }),
      }
    }
    case 'mssql': {
      const { host, port, user, tls } = database
      return {
        ...{ server: host, port, user, password: password!.reveal(), database: database.database },
        requestTimeout: STATEMENT_SECONDS * 1_000,
        options: { encrypt: tls === 'required', trustServerCertificate: false, useUTC: true },
      }
    }
    case 'oracle':
      return {
        connectString: database.connectString,
        user: database.user,
        password: password!.reveal(),
      }
  }
}
