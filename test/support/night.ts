/**
 * A whole night in a test: the real jobs between real peers (SSH, SMTP, HTTP, Postgres), an engine
 * over a fresh database, and what a test needs to deliver, run and look. Processes of their own are
 * night-child.ts; pictures of the whole state are night-state.ts.
 *
 *     const night = await openNight()
 *     await night.deliver('portal', 'orders_20261119.csv', orders('2026-11-19', someLines(3)))
 *     const summary = await night.run('portal-orders', '2026-11-19')
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, afterEach } from 'node:test'
import type { Environment, SftpEndpoint } from '../../lib/model/environment.ts'
import { TallymanError } from '../../lib/model/errors.ts'
import { isMoving, type ScheduledJob, type Timetable } from '../../lib/model/job.ts'
import type { Clock } from '../../lib/model/time/clock.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { dryRun } from '../../lib/run/dry-run.ts'
import type { RunOptions } from '../../lib/run/endings.ts'
import { type Engine, openEngine } from '../../lib/run/engine.ts'
import { type RerunOptions, rerunJob } from '../../lib/run/rerun.ts'
import { runJob } from '../../lib/run/run-job.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import { type ApiPeer, MemoryStore, startApiPeer } from './api-peer.ts'
import { canary, tellLeak } from './canary.ts'
import { leaksOf } from './night-state.ts'
import { type TimetableChanges, timetableWith } from './night-timetable.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { type SftpPeer, startSftpPeer } from './sftp-peer.ts'
import { type SmtpPeer, startSmtpPeer } from './smtp-peer.ts'

/** A clock that tests set; pauses are cut short, but for those of the lease and of watchdogs. */
export interface NightClock extends Clock {
  /** From now on it is this instant (ISO); null: the real one. */
  set(instant: string | null): void
  /** Lets patience run out so many times faster: what is measured as 30 s takes 30 s / factor. */
  hurry(factor: number): void
}

/** How a night is opened. */
export interface NightOptions {
  readonly changes?: TimetableChanges
  /** Mails go out over SMTP. Default true; false: they are kept as files. */
  readonly releaseMail?: boolean
  /** URL of another Postgres database, the environment's target `warehouse`. */
  readonly warehouse?: string
}

/** Everything of a night. */
export interface Night {
  readonly folder: string
  readonly changes: TimetableChanges
  readonly environment: Environment
  readonly timetable: Timetable
  readonly variables: Readonly<Record<string, string>>
  readonly database: TestDatabase['database']
  readonly engine: Engine
  readonly clock: NightClock
  /** By endpoint. */
  readonly sftp: Readonly<Record<string, SftpPeer>>
  readonly api: ApiPeer
  readonly store: MemoryStore
  readonly smtp: SmtpPeer
  /** Texts of child processes, searched for secrets at the end. */
  readonly said: string[]
  job(name: string): ScheduledJob
  /** Puts a file where the partner serves it, newer by a second than the one before. */
  deliver(endpoint: string, name: string, content: string | Buffer): Promise<void>
  /** Files at the partner's, with their folders. */
  lies(endpoint: string): Promise<string[]>
  run(job: string, date: string, options?: Partial<RunOptions>): Promise<RunSummary>
  /** Runs and gives the error that it must end with. */
  fails(job: string, date: string, options?: Partial<RunOptions>): Promise<TallymanError>
  rerun(job: string, date: string, options?: Partial<RerunOptions>): Promise<RunSummary>
  dry(job: string, date: string): Promise<RunSummary>
  rows<R extends object>(sql: string, params?: readonly unknown[]): Promise<R[]>
  /** Another engine over the same world: a second process's view, with its own signal, and only these jobs where they are named. */
  another(signal: AbortSignal, jobs?: readonly string[]): Promise<Engine>
}

const ENDPOINTS = ['portal', 'ecb', 'bank', 'payroll', 'sanctions', 'erp'] as const

/** Pauses of the lease's beat and of its patience stay real; so do watchdogs. All others are nothing but waiting. */
function nightClock(): NightClock {
  let offset = 0
  let [factor, since, base] = [1, 0, 0]
  const monotonicMs = (): number => base + (systemClock.monotonicMs() - since) * factor
  return {
    now: () => Date.now() + offset,
    monotonicMs,
    sleep: (ms, signal) => {
      const real = ms === 2_000 || ms >= 20_000
      return systemClock.sleep(real ? ms : Math.min(ms, 5), signal)
    },
    hurry: next => {
      ;[base, since, factor] = [monotonicMs(), systemClock.monotonicMs(), next]
    },
    set: instant => {
      offset = instant === null ? 0 : Date.parse(instant) - Date.now()
    },
  }
}

/** What the peers ask for, by the variable that the environment names. */
function secretsOf(database: TestDatabase): Readonly<Record<string, string>> {
  const url = new URL(database.url)
  url.password = canary('database')
  return {
    SFTP_PASSWORD: canary('sftp'),
    SMTP_PASSWORD: canary('smtp'),
    API_TOKEN: canary('api'),
    DATABASE_URL: url.href,
  }
}

async function startPeers(folder: string, secrets: Readonly<Record<string, string>>) {
  const sftp: Record<string, SftpPeer> = {}
  for (const name of ENDPOINTS) {
    const root = path.join(folder, 'remote', name)
    await mkdir(path.join(root, 'done'), { recursive: true })
    sftp[name] = await startSftpPeer({
      root,
      users: [{ name: 'tallyman', password: secrets.SFTP_PASSWORD! }],
    })
  }
  const store = new MemoryStore(['employeeNo', 'workDate', 'payCode'])
  const api = await startApiPeer({ store, token: secrets.API_TOKEN! })
  const smtp = await startSmtpPeer({
    tls: 'starttls',
    login: { user: 'tallyman', password: secrets.SMTP_PASSWORD! },
  })
  return { sftp, store, api, smtp }
}

