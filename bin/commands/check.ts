/**
 * `tallyman check`: every mistake of jobs.config.ts, the job files and the environment at once,
 * without any network. What needs the network is `tallyman doctor`.
 */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Complaint } from '../../lib/config/complaint.ts'
import { ConfigError, describeError, TallymanError } from '../../lib/model/errors.ts'
import { projectRoot } from '../configuration.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument, jsonFailure } from '../terminal.ts'

/**
 * Imports each job file by itself: a timetable that imports them all would only show the first
 * definition that throws. The same text from two files is told once.
 */
async function complaintsOfFiles(folder: string): Promise<Complaint[]> {
  if (!existsSync(folder)) return []
  const complaints = new Map<string, Complaint>()
  for (const name of readdirSync(folder)
    .filter(file => file.endsWith('.ts'))
    .sort()) {
    try {
      await import(pathToFileURL(path.join(folder, name)).href)
    } catch (error) {
      const problem = describeError(error)
      if (!complaints.has(problem))
        complaints.set(problem, {
          where: `jobs/${name}`,
          problem,
          fix: 'correct the definition that the message names',
        })
    }
  }
  return [...complaints.values()]
}

async function allComplaints(session: Session): Promise<{ complaints: Complaint[]; jobs: number }> {
  const files = await complaintsOfFiles(path.join(projectRoot(session.workingDirectory), 'jobs'))
  try {
    const { timetable, environment } = await session.configuration()
    const { checkTimetable } = await import('../../lib/schedule/check-timetable.ts')
    return { complaints: [...files, ...checkTimetable(timetable, environment)], jobs: timetable.jobs.length }
  } catch (error) {
    if (!(error instanceof TallymanError)) throw error
    const known = files.some(
      ({ problem }) => error.message.includes(problem) || problem.includes(error.message),
    )
    const own = known
      ? []
      : [{ where: 'jobs.config.ts', problem: describeError(error), fix: 'correct it as the message says' }]
    return { complaints: [...files, ...own], jobs: 0 }
  }
}

/** Prints every mistake. Exit 0 when there is none, 2 otherwise. */
export async function check(session: Session): Promise<number> {
  const { complaints, jobs } = await allComplaints(session)
  const { terminal } = session
  if (terminal.json) {
    const error = new ConfigError(
      'CONFIG_INVALID',
      `The configuration has ${complaints.length} mistakes. Nothing was started.`,
    )
    terminal.out(
      complaints.length === 0 ? jsonDocument({ jobs, complaints }) : jsonFailure(error, { jobs, complaints }),
    )
  } else if (complaints.length === 0) {
    terminal.out(`${terminal.paintOut('good', 'ok')} ${jobs} jobs, no mistakes\n`)
  } else {
    for (const { where, problem, fix } of complaints) terminal.out(`${where}\n  ${problem}\n  fix: ${fix}\n`)
    terminal.out(`${complaints.length} mistakes\n`)
  }
  return complaints.length === 0 ? EXIT.done : EXIT.usage
}
