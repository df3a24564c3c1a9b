/**
 * An OpenSSH server of the bench's own on the loopback, with a key made now; and OpenSSH's `sftp`.
 * Debian's packages openssh-server and openssh-client have both; they are installed by hand.
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { SftpEndpoint } from '../lib/model/environment.ts'
import { fingerprintOf } from '../lib/sftp/host-key.ts'

const run = promisify(execFile)

const SERVER = '/usr/sbin/sshd'
const CLIENT = '/usr/bin/sftp'
/** Started by root, the server wants this folder; Debian's service makes it at boot. */
const PRIVILEGE_FOLDER = '/run/sshd'

/** Between two looks at a starting server. */
const LOOK_EVERY_MS = 20

/** A running server. */
export interface OpenSsh {
  readonly endpoint: SftpEndpoint
  /** Process id of the server's listener; the one that works for a session is a child of it. */
  readonly pid: number
  /** Fetches a file with OpenSSH's client. */
  fetch(remote: string, local: string): Promise<void>
  stop(): void
}

/** Whether OpenSSH's server and client are installed. */
export function hasOpenSsh(): boolean {
  return existsSync(SERVER) && existsSync(CLIENT)
}

/** Starts a server whose files are this machine's. */
export async function startOpenSsh(folder: string): Promise<OpenSsh> {
  const [hostKey, userKey, config] = ['host', 'user', 'config'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [hostKey, userKey])
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path])
  await copyFile(`${userKey}.pub`, join(folder, 'allowed'))
  const port = await freePort()
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${join(folder, 'allowed')}`,
    'PasswordAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PidFile none',
    'Subsystem sftp internal-sftp',
  ]
  await writeFile(config, `${settings.join('\n')}\n`)
  if (process.getuid?.() === 0) await mkdir(PRIVILEGE_FOLDER, { recursive: true })
  const server = spawn(SERVER, ['-D', '-f', config], { stdio: 'ignore' })
  await answers(port)
  const wire = Buffer.from((await readFile(`${hostKey}.pub`, 'latin1')).split(' ')[1]!, 'base64')
  const { username } = userInfo()
  const options = ['-q', '-i', userKey, '-P', `${port}`, '-b', '-']
  const unpinned = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
  return {
    endpoint: {
      host: '127.0.0.1',
      port,
      username,
      hostKeys: [fingerprintOf(wire)],
      auth: { kind: 'key', key: { file: userKey } },
    },
    pid: server.pid!,
    fetch: (remote, local) =>
      new Promise((resolve, reject) => {
        const client = spawn(CLIENT, [...options, ...unpinned, `${username}@127.0.0.1`], {
          stdio: ['pipe', 'ignore', 'inherit'],
        })
        client.once('error', reject)
        client.once('close', code => (code === 0 ? resolve() : reject(new Error(`sftp ended with ${code}`))))
        client.stdin.end(`get ${remote} ${local}\n`)
      }),
    stop: () => server.kill(),
  }
}

async function freePort(): Promise<number> {
  const listener = createServer()
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  await new Promise(resolve => listener.close(resolve))
  return port
}

async function answers(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.once('data', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await setTimeout(LOOK_EVERY_MS)
  }
}
