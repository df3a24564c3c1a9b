/**
 * What nights before say about tonight's sides: how many rows they had, and whether tonight's files came
 * before under another date. Reads only; judged by lib/run/side-gates.ts.
 */
import type { Connection } from '../db/connection.ts'

/** Rows of both sides of the latest nights before a date that proved something, the newest first. */
export async function rowsOfNights(
  connection: Connection,
  reconciliation: string,
  before: string,
  limit: number,
): Promise<{ readonly left: number; readonly right: number }[]> {
  const { rows } = await connection.query<{ left: number; right: number }>(
    `SELECT (x.result -> 'left' ->> 'rows')::float8 AS left, (x.result -> 'right' ->> 'rows')::float8 AS right
     FROM tallyman.break_night n JOIN tallyman.break_ledger b ON b.id = n.ledger
       JOIN tallyman.comparison_result x ON x.comparison = n.comparison AND x.reconciliation = b.reconciliation
     WHERE b.reconciliation = $1 AND n.business_date < $2 ORDER BY n.business_date DESC LIMIT $3`,
    [reconciliation, before, limit],
  )
  return rows
}

/** A file whose content was delivered for an earlier date as well. */
export interface SameContent {
  readonly name: string
  readonly earlierName: string
  readonly earlierDate: string
}

/** Which of some contents the feed's latest earlier date has, too. */
export async function sameAsBefore(
  connection: Connection,
  feed: string,
  businessDate: string,
  files: readonly { readonly name: string; readonly sha256: string }[],
): Promise<SameContent[]> {
  const { rows } = await connection.query<SameContent>(
    `SELECT DISTINCT ON (t.name) t.name, f.remote_name AS "earlierName", f.business_date AS "earlierDate"
     FROM unnest($3::text[], $4::text[]) AS t (name, sha256) JOIN tallyman.file f ON f.content_sha256 = t.sha256
     WHERE f.feed = $1 AND f.state IN ('received', 'applied') AND f.business_date = (
       SELECT max(business_date) FROM tallyman.file
       WHERE feed = $1 AND business_date < $2 AND state IN ('received', 'applied'))
     ORDER BY t.name, f.id`,
    [feed, businessDate, files.map(({ name }) => name), files.map(({ sha256 }) => sha256)],
  )
  return rows
}
