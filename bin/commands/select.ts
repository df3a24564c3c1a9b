/**
 * Which jobs a command is about: by name, or by `--select tag:payroll,owner:logistics-it,status:failed`.
 */
import { listRuns } from '../../lib/ledger/run-list.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import type { AnyJob, ScheduledJob, Timetable } from '../../lib/model/job.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { jobNamed } from './options.ts'

/** Reads `--select`; anything else than tag:, owner: and status: is refused. @throws CONFIG_USAGE */
function termsOf(select: string): { kind: string; value: string }[] {
  return select.split(',').map(text => {
    const [kind = '', value = ''] = text.trim().split(/:(.*)/s)
    if (!['tag', 'owner', 'status'].includes(kind) || value === '') {
      throw new ConfigError(
        'CONFIG_USAGE',
        `--select takes tag:NAME, owner:NAME and status:STATE, comma separated, not ${JSON.stringify(text.trim())}. Nothing was started.`,
      )
    }
    return { kind, value }
  })
}

/**
 * The jobs that were named or selected, in the order of the timetable. The engine is opened only for
 * `status:`, the state of a job's latest run. @throws CONFIG_USAGE, CONFIG_JOB_UNKNOWN
 */
export async function selectJobs(
  timetable: Timetable,
  engine: () => Promise<Engine>,
  names: readonly string[],
  select: string | undefined,
): Promise<ScheduledJob<AnyJob>[]> {
  if (names.length === 0 && select === undefined) {
    const known = timetable.jobs.map(scheduled => scheduled.job.name).join(', ')
    throw new ConfigError(
      'CONFIG_USAGE',
      `Which job? There are ${known}; or select some with --select tag:, owner: or status:. Nothing was started.`,
    )
  }
  const chosen = new Set(names.map(name => jobNamed(timetable, name)))
  if (select !== undefined) {
    const terms = termsOf(select)
    const states = terms.some(({ kind }) => kind === 'status')
      ? await latestStates(await engine())
      : new Map()
    for (const scheduled of timetable.jobs) {
      const { name, tags, owner } = scheduled.job
      const matches = terms.every(({ kind, value }) =>
        kind === 'tag'
          ? tags.includes(value)
          : kind === 'owner'
            ? owner === value
            : states.get(name) === value,
      )
      if (matches) chosen.add(scheduled)
    }
  }
  if (chosen.size === 0)
    throw new ConfigError('CONFIG_USAGE', `No job matches --select ${select}. Nothing was started.`)
  return timetable.jobs.filter(scheduled => chosen.has(scheduled))
}

/** State of each job's run of the newest business date. */
async function latestStates(engine: Engine): Promise<Map<string, string>> {
  const runs = await engine.database.use(connection => listRuns(connection))
  // Newest first, so the first of each job counts.
  return new Map(runs.toReversed().map(run => [run.job, run.state]))
}
