/**
 * An engine over the world of a night in which every peer is behind a proxy of its own, so that a test
 * can break any wire at any byte while a real run goes over it.
 */
import { after } from 'node:test'
import type { Environment } from '../../lib/model/environment.ts'
import { TallymanError } from '../../lib/model/errors.ts'
import type { Clock } from '../../lib/model/time/clock.ts'
import { type Engine, openEngine } from '../../lib/run/engine.ts'
import { runJob } from '../../lib/run/run-job.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import type { Night } from './night.ts'
import { type SmtpPeer, startSmtpPeer } from './smtp-peer.ts'
import { proxyBefore, startWireProxy, type WireProxy } from './wire-proxy.ts'

/** A night over breakable wires. */
export interface WiredNight {
  readonly engine: Engine
  readonly wires: Readonly<Record<'database' | 'sftp' | 'smtp' | 'api', WireProxy>>
  /** The mail server: without TLS, so that a proxy can tell where the conversation stands. */
  readonly smtp: SmtpPeer
  run(job: string, date: string): Promise<RunSummary>
  /** Runs until it succeeds, as the next starts of a command or scheduler would; gives what the runs before ended with. */
  runUntilDone(job: string, date: string): Promise<readonly TallymanError[]>
}

/** More runs than this for one date mean that it never ends well. */
const MOST_RUNS = 5

/**
 * Puts proxies before the night's database, API, mail server and one SFTP endpoint; call it where
 * openNight is called. All end after the file's tests.
 */
export async function wireNight(
  night: Night,
  options: { readonly endpoint?: string; readonly clock?: Clock } = {},
): Promise<WiredNight> {
  const { endpoint = 'portal', clock = night.clock } = options
  const login = { user: 'tallyman', password: night.variables.SMTP_PASSWORD! }
  const smtp = await startSmtpPeer({ login })
  const database = await proxyBefore(night.variables.DATABASE_URL!)
  const wires = {
    database: database.proxy,
    sftp: await startWireProxy(night.sftp[endpoint]!),
    smtp: await startWireProxy(smtp),
    api: await startWireProxy({ host: '127.0.0.1', port: Number(new URL(night.api.baseUrl).port) }),
  }
  const engine = await openEngine({
    environment: throughWires(night.environment, endpoint, wires),
    timetable: night.timetable,
    variables: { ...night.variables, DATABASE_URL: database.url },
    clock,
    signal: new AbortController().signal,
    progress: () => {},
    codeVersion: 'test',
  })
  after(async () => {
    await engine.close()
    for (const proxy of Object.values(wires)) await proxy.close()
    await smtp.close()
  })
  const run = (job: string, date: string): Promise<RunSummary> =>
    runJob(engine, night.job(job), date, { trigger: 'manual', createTarget: true })
  return {
    engine,
    wires,
    smtp,
    run,
    runUntilDone: async (job, date) => {
      const errors: TallymanError[] = []
      for (let runs = 1; ; runs += 1) {
        try {
          await run(job, date)
          return errors
        } catch (error) {
          if (!(error instanceof TallymanError) || runs === MOST_RUNS) throw error
          errors.push(error)
        }
      }
    },
  }
}

function throughWires(environment: Environment, endpoint: string, wires: WiredNight['wires']): Environment {
  const { host, port } = wires.sftp
  return {
    ...environment,
    sftp: { ...environment.sftp, [endpoint]: { ...environment.sftp[endpoint]!, host, port } },
    api: { hours: { ...environment.api.hours!, baseUrl: `http://${wires.api.host}:${wires.api.port}` } },
    smtp: {
      ...{ host: wires.smtp.host, port: wires.smtp.port, tls: 'none' as const },
      ...{ user: 'tallyman', password: { env: 'SMTP_PASSWORD' } },
    },
  }
}
