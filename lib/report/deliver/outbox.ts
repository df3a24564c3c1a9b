/**
 * T5: empties the outbox. Leases mails, sends them, writes down what became of each recipient. A
 * mail goes out at least once, always with the same Message-ID; nothing here fails a run. Outside
 * production mails become files instead. Read order: deliverOutbox, deliver, afterFailure.
 */
import type { Database } from '../../db/database.ts'
import {
  failMail,
  holdMail,
  type LeasedMail,
  leaseMails,
  type RecipientAnswer,
  rescheduleMail,
  settleRecipients,
} from '../../ledger/outbox.ts'
import type { Environment } from '../../model/environment.ts'
import { BugError, ReportError, TallymanError } from '../../model/errors.ts'
import { failpoint } from '../../model/failpoint.ts'
import type { Log } from '../../model/progress.ts'
import type { ResolveSecret } from '../../model/secret.ts'
import { bareAddress, emlOf } from './eml.ts'
import { writeMailFiles } from './outbox-folder.ts'
import { type SmtpAnswer, type SmtpSender, smtpSender } from './smtp.ts'
import { withoutAttachments } from './too-big.ts'

/** Mails leased at a time: with a minute each, far below the lease. */
const BATCH = 5

/** A sender that dies holds its mails for this long; five mails at two minutes of silence each fit in. */
const LEASE_MS = 15 * 60_000

/** First pause after a failure, doubled each time, and the longest one. */
const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 3_600_000

const CONCERNS_ALL: readonly string[] = [
  'REPORT_SMTP_UNREACHABLE',
  'REPORT_SMTP_LOGIN',
  'REPORT_SMTP_UNENCRYPTED',
  'REPORT_FOLDER_UNWRITABLE',
]

/** Where and how mails are delivered. */
export interface DeliveryOptions {
  readonly database: Database
  readonly environment: Pick<Environment, 'production' | 'releaseMail' | 'smtp'>
  readonly secrets: ResolveSecret
  /** Folder for mails as files. */
  readonly folder: string
  /** `always`: files also of mails that are sent. `kept`: only of those that stay here. Default kept. */
  readonly files?: 'always' | 'kept'
  /** Only the mails of this run. */
  readonly runId?: string
  readonly log: Log
  readonly signal: AbortSignal
  /** From 0 to 1; for the jitter of pauses. */
  readonly random?: () => number
}

/** What became of one mail. */
export interface Delivery {
  readonly messageId: string
  /** `waiting`: it is tried again. `kept`: a file only, because this is not production. */
  readonly state: 'delivered' | 'partly' | 'kept' | 'waiting' | 'failed'
  /** The .html, where files were written. */
  readonly file: string | null
  /** Why it is not delivered to all; null when it is. */
  readonly error: TallymanError | null
}

/**
 * Delivers what is due in the outbox.
 * Guarantee: a mail leaves the outbox only after the server's answer was written down; one whose
 * answer was lost goes out again with the same Message-ID.
 * On failure: never throws because of a mail or a mail server; such mails wait or stand as failed,
 * and are told in the result and the log. Throws the signal's reason, and what the database throws.
 */
export async function deliverOutbox(options: DeliveryOptions): Promise<readonly Delivery[]> {
  const { database, environment } = options
  const sends = environment.production || environment.releaseMail
  const sender = smtpSender(environment.smtp, options.secrets)
  const deliveries: Delivery[] = []
  const tried = new Set<string>()
  for (;;) {
    options.signal.throwIfAborted()
    const mails = await database.use(connection =>
      leaseMails(connection, {
        limit: BATCH,
        leaseMs: LEASE_MS,
        ...(options.runId === undefined ? {} : { runId: options.runId }),
      }),
    )
    if (mails.length === 0) return deliveries
    const batch = await deliverBatch(mails, sends ? sender : null, options)
    deliveries.push(...batch)
    if (batch.some(({ error }) => error !== null && concernsAll(error))) return deliveries
    // A pause may come out as nearly nothing: a mail is tried twice in one pass at most.
    if (mails.some(({ id }) => tried.has(id))) return deliveries
    for (const { id } of mails) tried.add(id)
  }
}

/** Delivers leased mails one after the other; those behind one that met a broken server wait without trying. */
async function deliverBatch(
  mails: readonly LeasedMail[],
  sender: SmtpSender | null,
  options: DeliveryOptions,
): Promise<Delivery[]> {
  const deliveries: Delivery[] = []
  let down: TallymanError | null = null
  for (const [index, mail] of mails.entries()) {
    try {
      const delivery: Delivery =
        sender === null
          ? await keep(mail, options)
          : down === null
            ? await deliver(mail, sender, options)
            : await wait(mail, down, options, null)
      deliveries.push(delivery)
      if (delivery.error !== null && concernsAll(delivery.error)) down = delivery.error
    } catch (error) {
      if (options.signal.aborted) await giveBack(mails.slice(index), options)
      throw error
    }
  }
  return deliveries
}

/** After a stop the next sender need not wait for the lease to end. The mail in hand may have gone out: it goes out again. */
async function giveBack(mails: readonly LeasedMail[], { database }: DeliveryOptions): Promise<void> {
  for (const mail of mails) {
    await database.use(connection => rescheduleMail(connection, mail.id, 0, 'The sender was stopped.'))
  }
}

/** True for what would befall every other mail as well. */
function concernsAll({ code }: TallymanError): boolean {
  return CONCERNS_ALL.includes(code) || code.startsWith('CONFIG_')
}

