/**
 * Builders of the sides that are neither the run's own records, the target nor a second feed of files: other
 * databases, APIs, stored pictures, Parquet. Plain data; `files` and `query` stand in ../snapshots.ts.
 */
import { ConfigError } from '../../lib/model/errors.ts'
import type { CsvSpec, FetchSpec, HttpPages, HttpSide, Scope, Side } from '../../lib/model/job.ts'
import type { Mapping } from '../../lib/model/mapping.ts'
import { refuseDefinition } from '../../lib/model/refusal.ts'

/** Decompressed bytes of one page: 100,000 records of 300 bytes. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024

/** Pages of a side: an API that serves 100 records a page then gives a million. */
const MAX_PAGES = 10_000

/** One page, from the first byte sent to the last one received. */
const PAGE_TIMEOUT_MS = 60_000

/**
 * A side that is a query of a database of the environment. It gives the table's columns by their database
 * names; times without a zone are read in that database's zone.
 */
export function queryOf(database: string, sql: string, scope: Scope = 'all'): Side {
  return { kind: 'query', sql, scope, database }
}

/** A side that was stored with a comparison of another date: `daysBefore: 1` is the business day before. */
export function snapshot(side: {
  /** Default: the job itself. */
  readonly job?: string
  /** Name of the comparison there. */
  readonly comparison: string
  readonly side: 'source' | 'target'
  /** Default 1, the business day before; 0, another job's picture of the same date. */
  readonly daysBefore?: number
  readonly scope?: Scope
}): Side {
  const made: Side = {
    kind: 'snapshot',
    job: side.job ?? null,
    comparison: side.comparison,
    side: side.side,
    daysBefore: side.daysBefore ?? 1,
    scope: side.scope ?? 'all',
  }
  const least = made.job === null ? 1 : 0
  if (!Number.isInteger(made.daysBefore) || made.daysBefore < least || made.daysBefore > 400) {
    const text = `A side is the picture of ${made.daysBefore} business days before; it takes a whole number from ${least} to 400. Nothing was started.`
    refuseDefinition(new ConfigError('CONFIG_SIDE_INVALID', text), made)
  }
  return made
}

/** A side that is read over HTTP from an API of the environment, its records mapped into the table's rows. */
export function http<Tables extends Readonly<Record<string, unknown>>>(side: {
  readonly endpoint: string
  /** Below the endpoint's address, with a query where needed; `{date}` stands for the business date. */
  readonly path: string
  /** Default: JSON, and the answer is the list. */
  readonly read?: HttpSide['read']
  /** Default: all is on one page. */
  readonly pages?: HttpPages
  readonly map: Mapping<Tables>
  readonly scope?: Scope
  readonly limits?: Partial<HttpSide['limits']>
}): Side {
  return {
    kind: 'http',
    endpoint: side.endpoint,
    path: side.path,
    read: side.read ?? json(),
    pages: side.pages ?? { kind: 'one' },
    map: side.map as unknown as Mapping,
    scope: side.scope ?? 'all',
    limits: { maxPageBytes: MAX_PAGE_BYTES, maxPages: MAX_PAGES, timeoutMs: PAGE_TIMEOUT_MS, ...side.limits },
  }
}

/** Pages of JSON; `records` says where the list stands, by property names: `data/items`. */
export function json(records = ''): HttpSide['read'] {
  return { format: 'json', records }
}

/** Pages of delimited text, in UTF-8. */
export function csvPages(parse: CsvSpec): HttpSide['read'] {
  return { format: 'csv', parse }
}

/** A side that is a received Parquet file; its columns have the fields' database names, or those of `columns`. */
export function parquet(side: {
  readonly fetch: FetchSpec
  readonly columns?: Readonly<Record<string, string>>
  readonly scope?: Scope
}): Side {
  return { kind: 'parquet', fetch: side.fetch, columns: side.columns ?? {}, scope: side.scope ?? 'all' }
}
