/**
 * The order file on its way into Postgres as a run does it: lease, file row, freeze, then parse, map
 * and load. Shared by the benchmarks of staging and of whole loads.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Connection } from '../lib/db/connection.ts'
import type { Database } from '../lib/db/database.ts'
import { recordFile } from '../lib/ledger/file.ts'
import { freeze } from '../lib/ledger/freeze.ts'
import { type Lease, takeLease } from '../lib/ledger/lease.ts'
import type { Revision } from '../lib/ledger/revision.ts'
import { createTarget } from '../lib/load/create-target.ts'
import { postgres } from '../lib/load/postgres.ts'
import { MapTally } from '../lib/map/map-tally.ts'
import type { MappedBlock, Mapping } from '../lib/model/mapping.ts'
import { systemClock } from '../lib/model/time/clock.ts'
import { csv } from '../lib/parse/csv.ts'
import { mappedBlocks, RecordsMeter } from '../lib/run/records.ts'
import { orderMapping, orders } from './order-feed.ts'
import { quiet } from './scratch.ts'

/** The load of the benchmarks; one bad record in a thousand is within its limit. */
export const orderSpec = postgres({
  table: orders,
  mode: 'upsert',
  rejects: { maxCount: 100_000, maxPercent: 1, minRecords: 100 },
})

/** How the file is written. */
export const orderParse = csv({ recordEnds: ['\r\n', '\n'] })

const BUSINESS_DATE = '2026-11-20'

/** Makes the target table where it is missing. */
export async function makeTarget(database: Database): Promise<void> {
  const connection = await database.connect()
  await createTarget(connection, orderSpec)
  await connection.close()
}

/** A frozen revision of one file, under a job of its own. */
export interface Prepared {
  readonly connection: Connection
  readonly lease: Lease
  readonly revision: Revision
  close(): Promise<void>
}

/** Brings a revision to where its load begins. */
export async function prepare(database: Database): Promise<Prepared> {
  const job = `bench-${randomUUID()}`
  const lease = await takeLease(
    database,
    systemClock,
    { job, businessDate: BUSINESS_DATE },
    { trigger: 'manual' },
  )
  const connection = await database.connect()
  await recordFile(connection, {
    feed: job,
    businessDate: BUSINESS_DATE,
    job,
    remoteName: 'orders.csv',
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
    mode: orderSpec.mode,
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

/** The mapped blocks of the file as lib/run makes them; `tee` sees each first. */
export function orderBlocks(
  path: string,
  revision: Revision,
  tally: MapTally,
  tee: (block: MappedBlock) => Promise<void> = async () => {},
): AsyncGenerator<MappedBlock> {
  return mappedBlocks(
    {
      job: 'bench',
      businessDate: BUSINESS_DATE,
      zone: 'Europe/Berlin',
      files: [{ row: revision.files[0]!, path }],
      parse: orderParse,
      mapping: orderMapping as unknown as Mapping,
    },
    tally,
    tee,
    new RecordsMeter(),
    quiet,
  )
}

/** A tally of the mapping with the load's limit. */
export function orderTally(): MapTally {
  return new MapTally(orderMapping as unknown as Mapping, orderSpec.rejects)
}

/** The business date of all benchmarks. */
export const businessDate = BUSINESS_DATE
