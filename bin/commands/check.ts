/**
 * `tallyman check`: every mistake of jobs.config.ts, the jobs, their mappings and the environment at
 * once, without any network. What needs the network is `tallyman doctor`.
 */
import { existsSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Complaint } from '../../lib/config/complaint.ts'
import { ConfigError, TallymanError } from '../../lib/model/errors.ts'
import type { AnyJob, Timetable } from '../../lib/model/job.ts'
import { collectRefusals, type Refusal } from '../../lib/model/refusal.ts'
import { checkTimetable, problemOf } from '../../lib/schedule/check-timetable.ts'
import { projectRoot } from '../configuration.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument, jsonFailure } from '../terminal.ts'

/** A file that was imported by itself. */
interface Imported {
  readonly file: string
  readonly value: unknown
}

/**
 * Imports each mapping and job file by itself: a timetable that imports them all would only show the
 * first that throws. What several files fail with is told once, of the file that comes first.
 */
async function importAll(
  root: string,
): Promise<{ readonly imported: Imported[]; readonly complaints: Complaint[] }> {
  const imported: Imported[] = []
  const complaints = new Map<string, Complaint>()
  for (const file of [...(await filesOf(root, 'mappings')), ...(await filesOf(root, 'jobs'))]) {
    try {
      const module = (await import(pathToFileURL(path.join(root, file)).href)) as { default?: unknown }
      imported.push({ file, value: module.default })
    } catch (error) {
      const problem = problemOf(error)
      if (!complaints.has(problem))
        complaints.set(problem, { where: file, problem, fix: 'correct what the message names' })
    }
  }
  return { imported, complaints: [...complaints.values()] }
}

async function filesOf(root: string, folder: string): Promise<string[]> {
  const found: string[] = []
  if (existsSync(path.join(root, folder)))
    for await (const file of glob(`${folder}/**/*.ts`, { cwd: root })) found.push(file.replaceAll('\\', '/'))
  return found.sort()
}

function isJob(value: unknown): value is AnyJob {
  const object = typeof value === 'object' && value !== null
  return object && 'map' in value && 'reconcile' in value && 'report' in value
}

/** Jobs that nobody scheduled: written, and never run. */
function forgotten(imported: readonly Imported[], timetable: Timetable): Complaint[] {
  const scheduled = new Set(timetable.jobs.map(one => one?.job))
  return imported.flatMap(({ file, value }) =>
    isJob(value) && !scheduled.has(value)
      ? [
          {
            where: file,
            problem: `job ${value.name} is not in jobs.config.ts, so it never runs`,
            fix: 'add it there; cron: null for a job that only runs by hand',
          },
        ]
      : [],
  )
}

/** Where a refused definition is used: a part of a job, else what its own message names. */
function placeOf({ subject }: Refusal, jobs: readonly AnyJob[]): string {
  for (const job of jobs) {
    const parts = Object.entries(job).filter(([part]) => ['parse', 'load', 'map', 'reconcile'].includes(part))
    for (const [part, value] of parts) if (value === subject) return `job ${job.name}, ${part}`
    for (const item of job.reconcile.comparisons) {
      if (item === subject) return `job ${job.name}, reconcile.${item.name}`
      for (const side of [item.source, item.target]) {
        if (side === subject) return `job ${job.name}, reconcile.${item.name}`
        if (side.kind === 'files' && side.parse === subject)
          return `job ${job.name}, reconcile.${item.name}.parse`
      }
    }
  }
  return 'definition'
}

/** Reads everything and lists what is wrong; never throws for what stands in the files. */
async function allComplaints(session: Session): Promise<{ complaints: Complaint[]; jobs: number }> {
  const root = projectRoot(session.workingDirectory)
  const { value, refusals } = await collectRefusals(async () => {
    const files = await importAll(root)
    const read = await session.configuration().catch((error: unknown) => {
      if (error instanceof TallymanError) return error
      throw error
    })
    return { files, read }
  })
  const { files, read } = value
  const jobs = files.imported.map(one => one.value).filter(isJob)
  const refused = refusals.map(refusal => ({
    where: placeOf(refusal, jobs),
    problem: problemOf(refusal.error),
    fix: 'correct what the message names',
  }))
  const definitions = [...files.complaints, ...refused]
  if (read instanceof TallymanError) {
    // A timetable that can't be read because of a file that was told already has nothing of its own to tell.
    const known = files.complaints.some(({ problem }) => read.message.includes(problem))
    const own = { where: 'jobs.config.ts', problem: problemOf(read), fix: 'correct what the message names' }
    return { complaints: known ? definitions : [...definitions, own], jobs: 0 }
  }
  const { timetable, environment } = read
  const subjects = new Set(refusals.map(({ subject }) => subject))
  const complaints = [
    ...definitions,
    ...checkTimetable(timetable, environment, subjects),
    ...forgotten(files.imported, timetable),
  ]
  return { complaints, jobs: timetable.jobs.length }
}

/** Prints every mistake. Exit 0 when there is none, 2 otherwise. */
export async function check(session: Session): Promise<number> {
  const { complaints, jobs } = await allComplaints(session)
  const { terminal } = session
  const count = `${complaints.length} mistake${complaints.length === 1 ? '' : 's'}`
  if (terminal.json) {
    const error = new ConfigError('CONFIG_INVALID', `The configuration has ${count}. Nothing was started.`)
    terminal.out(
      complaints.length === 0 ? jsonDocument({ jobs, complaints }) : jsonFailure(error, { jobs, complaints }),
    )
  } else if (complaints.length === 0) {
    terminal.data(`${terminal.paintOut('good', 'ok')} ${jobs} jobs, no mistakes`)
  } else {
    for (const { where, problem, fix } of complaints) {
      terminal.data(terminal.paintOut('strong', where))
      terminal.data(`  ${problem}`)
      terminal.data(`  ${terminal.paintOut('dim', 'fix:')} ${fix}`)
    }
    terminal.data(terminal.paintOut('bad', count))
  }
  return complaints.length === 0 ? EXIT.done : EXIT.usage
}
