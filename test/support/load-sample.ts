/**
 * Loads hand-made records into Postgres as a run would: real lease, files, freeze, tally and load.
 * For the tests of lib/load; parsing and mapping are left out, so a test can make any rows.
 */
import { createHash } from 'node:crypto'
import type { Connection } from '../../lib/db/connection.ts'
import type { Database } from '../../lib/db/database.ts'
import { recordFile } from '../../lib/ledger/file.ts'
import { freeze } from '../../lib/ledger/freeze.ts'
import { takeLease } from '../../lib/ledger/lease.ts'
import type { PostgresLoadInput, PostgresLoadOutcome } from '../../lib/load/load-input.ts'
import { loadIntoPostgres } from '../../lib/load/load-into-postgres.ts'
import { MapTally } from '../../lib/map/map-tally.ts'
import { issue, type Reject } from '../../lib/model/issue.ts'
import type { PostgresLoad } from '../../lib/model/job.ts'
import type { MappedBlock, MappedRows, Mapping, UnitRule } from '../../lib/model/mapping.ts'
import { type Facts, type Log, type StepContext, silentLog } from '../../lib/model/progress.ts'
import type { TableCounts } from '../../lib/model/run.ts'
import type { Value } from '../../lib/model/table.ts'
import { systemClock } from '../../lib/model/time/clock.ts'

/** A record: its rows by table, or a refusal by map. Its line is its place in the file, from 2. */
export interface SampleRecord {
  readonly rows?: Readonly<Record<string, readonly Value[][]>>
  readonly unit?: string
  readonly reject?: true
}

/** A file of records. */
export interface SampleFile {
  readonly name: string
  readonly records: readonly SampleRecord[]
}

/** What a sample load may be told. */
export interface SampleOptions {
  readonly job?: string
  readonly businessDate?: string
  readonly files: readonly SampleFile[]
  readonly perDate?: 'one' | 'many'
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly unit?: UnitRule
  /** Records per block. */
  readonly blockSize?: number
  readonly signal?: AbortSignal
  /** Facts of each warning, by event. */
  readonly warnings?: Map<string, Facts>
  /** Between the end of the stream and the judgement of records, on the load's own session. */
  readonly meddle?: (connection: Connection) => Promise<void>
  /** Changes what the load is given. */
  readonly change?: (input: PostgresLoadInput) => PostgresLoadInput
}

/** Records of one row each for the table `rows`. */
export function plain(...rows: readonly Value[][]): SampleRecord[] {
  return rows.map(row => ({ rows: { rows: [row] } }))
}

/** A context that logs nothing. */
export function quietContext(signal = new AbortController().signal): StepContext {
  return { clock: systemClock, log: silentLog, signal, progress: () => {} }
}

/** Files in, outcome out; throws what the load throws. The lease is given back either way. */
export async function loadSample(
  database: Database,
  spec: PostgresLoad,
  options: SampleOptions,
): Promise<PostgresLoadOutcome> {
  const job = options.job ?? 'sample'
  const businessDate = options.businessDate ?? '2026-11-20'
  const lease = await takeLease(database, systemClock, { job, businessDate }, { trigger: 'manual' })
  const connection = await database.connect()
  let failed = false
  try {
    const contents = await deliver(connection, job, businessDate, options.files)
    const frozen = await freeze(connection, lease, {
      feed: job,
      perDate: options.perDate ?? 'one',
      mode: spec.mode,
      scoped: spec.scope !== null,
      refuseSameContent: false,
      force: options.force ?? false,
    })
    if (frozen.kind !== 'load') throw new Error(`nothing to load: ${frozen.kind}`)
    const { revision } = frozen
    const files = revision.files.map(file => contents.get(file.contentSha256!)!)
    const mapping = { tables: spec.tables, unit: options.unit ?? null } as unknown as Mapping
    const tally = new MapTally(mapping, spec.rejects)
    const input: PostgresLoadInput = {
      connection,
      lease,
      revision,
      spec,
      businessDate,
      blocks: blocksOf(files, Object.keys(spec.tables), tally, options.blockSize ?? 3),
      afterStream: async () => {
        await options.meddle?.(connection)
        return { mapped: tally.result() }
      },
      unitRejects: async function* (failed) {
        for (const [position, file] of files.entries()) {
          const units = new Set(failed.filter(unit => unit.file === position).map(({ unit }) => unit))
          yield file.records.flatMap((record, at) =>
            record.reject === undefined && units.has(record.unit ?? '')
              ? [rejectOf(position, at, 'MAP_UNIT_DOES_NOT_TIE', record.unit ?? null)]
              : [],
          )
        }
      },
      rawOf: async (file, records) =>
        new Map(records.map(({ line, ordinal }) => [ordinal, `raw of ${files[file]!.name}:${line}`])),
      sourceSnapshot: async () => null,
      mappingVersion: 1,
      dryRun: options.dryRun ?? false,
    }
    const context = quietContext(options.signal)
    const log: Log = { ...silentLog, warn: (event, facts = {}) => options.warnings?.set(event, facts) }
    return await loadIntoPostgres(options.change?.(input) ?? input, { ...context, log })
  } catch (error) {
    failed = true
    throw error
  } finally {
    await connection.close()
    const released = lease.release({ attempt: 'failed', run: 'failed' })
    // a server that is gone took the lease with it
    await (failed ? released.catch(() => {}) : released)
  }
}

