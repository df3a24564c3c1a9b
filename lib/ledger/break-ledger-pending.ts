/**
 * Rows that could still arrive on a night. They are no breaks; one that is missing later was first seen on
 * the first night of those in a row that awaited it, up to the one before.
 */
import type { Connection } from '../db/connection.ts'
import type { Tonight } from './break-ledger-sightings.ts'

/** Stores what a night awaits, one identity a line, in place of what an earlier comparison of its date did. */
export async function storePending(
  connection: Connection,
  { ledger, date }: Pick<Tonight, 'ledger' | 'date'>,
  identities: AsyncIterable<Buffer | string> | null,
): Promise<void> {
  await connection.query('DELETE FROM tallyman.break_pending WHERE ledger = $1 AND business_date = $2', [
    ledger,
    date,
  ])
  if (identities === null) return
  await connection.query('DROP TABLE IF EXISTS pg_temp.awaited')
  await connection.query('CREATE TEMP TABLE awaited (identity uuid) ON COMMIT DROP')
  await connection.copyIn('COPY pg_temp.awaited FROM STDIN', identities)
  await connection.query(
    `INSERT INTO tallyman.break_pending (ledger, identity, business_date)
     SELECT DISTINCT $1::int, identity, $2::date FROM pg_temp.awaited`,
    [ledger, date],
  )
}

/**
 * SELECT of `identity`, `since` and `seen_on`: who was awaited from when on, and the night after the last that did.
 * `among`: SQL of the identities that matter; null for all.
 */
export function awaitedSql(ledger: number, among: string | null): string {
  const only = among === null ? '' : ` AND p.identity IN (${among})`
  return `WITH nights AS (
      SELECT business_date, row_number() OVER (ORDER BY business_date) AS n FROM tallyman.break_night WHERE ledger = ${ledger}),
    rows_in_a_row AS (
      SELECT p.identity, p.business_date, n.n, n.n - row_number() OVER (PARTITION BY p.identity ORDER BY n.n) AS one_row
      FROM tallyman.break_pending p JOIN nights n USING (business_date) WHERE p.ledger = ${ledger}${only}),
    spans AS (
      SELECT identity, min(business_date) AS since, max(n) + 1 AS next FROM rows_in_a_row GROUP BY identity, one_row)
    SELECT s.identity, s.since, n.business_date AS seen_on FROM spans s JOIN nights n ON n.n = s.next`
}