function environmentOf(
  folder: string,
  peers: Awaited<ReturnType<typeof startPeers>>,
  releaseMail: boolean,
): Environment {
  const { sftp, api, smtp } = peers
  const endpoint = ({ host, port, hostKey }: SftpPeer): SftpEndpoint => ({
    ...{ host, port, username: 'tallyman', hostKeys: [hostKey] },
    auth: { kind: 'password', password: { env: 'SFTP_PASSWORD' } },
  })
  return {
    name: 'test',
    production: false,
    releaseMail,
    database: { kind: 'url', url: { env: 'DATABASE_URL' } },
    dataFolder: path.join(folder, 'data'),
    sftp: Object.fromEntries(Object.entries(sftp).map(([name, peer]) => [name, endpoint(peer)])),
    api: { hours: { baseUrl: api.baseUrl, token: { env: 'API_TOKEN' } } },
    smtp: {
      host: 'localhost',
      port: smtp.port,
      tls: 'starttls',
      ca: smtp.certificate,
      user: 'tallyman',
      password: { env: 'SMTP_PASSWORD' },
    },
    mailFrom: 'tallyman@example.com',
    recipients: {
      sales: ['sales@example.com'],
      treasury: ['treasury@example.com'],
      payroll: ['payroll@example.com'],
      compliance: ['compliance@example.com'],
      purchasing: ['purchasing@example.com'],
    },
  }
}

/** Opens a night; call it at the top of a test file, outside of tests. It is closed, and searched for secrets, at the end. */
export async function openNight(options: NightOptions = {}): Promise<Night> {
  // Registered before the database's own end, so that it is still there to be searched.
  let close = async (): Promise<void> => {}
  after(() => close())
  const database = await testDatabase()
  const folder = await mkdtemp(path.join(tmpdir(), 'tallyman-night-'))
  const variables = {
    ...secretsOf(database),
    ...(options.warehouse === undefined ? {} : { WAREHOUSE_URL: options.warehouse }),
  }
  const peers = await startPeers(folder, variables)
  const changes = options.changes ?? {}
  const timetable = timetableWith(changes)
  const environment = {
    ...environmentOf(folder, peers, options.releaseMail ?? true),
    ...(options.warehouse === undefined ? {} : { targets: { warehouse: { url: { env: 'WAREHOUSE_URL' } } } }),
  }
  const clock = nightClock()
  const open = (signal: AbortSignal, jobs?: readonly string[]): Promise<Engine> =>
    openEngine({
      environment,
      timetable: { jobs: timetable.jobs.filter(one => jobs?.includes(one.job.name) ?? true) },
      variables,
      clock,
      signal,
      progress: () => {},
      codeVersion: 'test',
    })
  const engine = await open(new AbortController().signal)
  const engines: Engine[] = [engine]
  let delivered = 0
  const job = (name: string): ScheduledJob =>
    timetable.jobs.filter(isMoving).find(one => one.job.name === name)!
  const night: Night = {
    ...{ folder, changes, environment, timetable, variables, engine, clock, job },
    ...peers,
    database: database.database,
    said: [],
    deliver: async (endpoint, name, content) => {
      const file = path.join(folder, 'remote', endpoint, name)
      await writeFile(file, content)
      delivered += 1
      const seconds = 1_790_000_000 + delivered
      await utimes(file, seconds, seconds)
    },
    lies: async endpoint => {
      const root = path.join(folder, 'remote', endpoint)
      const entries = await readdir(root, { recursive: true, withFileTypes: true })
      const files = entries.filter(entry => entry.isFile())
      return files.map(entry => path.relative(root, path.join(entry.parentPath, entry.name))).sort()
    },
    run: (name, date, run) =>
      runJob(engine, job(name), date, { trigger: 'manual', createTarget: true, ...run }),
    fails: async (name, date, run) => {
      const outcome = await runJob(engine, job(name), date, {
        trigger: 'manual',
        createTarget: true,
        ...run,
      }).catch((error: unknown) => error)
      assert.ok(
        outcome instanceof TallymanError,
        `expected an error of ours, got ${JSON.stringify(outcome) ?? String(outcome)}`,
      )
      return outcome
    },
    rerun: (name, date, rerun) =>
      rerunJob(engine, job(name), date, {
        ...{ from: 'fetch', fromArchive: false, force: false, dryRun: false, say: () => {} },
        ...rerun,
      }),
    dry: (name, date) => dryRun(engine, job(name), date, {}),
    rows: async <R extends object>(sql: string, params: readonly unknown[] = []) =>
      (await database.database.use(connection => connection.query<R>(sql, [...params]))).rows,
    another: async (signal, jobs) => {
      const other = await open(signal, jobs)
      engines.push(other)
      return other
    },
  }
  let failed = false
  afterEach(context => {
    if ('passed' in context && context.passed === false) failed = true
  })
  close = async () => {
    for (const one of engines) await one.close()
    for (const peer of [...Object.values(peers.sftp), peers.api, peers.smtp]) await peer.close()
    const leaks = await leaksOf(night)
    if (failed || leaks.length > 0) process.stderr.write(`kept after a failure: ${folder}\n`)
    else await rm(folder, { recursive: true, force: true })
    if (leaks.length > 0) tellLeak('a night', leaks.join(', '))
  }
  return night
}
