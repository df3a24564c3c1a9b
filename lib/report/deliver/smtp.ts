/**
 * Sends one mail over SMTP and says what became of each recipient. Knows TLS, login and time limits;
 * what a failure means for the outbox is decided in outbox.ts. Errors are translated here, once.
 */
import { Readable } from 'node:stream'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SmtpServer } from '../../model/environment.ts'
import { ReportError } from '../../model/errors.ts'
import type { ResolveSecret } from '../../model/secret.ts'

/** Connecting, TLS included. A healthy server takes under a second, one behind a greylist up to ten. */
const CONNECT_TIMEOUT_MS = 20_000

/** Silence after which a connection is given up; RFC 5321 lets a server think for minutes about DATA. */
const SILENCE_TIMEOUT_MS = 120_000

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i

/** What the server said: to each recipient, and to the mail as a whole. */
export interface SmtpAnswer {
  readonly delivered: readonly string[]
  /** Refused for good (5xx). */
  readonly refused: readonly { readonly address: string; readonly answer: string }[]
  /** Not now (4xx). */
  readonly deferred: readonly { readonly address: string; readonly answer: string }[]
  readonly answer: string
}

/** An error of nodemailer. */
interface SmtpFailure extends Error {
  readonly code?: string
  readonly responseCode?: number
  readonly response?: string
  readonly recipient?: string
  readonly rejectedErrors?: readonly SmtpFailure[]
}

/** The bytes to send, from whom and to whom (bare addresses). */
export interface SmtpMail {
  readonly from: string
  readonly to: readonly string[]
  readonly eml: Buffer
}

/** Sends mails through one server, one connection each: nights send few. */
export interface SmtpSender {
  /**
   * @throws REPORT_SMTP_UNENCRYPTED, REPORT_SMTP_UNREACHABLE, REPORT_SMTP_LOGIN, REPORT_OUTCOME_UNKNOWN (the answer
   * after the content was lost), REPORT_MAIL_TOO_BIG, REPORT_MAIL_DEFERRED, REPORT_MAIL_REFUSED
   */
  send(mail: SmtpMail, signal: AbortSignal): Promise<SmtpAnswer>
}

/** A sender. The password is read for each connection, and once more when the login is refused, so that a rotated one is found. */
export function smtpSender(server: SmtpServer, secrets: ResolveSecret): SmtpSender {
  return {
    send: async (mail, signal) => {
      if (server.tls === 'none' && !LOOPBACK.test(server.host)) {
        throw new ReportError(
          'REPORT_SMTP_UNENCRYPTED',
          `The mail server ${server.host} is to be used without TLS, which is only allowed on this machine itself. The mail waits in the outbox until the environment says implicit or starttls.`,
        )
      }
      const password = await passwordOf(server, secrets)
      try {
        return await sendOnce(server, password, mail, signal)
      } catch (error) {
        if (!(error instanceof ReportError) || error.code !== 'REPORT_SMTP_LOGIN') throw error
        const again = await passwordOf(server, secrets)
        if (again === password) throw error
        return sendOnce(server, again, mail, signal)
      }
    },
  }
}

async function passwordOf(server: SmtpServer, secrets: ResolveSecret): Promise<string> {
  return server.password === undefined ? '' : (await secrets(server.password)).reveal()
}

async function sendOnce(
  server: SmtpServer,
  password: string,
  mail: SmtpMail,
  signal: AbortSignal,
): Promise<SmtpAnswer> {
  signal.throwIfAborted()
  const connection = new SMTPConnection({
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    requireTLS: server.tls === 'starttls',
    ignoreTLS: server.tls === 'none',
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    socketCloseTimeout: 0,
    tls: { minVersion: 'TLSv1.2', ...(server.ca === undefined ? {} : { ca: server.ca }) },
  })
  const stop = () => connection.close()
  signal.addEventListener('abort', stop, { once: true })
  const content = handedOver(mail.eml)
  try {
    await step(connection, done => connection.connect(done))
    if (server.user !== undefined) {
      await step(connection, done =>
        connection.login({ credentials: { user: server.user!, pass: password } }, done),
      )
    }
    return await exchange(connection, mail, content.stream)
  } catch (error) {
    signal.throwIfAborted()
    throw translated(error as SmtpFailure, server, content.started())
  } finally {
    signal.removeEventListener('abort', stop)
    // An error after the last answer concerns nobody, and without a listener it would end the process.
    connection.on('error', () => {})
    connection.quit()
  }
}

