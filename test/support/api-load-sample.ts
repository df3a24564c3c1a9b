/**
 * Loads hand-made rows into an API as a run would: real lease, file, freeze, tally and load, over a
 * real run ledger. For the tests of lib/load/load-into-api.ts; its Postgres sibling is load-sample.ts.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../lib/db/database.ts'
import { recordFile } from '../../lib/ledger/file.ts'
import { freeze } from '../../lib/ledger/freeze.ts'
import { type Lease, takeLease } from '../../lib/ledger/lease.ts'
import { api } from '../../lib/load/api.ts'
import type { ApiLoadInput, ApiLoadOutcome } from '../../lib/load/api-load-input.ts'
import { loadIntoApi } from '../../lib/load/load-into-api.ts'
import { MapTally } from '../../lib/map/map-tally.ts'
import { issue, type Reject } from '../../lib/model/issue.ts'
import type { ApiLoad, RejectLimit } from '../../lib/model/job.ts'
import type { MappedBlock, Mapping, UnitRule } from '../../lib/model/mapping.ts'
import { type StepContext, silentLog } from '../../lib/model/progress.ts'
import { Secret } from '../../lib/model/secret.ts'
import { column, defineTable } from '../../lib/model/table.ts'
import { type Clock, systemClock } from '../../lib/model/time/clock.ts'

/** A row of hours; `null` is a record that map rejects. */
export type HoursRow = readonly [employee: string, day: string, hours: string, unit?: string] | null

/** The table of these tests: hours by employee and day. */
export const hours = defineTable(
  'payroll',
  'hours',
  {
    employee: column.text({ doc: 'Employee number.' }),
    day: column.date({ doc: 'Day worked.' }),
    hours: column.decimal({ doc: 'Hours.', precision: 6, scale: 2 }),
  },
  { doc: 'Hours worked.', key: ['employee', 'day'] },
)

/** The load of these tests, two rows a request. */
export function hoursLoad(
  limits: { maxItems?: number; maxBytes?: number; rejects?: Partial<RejectLimit> } = {},
): ApiLoad {
  return api({ endpoint: 'payroll', path: 'v1/hours', table: hours, maxItems: 2, ...limits })
}

/** The time limit of a request in lib/load/api-request.ts, which tells it from the waits between two requests. */
const REQUEST_LIMIT_MS = 90_000

/**
 * Waits that are over at once and are noted, so that no test sleeps. Time limits of requests never come,
 * but for the first ones, which come when the promises given here are kept.
 */
export function hastyClock(limits: readonly Promise<void>[] = []): Clock & { readonly waits: number[] } {
  const waits: number[] = []
  const pending = [...limits]
  const never = (signal?: AbortSignal): Promise<void> =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('over'))))
  return {
    ...systemClock,
    waits,
    sleep: (ms, signal) => {
      if (ms === REQUEST_LIMIT_MS) return pending.shift() ?? never(signal)
      waits.push(ms)
      return Promise.resolve()
    },
  }
}

/** What a sample load may be told besides its rows. */
export interface ApiSampleOptions {
  readonly database: Database
  readonly baseUrl: string
  readonly job: string
  readonly rows: readonly HoursRow[]
  /** What the mapping makes of the same file, when that changed between two attempts. */
  readonly mappedAs?: readonly HoursRow[]
  readonly spec?: ApiLoad
  readonly clock?: Clock
  readonly token?: () => string
  readonly unit?: UnitRule
  readonly force?: boolean
  readonly dryRun?: boolean
  readonly change?: (input: ApiLoadInput, lease: Lease) => ApiLoadInput | Promise<ApiLoadInput>
}

