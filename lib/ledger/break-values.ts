/**
 * Whether breaks still have the values that a comparison of a date told: by the breaks kept with that
 * comparison, else by nights that saw no change since. For decisions that come back from a mail.
 */
import type { Connection } from '../db/connection.ts'

/** A break as a comparison told it. */
export interface ToldBy {
  readonly identity: string
  readonly comparison: { readonly reconciliation: string; readonly date: string; readonly number: number }
}

/** The identities among `told` whose breaks have the same values now. */
export async function unchangedSince(
  connection: Connection,
  told: readonly ToldBy[],
): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query<{ identity: string }>(
    `WITH told AS (
       SELECT u.identity, u.reconciliation, u.date, x.id AS result,
         u.number = (SELECT max(n.number) FROM tallyman.comparison n WHERE n.run = r.id) AS latest
       FROM unnest($1::text[], $2::text[], $3::date[], $4::int[]) AS u (identity, reconciliation, date, number)
         JOIN tallyman.comparison_result x ON x.reconciliation = u.reconciliation
         JOIN tallyman.comparison c ON c.id = x.comparison AND c.number = u.number
         JOIN tallyman.run r ON r.id = c.run AND r.business_date = u.date
     )
     SELECT t.identity FROM told t
       JOIN tallyman.break_ledger b ON b.reconciliation = t.reconciliation
       JOIN tallyman.lasting_break l ON l.ledger = b.id AND l.identity = t.identity::uuid
       LEFT JOIN tallyman.break k ON k.result = t.result AND k.identity = t.identity
     WHERE CASE WHEN k.id IS NULL THEN t.latest AND l.values_since <= t.date
       ELSE (k.columns, k.left_rows, k.right_rows) IS NOT DISTINCT FROM (l.columns, l.left_rows, l.right_rows) END`,
    [
      told.map(({ identity }) => identity),
      told.map(({ comparison }) => comparison.reconciliation),
      told.map(({ comparison }) => comparison.date),
      told.map(({ comparison }) => comparison.number),
    ],
  )
  return new Set(rows.map(({ identity }) => identity))
}
