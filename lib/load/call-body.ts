/**
 * Bytes and idempotency key of a call, derived from its rows and nothing that differs between two
 * attempts; and what all calls of a load share. Who makes the calls: api-call.ts.
 */
import { createHash } from 'node:crypto'
import type { Database } from '../db/database.ts'
import type { Holding } from '../ledger/fence.ts'
import type { Revision } from '../ledger/revision.ts'
import type { StepContext } from '../model/progress.ts'
import type { RunKey } from '../model/run.ts'
import type { Secret } from '../model/secret.ts'
import type { ApiRow } from './api-spool.ts'

/** What all calls of a load share. */
export interface CallSite {
  readonly database: Database
  readonly lease: Holding & { readonly key: RunKey }
  readonly revision: Pick<Revision, 'id' | 'number'>
  /** `payroll/v1/hours`: as results and messages name the target. */
  readonly target: string
  readonly endpoint: string
  readonly url: URL
  /** Reads the token anew; null for an API without one. */
  readonly token: (() => Promise<Secret>) | null
  readonly context: StepContext
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/** A request as it goes out. */
export interface CallBody {
  readonly key: string
  readonly body: string
  readonly bytes: number
  readonly bodySha256: string
  readonly items: number
}

/**
 * Body and key of some rows. `round` counts how often the same rows were sent for real: rows that an API
 * left unprocessed go out again under another key.
 * Guarantee: the same rows of the same revision and round give the same key and bytes, in any attempt.
 */
export function callBody(
  site: Pick<CallSite, 'lease' | 'revision' | 'target'>,
  rows: readonly ApiRow[],
  round: number,
): CallBody {
  const body = `[${rows.map(row => row.json).join(',')}]`
  const bodySha256 = createHash('sha256').update(body).digest('hex')
  const { job, businessDate } = site.lease.key
  const identity = [
    job,
    businessDate,
    site.revision.number,
    site.target,
    round,
    rows.map(row => row.seq),
    bodySha256,
  ]
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex')
  return { key, body, bytes: Buffer.byteLength(body), bodySha256, items: rows.length }
}
