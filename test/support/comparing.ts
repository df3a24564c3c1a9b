/**
 * An engine for jobs that only compare: a fresh database, folders of its own, mails kept in the outbox, and the
 * jobs and databases that a test names. Whole nights with all peers are night.ts.
 */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { Environment } from '../../lib/model/environment.ts'
import type { ComparingJob, ScheduledJob } from '../../lib/model/job.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { type Engine, openEngine } from '../../lib/run/engine.ts'
import { rerunJob } from '../../lib/run/rerun.ts'
import { runJob } from '../../lib/run/run-job.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import { weekdays } from '../../lib/schedule/calendars.ts'
import { testDatabase } from './postgres.ts'

/** What a test has. */
export interface Comparing {
  readonly engine: Engine
  readonly folder: string
  run(job: ComparingJob, date: string): Promise<RunSummary>
  /** Both sides afresh. */
  rerun(job: ComparingJob, date: string): Promise<RunSummary>
  rows<R extends object>(sql: string): Promise<R[]>
  /** Subject and text of the last mail. */
  lastMail(): Promise<{ subject: string; text: string }>
  /** Puts a file into the folder that `folder()` sources read, newer by a second than the one before. */
  deliver(name: string, content: string | Buffer): Promise<void>
}

/** A job in the timetable: by hand, on weekdays. */
export function planned(job: ComparingJob): ScheduledJob<ComparingJob> {
  const when = { cron: null, zone: 'Europe/Berlin', calendar: weekdays, fileUntil: null } as const
  return { job, ...when, businessDate: 'same-day', catchUp: 'none' }
}

/** Opens it; call it at the top of a test file, outside of tests. */
export async function openComparing(extra: Partial<Environment> = {}): Promise<Comparing> {
  let close = async (): Promise<void> => {}
  after(() => close())
  const database = await testDatabase()
  const folder = await mkdtemp(path.join(tmpdir(), 'tallyman-comparing-'))
  const environment: Environment = {
    ...{ name: 'test', production: false, releaseMail: false, sftp: {}, api: {} },
    database: { kind: 'url', url: { env: 'DATABASE_URL' } },
    dataFolder: path.join(folder, 'data'),
    smtp: { host: '127.0.0.1', port: 9, tls: 'none' },
    mailFrom: 'tallyman@example.com',
    recipients: { audit: ['audit@example.com'] },
    ...extra,
  }
  const engine = await openEngine({
    environment,
    timetable: { jobs: [] },
    variables: { DATABASE_URL: database.url },
    // All waiting is for peers that answer badly on purpose.
    clock: {
      ...systemClock,
      sleep: (ms, signal) => systemClock.sleep(ms >= 2_000 ? ms : Math.min(ms, 5), signal),
    },
    signal: new AbortController().signal,
    progress: () => {},
    codeVersion: 'test',
  })
  close = async () => {
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
  const rows = async <R extends object>(sql: string): Promise<R[]> =>
    (await database.database.use(connection => connection.query<R>(sql))).rows
  let delivered = 0
  return {
    engine,
    folder,
    rows,
    run: (job, date) => runJob(engine, planned(job), date, { trigger: 'manual' }),
    rerun: (job, date) =>
      rerunJob(engine, planned(job), date, {
        ...{ from: 'fetch', fromArchive: false, force: false, dryRun: false, say: () => {} },
      }),
    lastMail: async () => {
      const [mail] = await rows<{ subject: string; text: string }>(
        'SELECT subject, text_body AS text FROM tallyman.outbox ORDER BY id DESC LIMIT 1',
      )
      return mail!
    },
    deliver: async (name, content) => {
      const incoming = path.join(folder, 'data', 'incoming')
      await mkdir(incoming, { recursive: true })
      const file = path.join(incoming, name)
      await writeFile(file, content)
      delivered += 1
      await utimes(file, 1_790_000_000 + delivered, 1_790_000_000 + delivered)
    },
  }
}
