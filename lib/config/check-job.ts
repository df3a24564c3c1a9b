/**
 * Mistakes that a job definition can hold, found without running anything: its own words here, its
 * steps in check-source.ts, check-load.ts and check-reconcile.ts, and what jobs do to each other.
 */
import type { EnvironmentFile } from '../model/environment.ts'
import { type AnyJob, type ComparingJob, movesRecords } from '../model/job.ts'
import { qualifiedName } from '../model/table.ts'
import { checkLoad } from './check-load.ts'
import { checkReconciliation } from './check-reconcile.ts'
import { checkFetch, checkParse } from './check-source.ts'
import { type Complain, type Complaint, complainAbout, NAME } from './complaint.ts'

/** All mistakes of one job, empty when there are none. `refused`: parts whose builders have told their own. */
export function checkJob(
  job: AnyJob,
  environment: EnvironmentFile,
  refused: ReadonlySet<object>,
): Complaint[] {
  const complaints: Complaint[] = []
  const complain = complainAbout(`job ${job.name}`, complaints)
  if (!NAME.test(job.name))
    complain('name', `${JSON.stringify(job.name)} is no name`, 'lower-case letters, digits and dashes')
  for (const part of ['purpose', 'ifLate'] as const) {
    if (job[part].trim() === '') complain(part, 'is empty', 'a sentence for the person who is paged at night')
  }
  if (job.owner.trim() === '') complain('owner', 'is empty', 'the team that acts when it fails')
  if (movesRecords(job)) {
    checkFetch(job.fetch, environment, complain)
    checkParse(job.parse, job.map, refused.has(job.parse), complain, '')
    checkLoad(job, environment, refused.has(job.load), complain)
  } else checkComparing(job, complain)
  for (const item of job.reconcile.comparisons) checkReconciliation(item, job, environment, refused, complain)
  if (environment.recipients[job.report.to] === undefined) {
    const known = Object.keys(environment.recipients).join(', ') || 'none'
    complain(
      'report.to',
      `the environment ${environment.name} has no recipients list ${JSON.stringify(job.report.to)}`,
      `one of: ${known}; or add it to environments/${environment.name}.ts`,
    )
  }
  return complaints
}

/** Mistakes between jobs: doubled names and feeds, two jobs that would replace each other's rows. */
export function checkJobsTogether(jobs: readonly AnyJob[]): Complaint[] {
  const complaints: Complaint[] = []
  const seen = (
    kind: string,
    fix: string,
    names: readonly (readonly [name: string, job: string])[],
  ): void => {
    const first = new Map<string, string>()
    for (const [name, job] of names) {
      const other = first.get(name)
      if (other === undefined) first.set(name, job)
      else
        complaints.push({
          where: `job ${job}`,
          problem: `the ${kind} ${name} is also that of job ${other}`,
          fix,
        })
    }
  }
  seen(
    'name',
    'give each its own name',
    jobs.map(job => [job.name, job.name]),
  )
  seen(
    'feed',
    'give each its own feed, or let one job take the files',
    jobs.flatMap(job => feedsOf(job).map(feed => [feed, job.name] as const)),
  )
  seen(
    'table',
    "give each its own: replace and mirror delete the other job's rows",
    jobs.flatMap(job =>
      movesRecords(job) &&
      job.load.kind === 'postgres' &&
      (job.load.mode === 'replace' || job.load.mode === 'mirror')
        ? Object.values(job.load.tables).map(table => [qualifiedName(table), job.name] as const)
        : [],
    ),
  )
  return complaints
}

/** What a job can't be without when it moves nothing. */
function checkComparing({ reconcile, shadow }: ComparingJob, complain: Complain): void {
  if (reconcile.comparisons.length === 0)
    complain('reconcile', 'compares nothing, and the job does nothing else', 'snapshots(comparison({ ... }))')
  if (shadow === null) return
  if (!Number.isInteger(shadow.nights) || shadow.nights < 1)
    complain('shadow.nights', `${shadow.nights} is no number of nights`, 'a whole number, such as 10')
  if (shadow.of.trim() === '')
    complain('shadow.of', 'is empty', 'the system that is to be replaced, for the mail')
}

function feedsOf(job: AnyJob): string[] {
  const sides = job.reconcile.comparisons.flatMap(({ source, target }) => [source, target])
  const own = movesRecords(job) ? [job.fetch.feed] : []
  // A side may read the files that the job loads, in another way.
  return [...new Set([...own, ...sides.flatMap(side => ('fetch' in side ? [side.fetch.feed] : []))])]
}
