/**
 * Asks everything outside whether it is there and as expected: SFTP servers and their host keys,
 * targets, mail server, disk, clock. Each finding comes with its fix. Writes nothing anywhere.
 */
import { statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { Database } from '../db/database.ts'
import { openSource } from '../fetch/open-source.ts'
import { targetTables } from '../load/create-target.ts'
import { findMismatches } from '../load/target-check.ts'
import { describeError, TallymanError } from '../model/errors.ts'
import { type JobDefinition, movesRecords } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { Engine } from './engine.ts'
import { otherTarget } from './target-session.ts'

/** One thing that was asked. */
export interface Finding {
  readonly subject: string
  readonly ok: boolean
  /** What was found. */
  readonly message: string
  /** What to do; empty when it is well. */
  readonly fix: string
}

/** Below this the next big file may not fit: the archive keeps raw and decoded bytes. */
const LEAST_FREE_BYTES = 5 * 1024 ** 3

/** A clock further from the database's than this makes file windows and mails tell wrong times. */
const MOST_SKEW_MS = 30_000

/** How long a server may take to greet. */
const GREETING_MS = 10_000

/** What can be asked without a database. */
export type Surroundings = Pick<Engine, 'environment' | 'timetable' | 'secrets' | 'clock' | 'log' | 'signal'>

/**
 * Everything that was asked, in the order in which a night needs it. `engine` is the error where it
 * could not be opened: what is wrong besides the database is found all the same.
 */
export async function examine(around: Surroundings, engine: Engine | TallymanError): Promise<Finding[]> {
  const jobs = around.timetable.jobs.map(scheduled => scheduled.job).filter(movesRecords)
  const findings: Finding[] = []
  for (const name of Object.keys(around.environment.sftp))
    findings.push(...(await examineSftp(around, name, jobs)))
  if (engine instanceof TallymanError)
    findings.push(ill('database', describeError(engine), 'docs/errors.md says who does what about this code'))
  else {
    findings.push(await examineClock(engine))
    for (const job of jobs) findings.push(...(await examineTargets(engine, job)))
  }
  findings.push(await examineMail(around))
  findings.push(await examineDisk(around))
  return findings
}

const well = (subject: string, message: string): Finding => ({ subject, ok: true, message, fix: '' })
const ill = (subject: string, message: string, fix: string): Finding => ({ subject, ok: false, message, fix })

async function examineSftp(
  engine: Surroundings,
  name: string,
  jobs: readonly JobDefinition[],
): Promise<Finding[]> {
  const endpoint = engine.environment.sftp[name]!
  const subject = `sftp ${name} (${endpoint.host}:${endpoint.port})`
  const { probeHostKeys } = await import('../sftp/host-key.ts')
  const { keys, failure } = await probeHostKeys(endpoint.host, endpoint.port)
  if (failure !== null) return [ill(subject, failure, 'is the server up, and may this machine reach it?')]
  const offered = keys.map(key => `${key.type} ${key.fingerprint}`).join(', ')
  const pinned: readonly string[] = endpoint.hostKeys
  if (!keys.some(key => pinned.includes(key.fingerprint))) {
    const lines = keys.map(key => `'${key.fingerprint}'`).join(', ')
    return [
      ill(
        subject,
        `offers ${offered}, and none of these is pinned`,
        `ask the partner by telephone whether the key changed; only then: hostKeys: [${lines}]`,
      ),
    ]
  }
  const findings = [well(subject, `host key as pinned: ${offered}`)]
  const job = jobs.find(one => one.fetch.kind === 'sftp' && one.fetch.endpoint === name)
  if (job !== undefined) findings.push(await examineFolder(engine, subject, job))
  return findings
}

async function examineFolder(engine: Surroundings, subject: string, job: JobDefinition): Promise<Finding> {
  const context: StepContext = {
    clock: engine.clock,
    log: engine.log,
    signal: engine.signal,
    progress: () => {},
  }
  const source = await openSource(job.fetch, engine.environment, engine.secrets, context)
  try {
    const listing = await source.list(job.fetch.folder)
    return well(subject, `login works; ${listing.entries.length} entries in ${job.fetch.folder}`)
  } catch (error) {
    return ill(subject, describeError(error), 'see docs/errors.md for the code')
  } finally {
    await source.close()
  }
}

async function examineClock(engine: Engine): Promise<Finding> {
  const before = engine.clock.now()
  const { rows } = await engine.database.use(connection =>
    connection.query<{ ms: number; version: string }>(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms, current_setting('server_version') AS version`,
    ),
  )
  const skew = Math.round(rows[0]!.ms - (before + engine.clock.now()) / 2)
  const version = `Postgres ${rows[0]!.version}, run ledger up to date`
  if (Math.abs(skew) <= MOST_SKEW_MS) return well('database', `${version}; clocks differ by ${skew} ms`)
  return ill('database', `${version}, but its clock differs by ${skew} ms`, 'synchronise both machines (NTP)')
}

async function examineTargets(engine: Engine, job: JobDefinition): Promise<Finding[]> {
  const { load } = job
  if (load.kind === 'api')
    return [well(`job ${job.name}`, `loads into ${load.endpoint}/${load.path}; asked at the first run`)]
  const subject = `job ${job.name}`
  const other = otherTarget(job)
  const target =
    other === null ? engine.database : await engine.target(other).catch((error: unknown) => error)
  if (!(target instanceof Database))
    return [
      ill(
        `${subject}, targets.${other}`,
        describeError(target),
        'docs/errors.md says who does what about this code',
      ),
    ]
  const { mismatches } = await target.use(connection => findMismatches(connection, targetTables(load)))
  if (mismatches.length === 0)
    return [well(subject, `target${other === null ? '' : ` in targets.${other}`} fits its definition`)]
  return mismatches.map(({ table, problem, ddl }) =>
    ill(
      `job ${job.name}, ${table}`,
      problem,
      ddl.length === 0 ? 'correct the table or its definition' : ddl.join('\n'),
    ),
  )
}

/** Connects and waits for the greeting: whether mails are accepted is only known when one is sent. */
async function examineMail(engine: Surroundings): Promise<Finding> {
  const { host, port, tls } = engine.environment.smtp
  const subject = `mail ${host}:${port}`
  const greeting = await new Promise<string>(resolve => {
    const socket = connect({ host, port })
    const done = (text: string): void => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(GREETING_MS, () => done('no greeting within 10 s'))
    socket.once('error', error => done(error.message))
    socket.once('connect', () => tls === 'implicit' && done('220 connected'))
    socket.once('data', data => done(data.toString('utf8').split('\r\n')[0] ?? ''))
  })
  if (greeting.startsWith('220')) return well(subject, 'answers')
  return ill(subject, greeting, 'is the server up? Mails wait in the outbox until it is')
}

async function examineDisk(engine: Surroundings): Promise<Finding> {
  const folder = engine.environment.dataFolder
  const found = await statfs(folder).catch((error: Error) => error)
  if (found instanceof Error) return ill('disk', `${folder}: ${found.message}`, 'make the data folder')
  const { bavail, bsize } = found
  const free = bavail * bsize
  const text = `${(free / 1024 ** 3).toFixed(1)} GB free for ${folder}`
  return free >= LEAST_FREE_BYTES
    ? well('disk', text)
    : ill('disk', text, 'free space: archive and snapshots grow every night')
}
