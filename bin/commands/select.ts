/**
 * Which jobs a command is about: by name, or by `--select tag:payroll,owner:logistics-it,status:failed`.
 */
import { listRuns } from '../../lib/ledger/run-list.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import type { ScheduledJob } from '../../lib/model/job.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { jobNamed } from './options.ts'

/** The jobs that were named or selected, in the order of the timetable. @throws CONFIG_USAGE, CONFIG_JOB_UNKNOWN */
export async function selectJobs(
  engine: Engine,
  names: readonly string[],
  select: string | undefined,
): Promise<ScheduledJob[]> {
  if (names.length === 0 && select === undefined) {
    const known = engine.timetable.jobs.map(scheduled => scheduled.job.name).join(', ')
    throw new ConfigError(
      'CONFIG_USAGE',
      `Which job? There are ${known}; or select some with --select tag:, owner: or status:. Nothing was started.`,
    )
  }
  const chosen = new Set(names.map(name => jobNamed(engine.timetable, name)))
  if (select === undefined) return [...chosen]
  const terms = select.split(',').map(term => term.trim())
  const failed = terms.some(term => term.startsWith('status:'))
    ? await engine.database.use(connection => listRuns(connection))
    : []
  for (const scheduled of engine.timetable.jobs) {
    const matches = terms.every(term => {
      const [kind, value = ''] = term.split(/:(.*)/s)
      if (kind === 'tag') return scheduled.job.tags.includes(value)
      if (kind === 'owner') return scheduled.job.owner === value
      if (kind === 'status') return failed.find(run => run.job === scheduled.job.name)?.state === value
      throw new ConfigError(
        'CONFIG_USAGE',
        `--select knows tag:, owner: and status:, not ${JSON.stringify(term)}. Nothing was started.`,
      )
    })
    if (matches) chosen.add(scheduled)
  }
  if (chosen.size === 0)
    throw new ConfigError('CONFIG_USAGE', `No job matches --select ${select}. Nothing was started.`)
  return [...chosen]
}
