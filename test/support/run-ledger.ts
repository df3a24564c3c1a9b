/**
 * What the tests of the run ledger have in common: deliveries, freezes and loads in few words.
 */
import { createHash } from 'node:crypto'
import type { Database } from '../../lib/db/database.ts'
import { assertFence } from '../../lib/ledger/fence.ts'
import { type FileRow, recordFile } from '../../lib/ledger/file.ts'
import { type Freeze, freeze } from '../../lib/ledger/freeze.ts'
import { type Lease, takeLease } from '../../lib/ledger/lease.ts'
import { finishLoad, insertLoad } from '../../lib/ledger/load.ts'
import type { FreezeRules } from '../../lib/ledger/plan.ts'
import { finishRevision, type Revision } from '../../lib/ledger/revision.ts'
import type { LoadResult } from '../../lib/model/run.ts'
import { systemClock } from '../../lib/model/time/clock.ts'

/** A result of a load in which nothing happened. */
export const EMPTY_RESULT: LoadResult = {
  counts: { read: 0, mapped: 0, rejected: 0, filtered: 0 },
  filters: [],
  tables: [],
  totals: [],
  failedUnits: 0,
}

/** The SHA-256 that stands for a content in these tests. */
export function sha(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

let deliveries = 0

/** A delivery of `content` under `remoteName`. */
export async function deliver(
  database: Database,
  key: { job: string; businessDate: string },
  remoteName: string,
  content: string,
): Promise<FileRow> {
  deliveries += 1
  const number = deliveries
  return database.use(c =>
    recordFile(c, {
      feed: key.job,
      businessDate: key.businessDate,
      job: key.job,
      remoteName,
      size: content.length,
      mtimeMs: 1_700_000_000_000 + number,
      rawSha256: sha(content),
      contentSha256: sha(content),
      contentBytes: content.length,
      archive: `archive/${number}`,
    }),
  )
}

/** Takes the run's lease with the machine's clock. */
export function take(database: Database, key: { job: string; businessDate: string }): Promise<Lease> {
  return takeLease(database, systemClock, key, { trigger: 'manual' })
}

/** Freezes with rules of which only what matters is given. */
export function freezeWith(
  database: Database,
  lease: Lease,
  rules: Partial<FreezeRules> = {},
): Promise<Freeze> {
  return database.use(c =>
    freeze(c, lease, {
      feed: lease.key.job,
      perDate: 'one',
      mode: 'replace',
      scoped: true,
      refuseSameContent: false,
      force: false,
      ...rules,
    }),
  )
}

/** The load of a revision as T2 does it, without rows. */
export function loadEmpty(
  database: Database,
  lease: Lease,
  revision: Revision,
  state: 'published' | 'unpublished' = 'published',
): Promise<'new' | object> {
  return database.use(c =>
    c.transaction(async () => {
      const gate = await insertLoad(c, lease, revision)
      if (gate === 'new') {
        await finishLoad(c, revision, { state, result: EMPTY_RESULT, snapshotHash: null, mappingVersion: 1 })
      }
      await assertFence(c, lease)
      return gate
    }),
  )
}

/** A whole run of a date: lease, freeze, load, end. Gives the freeze. */
export async function runOnce(
  database: Database,
  key: { job: string; businessDate: string },
  rules: Partial<FreezeRules> = {},
): Promise<Freeze> {
  const lease = await take(database, key)
  try {
    const frozen = await freezeWith(database, lease, rules)
    if (frozen.kind === 'load') {
      await loadEmpty(database, lease, frozen.revision)
      await database.use(c => finishRevision(c, frozen.revision.id))
    }
    return frozen
  } finally {
    await lease.release({ attempt: 'succeeded', run: 'succeeded' })
  }
}

/** The revision of a freeze that has one. */
export function revisionOf(frozen: Freeze): Revision {
  if (frozen.kind !== 'load' && frozen.kind !== 'resume') throw new Error(`no revision: ${frozen.kind}`)
  return frozen.revision
}
