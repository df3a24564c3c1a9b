/**
 * One live SFTP connection of ssh2-sftp-client: made with a pinned host key, watched for silence,
 * destroyed when it fails. Asking for files is in sftp-connection.ts, which makes a new session after
 * a lost one; why not everything goes through the package: docs/decisions/0006-sftp-read-ahead.md.
 */
import { connect as openSocket, type Socket } from 'node:net'
import type { SFTPWrapper } from 'ssh2'
import type SftpClient from 'ssh2-sftp-client'
import type { SftpEndpoint } from '../model/environment.ts'
import { FetchError } from '../model/errors.ts'
import type { StepContext } from '../model/progress.ts'
import { fingerprintOf, keyTypeOf, type OfferedHostKey } from './host-key.ts'
import type { Login } from './login.ts'
import {
  connectError,
  hostKeyError,
  lostError,
  requestError,
  type Subject,
  stallError,
} from './sftp-errors.ts'
import { newSftpClient } from './ssh2.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

/** Until login is done; partners behind slow directory services were seen to take 12 s. */
const CONNECT_TIMEOUT_MS = 20_000

/** Keeps firewalls from forgetting an idle connection; 30 s without an answer end it. */
const KEEPALIVE_MS = 10_000

/** How long a server gets to answer our goodbye. */
const GOODBYE_MS = 1_000

/** AES-GCM first: 20 % faster than ssh2's own order on machines with AES instructions. */
const CIPHERS = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
] as const

/** What a session is made with. */
export interface SessionOptions {
  /** The source's name for messages. */
  readonly source: string
  readonly endpoint: SftpEndpoint
  readonly stallMs: number
  readonly context: Pick<StepContext, 'clock' | 'signal'>
}

/** The parts of a live connection. */
interface Live {
  readonly client: SftpClient
  /** Below the package, for what it can't say: see request. */
  readonly sftp: SFTPWrapper
  /** Ours: destroying it is the only end that a silent server can't hold up. */
  readonly socket: Socket
}

/** A live connection. */
export class Session {
  readonly #live: Live
  readonly #options: SessionOptions
  readonly #pending = new Map<(error: unknown) => void, Subject>()
  readonly #onAbort: () => void
  #watchdog: Watchdog | null = null
  #ended = false

