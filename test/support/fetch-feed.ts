/**
 * A feed to be fetched in a test: a partner's folder behind a real SFTP server, an archive of its own,
 * and a clock that leaps over every pause, so that settling and retries take no time.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fetchFiles } from '../../lib/fetch/fetch-files.ts'
import { openSource } from '../../lib/fetch/open-source.ts'
import { type SftpSourceOptions, sftp } from '../../lib/fetch/sources.ts'
import type { SftpSource } from '../../lib/model/job.ts'
import { type StepContext, silentLog } from '../../lib/model/progress.ts'
import type { FetchedFeed, KnownFile, ReceivedFile } from '../../lib/model/received-file.ts'
import { Secret } from '../../lib/model/secret.ts'
import type { SourceConnection } from '../../lib/model/source.ts'
import { type Clock, systemClock } from '../../lib/model/time/clock.ts'
import { type SftpPeer, startSftpPeer } from './sftp-peer.ts'

/** The business date of the tests' files. */
export const DATE = '2026-11-20'

/** When the tests' files were written, epoch milliseconds. */
export const WRITTEN_MS = Date.parse('2026-11-20T04:00:00Z')

/** A feed under test. */
export interface FeedUnderTest {
  readonly peer: SftpPeer
  readonly source: SourceConnection
  readonly spec: SftpSource
  readonly archive: { readonly path: string }
  readonly context: StepContext
  /** Every pause that was asked for, in milliseconds; `onSleep` runs in each. */
  readonly pauses: { readonly taken: number[]; onSleep: () => void }
  /** Rows written by onReceived. */
  readonly rows: ReceivedFile[]
  /** Puts a file into the partner's folder, written at WRITTEN_MS plus so many seconds. */
  put(name: string, content: string | Uint8Array, secondsLater?: number): string
  fetch(options?: {
    readonly known?: readonly KnownFile[]
    readonly date?: string
    readonly source?: SourceConnection
  }): Promise<FetchedFeed>
  /** Another connection to the same place, ended by this signal. */
  openAgain(signal: AbortSignal): Promise<SourceConnection>
  /** Everything in the archive, relative. */
  archived(): string[]
}

/** A clock that leaps: a pause is over at once and time has moved on by it. */
export function leapingClock(onSleep: (ms: number) => void = () => {}): Clock {
  let leapt = 0
  return {
    now: () => Date.parse('2026-11-21T04:30:00Z') + leapt,
    monotonicMs: () => leapt,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      leapt += ms
      onSleep(ms)
    },
  }
}

/** Starts server, folders and source; all end with the test. */
export async function feedUnderTest(
  t: TestContext,
  rules: Partial<SftpSourceOptions> = {},
  options: { readonly stallMs?: number } = {},
): Promise<FeedUnderTest> {
  const root = mkdtempSync(join(tmpdir(), 'tallyman-feed-'))
  const out = join(root, 'out')
  const archive = { path: join(root, 'archive') }
  mkdirSync(out)
  const peer = await startSftpPeer({ root, users: [{ name: 'tallyman', password: 'canary-correct-horse' }] })
  const pauses = { taken: [] as number[], onSleep: () => {} }
  const context: StepContext = {
    clock: leapingClock(ms => {
      pauses.taken.push(ms)
      pauses.onSleep()
    }),
    log: silentLog,
    signal: new AbortController().signal,
    progress: () => {},
  }
  const defaults = { endpoint: 'carrier', feed: 'shipments', folder: '/out', files: 'SHIP_{yyyyMMdd}_*.csv' }
  const spec = sftp({
    ...defaults,
    ...rules,
    limits: { stallMs: options.stallMs ?? 60_000, ...rules.limits },
  })
  const openAgain = (signal: AbortSignal) =>
    openSource(
      spec,
      { name: 'test', dataFolder: root, sftp: { carrier: endpointOf(peer) } },
      async () => new Secret('canary-correct-horse'),
      // The connection's watchdog must not leap.
      { ...context, signal, clock: systemClock },
    )
  const source = await openAgain(context.signal)
  t.after(async () => {
    await source.close()
    await peer.close()
    rmSync(root, { recursive: true, force: true })
  })
  const rows: ReceivedFile[] = []
  return {
    peer,
    source,
    spec,
    archive,
    context,
    pauses,
    rows,
    put: (name, content, secondsLater = 0) => {
      const path = join(out, name)
      writeFileSync(path, content)
      const when = new Date(WRITTEN_MS + secondsLater * 1000)
      utimesSync(path, when, when)
      return path
    },
    openAgain,
    fetch: ({ known = [], date = DATE, source: other = source } = {}) =>
      fetchFiles({
        ...{ spec, businessDate: date, source: other, known, archive, context },
        onReceived: async file => {
          rows.push(file)
        },
      }),
    archived: () =>
      readdirSync(archive.path, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name).slice(archive.path.length + 1))
        .sort(),
  }
}

/** The endpoint of a peer, with its present host key pinned. */
export function endpointOf(peer: SftpPeer, username = 'tallyman') {
  return {
    host: peer.host,
    port: peer.port,
    username,
    hostKeys: [peer.hostKey] as [string],
    auth: { kind: 'password' as const, password: { literal: 'canary-correct-horse' } },
  }
}
