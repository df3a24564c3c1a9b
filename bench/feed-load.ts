/**
 * A delivered file on its way into Postgres as a run does it: lease, file row, freeze, then parse,
 * map, staging or the whole load. Shared by the benchmarks; what the files are is order-feed.ts and
 * statement-feed.ts.
 */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Connection } from '../lib/db/connection.ts'
import type { Database } from '../lib/db/database.ts'
import { recordFile } from '../lib/ledger/file.ts'
import { freeze } from '../lib/ledger/freeze.ts'
import { type Lease, takeLease } from '../lib/ledger/lease.ts'
import { storeRejects } from '../lib/ledger/reject.ts'
import type { Revision } from '../lib/ledger/revision.ts'
import { CopyBytes } from '../lib/load/copy-bytes.ts'
import { rowEncoder } from '../lib/load/copy-text.ts'
import { createTarget, targetTables } from '../lib/load/create-target.ts'
import type { PostgresLoadOutcome } from '../lib/load/load-input.ts'
import { loadIntoPostgres } from '../lib/load/load-into-postgres.ts'
import { type Staged, stageRows } from '../lib/load/stage-rows.ts'
import { createStaging, type Staging, stagingColumns } from '../lib/load/staging.ts'
import { checkTargets } from '../lib/load/target-check.ts'
import { MapTally } from '../lib/map/map-tally.ts'
import type { ParseSpec, PostgresLoad } from '../lib/model/job.ts'
import type { MappedBlock, Mapping } from '../lib/model/mapping.ts'
import { systemClock } from '../lib/model/time/clock.ts'
import { mappedBlocks, RecordsMeter } from '../lib/run/records.ts'
import { quiet } from './scratch.ts'

/** What a job says of its files, as far as the load goes. */
export interface Feed {
  readonly parse: ParseSpec
  readonly mapping: Mapping
  readonly load: PostgresLoad
}

const BUSINESS_DATE = '2026-11-20'

/** Bytes encoded and written at once. */
const PIECE_BYTES = 262_144

/** Makes the target tables where they are missing. */
export async function makeTarget(database: Database, { load }: Feed): Promise<void> {
  await database.use(connection => createTarget(connection, load))
}

/** A frozen revision of one file, under a job of its own. */
export interface Prepared {
  readonly connection: Connection
  readonly lease: Lease
  readonly revision: Revision
  close(): Promise<void>
}

/** Brings a revision to where its load begins. */
export async function prepare(database: Database, { load }: Feed): Promise<Prepared> {
  const job = `bench-${randomUUID()}`
  const key = { job, businessDate: BUSINESS_DATE }
  const lease = await takeLease(database, systemClock, key, { trigger: 'manual' })
  const connection = await database.connect()
  await recordFile(connection, {
    feed: job,
    businessDate: BUSINESS_DATE,
    job,
    remoteName: 'delivery',
    size: 1,
    mtimeMs: 1,
    rawSha256: job,
    contentSha256: createHash('sha256').update(job).digest('hex'),
    contentBytes: 1,
    archive: job,
  })
  const frozen = await freeze(connection, lease, {
    feed: job,
    perDate: 'one',
    mode: load.mode,
    scoped: false,
    refuseSameContent: false,
    force: false,
  })
  if (frozen.kind !== 'load') throw new Error(`nothing to load: ${frozen.kind}`)
  const close = async (): Promise<void> => {
    await connection.close()
    await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  }
  return { connection, lease, revision: frozen.revision, close }
}

/** A tally of the feed's mapping with its load's limit. */
export function tallyOf({ mapping, load }: Feed): MapTally {
  return new MapTally(mapping, load.rejects)
}

/** The mapped blocks of a file as lib/run makes them. */
export function blocksOf(
  { parse, mapping }: Feed,
  path: string,
  { files }: Revision,
  tally: MapTally,
): AsyncGenerator<MappedBlock> {
  const input = {
    job: 'bench',
    businessDate: BUSINESS_DATE,
    zone: 'Europe/Berlin',
    files: [{ row: files[0]!, path }],
    parse,
    mapping,
  }
  return mappedBlocks(input, tally, async () => {}, new RecordsMeter(), quiet)
}

/** Begins a transaction with empty staging, to be rolled back by the caller. */
export async function openStaging({ connection }: Prepared, { load }: Feed): Promise<Staging> {
  await connection.query('CHECKPOINT')
  await connection.query('BEGIN')
  return createStaging(connection, await checkTargets(connection, targetTables(load)))
}

/** Parses, maps and stages a file, its rejects kept; units are judged. */
export async function stageFile(
  feed: Feed,
  path: string,
  { connection, revision }: Prepared,
  { tables }: Staging,
): Promise<Staged> {
  const tally = tallyOf(feed)
  const blocks = blocksOf(feed, path, revision, tally)
  const keep = async (rejects: Parameters<typeof storeRejects>[2]): Promise<void> => {
    await storeRejects(connection, revision, rejects)
  }
  const staged = await stageRows(connection, tables, blocks, keep, quiet)
  const { failedUnits } = tally.result()
  if (failedUnits.length > 0) throw new Error(`${failedUnits.length} units do not tie`)
  return staged
}

/** Loads a file whole: one transaction, committed. The picture of the source is not made. */
export async function loadFile(
  feed: Feed,
  path: string,
  { connection, lease, revision }: Prepared,
): Promise<Exclude<PostgresLoadOutcome, { kind: 'done-before' }>> {
  const tally = tallyOf(feed)
  const outcome = await loadIntoPostgres(
    {
      connection,
      lease,
      revision,
      spec: feed.load,
      businessDate: BUSINESS_DATE,
      blocks: blocksOf(feed, path, revision, tally),
      afterStream: async () => ({ mapped: tally.result() }),
      unitRejects: async function* () {},
      rawOf: async () => new Map(),
      sourceSnapshot: async () => null,
      mappingVersion: 1,
      dryRun: false,
    },
    quiet,
  )
  if (outcome.kind === 'done-before') throw new Error('loaded before')
  return outcome
}

/** A file with what COPY is to get for the only table of a feed, and the number of its rows. */
export interface Encoded {
  readonly path: string
  readonly rows: number
}

/** Encodes a file once, as staging gets it. */
export async function encode(database: Database, feed: Feed, source: string, path: string): Promise<Encoded> {
  const prepared = await prepare(database, feed)
  const table = targetTables(feed.load)[0]!
  const encoder = rowEncoder(table)
  const out = createWriteStream(path)
  let rows = 0
  for await (const block of blocksOf(feed, source, prepared.revision, tallyOf(feed))) {
    const mapped = block.tables[table.alias]!
    const bytes = new CopyBytes(PIECE_BYTES)
    encoder.encode(mapped, block.file, rows, bytes)
    if (!out.write(bytes.written())) await once(out, 'drain')
    rows += mapped.rows.length
  }
  out.end()
  await finished(out)
  await prepared.close()
  return { path, rows }
}

/** Sends encoded rows into the first staging table: what the work is measured against. */
export async function copyEncoded(
  connection: Connection,
  { tables }: Staging,
  { path, rows }: Encoded,
): Promise<void> {
  const one = tables[0]!
  const stored = await connection.copyIn(
    `COPY ${one.rows} (${stagingColumns(one.table)}) FROM STDIN`,
    createReadStream(path, { highWaterMark: PIECE_BYTES }),
  )
  if (stored !== rows) throw new Error(`${stored} rows stored, ${rows} sent`)
}
