/**
 * Calls to an API (T4): the row is committed before the request goes out, the result in a transaction
 * of its own, so that a crash in between leaves an unknown outcome that is known to be one.
 */
import type { Connection } from '../db/connection.ts'
import { BugError } from '../model/errors.ts'
import { assertFence, type Holding } from './fence.ts'
import { storableJson } from './storable.ts'

/** `sent`: no answer was written down, so the outcome is unknown. `refused`: answered, and nothing took effect. */
export type CallState = 'sent' | 'answered' | 'refused' | 'unknown'

/** A request before it goes out. */
export interface CallDraft {
  readonly revisionId: string
  readonly endpoint: string
  /** The idempotency key: the same for the same rows of the same revision. */
  readonly key: string
  readonly bodySha256: string
  readonly items: number
}

/** A call row. */
export interface CallRow extends CallDraft {
  readonly id: string
  readonly state: CallState
  readonly tries: number
  readonly status: number | null
  /** What the driver wrote down about each row. */
  readonly result: unknown
}

const COLUMNS = `id, revision AS "revisionId", endpoint, key, body_sha256 AS "bodySha256", items, state, tries,
  status, result`

/**
 * Commits that a request is about to be sent, with the fence checked. A call of the same key gives its
 * row with what is known of it: the caller sends again only when its state is `sent` or `unknown`.
 * @throws BUG_CALL_KEY when the key stands for another body; RUN_FENCED.
 */
export async function beginCall(
  connection: Connection,
  holding: Holding,
  draft: CallDraft,
): Promise<CallRow> {
  const row = await connection.transaction(
    async () => {
      const { rows } = await connection.query<CallRow>(
        `INSERT INTO tallyman.call AS c (revision, attempt, endpoint, key, body_sha256, items, state)
         VALUES ($1, $2, $3, $4, $5, $6, 'sent')
         ON CONFLICT (endpoint, key) DO UPDATE SET tries = c.tries + (c.state IN ('sent', 'unknown'))::int
         RETURNING ${COLUMNS}`,
        [
          ...[draft.revisionId, holding.attemptId, draft.endpoint, draft.key],
          ...[draft.bodySha256, draft.items],
        ],
      )
      await assertFence(connection, holding)
      return rows[0]!
    },
    { commit: 'proved' },
  )
  if (row.bodySha256 !== draft.bodySha256) {
    throw new BugError(
      'BUG_CALL_KEY',
      `The idempotency key ${draft.key} of ${draft.endpoint} was used before for another body. Nothing was sent.`,
      { details: { key: draft.key, endpoint: draft.endpoint } },
    )
  }
  return row
}

/** Writes a call's outcome down. */
export async function finishCall(
  connection: Connection,
  callId: string,
  outcome: {
    readonly state: Exclude<CallState, 'sent'>
    readonly status: number | null
    readonly result: unknown
  },
): Promise<void> {
  await connection.query(
    `UPDATE tallyman.call SET state = $2, status = $3, result = $4::jsonb, answered_at = now() WHERE id = $1`,
    [callId, outcome.state, outcome.status, storableJson(outcome.result ?? null)],
  )
}

/** The calls of a revision in the order in which they were begun. */
export async function callsOf(connection: Connection, revisionId: string): Promise<CallRow[]> {
  const { rows } = await connection.query<CallRow>(
    `SELECT ${COLUMNS} FROM tallyman.call WHERE revision = $1 ORDER BY id`,
    [revisionId],
  )
  return rows
}