/** The counts of the only table, without its name. */
export function countsOf(outcome: PostgresLoadOutcome): Omit<TableCounts, 'table'> {
  if (outcome.kind === 'done-before') throw new Error('done before')
  const { table: _, ...counts } = outcome.result.tables[0]!
  return counts
}

/** Counts with zeros left out of what is written down. */
export function counts(given: Partial<Omit<TableCounts, 'table'>>): Omit<TableCounts, 'table'> {
  return { mapped: 0, inserted: 0, updated: 0, unchanged: 0, collapsed: 0, outdated: 0, deleted: 0, ...given }
}

let deliveries = 0

async function deliver(
  connection: Connection,
  feed: string,
  businessDate: string,
  files: readonly SampleFile[],
): Promise<Map<string, SampleFile>> {
  const contents = new Map<string, SampleFile>()
  for (const file of files) {
    const contentSha256 = createHash('sha256').update(JSON.stringify(file.records)).digest('hex')
    contents.set(contentSha256, file)
    deliveries += 1
    await recordFile(connection, {
      feed,
      businessDate,
      job: feed,
      remoteName: file.name,
      size: 1,
      mtimeMs: deliveries,
      rawSha256: `${contentSha256}-${deliveries}`,
      contentSha256,
      contentBytes: 1,
      archive: `archive/${deliveries}`,
    })
  }
  return contents
}

async function* blocksOf(
  files: readonly SampleFile[],
  aliases: readonly string[],
  tally: MapTally,
  blockSize: number,
): AsyncGenerator<MappedBlock> {
  for (const [file, { records }] of files.entries()) {
    let ordinal = 0
    for (let start = 0; start < records.length; start += blockSize) {
      const tables = Object.fromEntries(
        aliases.map((alias): [string, MappedRows] => [
          alias,
          { lines: [], ordinals: [], units: [], rows: [] },
        ]),
      )
      const rejects: Reject[] = []
      const slice = records.slice(start, start + blockSize)
      for (const [offset, record] of slice.entries()) {
        const unit = record.unit ?? null
        if (record.reject === true) {
          rejects.push(rejectOf(file, start + offset, 'MAP_NOT_A_DECIMAL', unit))
          tally.rejected(file, unit)
          continue
        }
        for (const [alias, rows] of Object.entries(record.rows ?? {})) {
          for (const row of rows) {
            tables[alias]!.lines.push(start + offset + 2)
            tables[alias]!.ordinals.push(ordinal)
            tables[alias]!.units.push(unit)
            tables[alias]!.rows.push([...row])
          }
        }
        ordinal += 1
        tally.mapped(file, unit)
      }
      tally.add(file, tables)
      const counts = {
        read: slice.length,
        mapped: slice.length - rejects.length,
        rejected: rejects.length,
        filtered: 0,
      }
      yield { file, tables, rejects, counts }
      const breach = tally.earlyBreach()
      if (breach !== null) throw breach
    }
  }
}

function rejectOf(file: number, at: number, code: string, unit: string | null): Reject {
  return {
    file,
    line: at + 2,
    step: 'map',
    raw: `raw ${at + 2}`,
    unit,
    issues: [issue(code, 'a reject of a sample')],
  }
}
