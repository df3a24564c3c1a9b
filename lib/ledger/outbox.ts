/**
 * Mails that wait to be sent (T5): put in by the transaction whose result they tell, leased by any
 * sender, settled per recipient. Writing and sending them is lib/report.
 */
import type { Connection } from '../db/connection.ts'
import { storable, storableJson } from './storable.ts'

/** An attachment. */
export interface OutboxAttachment {
  readonly name: string
  readonly contentType: string
  readonly content: Buffer
}

/** A mail before it is sent. */
export interface OutboxMail {
  readonly runId: string | null
  /** `report`, `failure`, `alert`. */
  readonly kind: string
  /** Fixed for ever, without angle brackets: a mail that is sent twice is seen as one. */
  readonly messageId: string
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly html: string
  readonly attachments: readonly OutboxAttachment[]
  /** Kept, not sent, until released: mails outside production. */
  readonly held: boolean
}

/** A leased mail: `to` are the recipients that have not got it yet. */
export interface LeasedMail extends OutboxMail {
  readonly id: string
  /** Earlier tries. */
  readonly tries: number
}

/** Puts a mail into the outbox, inside the caller's transaction. A mail of the same Message-ID is there already: nothing happens, gives false. */
export async function enqueueMail(connection: Connection, mail: OutboxMail): Promise<boolean> {
  const { rows } = await connection.query<{ id: string }>(
    `INSERT INTO tallyman.outbox (run, kind, message_id, mail_from, subject, headers, text_body, html_body, state)
     VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9) ON CONFLICT (message_id) DO NOTHING RETURNING id`,
    [
      ...[
        mail.runId,
        mail.kind,
        mail.messageId,
        mail.from,
        storable(mail.subject),
        storableJson(mail.headers),
      ],
      ...[storable(mail.text), storable(mail.html), mail.held ? 'held' : 'waiting'],
    ],
  )
  const id = rows[0]?.id
  if (id === undefined) return false
  await connection.query(
    'INSERT INTO tallyman.outbox_recipient (mail, address) SELECT $1, * FROM unnest($2::text[]) ON CONFLICT DO NOTHING',
    [id, mail.to],
  )
  for (const [position, attachment] of mail.attachments.entries()) {
    await connection.query(
      'INSERT INTO tallyman.outbox_attachment (mail, position, name, content_type, content) VALUES ($1, $2, $3, $4, $5)',
      [id, position, attachment.name, attachment.contentType, attachment.content],
    )
  }
  return true
}

/**
 * Leases due mails, oldest first; other senders skip them until the lease ends. A sender that dies
 * leaves them to the next one, so a mail goes out at least once.
 */
export async function leaseMails(
  connection: Connection,
  options: { readonly limit: number; readonly leaseMs: number; readonly runId?: string },
): Promise<LeasedMail[]> {
  const leased = await connection.query<Omit<LeasedMail, 'to' | 'attachments'>>(
    `WITH due AS (
       SELECT id FROM tallyman.outbox WHERE state = 'waiting' AND send_after <= now()
         AND (leased_until IS NULL OR leased_until < now()) AND ($3::bigint IS NULL OR run = $3)
       ORDER BY send_after, id LIMIT $1 FOR UPDATE SKIP LOCKED)
     UPDATE tallyman.outbox o SET leased_until = now() + $2::float8 * interval '1 millisecond', tries = tries + 1
     FROM due WHERE o.id = due.id
     RETURNING o.id, o.run AS "runId", o.kind, o.message_id AS "messageId", o.mail_from AS "from", o.subject,
       o.headers, o.text_body AS text, o.html_body AS html, false AS held, o.tries - 1 AS tries`,
    [options.limit, options.leaseMs, options.runId ?? null],
  )
  const mails: LeasedMail[] = []
  for (const mail of leased.rows) mails.push({ ...mail, ...(await contentOf(connection, mail.id)) })
  return mails
}

async function contentOf(
  connection: Connection,
  mailId: string,
): Promise<{ to: string[]; attachments: OutboxAttachment[] }> {
  const recipients = await connection.query<{ address: string }>(
    `SELECT address FROM tallyman.outbox_recipient WHERE mail = $1 AND state = 'waiting' ORDER BY address`,
    [mailId],
  )
  const attachments = await connection.query<OutboxAttachment>(
    `SELECT name, content_type AS "contentType", content FROM tallyman.outbox_attachment WHERE mail = $1 ORDER BY position`,
    [mailId],
  )
  return { to: recipients.rows.map(row => row.address), attachments: attachments.rows }
}

/** What the server said about one recipient. */
export interface RecipientAnswer {
  readonly address: string
  readonly state: 'delivered' | 'refused'
  readonly answer: string
}

