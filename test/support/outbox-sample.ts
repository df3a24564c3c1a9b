/**
 * A run ledger with an outbox, and a mail to put into it: for the tests of delivery.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Database } from '../../lib/db/database.ts'
import { openLedger } from '../../lib/ledger/open.ts'
import { enqueueMail, type OutboxMail } from '../../lib/ledger/outbox.ts'
import type { SmtpServer } from '../../lib/model/environment.ts'
import { silentLog } from '../../lib/model/progress.ts'
import { type ResolveSecret, Secret } from '../../lib/model/secret.ts'
import { type Delivery, type DeliveryOptions, deliverOutbox } from '../../lib/report/deliver/outbox.ts'
import { testDatabase } from './postgres.ts'
import type { SmtpPeer } from './smtp-peer.ts'

/** The address of a peer as an environment names it. */
export function serverOf(peer: SmtpPeer, more: Partial<SmtpServer> = {}): SmtpServer {
  return { host: peer.host, port: peer.port, tls: 'none', ...more }
}

/** An outbox in a fresh database, with everything that delivery needs. */
export class OutboxSample {
  readonly database: Database
  readonly folder: string
  #sent = 0

  private constructor(database: Database, folder: string) {
    this.database = database
    this.folder = folder
  }

  /** Call at the top of a test file. */
  static async open(): Promise<OutboxSample> {
    const { database } = await testDatabase()
    await openLedger(database, { environment: 'test' })
    const folder = await mkdtemp(join(tmpdir(), 'tallyman-outbox-'))
    after(() => rm(folder, { recursive: true, force: true }))
    return new OutboxSample(database, folder)
  }

  /** Puts a mail in; gives its Message-ID. */
  async put(change: Partial<OutboxMail> = {}): Promise<string> {
    this.#sent += 1
    const mail: OutboxMail = {
      runId: null,
      kind: 'report',
      messageId: `mail-${this.#sent}@example.com`,
      from: 'Tallyman <tallyman@example.com>',
      to: ['cfo@example.com', 'desk@example.com'],
      subject: '[CLEAN] fx-rates 2026-11-20',
      headers: { 'Auto-Submitted': 'auto-generated', Date: 'Fri, 20 Nov 2026 23:10:12 +0000' },
      text: 'All records are loaded.\n',
      html: '<html><body><h1>All records are loaded.</h1></body></html>',
      attachments: [
        { name: 'breaks-1.csv', contentType: 'text/csv; charset=utf-8', content: Buffer.from('a,b\r\n') },
      ],
      held: false,
      ...change,
    }
    await this.database.use(connection => enqueueMail(connection, mail))
    return mail.messageId
  }

  /** One pass of delivery in production, without pauses. */
  deliver(smtp: SmtpServer, change: Partial<DeliveryOptions> = {}): Promise<readonly Delivery[]> {
    return deliverOutbox({
      database: this.database,
      environment: { production: true, releaseMail: false, smtp },
      secrets: literalSecrets,
      folder: this.folder,
      log: silentLog,
      signal: AbortSignal.timeout(60_000),
      random: () => 0,
      ...change,
    })
  }

  /** State of a mail and of its recipients, as the ledger has them. */
  async stateOf(
    messageId: string,
  ): Promise<{ state: string; error: string; tries: number; recipients: Record<string, string> }> {
    return this.database.use(async connection => {
      const mails = await connection.query<{ id: string; state: string; last_error: string; tries: number }>(
        'SELECT id, state, last_error, tries FROM tallyman.outbox WHERE message_id = $1',
        [messageId],
      )
      const { id, state, last_error: error, tries } = mails.rows[0]!
      const recipients = await connection.query<{ address: string; state: string }>(
        'SELECT address, state FROM tallyman.outbox_recipient WHERE mail = $1 ORDER BY address',
        [id],
      )
      return {
        state,
        error,
        tries: Number(tries),
        recipients: Object.fromEntries(recipients.rows.map(row => [row.address, row.state])),
      }
    })
  }
}

const literalSecrets: ResolveSecret = async source => new Secret('literal' in source ? source.literal : '')
