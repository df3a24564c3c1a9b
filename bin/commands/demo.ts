/**
 * `tallyman demo`: whole nights on embedded parts, told as they happen. Everything goes the way of
 * production: real SSH, a real Postgres, real mails; only the partners are played.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { EnvironmentFile } from '../../lib/model/environment.ts'
import { ConfigError, describeError } from '../../lib/model/errors.ts'
import { movesRecords, type Timetable } from '../../lib/model/job.ts'
import { makeDataFolder } from '../../lib/run/data-folder.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { reconcileAgain } from '../../lib/run/reconcile-again.ts'
import { runJob } from '../../lib/run/run-job.ts'
import type { RunSummary } from '../../lib/run/summary.ts'
import type { Night } from '../demo/night.ts'
import { deliver, nightsOf } from '../demo/nights.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument, table } from '../terminal.ts'
import { jobNamed } from './options.ts'
import { runData } from './run-data.ts'
import { summaryText } from './summary-text.ts'

/** Written into a data folder that a demo made, so that the next demo may empty it. */
const MARK = 'made-by-demo'

/** Plays the nights. Exit 0 when everything ended as it was to end: rejects, breaks and one refused file are part of the play. */
export async function demo(session: Session, options: Record<string, unknown>): Promise<number> {
  const started = performance.now()
  const { terminal } = session
  const { root, environment, timetable } = await session.configuration()
  assertPlayable(environment)
  const dataFolder = path.resolve(root, environment.dataFolder)
  const data = options.data as string | undefined
  const folder =
    data === undefined ? path.join(root, 'fixtures', 'demo') : path.resolve(session.workingDirectory, data)
  // Read before anything is emptied: a mistyped folder leaves the last demo as it is.
  const nights = await nightsOf(folder, jobsByEndpoint(timetable))
  await prepare(dataFolder, options.keep === true)
  terminal.note(
    terminal.paint('dim', 'Starting a Postgres, SFTP servers, a mail server and an API of our own'),
  )
  const engine = await session.engine()
  const summaries: RunSummary[] = []
  for (const night of nights) summaries.push(...(await playNight(session, engine, night, dataFolder)))
  if (data === undefined) summaries.push(await tamper(session, engine, nights.at(-1)!.businessDate))
  await showEnd(session, engine, summaries, Math.round((performance.now() - started) / 100) / 10)
  if (terminal.json) terminal.out(jsonDocument({ runs: summaries.map(runData) }))
  return EXIT.done
}

async function prepare(dataFolder: string, keep: boolean): Promise<void> {
  const mark = path.join(dataFolder, MARK)
  if (!keep && existsSync(dataFolder) && (await readdir(dataFolder)).length > 0) {
    if (!existsSync(mark)) {
      throw new ConfigError(
        'CONFIG_DEMO_DATA',
        `${dataFolder} holds data that no demo made. Nothing was started; --keep plays on top of it, or move it away.`,
      )
    }
    await assertUnused(dataFolder)
    // Below a closed folder the embedded server keeps its data elsewhere and leaves a link.
    const postgres = path.join(dataFolder, 'postgres')
    if (existsSync(postgres)) await rm(await realpath(postgres), { recursive: true, force: true })
    await rm(dataFolder, { recursive: true, force: true })
  }
  await makeDataFolder(dataFolder)
  await writeFile(mark, 'The demo may empty this folder.\n')
}

/** Another command's database may run in this folder: emptying it would take the ground from under it. */
async function assertUnused(dataFolder: string): Promise<void> {
  const pidFile = path.join(dataFolder, 'postgres', 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!(pid > 0)) return
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  throw new ConfigError(
    'CONFIG_DEMO_DATA',
    `${dataFolder} is in use: its database runs as process ${pid}. Nothing was started; wait for the other command, or stop it.`,
  )
}

/** Deliveries are put where embedded servers serve them; on real endpoints the demo would be a real night. */
function assertPlayable(environment: EnvironmentFile): void {
  const real = [...Object.values(environment.sftp), ...Object.values(environment.api), environment.smtp]
  if (environment.database.kind === 'embedded' && real.every(part => part === 'embedded')) return
  throw new ConfigError(
    'CONFIG_DEMO_DATA',
    `The demo plays on embedded parts only, and the environment ${environment.name} has real ones. Nothing was started; unset TALLYMAN_ENV.`,
  )
}

