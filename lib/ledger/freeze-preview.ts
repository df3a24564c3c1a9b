/**
 * What a freeze would decide, for a dry run: the same statements in a transaction that is always
 * rolled back, so that the answer is the real one and nothing is written.
 */
import type { Connection } from '../db/connection.ts'
import type { RunKey } from '../model/run.ts'
import { type ReceivedFile, recordFile } from './file.ts'
import { decide, type Freeze } from './freeze.ts'
import type { FreezeRules } from './plan.ts'
import { type ReplacedRow, replacedFiles } from './replaced.ts'

/** What would be frozen, and which files it would replace. */
export interface FreezePreview {
  readonly frozen: Freeze
  readonly replaced: readonly ReplacedRow[]
}

class PreviewEnd extends Error {
  readonly preview: FreezePreview
  constructor(preview: FreezePreview) {
    super('preview')
    this.preview = preview
  }
}

/** The freeze that would be made if these files had arrived now; `before` runs in the same transaction first. Guarantee: nothing is written. */
export async function previewFreeze(
  connection: Connection,
  key: RunKey,
  rules: FreezeRules,
  arrived: readonly ReceivedFile[],
  before: () => Promise<void> = async () => {},
): Promise<FreezePreview> {
  try {
    return await connection.transaction<never>(async () => {
      const run = await connection.query<{ id: string; fence: string }>(
        `INSERT INTO tallyman.run AS r (job, business_date, state) VALUES ($1, $2::date, 'owed')
         ON CONFLICT (job, business_date) DO UPDATE SET state = r.state RETURNING id, fence`,
        [key.job, key.businessDate],
      )
      const { id: runId, fence } = run.rows[0]!
      const attempt = await connection.query<{ id: string }>(
        `INSERT INTO tallyman.attempt (run, number, trigger, state, fence, host, os_pid)
         SELECT $1, coalesce(max(number), 0) + 1, 'manual', 'interrupted', $2, '', 0 FROM tallyman.attempt WHERE run = $1
         RETURNING id`,
        [runId, fence],
      )
      await before()
      for (const file of arrived) await recordFile(connection, file)
      const holding = { runId, attemptId: attempt.rows[0]!.id, fence, key }
      const frozen = await decide(connection, holding, rules)
      throw new PreviewEnd({
        frozen,
        replaced: frozen.kind === 'load' ? await replacedFiles(connection, frozen.revision.id) : [],
      })
    })
  } catch (error) {
    if (error instanceof PreviewEnd) return error.preview
    throw error
  }
}
