/**
 * From a job to the rules of its freeze, and the one exception to them: a rerun judges quarantined
 * files anew.
 */
import type { Connection } from '../db/connection.ts'
import { filesOfDate, isQuarantinedAtFetch } from '../ledger/file.ts'
import type { FreezeRules } from '../ledger/plan.ts'
import type { JobDefinition } from '../model/job.ts'
import type { LoadMode } from '../model/run.ts'

/** The rules of a job's freeze. An API takes rows by key, as an upsert does. */
export function freezeRules(job: JobDefinition, force: boolean): FreezeRules {
  const { fetch, load } = job
  const mode: LoadMode = load.kind === 'postgres' ? load.mode : 'upsert'
  const scoped = load.kind === 'postgres' && load.scope !== null
  return {
    feed: fetch.feed,
    perDate: fetch.perDate,
    mode,
    scoped,
    refuseSameContent: fetch.refuseSameContent,
    force,
  }
}

/**
 * Takes archived files of a date out of quarantine, so that they are judged by today's rules: whoever
 * asks for a rerun has changed something. What is still wrong goes back by itself.
 * Not those that fetch refused: their bytes are not what was sent, so only fetching them again can
 * free them (recordFile), and a rerun from the archive never loads them.
 */
export async function reopenQuarantined(
  connection: Connection,
  feed: string,
  businessDate: string,
): Promise<void> {
  const rows = await filesOfDate(connection, feed, businessDate)
  const ids = rows
    .filter(row => row.state === 'quarantined' && row.archive !== null && !isQuarantinedAtFetch(row))
    .map(row => row.id)
  await connection.query(
    `UPDATE tallyman.file SET state = 'received', reason = '' WHERE id = ANY($1::bigint[]) AND state = 'quarantined'`,
    [ids],
  )
}
