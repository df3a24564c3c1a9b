/**
 * The sides that a comparison may have, and which of their rows take part. Plain data, made by the
 * builders of reconcile/sides/declare.ts; lib/run/take-side.ts takes a picture of each.
 */
import type { CsvSpec, FetchSpec, ParseSpec } from './feed.ts'
import type { Mapping } from './mapping.ts'

/** Which rows of a side take part. */
export type Scope = 'all' | { readonly businessDate: string } | 'keysOfOther'

/** One side of a reconciliation. */
export type Side =
  /** The mapped records of the run. */
  | { readonly kind: 'mapped' }
  /** The target table as it is after the load. */
  | { readonly kind: 'target'; readonly scope: Scope }
  /** Another feed with its own parsing and mapping, into the same row type. */
  | {
      readonly kind: 'files'
      readonly fetch: FetchSpec
      readonly parse: ParseSpec
      readonly map: Mapping
      readonly scope: Scope
    }
  /** A query that gives the table's columns by their database names: of the target database, or of `database` of the environment. */
  | { readonly kind: 'query'; readonly sql: string; readonly scope: Scope; readonly database?: string }
  /** What was compared on another date: one of its snapshots, as it was taken then. */
  | StoredSide
  /** Pages read over HTTP from an API of the environment. */
  | HttpSide
  /** A Parquet file, received like any other; its columns by their names. */
  | {
      readonly kind: 'parquet'
      readonly fetch: FetchSpec
      /** Its columns by field of the table; a field that is not named here has its database name. */
      readonly columns: Readonly<Record<string, string>>
      readonly scope: Scope
    }

/** A side that was stored with a comparison of another date. */
export interface StoredSide {
  readonly kind: 'snapshot'
  /** Null: the job itself. */
  readonly job: string | null
  /** Name of the comparison there. */
  readonly comparison: string
  readonly side: 'source' | 'target'
  /** Business days before the run's date, by the job's calendar; 0 is the date itself. */
  readonly daysBefore: number
  readonly scope: Scope
}

/** A side that is read over HTTP. */
export interface HttpSide {
  readonly kind: 'http'
  /** Name of an API of the environment; its token is sent. */
  readonly endpoint: string
  /** Below the endpoint's address; `{date}` stands for the business date. */
  readonly path: string
  readonly read:
    | {
        readonly format: 'json'
        /** Where the list of records stands, by property names: `data/items`; empty: the answer is the list. */
        readonly records: string
      }
    | { readonly format: 'csv'; readonly parse: CsvSpec }
  readonly pages: HttpPages
  readonly map: Mapping
  readonly scope: Scope
  readonly limits: { readonly maxPageBytes: number; readonly maxPages: number; readonly timeoutMs: number }
}

/** How one page leads to the next. Never by an address that the answer names: that could lead the token elsewhere. */
export type HttpPages =
  | { readonly kind: 'one' }
  /** `?page=1`, `?page=2` until a page has no record. */
  | { readonly kind: 'number'; readonly parameter: string; readonly first: number }
  /** `?offset=0`, `?offset=<records so far>` until a page has no record. */
  | { readonly kind: 'offset'; readonly parameter: string }
  /** The answer names the next page's mark at `next` (as `records` does); absent, null or empty ends it. JSON only. */
  | { readonly kind: 'cursor'; readonly parameter: string; readonly next: string }
