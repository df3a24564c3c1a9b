/**
 * Mistakes in one side of a comparison: what it names that the job or the environment does not have, and
 * what can't be read in the way that it says. Rules and scopes: check-reconcile.ts.
 */
import type { EnvironmentFile } from '../model/environment.ts'
import { type AnyJob, type HttpSide, movesRecords, type Reconciliation, type Side } from '../model/job.ts'
import type { Mapping } from '../model/mapping.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import { checkFetch, checkParse } from './check-source.ts'
import type { Complain } from './complaint.ts'

/** What a side is judged against. */
export interface SidePlace {
  readonly item: Reconciliation
  readonly table: TableDefinition
  readonly job: AnyJob
  readonly environment: EnvironmentFile
  /** Parts whose builders have told their own mistakes. */
  readonly refused: ReadonlySet<object>
}

/** Mistakes of a side. `at` goes before the part's name. */
export function checkSide(side: Side, place: SidePlace, at: string, complain: Complain): void {
  const { job, environment, refused } = place
  switch (side.kind) {
    case 'mapped':
      if (!movesRecords(job))
        complain(
          at,
          'is about mapped records, and a job that only compares maps none',
          'name what is compared: files, a query, an API, a stored picture',
        )
      return
    case 'target':
      if (movesRecords(job) && job.load.kind === 'api')
        complain(
          `${at}.target`,
          "is the job's target, and an API can't be read back as one",
          'compare with files or a query, or leave it out',
        )
      return
    case 'files':
      checkFetch(side.fetch, environment, complain)
      checkParse(side.parse, side.map, refused.has(side.parse), complain, `${at}.`)
      checkMapping(side.map, place, at, 'the second feed', complain)
      return
    case 'parquet':
      checkFetch(side.fetch, environment, complain)
      for (const field of Object.keys(side.columns))
        if (place.table.columns[field] === undefined)
          complain(
            `${at}.columns`,
            `${field} is no column of ${qualifiedName(place.table)}`,
            `one of: ${Object.keys(place.table.columns).join(', ')}`,
          )
      return
    case 'query':
      if (side.database !== undefined)
        named('database', side.database, environment.databases ?? {}, environment, at, complain)
      return
    case 'http':
      named('API', side.endpoint, environment.api, environment, at, complain)
      checkPages(side, at, complain)
      checkMapping(side.map, place, at, 'the API', complain)
      return
    case 'snapshot':
      if (side.job === null && !job.reconcile.comparisons.some(({ name }) => name === side.comparison))
        complain(
          at,
          `names a stored picture of the comparison ${JSON.stringify(side.comparison)}, which the job does not make`,
          `one of: ${job.reconcile.comparisons.map(({ name }) => name).join(', ')}`,
        )
  }
}

function named(
  what: string,
  name: string,
  known: Readonly<Record<string, unknown>>,
  environment: EnvironmentFile,
  at: string,
  complain: Complain,
): void {
  if (known[name] !== undefined) return
  complain(
    at,
    `the environment ${environment.name} has no ${what} ${JSON.stringify(name)}`,
    `one of: ${Object.keys(known).join(', ') || 'none'}; or add it to environments/${environment.name}.ts`,
  )
}

function checkMapping(
  map: Mapping,
  { item, table }: SidePlace,
  at: string,
  whose: string,
  complain: Complain,
): void {
  if (Object.values(map.tables).includes(table as never)) return
  complain(
    at,
    `the mapping of ${whose} does not make ${item.table} of ${qualifiedName(table)}`,
    'map it into the same table definition',
  )
}

function checkPages({ path, pages, read, limits, map }: HttpSide, at: string, complain: Complain): void {
  if (path.split('/').includes('..') || path.includes('#'))
    complain(`${at}.path`, `${JSON.stringify(path)} is no plain path`, "such as 'v1/bookings?date={date}'")
  if (pages.kind === 'cursor' && read.format !== 'json')
    complain(
      `${at}.pages`,
      'reads the next page from the answer, which only JSON has',
      "'number' or 'offset'",
    )
  if (Object.keys(map.sources).some(kind => kind !== 'record'))
    complain(`${at}.map`, 'maps several kinds of records, and an API gives one', 'a mapping with `source`')
  for (const [limit, value] of Object.entries(limits))
    if (!(value > 0)) complain(`${at}.limits.${limit}`, `${value} lets nothing pass`, 'a positive number')
}
