/**
 * A partner's SFTP server, in process: real SSH over a real socket, serving a real folder as its root.
 * It can be told to misbehave while it runs: see SftpFaults in sftp-folder.ts. Tests and the demo use it.
 *
 *     const peer = await startSftpPeer({ root, users: [{ name: 'carrier', password: 'a secret' }] })
 *     peer.faults.cutAfter = 100_000        // from now on downloads lose the connection there
 *     await peer.close()
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import type { AuthContext, PublicKeyAuthContext } from 'ssh2'
import { loadSsh2 } from '../../lib/sftp/ssh2.ts'
import { type SftpFaults, serveFolder } from './sftp-folder.ts'

const ssh2 = loadSsh2()

/** Who may log in. Each way that is given is accepted, every other one refused. */
export interface SftpUser {
  readonly name: string
  readonly password?: string
  /** The answer to the question of keyboard-interactive. */
  readonly answer?: string
  /** How often that is asked before the answer is judged; default once. */
  readonly questions?: number
  /** Public key in OpenSSH's one-line form. */
  readonly publicKey?: string
}

/** A running server. */
export interface SftpPeer {
  readonly host: '127.0.0.1'
  readonly port: number
  /** Fingerprint of the current host key, as it is pinned. */
  readonly hostKey: string
  readonly faults: SftpFaults
  /** What clients asked for since the start: `OPEN /out/a.csv`, `LOGIN password carrier`. */
  readonly seen: readonly string[]
  /** Resolves once no client is connected. */
  deserted(): Promise<void>
  /** Shows another host key from the next connection on. */
  changeHostKey(): void
  /** Accepts other users from the next login on. */
  setUsers(users: readonly SftpUser[]): void
  /** Refuses new connections and drops the present ones, as a server that was stopped. */
  close(): Promise<void>
}

/** Starts a server on a free port of the loopback with a host key made now. */
export async function startSftpPeer(options: {
  readonly root: string
  readonly users: readonly SftpUser[]
}): Promise<SftpPeer> {
  const faults: SftpFaults = {}
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let users = options.users
  const newIdentity = () => {
    const key = userKeyPair()
    const server = new ssh2.Server({ hostKeys: [key.private] }, connection => {
      connection.on('authentication', context => authenticate(context, users, seen))
      // A client that vanishes is what many tests are about, and no failure of this server.
      connection.on('error', () => {})
      connection.on('ready', () =>
        connection.on('session', accept =>
          accept().on('sftp', acceptSftp => {
            if (faults.neverOpens === true) return
            serveFolder(acceptSftp(), options.root, faults, seen, connection)
          }),
        ),
      )
    })
    return { server, hostKey: fingerprint(key.public) }
  }
  let identity = newIdentity()
  const listener = createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) for (const tell of waiting.splice(0)) tell()
    })
    socket.on('error', () => {})
    identity.server.injectSocket(socket)
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  return {
    host: '127.0.0.1',
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get hostKey() {
      return identity.hostKey
    },
    faults,
    seen,
    deserted: () =>
      new Promise(resolve => {
        if (sockets.size === 0) resolve()
        else waiting.push(resolve)
      }),
    changeHostKey: () => {
      identity = newIdentity()
    },
    setUsers: next => {
      users = next
    },
    close: async () => {
      const closed = new Promise<void>(resolve => listener.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A key pair for a user: `private` for the client, `public` for SftpUser; encrypted when a passphrase is given. */
export function userKeyPair(passphrase?: string): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair =
      passphrase === undefined
        ? ssh2.utils.generateKeyPairSync('ed25519')
        : ssh2.utils.generateKeyPairSync('ed25519', { passphrase, cipher: 'aes256-ctr', rounds: 16 })
    // 21 of 5,000 pairs that ssh2 1.17 made could not be read by ssh2 itself.
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair
  }
}

function authenticate(context: AuthContext, users: readonly SftpUser[], seen: string[]): void {
  const user = users.find(candidate => candidate.name === context.username)
  seen.push(`LOGIN ${context.method} ${context.username}`)
  const ways = [
    ...(user?.password === undefined ? [] : ['password' as const]),
    ...(user?.answer === undefined ? [] : ['keyboard-interactive' as const]),
    ...(user?.publicKey === undefined ? [] : ['publickey' as const]),
  ]
  const judge = (fits: boolean) => {
    if (fits) context.accept()
    else context.reject(ways)
  }
  if (context.method === 'password' && user?.password !== undefined) {
    judge(same(context.password, user.password))
  } else if (context.method === 'keyboard-interactive' && user?.answer !== undefined) {
    const expected = user.answer
    const ask = (left: number) =>
      context.prompt([{ prompt: 'Password: ', echo: false }], ([answer = '']) => {
        seen.push(`ANSWER ${same(answer, expected) ? 'right' : answer === '' ? 'empty' : 'wrong'}`)
        if (left > 1) ask(left - 1)
        else judge(same(answer, expected))
      })
    ask(user.questions ?? 1)
  } else if (context.method === 'publickey' && user?.publicKey !== undefined) {
    judge(keyFits(context, user.publicKey))
  } else {
    judge(false)
  }
}

function keyFits(context: PublicKeyAuthContext, publicKey: string): boolean {
  const allowed = ssh2.utils.parseKey(publicKey)
  if (allowed instanceof Error || !same(context.key.data, allowed.getPublicSSH())) return false
  // Without a signature the client only asks whether this key would do.
  if (context.signature === undefined || context.blob === undefined) return true
  return allowed.verify(context.blob, context.signature, context.hashAlgo) === true
}

function same(given: string | Buffer, expected: string | Buffer): boolean {
  const digest = (value: string | Buffer) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

function fingerprint(publicKey: string): string {
  const wire = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(wire).digest('base64').replace(/=+$/, '')}`
}
