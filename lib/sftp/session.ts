/**
 * One live SFTP connection: made with a pinned host key, watched for silence, destroyed when it
 * fails. Asking for files is in sftp-connection.ts, which makes a new session after a lost one.
 */
import type { Client, SFTPWrapper } from 'ssh2'
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
import { loadSsh2 } from './ssh2.ts'
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

/** A live connection. */
export class Session {
  readonly #client: Client
  readonly #sftp: SFTPWrapper
  readonly #options: SessionOptions
  readonly #pending = new Map<(error: unknown) => void, Subject>()
  readonly #onAbort: () => void
  #watchdog: Watchdog | null = null
  #ended = false

  constructor(client: Client, sftp: SFTPWrapper, options: SessionOptions) {
    this.#client = client
    this.#sftp = sftp
    this.#options = options
    this.#onAbort = () => this.#end(() => options.context.signal.reason)
    options.context.signal.addEventListener('abort', this.#onAbort)
    client.on('error', error => this.#end(subject => lostError(subject, error)))
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
   * Asks the server and waits for its answer, no longer than silence is allowed.
   * On failure: FetchError by the situation; after silence or abort the session is destroyed, because
   * ssh2 itself would wait for the answer to CLOSE for ever.
   */
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
      ask(this.#sftp, (error, value) => {
        // When the connection is gone ssh2 fails all requests; they were already told why.
        if (!this.#pending.delete(reject)) return
        if (this.#pending.size === 0) this.#unwatch()
        else this.#watchdog?.touch()
        if (error) reject(requestError(error, subject, what))
        else resolve(value as T)
      })
    })
  }

  /** Says goodbye and closes; never fails. */
  async close(): Promise<void> {
    if (this.#ended) return
    const { clock } = this.#options.context
    const closed = new Promise<void>(resolve => this.#client.once('close', () => resolve()))
    const answered = new AbortController()
    this.#client.end()
    await Promise.race([closed, clock.sleep(GOODBYE_MS, answered.signal).catch(() => {})])
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
    this.#client.destroy()
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
  const { Client } = await loadSsh2()
  const client = new Client()
  const refused: { key: OfferedHostKey | null } = { key: null }
  let onAbort = () => {}
  let watchdog: Watchdog | null = null
  try {
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      onAbort = () => reject(context.signal.reason)
      context.signal.addEventListener('abort', onAbort)
      client.on('error', reject)
      client.on('close', () => reject(new Error('the server closed the connection')))
      client.on('ready', () => {
        // ssh2's own timeout ends here, though the server may still never open SFTP.
        watchdog = startWatchdog(context.clock, stallMs, () =>
          reject(stallError({ source, path: null }, stallMs)),
        )
        client.sftp((error, wrapper) => (error === undefined ? resolve(wrapper) : reject(error)))
      })
      knock(client, login, options, refused)
    })
    return new Session(client, sftp, options)
  } catch (error) {
    client.destroy()
    if (refused.key !== null) throw hostKeyError(source, refused.key, options.endpoint.hostKeys)
    if (context.signal.aborted || error instanceof FetchError) throw error
    throw connectError(error as Error, source, options.endpoint.username)
  } finally {
    context.signal.removeEventListener('abort', onAbort)
    ;(watchdog as Watchdog | null)?.stop()
  }
}

/** Begins to connect; a host key that is not pinned is put into `refused` and ends it. */
function knock(
  client: Client,
  login: Login,
  { endpoint }: SessionOptions,
  refused: { key: OfferedHostKey | null },
): void {
  client.connect({
    host: endpoint.host,
    port: endpoint.port,
    username: endpoint.username,
    authHandler: login.handler,
    readyTimeout: CONNECT_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    algorithms: { cipher: [...CIPHERS] },
    hostVerifier: (key: Buffer) => {
      const offered = { type: keyTypeOf(key), fingerprint: fingerprintOf(key) }
      if (endpoint.hostKeys.includes(offered.fingerprint)) return true
      refused.key = offered
      return false
    },
  })
  // Without it small packets wait for acknowledgements: 0.5-1.5 MB/s instead of 157.
  client.setNoDelay(true)
}