/** One attempt: lease, file, freeze, load; throws what the load throws. */
export async function loadHours(options: ApiSampleOptions): Promise<ApiLoadOutcome> {
  const { database, job } = options
  const spec = options.spec ?? hoursLoad()
  const folder = await mkdtemp(join(tmpdir(), 'api-load-'))
  const lease = await takeLease(
    database,
    systemClock,
    { job, businessDate: '2026-11-20' },
    { trigger: 'manual' },
  )
  try {
    const revision = await frozen(options, lease)
    const mapping = { tables: spec.tables, unit: options.unit ?? null } as unknown as Mapping
    const tally = new MapTally(mapping, spec.rejects)
    const rows = options.mappedAs ?? options.rows
    const input: ApiLoadInput = {
      database,
      lease,
      revision,
      spec,
      endpoint: {
        baseUrl: options.baseUrl,
        ...(options.token === undefined ? {} : { token: { env: 'PAYROLL_TOKEN' } }),
      },
      resolveSecret: async () => new Secret(options.token!()),
      folder,
      blocks: blocksOf(rows, tally),
      afterStream: async () => ({ mapped: tally.result() }),
      unitRejects: async function* (failed) {
        const units = new Set(failed.map(({ unit }) => unit))
        yield rows.flatMap((row, at) =>
          row !== null && units.has(row[3] ?? '') ? [rejectOf(at, row[3] ?? null)] : [],
        )
      },
      rawOf: async (_file, records) =>
        new Map(records.map(({ ordinal, line }) => [ordinal, `raw of line ${line}`])),
      sourceSnapshot: async () => null,
      mappingVersion: 1,
      dryRun: options.dryRun ?? false,
      random: () => 0.5,
    }
    const context: StepContext = {
      clock: options.clock ?? hastyClock(),
      log: silentLog,
      signal: new AbortController().signal,
      progress: () => {},
    }
    return await loadIntoApi((await options.change?.(input, lease)) ?? input, context)
  } finally {
    await lease.release({ attempt: 'failed', run: 'failed' })
    await rm(folder, { recursive: true })
  }
}

async function frozen(options: ApiSampleOptions, lease: Lease): Promise<ApiLoadInput['revision']> {
  const { database, job } = options
  const connection = await database.connect()
  try {
    const contentSha256 = createHash('sha256').update(JSON.stringify(options.rows)).digest('hex')
    await recordFile(connection, {
      feed: job,
      businessDate: '2026-11-20',
      job,
      remoteName: 'HOURS.csv',
      size: 1,
      mtimeMs: 1,
      rawSha256: contentSha256,
      contentSha256,
      contentBytes: 1,
      archive: `archive/${contentSha256}`,
    })
    const result = await freeze(connection, lease, {
      feed: job,
      perDate: 'one',
      mode: 'upsert',
      scoped: false,
      refuseSameContent: false,
      force: options.force ?? false,
    })
    if (result.kind !== 'load') throw new Error(`nothing to load: ${result.kind}`)
    return result.revision
  } finally {
    await connection.close()
  }
}

async function* blocksOf(rows: readonly HoursRow[], tally: MapTally): AsyncGenerator<MappedBlock> {
  let ordinal = 0
  for (let start = 0; start < rows.length; start += 3) {
    const mapped: MappedBlock['tables'][string] = { lines: [], ordinals: [], units: [], rows: [] }
    const rejects: Reject[] = []
    const slice = rows.slice(start, start + 3)
    for (const [offset, row] of slice.entries()) {
      if (row === null) {
        rejects.push(rejectOf(start + offset, null))
        tally.rejected(0, null)
      } else {
        mapped.lines.push(start + offset + 2)
        mapped.ordinals.push(ordinal)
        mapped.units.push(row[3] ?? null)
        mapped.rows.push(row.slice(0, 3) as string[])
        tally.mapped(0, row[3] ?? null)
      }
      ordinal += 1
    }
    tally.add(0, { rows: mapped })
    const counts = {
      read: slice.length,
      mapped: slice.length - rejects.length,
      rejected: rejects.length,
      filtered: 0,
    }
    yield { file: 0, tables: { rows: mapped }, rejects, counts }
    const breach = tally.earlyBreach()
    if (breach !== null) throw breach
  }
}

function rejectOf(at: number, unit: string | null): Reject {
  return {
    file: 0,
    line: at + 2,
    step: 'map',
    raw: `raw of line ${at + 2}`,
    unit,
    issues: [issue('MAP_NOT_A_DECIMAL', 'a reject of a sample')],
  }
}
