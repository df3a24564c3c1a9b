/**
 * All that is left of one run when it is over, without what differs from run to run (ids, times,
 * hashes, its date): two runs of like deliveries must leave equal pictures, whatever befell them.
 */
import { createHash } from 'node:crypto'
import type { Night } from './night.ts'
import { filesOf } from './night-state.ts'

/** What is asked of the database, by name; $1 is the job, $2 the date. */
const QUESTIONS: Readonly<Record<string, string>> = {
  run: 'SELECT state, owed FROM tallyman.run WHERE job = $1 AND business_date = $2::date',
  leases: `SELECT l.run FROM tallyman.lease l JOIN tallyman.run r ON r.id = l.run WHERE r.job = $1 AND r.business_date = $2::date`,
  openAttempts: `SELECT a.number FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run
    WHERE r.job = $1 AND r.business_date = $2::date AND a.state = 'running'`,
  lastAttempt: `SELECT a.state FROM tallyman.attempt a JOIN tallyman.run r ON r.id = a.run
    WHERE r.job = $1 AND r.business_date = $2::date ORDER BY a.number DESC LIMIT 1`,
  files: `SELECT remote_name, state, reason, remote_state FROM tallyman.file
    WHERE business_date = $2::date AND (feed = $1 OR feed IN ('ecb-rates', 'ecb-history') AND $1 = 'fx-rates') ORDER BY remote_name`,
  revisions: `SELECT v.number, v.state, v.mode, p.position, p.verdict, p.note FROM tallyman.revision v
    JOIN tallyman.run r ON r.id = v.run JOIN tallyman.revision_file p ON p.revision = v.id
    WHERE r.job = $1 AND r.business_date = $2::date ORDER BY v.number, p.position`,
  loads: `SELECT l.state, l.result FROM tallyman.load l JOIN tallyman.revision v ON v.id = l.revision
    JOIN tallyman.run r ON r.id = v.run WHERE r.job = $1 AND r.business_date = $2::date ORDER BY v.number`,
  rejects: `SELECT j.line, j.step, j.raw, j.issues, j.state FROM tallyman.reject j JOIN tallyman.revision v ON v.id = j.revision
    JOIN tallyman.run r ON r.id = v.run WHERE r.job = $1 AND r.business_date = $2::date ORDER BY j.line, j.raw`,
  calls: `SELECT c.items, c.state, c.status FROM tallyman.call c JOIN tallyman.revision v ON v.id = c.revision
    JOIN tallyman.run r ON r.id = v.run WHERE r.job = $1 AND r.business_date = $2::date ORDER BY c.id`,
  comparisons: `SELECT c.number, x.reconciliation, x.outcome, x.breaks_total,
      (SELECT count(*) FROM tallyman.break b WHERE b.result = x.id) AS breaks
    FROM tallyman.comparison c JOIN tallyman.run r ON r.id = c.run LEFT JOIN tallyman.comparison_result x ON x.comparison = c.id
    WHERE r.job = $1 AND r.business_date = $2::date ORDER BY c.number, x.reconciliation`,
  snapshots: `SELECT s.reconciliation, s.side, s.rows FROM tallyman.snapshot s JOIN tallyman.run r ON r.id = s.run
    WHERE r.job = $1 AND r.business_date = $2::date ORDER BY 1, 2`,
  mails: `SELECT o.kind, o.state, o.subject FROM tallyman.outbox o JOIN tallyman.run r ON r.id = o.run
    WHERE r.job = $1 AND r.business_date = $2::date ORDER BY o.id`,
}

/** The target tables by job, each with the condition for the rows of a delivery; $1 is its date. */
const TARGETS: Readonly<Record<string, readonly (readonly [table: string, condition: string])[]>> = {
  'portal-orders': [['sales.order_line', 'business_date = $1::date']],
  'fx-rates': [['treasury.fx_rate', 'date = $1::date']],
  'bank-statements': [
    ['finance.bank_entry', "statement_id LIKE '%' || $1"],
    ['finance.bank_balance', "statement_id LIKE '%' || $1"],
  ],
}

/** What is left of a run, by part, each row as text. */
export type Picture = Readonly<Record<string, readonly string[]>>

/** The picture of a run. */
export async function pictureOf(night: Night, job: string, date: string): Promise<Picture> {
  const compact = date.replaceAll('-', '')
  const local = date.split('-').reverse().join('.')
  const plain = (text: string): string =>
    text
      .replaceAll(date, 'DATE')
      .replaceAll(compact, 'DATE')
      .replaceAll(local, 'DATE')
      .replaceAll(/[0-9a-f]{16,64}/g, 'HASH')
  const picture: Record<string, readonly string[]> = {}
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    const rows = await night.rows(sql, [job, date])
    picture[name] = rows.map(row => plain(JSON.stringify(row)))
  }
  for (const [table, condition] of TARGETS[job] ?? []) {
    const rows = await night.rows<{ row: string }>(
      `SELECT (to_jsonb(t) - 'as_of')::text AS row FROM ${table} t WHERE ${condition} ORDER BY 1`,
      [date],
    )
    picture[table] = brief(rows.map(({ row }) => plain(row)))
  }
  const entries = [...night.store.rows.entries()].filter(([, item]) => Object.values(item).includes(date))
  picture.api = entries.map(([id, item]) =>
    plain(`${JSON.stringify(item)} written ${night.store.effects.get(id)} times`),
  )
  const endpoint = night.job(job).job.fetch
  const remote = endpoint.kind === 'sftp' ? await night.lies(endpoint.endpoint) : []
  picture.remote = remote.filter(name => name.includes(compact)).map(plain)
  const archived = await filesOf(night, 'archive')
  picture.archive = archived
    .filter(name => name.includes(date) && name.includes(feedPrefix(job)))
    .map(plain)
    .sort()
  const sent = night.smtp.received.filter(({ mail }) => mail.subject?.includes(`${job} ${date}`))
  picture.sent = [...new Set(sent.map(({ mail }) => `${mail.subject} ${mail.messageId}`))].map(text =>
    plain(text.replace(/ <.*/, '')),
  )
  return picture
}

function feedPrefix(job: string): string {
  return job === 'fx-rates' ? 'ecb-' : job
}

/** Many rows as their number and hash: a difference is seen, and the text of a failure can be read. */
function brief(rows: readonly string[]): readonly string[] {
  if (rows.length <= 50) return rows
  const hash = createHash('sha256').update(rows.join('\n')).digest('hex')
  return [`${rows.length} rows, ${hash}`]
}
