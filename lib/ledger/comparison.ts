/**
 * Comparisons as rows, with their own gate (T6): a number per run that retries and recoveries reuse,
 * because the mail's Message-ID derives from it. Comparing is reconcile/; lasting states of breaks
 * are built on the identities kept here.
 */
import type { Connection } from '../db/connection.ts'
import type { Break, Comparison } from '../model/break.ts'
import type { Holding } from './fence.ts'
import { storable, storableJson } from './storable.ts'

/** A comparison as stored: without its breaks. */
export type StoredComparison = Omit<Comparison, 'breaks'>

/** The number of the comparison that the run makes next; the same until it is inserted. */
export async function nextComparisonNumber(connection: Connection, runId: string): Promise<number> {
  const { rows } = await connection.query<{ number: number }>(
    'SELECT coalesce(max(number), 0) + 1 AS number FROM tallyman.comparison WHERE run = $1',
    [runId],
  )
  return rows[0]!.number
}

/** The gate, as first statement of T6: `new`, or `done` when this number was committed before. */
export async function insertComparison(
  connection: Connection,
  holding: Holding,
  comparison: { readonly number: number; readonly revisionId: string | null },
): Promise<{ readonly kind: 'new' | 'done'; readonly id: string }> {
  const inserted = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.comparison (run, number, revision, attempt, fence) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (run, number) DO NOTHING RETURNING id`,
    [holding.runId, comparison.number, comparison.revisionId, holding.attemptId, holding.fence],
  )
  if (inserted.rows[0] !== undefined) return { kind: 'new', id: inserted.rows[0].id }
  const { rows } = await connection.query<{ id: string }>(
    'SELECT id FROM tallyman.comparison WHERE run = $1 AND number = $2',
    [holding.runId, comparison.number],
  )
  return { kind: 'done', id: rows[0]!.id }
}

/** Breaks per statement: about 1 MB of text. */
const BREAKS_PER_STATEMENT = 2_000

/**
 * Stores what one reconciliation gave, with the breaks held in memory; all of them are in its breaks file. `madeBy`
 * is what it takes to make it again.
 */
export async function storeComparison(
  connection: Connection,
  comparisonId: string,
  comparison: Comparison,
  madeBy: unknown,
): Promise<void> {
  const { breaks, ...result } = comparison
  const { rows } = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.comparison_result (comparison, reconciliation, outcome, breaks_total, result, made_by)
     VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb) RETURNING id`,
    [
      ...[comparisonId, result.reconciliation, result.outcome, result.breaksTotal],
      ...[storableJson(result), storableJson(madeBy)],
    ],
  )
  for (let at = 0; at < breaks.length; at += BREAKS_PER_STATEMENT) {
    await storeBreaks(connection, rows[0]!.id, breaks.slice(at, at + BREAKS_PER_STATEMENT))
  }
}

async function storeBreaks(
  connection: Connection,
  resultId: string,
  breaks: readonly Break[],
): Promise<void> {
  await connection.query(
    `INSERT INTO tallyman.break (result, identity, kind, key, columns, left_rows, right_rows, origin, hint)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::int[], $7::int[], $8::jsonb[], $9::text[])`,
    [
      resultId,
      breaks.map(found => found.identity),
      breaks.map(found => found.kind),
      breaks.map(found => storableJson(found.key)),
      breaks.map(found => storableJson(found.columns)),
      breaks.map(found => found.leftRows),
      breaks.map(found => found.rightRows),
      breaks.map(found => (found.origin === null ? null : storableJson(found.origin))),
      breaks.map(found => storable(found.hint)),
    ],
  )
}

/** What the run's latest comparison gave, by reconciliation; empty when there is none. */
export async function latestComparison(
  connection: Connection,
  runId: string,
): Promise<{ readonly number: number; readonly results: StoredComparison[] }> {
  const { rows } = await connection.query<{ number: number; result: StoredComparison }>(
    `SELECT c.number, x.result FROM tallyman.comparison c JOIN tallyman.comparison_result x ON x.comparison = c.id
     WHERE c.run = $1 AND c.number = (SELECT max(number) FROM tallyman.comparison WHERE run = $1) ORDER BY x.id`,
    [runId],
  )
  return { number: rows[0]?.number ?? 0, results: rows.map(row => row.result) }
}

/** Number of the latest comparison before `before` that proved anything: an inconclusive one says nothing about breaks. 0 when there is none. */
export async function earlierComparison(
  connection: Connection,
  runId: string,
  reconciliation: string,
  before: number,
): Promise<number> {
  const { rows } = await connection.query<{ number: number }>(
    `SELECT coalesce(max(c.number), 0) AS number FROM tallyman.comparison c
       JOIN tallyman.comparison_result x ON x.comparison = c.id
     WHERE c.run = $1 AND x.reconciliation = $2 AND c.number < $3 AND x.outcome <> 'INCONCLUSIVE'`,
    [runId, reconciliation, before],
  )
  return rows[0]!.number
}

/**
 * Number of the comparison that was committed together with its mail by an attempt that then died,
 * null when there is none: nothing is left to do for it but to send and to say so. Before `attempt`.
 */
export async function unfinishedComparison(
  connection: Connection,
  runId: string,
  attempt: number,
): Promise<number | null> {
  const { rows } = await connection.query<{ number: number }>(
    `SELECT c.number FROM tallyman.comparison c JOIN tallyman.attempt a ON a.id = c.attempt
     WHERE c.run = $1 AND c.number = (SELECT max(number) FROM tallyman.comparison WHERE run = $1)
       AND NOT EXISTS (SELECT FROM tallyman.attempt x WHERE x.run = $1 AND x.number >= a.number AND x.number < $2
         AND x.state IN ('succeeded', 'nothing-to-do'))`,
    [runId, attempt],
  )
  return rows[0]?.number ?? null
}

/** The stored breaks of one result, in the order in which they were found. */
export async function breaksOf(
  connection: Connection,
  runId: string,
  reconciliation: string,
  number: number,
): Promise<Break[]> {
  const { rows } = await connection.query<Break>(
    `SELECT b.identity, b.kind, b.key, b.columns, b.left_rows AS "leftRows", b.right_rows AS "rightRows", b.origin, b.hint
     FROM tallyman.comparison c JOIN tallyman.comparison_result x ON x.comparison = c.id
       JOIN tallyman.break b ON b.result = x.id
     WHERE c.run = $1 AND x.reconciliation = $2 AND c.number = $3 ORDER BY b.id`,
    [runId, reconciliation, number],
  )
  return rows
}
