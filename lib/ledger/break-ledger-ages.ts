/**
 * How many breaks of a night are older than they may be. What "older" means in dates is reconcile/judge/ages.ts.
 */
import type { Connection } from '../db/connection.ts'

/**
 * Counts the breaks that the night in hand has seen (right after recordNight, in its transaction), by kind, that were first
 * seen on or before a date and that nobody stands for.
 */
export async function countOlder(
  connection: Connection,
  ledger: number,
  kind: string,
  firstSeenUntil: string,
): Promise<number> {
  const { rows } = await connection.query<{ count: string }>(
    `SELECT count(*) FROM pg_temp.tonight t JOIN tallyman.lasting_break l ON l.ledger = $1 AND l.identity = t.identity
     WHERE l.kind = $2 AND l.first_seen <= $3 AND l.acknowledgement IS NULL`,
    [ledger, kind, firstSeenUntil],
  )
  return Number(rows[0]!.count)
}
