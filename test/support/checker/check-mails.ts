/**
 * Each mail delivered or waiting, once per Message-ID, and every compared night told: the outbox of
 * the run ledger, the mail server's mailbox and the outbox folder against each other.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from 'pg'
import type { CheckSpec, Finding, FindingKind } from './spec.ts'

interface OutboxRow {
  readonly id: string
  readonly state: string
  readonly run: string | null
  readonly kind: string
  /** Addresses that have it. */
  readonly has: readonly string[]
  readonly waits: readonly string[]
}

function messageId(raw: string): string {
  return /^Message-ID:\s*<([^>]*)>/im.exec(raw)?.[1] ?? '(none)'
}

/** Findings about mails. */
export async function checkMails(client: Client, spec: CheckSpec): Promise<Finding[]> {
  const outbox = (
    await client.query(
      `SELECT message_id AS id, state, run::text AS run, kind,
         ARRAY(SELECT address FROM tallyman.outbox_recipient p WHERE p.mail = o.id AND p.state = 'delivered') AS has,
         ARRAY(SELECT address FROM tallyman.outbox_recipient p WHERE p.mail = o.id AND p.state = 'waiting') AS waits
       FROM tallyman.outbox o`,
    )
  ).rows as OutboxRow[]
  const mailbox = JSON.parse(readFileSync(spec.mailbox, 'utf8')) as { to: string[]; raw: string }[]
  const copies = Map.groupBy(mailbox, ({ raw }) => messageId(raw))
  const findings: Finding[] = []
  for (const row of outbox) findings.push(...mailFindings(row, copies.get(row.id) ?? [], spec))
  for (const id of copies.keys()) {
    if (!outbox.some(row => row.id === id))
      findings.push({ kind: 'mail-unknown', subject: id, message: 'Delivered, but in no outbox row.' })
  }
  const second = [...copies].filter(([, same]) => same.length > 1)
  const surplus = second.reduce((sum, [, same]) => sum + same.length - 1, 0)
  if (surplus > spec.lostMailAnswers) {
    const subject = second.map(([id]) => id).join(', ')
    const message = `${surplus} second copies; ${spec.lostMailAnswers} answers of the mail server were lost.`
    findings.push({ kind: 'mail-doubled', subject, message })
  }
  return [...findings, ...(await untold(client))]
}

function mailFindings(
  { id, state, has, waits }: OutboxRow,
  copies: readonly { readonly to: readonly string[] }[],
  spec: CheckSpec,
): Finding[] {
  const findings: Finding[] = []
  const say = (kind: FindingKind, message: string): void => void findings.push({ kind, subject: id, message })
  const got = new Set(copies.flatMap(({ to }) => to))
  for (const address of has)
    if (!got.has(address)) say('mail-lost', `${address} never got it, but is delivered.`)
  if (state === 'delivered' && has.length === 0) say('mail-lost', 'Delivered to nobody.')
  if (state === 'waiting' && waits.length === 0) say('mail-lost', 'Waiting for nobody.')
  if (state === 'held' && !isKept(spec, id)) say('mail-lost', 'Held, but not in the outbox folder.')
  if (state === 'failed') say('mail-failed', 'Given up.')
  return findings
}

/** A held mail lies as a file whose content names its Message-ID. */
function isKept(spec: CheckSpec, id: string): boolean {
  const folder = join(spec.dataFolder, 'outbox')
  if (!existsSync(folder)) return false
  return readdirSync(folder)
    .filter(name => name.endsWith('.eml'))
    .some(name => messageId(readFileSync(join(folder, name), 'utf8')) === id)
}

/** Compared nights without a mail: silence is an alarm. */
async function untold(client: Client): Promise<Finding[]> {
  const { rows } = await client.query(
    `SELECT r.job || ' ' || r.business_date AS name, count(*)::int AS compared,
       (SELECT count(*)::int FROM tallyman.outbox o WHERE o.run = r.id AND o.kind = 'report') AS told
     FROM tallyman.comparison c JOIN tallyman.run r ON r.id = c.run GROUP BY r.id`,
  )
  return rows
    .filter(({ compared, told }) => told < compared)
    .map(({ name, compared, told }) => {
      return { kind: 'night-untold', subject: name, message: `${compared} comparisons, ${told} mails.` }
    })
}