  constructor(live: Live, options: SessionOptions) {
    const { client, sftp } = live
    this.#live = live
    this.#options = options
    this.#onAbort = () => this.#end(() => options.context.signal.reason)
    options.context.signal.addEventListener('abort', this.#onAbort)
    client.on('error', (error: Error) => this.#end(subject => lostError(subject, error)))
    client.on('end', () => this.#end(lostError))
    client.on('close', () => this.#end(lostError))
    // A server may close SFTP alone; and an answer that ssh2 can't read must not end the process.
    sftp.on('error', (error: Error) => this.#end(subject => lostError(subject, error)))
    sftp.on('close', () => this.#end(lostError))
  }

  /** Whether it still can be asked. */
  get alive(): boolean {
    return !this.#ended
  }

  /**
   * Asks the package, and waits no longer than silence is allowed.
   * On failure: FetchError by the situation; after silence or abort the session is destroyed, because
   * the package itself would wait for an answer for ever.
   */
  call<T>(
    path: string | null,
    what: 'folder' | 'file',
    ask: (client: SftpClient, sftp: SFTPWrapper) => Promise<T>,
  ): Promise<T> {
    return this.request(path, what, (sftp, done) => {
      ask(this.#live.client, sftp).then(value => done(null, value), done)
    })
  }

  /** Asks the server below the package: for many answers at once, or where the package hides the server's status. As `call` else. */
  request<T>(
    path: string | null,
    what: 'folder' | 'file',
    ask: (sftp: SFTPWrapper, done: (error: Error | null | undefined, value?: T) => void) => void,
  ): Promise<T> {
    const subject = { source: this.#options.source, path }
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) return reject(this.#reason(subject, lostError))
      this.#pending.set(reject, subject)
      this.#watchdog ??= this.#watch()
      ask(this.#live.sftp, (error, value) => {
        // When the connection is gone ssh2 fails all requests; they were already told why.
        if (!this.#pending.delete(reject)) return
        if (this.#pending.size === 0) this.#unwatch()
        else this.touch()
        if (error) reject(requestError(error, subject, what))
        else resolve(value as T)
      })
    })
  }

  /** Part of an answer came: what is under way is not silent. */
  touch(): void {
    this.#watchdog?.touch()
  }

  /** Says goodbye and closes; never fails. */
  async close(): Promise<void> {
    if (this.#ended) return
    const { clock } = this.#options.context
    const answered = new AbortController()
    const goodbye = this.#live.client.end().catch(() => {})
    await Promise.race([goodbye, clock.sleep(GOODBYE_MS, answered.signal).catch(() => {})])
    answered.abort()
    this.#end(lostError)
  }

  #watch(): Watchdog {
    const { context, stallMs } = this.#options
    return startWatchdog(context.clock, stallMs, () => this.#end(subject => stallError(subject, stallMs)))
  }

  #unwatch(): void {
    this.#watchdog?.stop()
    this.#watchdog = null
  }

  #reason(subject: Subject, why: (subject: Subject) => unknown): unknown {
    const { signal } = this.#options.context
    return signal.aborted ? signal.reason : why(subject)
  }

  #end(why: (subject: Subject) => unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#unwatch()
    this.#options.context.signal.removeEventListener('abort', this.#onAbort)
    for (const [reject, subject] of this.#pending) reject(this.#reason(subject, why))
    this.#pending.clear()
    this.#live.socket.destroy()
  }
}

/**
 * Connects, checks the host key against the pinned ones, logs in and opens SFTP.
 * Guarantee: not a byte of the login leaves before the host key was found among the pinned ones.
 * @throws FETCH_UNREACHABLE, FETCH_HOST_KEY_CHANGED, FETCH_AUTH_REFUSED, FETCH_HANDSHAKE_FAILED
 */
export async function openSession(login: Login, options: SessionOptions): Promise<Session> {
  const { source, context, stallMs } = options
  context.signal.throwIfAborted()
  const client = await newSftpClient()
  const failed: Failure = { hostKey: null, error: null }
  let onAbort = () => {}
  let watchdog: Watchdog | null = null
  let socket: Socket | null = null
  try {
    const live = await new Promise<Live>((resolve, reject) => {
      onAbort = () => reject(context.signal.reason)
      context.signal.addEventListener('abort', onAbort)
      // The package's own error has lost how far the login came.
      client.on('error', (error: Error) => {
        failed.error ??= error
      })
      client.on('close', () => {
        failed.error ??= new Error('the server closed the connection')
      })
      client.on('ready', () => {
        // ssh2's own timeout ends here, though the server may still never open SFTP.
        watchdog = startWatchdog(context.clock, stallMs, () =>
          reject(stallError({ source, path: null }, stallMs)),
        )
      })
      // Without noDelay a request waits for the acknowledgement of the last: on the loopback a stat
      // took 50 ms instead of 4, and the package's own get() made 0.5 MB/s.
      socket = openSocket({ host: options.endpoint.host, port: options.endpoint.port, noDelay: true })
      const opened = { client, socket }
      client.connect(knock(socket, login, options, failed)).then(sftp => resolve({ ...opened, sftp }), reject)
    })
    return new Session(live, options)
  } catch (error) {
    ;(socket as Socket | null)?.destroy()
    if (failed.hostKey !== null) throw hostKeyError(source, failed.hostKey, options.endpoint.hostKeys)
    if (context.signal.aborted || error instanceof FetchError) throw error
    throw connectError(failed.error ?? (error as Error), source, options.endpoint.username)
  } finally {
    context.signal.removeEventListener('abort', onAbort)
    ;(watchdog as Watchdog | null)?.stop()
  }
}

/** Why no session came about, as far as it is known. */
interface Failure {
  hostKey: OfferedHostKey | null
  error: Error | null
}

/** How to connect; a host key that is not pinned is put into `failed` and ends it. */
function knock(
  socket: Socket,
  login: Login,
  { endpoint }: SessionOptions,
  failed: Failure,
): SftpClient.ConnectOptions {
  return {
    sock: socket,
    username: endpoint.username,
    authHandler: login.handler,
    readyTimeout: CONNECT_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    algorithms: { cipher: [...CIPHERS] },
    hostVerifier: (key: Buffer) => {
      const offered = { type: keyTypeOf(key), fingerprint: fingerprintOf(key) }
      if (endpoint.hostKeys.includes(offered.fingerprint)) return true
      failed.hostKey = offered
      return false
    },
  }
}