/**
 * Writes down what became of the recipients. When none waits any more, the mail is settled:
 * delivered, partly or failed.
 */
export async function settleRecipients(
  connection: Connection,
  mailId: string,
  answers: readonly RecipientAnswer[],
): Promise<void> {
  await connection.transaction(async () => {
    await connection.query(
      `UPDATE tallyman.outbox_recipient r SET state = a.state, answer = a.answer, changed_at = now()
       FROM unnest($2::text[], $3::text[], $4::text[]) AS a (address, state, answer)
       WHERE r.mail = $1 AND r.address = a.address`,
      [
        mailId,
        answers.map(answer => answer.address),
        answers.map(answer => answer.state),
        answers.map(answer => storable(answer.answer)),
      ],
    )
    await connection.query(
      `UPDATE tallyman.outbox o SET leased_until = NULL, settled_at = now(), state = s.state FROM (
         SELECT CASE WHEN bool_and(state = 'delivered') THEN 'delivered' WHEN bool_and(state = 'refused') THEN 'failed'
           ELSE 'partly' END AS state, bool_or(state = 'waiting') AS waiting
         FROM tallyman.outbox_recipient WHERE mail = $1) s
       WHERE o.id = $1 AND NOT s.waiting`,
      [mailId],
    )
  })
}

/** Gives a mail back after a failure of the whole sending; it is due again after a pause. */
export async function rescheduleMail(
  connection: Connection,
  mailId: string,
  afterMs: number,
  error: string,
): Promise<void> {
  await connection.query(
    `UPDATE tallyman.outbox SET leased_until = NULL, last_error = $3,
       send_after = now() + $2::float8 * interval '1 millisecond' WHERE id = $1`,
    [mailId, afterMs, storable(error)],
  )
}

/** Keeps a mail that is not to be sent from here: outside production it stays in the outbox until released. */
export async function holdMail(connection: Connection, mailId: string): Promise<void> {
  await connection.query(
    `UPDATE tallyman.outbox SET state = 'held', leased_until = NULL, settled_at = now() WHERE id = $1`,
    [mailId],
  )
}

/** Gives up on a mail for ever, with the reason. */
export async function failMail(connection: Connection, mailId: string, error: string): Promise<void> {
  await connection.query(
    `UPDATE tallyman.outbox SET state = 'failed', leased_until = NULL, settled_at = now(), last_error = $2 WHERE id = $1`,
    [mailId, storable(error)],
  )
}

/** The newest mail of a run with all its recipients, for sending or showing it again; null when it has none. */
export async function latestMail(connection: Connection, runId: string): Promise<LeasedMail | null> {
  const { rows } = await connection.query<Omit<LeasedMail, 'to' | 'attachments'>>(
    `SELECT id, run AS "runId", kind, message_id AS "messageId", mail_from AS "from", subject, headers,
       text_body AS text, html_body AS html, state = 'held' AS held, tries
     FROM tallyman.outbox WHERE run = $1 ORDER BY id DESC LIMIT 1`,
    [runId],
  )
  const [mail] = rows
  if (mail === undefined) return null
  const { attachments } = await contentOf(connection, mail.id)
  const recipients = await connection.query<{ address: string }>(
    'SELECT address FROM tallyman.outbox_recipient WHERE mail = $1 ORDER BY address',
    [mail.id],
  )
  return { ...mail, attachments, to: recipients.rows.map(row => row.address) }
}

/** Where a mail stands; `kept`: held here because this is not production. */
export async function mailState(
  connection: Connection,
  messageId: string,
): Promise<'waiting' | 'delivered' | 'partly' | 'failed' | 'kept'> {
  const { rows } = await connection.query<{ state: 'waiting' | 'delivered' | 'partly' | 'failed' | 'kept' }>(
    `SELECT CASE state WHEN 'held' THEN 'kept' ELSE state END AS state FROM tallyman.outbox WHERE message_id = $1`,
    [messageId],
  )
  return rows[0]?.state ?? 'waiting'
}

/** Makes a mail due again for all its recipients, under its own Message-ID: asked for by a person. */
export async function requeueMail(connection: Connection, mailId: string): Promise<void> {
  await connection.transaction(async () => {
    await connection.query(
      `UPDATE tallyman.outbox_recipient SET state = 'waiting', answer = '', changed_at = now() WHERE mail = $1`,
      [mailId],
    )
    await connection.query(
      `UPDATE tallyman.outbox SET state = 'waiting', tries = 0, last_error = '', send_after = now(), leased_until = NULL,
         settled_at = NULL WHERE id = $1`,
      [mailId],
    )
  })
}