function jobsByEndpoint(timetable: Timetable): Map<string, string[]> {
  const jobs = new Map<string, string[]>()
  for (const { job } of timetable.jobs) {
    if (!movesRecords(job) || job.fetch.kind !== 'sftp') continue
    jobs.set(job.fetch.endpoint, [...(jobs.get(job.fetch.endpoint) ?? []), job.name])
  }
  return jobs
}

async function playNight(
  session: Session,
  engine: Engine,
  night: Night,
  dataFolder: string,
): Promise<RunSummary[]> {
  const { terminal, progress } = session
  const summaries: RunSummary[] = []
  terminal.note(`\n${terminal.paint('strong', `Business date ${night.businessDate}`)}`)
  for (const scene of night.scenes) {
    const names = scene.deliveries.map(delivery => delivery.name)
    terminal.note(
      terminal.paint(
        'dim',
        `\n  ${scene.title}: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ` and ${names.length - 6} more` : ''}`,
      ),
    )
    await deliver(scene.deliveries, endpoint => path.join(dataFolder, 'remote', endpoint))
    for (const job of scene.jobs) {
      try {
        const summary = await runJob(engine, jobNamed(engine.timetable, job), night.businessDate, {
          trigger: 'manual',
          createTarget: true,
        })
        progress.clear()
        summaries.push(summary)
        terminal.note(summaryText(summary, terminal).trimEnd())
      } catch (error) {
        progress.clear()
        if (session.signal.aborted) throw error
        terminal.note(
          `${terminal.paint('bad', 'FAILED')} ${terminal.paint('strong', `${job} ${night.businessDate}`)}: ${describeError(error)}`,
        )
      }
    }
  }
  return summaries
}

/** Somebody changes a rate in the target by hand; the next comparison finds it. */
async function tamper(session: Session, engine: Engine, businessDate: string): Promise<RunSummary> {
  const { terminal, progress } = session
  terminal.note(
    terminal.paint(
      'dim',
      '\n  in the morning somebody changes a rate in the target by hand, and another one is deleted',
    ),
  )
  await engine.database.use(async connection => {
    await connection.query(
      `UPDATE treasury.fx_rate SET rate = rate + 0.9 WHERE currency = 'USD' AND date = (SELECT max(date) FROM treasury.fx_rate)`,
    )
    await connection.query(
      `DELETE FROM treasury.fx_rate WHERE currency = 'NOK' AND date = (SELECT max(date) FROM treasury.fx_rate)`,
    )
  })
  const summary = await reconcileAgain(engine, jobNamed(engine.timetable, 'fx-rates'), businessDate, {
    stored: false,
  })
  progress.clear()
  terminal.note(summaryText(summary, terminal).trimEnd())
  return summary
}

async function showEnd(
  session: Session,
  engine: Engine,
  summaries: readonly RunSummary[],
  seconds: number,
): Promise<void> {
  const { terminal } = session
  const { rows } = await engine.database.use(connection =>
    connection.query<{ subject: string; file: string }>(
      `SELECT subject, message_id AS file FROM tallyman.outbox ORDER BY id`,
    ),
  )
  const outbox = path.relative(session.workingDirectory, engine.folders.outbox)
  terminal.note(`\n${terminal.paint('strong', `${rows.length} mails`)} in ${outbox}/*.html and *.eml:`)
  terminal.note(
    table(
      ['subject'],
      rows.map(row => [row.subject]),
    )
      .split('\n')
      .slice(1)
      .join('\n')
      .trimEnd(),
  )
  const read = summaries.reduce((sum, summary) => sum + summary.counts.read, 0)
  terminal.note(
    `\n${summaries.length} runs, ${read.toLocaleString('en-US')} records read, in ${seconds} s. Look around:`,
  )
  for (const command of ['status --date 2026-11-20', 'runs', 'files', 'rejects list', 'rejects show 1'])
    terminal.note(`  npm run -s tallyman -- ${command}`)
}
