/**
 * A real SMTP server in this process: TLS with a fresh certificate, login, and the faults a mail
 * server shows at night. Keeps what it accepted, parsed. Used by tests and by the demo as its inbox.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { canaryIn, tellLeak } from './canary.ts'
import { selfSigned } from './self-signed.ts'

/** A mail that the peer accepted, also when it then hung up before saying so. */
export interface ReceivedMail {
  readonly from: string
  /** Recipients that were not refused. */
  readonly to: readonly string[]
  /** As sent, headers and all. */
  readonly raw: string
  readonly mail: ParsedMail
}

/** Faults, switched at any time by assigning; all off at start. */
export interface SmtpFaults {
  /** Refuses this many next connections' MAIL FROM with 451, a temporary failure. */
  temporary: number
  /** Recipients that get 550. */
  refuse: (address: string) => boolean
  /** Recipients that get 451 for now. */
  putOff: (address: string) => boolean
  /** Accepts this many next mails, then hangs up instead of answering 250: delivered, but the sender can't know. */
  cutAfterData: number
  /** Awaited before the answer to each mail: a test holds it as long as it likes. */
  beforeAnswer: () => Promise<void>
  /** Largest mail accepted; larger ones get 552. */
  maxBytes: number
}

/** How the peer is started. */
export interface SmtpPeerOptions {
  /** Default none. */
  readonly tls?: 'implicit' | 'starttls' | 'none'
  /** Login that is asked for; none by default. */
  readonly login?: { readonly user: string; readonly password: string }
  /** Gets each accepted mail; the demo writes it to a folder. */
  readonly onMail?: (received: ReceivedMail) => Promise<void> | void
}

/** A running peer. */
export interface SmtpPeer {
  readonly host: string
  readonly port: number
  /** PEM certificate to trust for TLS. */
  readonly certificate: string
  readonly received: ReceivedMail[]
  readonly faults: SmtpFaults
  /** Connections made so far, refused ones too. */
  readonly connections: () => number
  /** Stops listening and hangs up; `up` listens on the same port again. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

/** Starts a mail server on a free port of the loopback. */
export async function startSmtpPeer(options: SmtpPeerOptions = {}): Promise<SmtpPeer> {
  const { key, cert } = selfSigned()
  const received: ReceivedMail[] = []
  const faults: SmtpFaults = {
    temporary: 0,
    refuse: () => false,
    putOff: () => false,
    cutAfterData: 0,
    beforeAnswer: async () => {},
    maxBytes: Number.POSITIVE_INFINITY,
  }
  let connections = 0
  let server: SMTPServer | null = null
  let port = 0

  const make = (): SMTPServer =>
    new SMTPServer({
      key,
      cert,
      secure: options.tls === 'implicit',
      disabledCommands: [
        ...(options.tls === 'starttls' ? [] : ['STARTTLS']),
        ...(options.login === undefined ? ['AUTH'] : []),
      ],
      allowInsecureAuth: options.tls === undefined || options.tls === 'none',
      authOptional: options.login === undefined,
      disableReverseLookup: true,
      logger: false,
      closeTimeout: 100,
      onConnect: (_session, done) => {
        connections += 1
        done()
      },
      onAuth: (auth, _session, done) => {
        if (auth.username === options.login?.user && auth.password === options.login?.password) {
          done(null, { user: auth.username ?? '' })
        } else done(failure(535, 'Authentication failed'))
      },
      onMailFrom: (_address, _session, done) => {
        if (faults.temporary > 0) {
          faults.temporary -= 1
          done(failure(451, 'Try again later'))
        } else done()
      },
      onRcptTo: (address, _session, done) => {
        if (faults.refuse(address.address)) done(failure(550, `No such user ${address.address}`))
        else if (faults.putOff(address.address)) done(failure(451, 'Greylisted, try again later'))
        else done()
      },
      onData: (stream, session, done) => {
        accept(stream, session).then(
          answer => {
            if (answer !== 'cut') done(answer)
          },
          (error: Error) => done(error),
        )
      },
    })

  /** Null for 250; `cut` after hanging up. */
  async function accept(
    stream: AsyncIterable<Buffer>,
    session: SMTPServerSession,
  ): Promise<Error | null | 'cut'> {
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const raw = Buffer.concat(chunks)
    if (raw.length > faults.maxBytes) return failure(552, 'Message too big')
    const { mailFrom, rcptTo } = session.envelope
    const mail: ReceivedMail = {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
      raw: raw.toString('utf8'),
      mail: await simpleParser(raw),
    }
    received.push(mail)
    await options.onMail?.(mail)
    await faults.beforeAnswer()
    if (faults.cutAfterData === 0) return null
    faults.cutAfterData -= 1
    for (const connection of server?.connections ?? []) {
      if (connection.session === session) connection._socket.destroy()
    }
    return 'cut'
  }

  const up = async (): Promise<void> => {
    server = make()
    server.on('error', () => {}) // A client that hangs up or refuses the certificate is a test's business, not ours.
    const listener = server.listen(port, '127.0.0.1')
    await once(listener, 'listening')
    port = (listener.address() as AddressInfo).port
  }
  const down = async (): Promise<void> => {
    const stopping = server
    server = null
    if (stopping === null) return
    for (const connection of stopping.connections) connection._socket.destroy()
    await new Promise<void>(resolve => stopping.close(resolve))
  }
  await up()
  return {
    host: '127.0.0.1',
    port,
    certificate: cert,
    received,
    faults,
    connections: () => connections,
    down,
    up,
    close: async () => {
      await down()
      for (const { raw, mail } of received) {
        const files = mail.attachments.map(({ content }) => content.toString('latin1'))
        const leak = canaryIn([raw, mail.text, mail.html, ...files].join('\n'))
        if (leak !== null) tellLeak(`a mail ${mail.messageId}`, leak)
      }
    },
  }
}

function failure(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}
