/**
 * The parts that an environment calls `'embedded'`, started in this process on the loopback: an SSH
 * server over <data folder>/remote/<endpoint> for each SFTP endpoint, an API whose rows are kept in
 * <data folder>/remote/<name>.jsonl, and a mail server. The same peers that the tests use.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type {
  ApiEndpoint,
  Environment,
  EnvironmentFile,
  SftpEndpoint,
  SmtpServer,
} from '../../lib/model/environment.ts'
import { isMoving, type Timetable } from '../../lib/model/job.ts'
import { type ApiPeer, startApiPeer } from '../../test/support/api-peer.ts'
import { type SftpPeer, startSftpPeer } from '../../test/support/sftp-peer.ts'
import { type SmtpPeer, startSmtpPeer } from '../../test/support/smtp-peer.ts'
import { openJournalStore } from './journal-store.ts'

/** The running parts, and the environment with their addresses in place. */
export interface EmbeddedPeers {
  readonly environment: Environment
  readonly sftp: Readonly<Record<string, SftpPeer>>
  readonly api: Readonly<Record<string, ApiPeer>>
  readonly smtp: SmtpPeer | null
  /** The folder that an embedded SFTP endpoint serves. */
  readonly remoteFolder: (endpoint: string) => string
  close(): Promise<void>
}

/** Starts every part that is written as `'embedded'`. */
export async function startEmbeddedPeers(
  file: EnvironmentFile,
  timetable: Timetable,
  dataFolder: string,
): Promise<EmbeddedPeers> {
  const closers: (() => Promise<void>)[] = []
  const remoteFolder = (endpoint: string): string => path.join(dataFolder, 'remote', endpoint)
  const sftpPeers: Record<string, SftpPeer> = {}
  const sftp: Record<string, SftpEndpoint> = {}
  for (const [name, endpoint] of Object.entries(file.sftp)) {
    if (endpoint !== 'embedded') {
      sftp[name] = endpoint
      continue
    }
    const password = randomBytes(12).toString('hex')
    await mkdir(remoteFolder(name), { recursive: true })
    const peer = await startSftpPeer({ root: remoteFolder(name), users: [{ name: 'tallyman', password }] })
    closers.push(() => peer.close())
    sftpPeers[name] = peer
    sftp[name] = {
      host: peer.host,
      port: peer.port,
      username: 'tallyman',
      hostKeys: [peer.hostKey],
      auth: { kind: 'password', password: { literal: password } },
    }
  }
  const apiPeers: Record<string, ApiPeer> = {}
  const api: Record<string, ApiEndpoint> = {}
  for (const [name, endpoint] of Object.entries(file.api)) {
    if (endpoint !== 'embedded') {
      api[name] = endpoint
      continue
    }
    const token = randomBytes(12).toString('hex')
    const journal = path.join(dataFolder, 'remote', `${name}.jsonl`)
    const peer = await startApiPeer({
      store: await openJournalStore(journal, keyFieldsAt(name, timetable)),
      token,
    })
    closers.push(() => peer.close())
    apiPeers[name] = peer
    api[name] = { baseUrl: peer.baseUrl, token: { literal: token } }
  }
  const smtpPeer = file.smtp === 'embedded' ? await startSmtpPeer() : null
  if (smtpPeer !== null) closers.push(() => smtpPeer.close())
  const smtp: SmtpServer =
    smtpPeer === null ? (file.smtp as SmtpServer) : { host: smtpPeer.host, port: smtpPeer.port, tls: 'none' }
  return {
    environment: { ...file, dataFolder, sftp, api, smtp },
    sftp: sftpPeers,
    api: apiPeers,
    smtp: smtpPeer,
    remoteFolder,
    close: async () => {
      for (const close of closers.reverse()) await close()
    },
  }
}

/** The key fields by which the jobs' rows are told apart at an API. */
function keyFieldsAt(endpoint: string, timetable: Timetable): readonly string[] {
  const loads = timetable.jobs.filter(isMoving).map(scheduled => scheduled.job.load)
  const load = loads.find(one => one.kind === 'api' && one.endpoint === endpoint)
  return load === undefined ? [] : Object.values(load.tables)[0]!.key
}