/** One step of the conversation: its callback, or an error of the connection, whichever comes first. */
function step<T>(
  connection: SMTPConnection,
  start: (done: (error?: Error | null, value?: T) => void) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error)
    const ended = () => reject(Object.assign(new Error('Connection closed'), { code: 'ECONNECTION' }))
    connection.once('error', failed)
    connection.once('end', ended)
    start((error, value) => {
      connection.off('error', failed)
      connection.off('end', ended)
      if (error === undefined || error === null) resolve(value)
      else reject(error)
    })
  })
}

async function exchange(connection: SMTPConnection, mail: SmtpMail, content: Readable): Promise<SmtpAnswer> {
  const envelope = { from: mail.from, to: [...mail.to], size: mail.eml.length }
  try {
    const info = await step<{
      accepted: readonly string[]
      response: string
      rejectedErrors?: readonly SmtpFailure[]
    }>(connection, done => connection.send(envelope, content, done as Parameters<typeof connection.send>[2]))
    return { delivered: info!.accepted, ...byRecipient(info!.rejectedErrors ?? []), answer: info!.response }
  } catch (error) {
    // All recipients refused is an error there, but an answer here: each has its own.
    const { rejectedErrors, response } = error as SmtpFailure
    if (rejectedErrors?.length !== mail.to.length) throw error
    return { delivered: [], ...byRecipient(rejectedErrors), answer: response ?? '' }
  }
}

function byRecipient(errors: readonly SmtpFailure[]): Pick<SmtpAnswer, 'refused' | 'deferred'> {
  const said = errors.map(error => ({
    address: error.recipient ?? '',
    answer: error.response ?? error.message,
    permanent: (error.responseCode ?? 500) >= 500,
  }))
  return {
    refused: said.filter(({ permanent }) => permanent),
    deferred: said.filter(({ permanent }) => !permanent),
  }
}

/** The content as a stream that knows whether the server began to take it: only after it said 354. */
function handedOver(eml: Buffer): { readonly stream: Readable; readonly started: () => boolean } {
  let started = false
  const stream = new Readable({
    read() {
      started = true
      this.push(eml)
      this.push(null)
    },
  })
  return { stream, started: () => started }
}

function translated(error: SmtpFailure, server: SmtpServer, contentStarted: boolean): ReportError {
  const place = `${server.host}:${server.port}`
  const said = error.response ?? error.message
  const details = { server: place, smtpCode: error.responseCode ?? null }
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH') {
    return new ReportError(
      'REPORT_SMTP_LOGIN',
      `The mail server ${place} refused the login of ${server.user ?? 'nobody'}: ${said}. The mail waits in the outbox and is tried again; the password is read anew each time.`,
      { retry: 'backoff', details, cause: error },
    )
  }
  if (error.code === 'EMESSAGE' && (error.responseCode === 552 || error.responseCode === undefined)) {
    return new ReportError(
      'REPORT_MAIL_TOO_BIG',
      `The mail server ${place} does not take a mail of this size: ${said}. It is sent without its attachments.`,
      { details, cause: error },
    )
  }
  // Anything else with a number, such as a refused greeting or STARTTLS, concerns the server and not this mail.
  const concernsMail = error.code === 'EENVELOPE' || error.code === 'EMESSAGE'
  if (concernsMail && (error.responseCode ?? 500) >= 500) {
    return new ReportError(
      'REPORT_MAIL_REFUSED',
      `The mail server ${place} refused the mail for good: ${said}. It is not tried again and stands as failed in the outbox.`,
      { details, cause: error },
    )
  }
  if (concernsMail) {
    return new ReportError(
      'REPORT_MAIL_DEFERRED',
      `The mail server ${place} can't take the mail now: ${said}. It waits in the outbox and is tried again.`,
      { retry: 'backoff', details, cause: error },
    )
  }
  if (contentStarted) {
    return new ReportError(
      'REPORT_OUTCOME_UNKNOWN',
      `The mail server ${place} took the mail's content and then gave no answer (${said}). It may have been delivered; it is sent again with the same Message-ID, by which mail programs know it as one.`,
      { retry: 'backoff', details, cause: error },
    )
  }
  return new ReportError(
    'REPORT_SMTP_UNREACHABLE',
    `The mail server ${place} can't be used: ${said}. The mail waits in the outbox and is tried again; the run is not affected.`,
    { retry: 'backoff', details, cause: error },
  )
}
