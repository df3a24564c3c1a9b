/**
 * Sends mapped blocks into staging by COPY and proves that as many rows were stored as were sent.
 * Rejects of earlier steps are passed on as they come, so that memory stays flat.
 * What becomes of the rows afterwards: load-into-postgres.ts.
 */
import type { Connection } from '../db/connection.ts'
import { BugError, LoadError, MapError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Reject } from '../model/issue.ts'
import type { MappedBlock, RecordCounts } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import { CopyBytes } from './copy-bytes.ts'
import { type RowEncoder, rowEncoder } from './copy-text.ts'
import { type StagingTable, stagingColumns } from './staging.ts'

/** Bytes of one COPY: about 60 ms of the server's work, so the few round trips around each cost nothing. */
const COPY_BYTES = 4 * 1024 * 1024

/** The server parses a message once it has all of it: with small ones it works while the next is on its way. */
const MESSAGE_BYTES = 128 * 1024

/**
 * Rejects wait for the end of the COPY on its way, on whose session they are stored; from so many
 * blocks that they hold no more than some 8 MB of the file, and so many that a statement is worth it.
 */
const REJECT_BLOCKS = 32
const REJECTS_WAITING = 1_000

/** What went into staging. */
export interface Staged {
  readonly counts: RecordCounts
  /** Rows sent and stored, by the mapping's table name. */
  readonly rows: ReadonlyMap<string, number>
  /** Rejects passed on. */
  readonly rejects: number
  /** The breached limit that ended the stream early; null when all of it was read. */
  readonly breach: MapError | null
}

/** One table being filled. */
interface Lane {
  readonly staging: StagingTable
  readonly encoder: RowEncoder
  sent: number
  /** What the next COPY sends, and the buffer that the COPY on its way was sent from: it is used again. */
  pending: CopyBytes
  spare: CopyBytes | null
  pendingRows: number
}

/**
 * Sends all blocks. `onRejects` gets each block's rejects in order, between two COPYs.
 * @throws LOAD_VALUE_UNSTORABLE, LOAD_ROWS_NOT_STORED, and whatever `blocks` throws.
 */
export async function stageRows(
  connection: Connection,
  tables: readonly StagingTable[],
  blocks: AsyncIterable<MappedBlock>,
  onRejects: (rejects: readonly Reject[]) => Promise<void>,
  context: StepContext,
): Promise<Staged> {
  const lanes = new Map(tables.map(staging => [staging.table.alias, lane(staging)]))
  const counts = { read: 0, mapped: 0, rejected: 0, filtered: 0 }
  let rejects = 0
  let waiting: Reject[] = []
  let waitingBlocks = 0
  let breach: MapError | null = null
  // one COPY is on its way while the next is encoded
  let inFlight: Promise<void> = Promise.resolve()
  /** Ends the COPY on its way and passes the waiting rejects on. */
  const settle = async (): Promise<void> => {
    await inFlight
    if (waiting.length === 0) return
    const passed = waiting
    waiting = []
    waitingBlocks = 0
    await onRejects(passed)
    rejects += passed.length
  }
  const send = async (one: Lane): Promise<void> => {
    const { pending, pendingRows } = one
    await settle()
    one.pending = one.spare ?? new CopyBytes(COPY_BYTES)
    one.pending.length = 0
    one.spare = pending
    one.pendingRows = 0
    inFlight = copy(connection, one, pending.written(), pendingRows)
    inFlight.catch(() => {})
  }
  try {
    for await (const block of blocks) {
      context.signal.throwIfAborted()
      counts.read += block.counts.read
      counts.mapped += block.counts.mapped
      counts.rejected += block.counts.rejected
      counts.filtered += block.counts.filtered
      if (block.rejects.length > 0) {
        waiting.push(...block.rejects)
        waitingBlocks += 1
        if (waitingBlocks >= REJECT_BLOCKS || waiting.length >= REJECTS_WAITING) await settle()
      }
      for (const [alias, rows] of Object.entries(block.tables)) {
        if (rows.rows.length === 0) continue
        const one = laneOf(lanes, alias)
        one.encoder.encode(rows, block.file, one.sent, one.pending)
        one.sent += rows.rows.length
        one.pendingRows += rows.rows.length
        if (one.pending.length < COPY_BYTES) continue
        await send(one)
        failpoint('load.mid-copy')
        context.progress({
          step: 'load',
          subject: one.staging.table.name,
          unit: 'rows',
          done: one.sent,
          total: null,
        })
      }
    }
    for (const one of lanes.values()) if (one.pendingRows > 0) await send(one)
    await settle()
  } catch (error) {
    // the rejects so far are worth keeping: they say why the limit was breached
    if (!(error instanceof MapError && error.code === 'MAP_REJECT_LIMIT')) {
      await inFlight.catch(() => {})
      throw error
    }
    await settle()
    breach = error
  }
  const rows = new Map([...lanes].map(([alias, one]) => [alias, one.sent]))
  return { counts, rows, rejects, breach }
}

function lane(staging: StagingTable): Lane {
  return {
    staging,
    encoder: rowEncoder(staging.table),
    sent: 0,
    pending: new CopyBytes(COPY_BYTES),
    spare: null,
    pendingRows: 0,
  }
}

function laneOf(lanes: ReadonlyMap<string, Lane>, alias: string): Lane {
  const found = lanes.get(alias)
  if (found !== undefined) return found
  throw new BugError(
    'BUG_TABLE_UNKNOWN',
    `The mapping made rows for ${JSON.stringify(alias)}, which the load does not have. Nothing of this load was published.`,
  )
}

async function copy(connection: Connection, one: Lane, bytes: Buffer, rows: number): Promise<void> {
  const { staging } = one
  async function* source(): AsyncIterable<Buffer> {
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) yield bytes.subarray(at, at + MESSAGE_BYTES)
  }
  const sql = `COPY ${staging.rows} (${stagingColumns(staging.table)}) FROM STDIN`
  const stored = await connection.copyIn(sql, source())
  if (stored === rows) return
  throw new LoadError(
    'LOAD_ROWS_NOT_STORED',
    `${rows} rows were sent to the staging of ${staging.table.name} and the database stored ${stored}. Nothing of this load was published.`,
    { details: { table: staging.table.name, sent: rows, stored } },
  )
}