async function keep(mail: LeasedMail, options: DeliveryOptions): Promise<Delivery> {
  let file: string
  try {
    file = (await writeMailFiles(options.folder, mail)).html
  } catch (error) {
    return afterFailure(mail, told(mail, error), options, null)
  }
  failpoint('report.before-hold')
  await options.database.use(connection => holdMail(connection, mail.id))
  options.log.info('report.kept', { messageId: mail.messageId })
  return { messageId: mail.messageId, state: 'kept', file, error: null }
}

async function deliver(mail: LeasedMail, sender: SmtpSender, options: DeliveryOptions): Promise<Delivery> {
  const file = options.files === 'always' ? await copyOf(mail, options) : null
  let answer: SmtpAnswer
  try {
    answer = await sendFitting(mail, sender, options)
  } catch (error) {
    options.signal.throwIfAborted()
    return afterFailure(mail, told(mail, error), options, file)
  }
  failpoint('report.after-send')
  return settle(mail, answer, options, file)
}

/** The copy is a courtesy: without it the mail still goes out. */
async function copyOf(mail: LeasedMail, options: DeliveryOptions): Promise<string | null> {
  try {
    return (await writeMailFiles(options.folder, mail)).html
  } catch (error) {
    options.log.warn('report.no-copy', { code: told(mail, error).code, messageId: mail.messageId })
    return null
  }
}

/** One mail that can't even be written as such must not hold up all that come after it. */
function told({ messageId }: LeasedMail, error: unknown): TallymanError {
  if (error instanceof TallymanError) return error
  return new BugError(
    'BUG_MAIL_UNSENDABLE',
    `The mail ${messageId} could not be made into a message: ${error instanceof Error ? error.message : String(error)}. It stands as failed in the outbox; the others go out.`,
    { cause: error },
  )
}

/** Sends the mail; too big a one a second time without its attachments, which stay in the folder (E3). */
async function sendFitting(
  mail: LeasedMail,
  sender: SmtpSender,
  options: DeliveryOptions,
): Promise<SmtpAnswer> {
  const envelope = { from: bareAddress(mail.from), to: mail.to.map(bareAddress) }
  try {
    return await sender.send({ ...envelope, eml: await emlOf(mail) }, options.signal)
  } catch (error) {
    const tooBig = error instanceof ReportError && error.code === 'REPORT_MAIL_TOO_BIG'
    if (!tooBig || mail.attachments.length === 0) throw error
    const files = await writeMailFiles(options.folder, mail)
    options.log.warn('report.too-big', { messageId: mail.messageId, attachments: mail.attachments.length })
    const eml = await emlOf(withoutAttachments(mail, files.eml))
    return sender.send({ ...envelope, eml }, options.signal)
  }
}

async function settle(
  mail: LeasedMail,
  answer: SmtpAnswer,
  options: DeliveryOptions,
  file: string | null,
): Promise<Delivery> {
  const listed = new Map(mail.to.map(address => [bareAddress(address), address]))
  const answers: RecipientAnswer[] = [
    ...answer.delivered.map(address => ({ address, state: 'delivered' as const, answer: answer.answer })),
    ...answer.refused.map(({ address, answer: said }) => ({
      address,
      state: 'refused' as const,
      answer: said,
    })),
  ].map(said => ({ ...said, address: listed.get(said.address) ?? said.address }))
  await options.database.use(connection => settleRecipients(connection, mail.id, answers))
  const { messageId } = mail
  if (answer.deferred.length > 0) {
    const error = new ReportError(
      'REPORT_MAIL_DEFERRED',
      `The mail server can't take the mail for ${addresses(answer.deferred)} now. It waits in the outbox for them and is tried again; the others have it.`,
      { retry: 'backoff', details: { messageId } },
    )
    return wait(mail, error, options, file)
  }
  if (answer.refused.length === 0) {
    options.log.info('report.delivered', { messageId, recipients: answer.delivered.length })
    return { messageId, state: 'delivered', file, error: null }
  }
  const error = new ReportError(
    'REPORT_RECIPIENT_REFUSED',
    `The mail server refused ${addresses(answer.refused)}. ${answer.delivered.length === 0 ? 'Nobody has the mail' : 'The other recipients have the mail'}; correct the list of recipients in the environment.`,
    { details: { messageId, refused: answer.refused.map(({ address }) => address) } },
  )
  options.log.error('report.recipient-refused', {
    code: error.code,
    messageId,
    refused: answer.refused.length,
  })
  return { messageId, state: answer.delivered.length === 0 ? 'failed' : 'partly', file, error }
}

function addresses(recipients: readonly { readonly address: string }[]): string {
  return recipients.map(({ address }) => address).join(', ')
}

async function afterFailure(
  mail: LeasedMail,
  error: TallymanError,
  options: DeliveryOptions,
  file: string | null,
): Promise<Delivery> {
  if (error.retry !== 'never' || concernsAll(error)) return wait(mail, error, options, file)
  await options.database.use(connection => failMail(connection, mail.id, `${error.message} [${error.code}]`))
  options.log.error('report.failed', { code: error.code, messageId: mail.messageId })
  return { messageId: mail.messageId, state: 'failed', file, error }
}

/** Gives the mail back, due again after a pause with full jitter. */
async function wait(
  mail: LeasedMail,
  error: TallymanError,
  options: DeliveryOptions,
  file: string | null,
): Promise<Delivery> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(mail.tries, 20))
  const pause = Math.round((options.random ?? Math.random)() * longest)
  await options.database.use(connection =>
    rescheduleMail(connection, mail.id, pause, `${error.message} [${error.code}]`),
  )
  options.log.warn('report.waiting', {
    code: error.code,
    messageId: mail.messageId,
    tries: mail.tries + 1,
    pause,
  })
  return { messageId: mail.messageId, state: 'waiting', file, error }
}
