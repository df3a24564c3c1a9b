/**
 * The page of a job, docs/integrations/<job>.md, made from the job itself so that it can't grow stale.
 * A test holds the pages to the jobs.
 */
import { describeMapping, describeTable } from '../../lib/map/describe.ts'
import { type AnyJob, type JobDefinition, movesRecords } from '../../lib/model/job.ts'
import { STEPS, type Step } from '../../lib/model/steps.ts'
import type { TableDefinition } from '../../lib/model/table.ts'
import {
  comparingInWords,
  fetchInWords,
  loadInWords,
  parseInWords,
  reconcileInWords,
} from './steps-in-words.ts'

function moving(job: JobDefinition, step: Exclude<Step, 'reconcile' | 'report'>): string {
  switch (step) {
    case 'fetch':
      return fetchInWords(job.fetch)
    case 'parse':
      return parseInWords(job.parse)
    case 'map':
      return describeMapping(job.map)
    case 'load':
      return loadInWords(job.load)
  }
}

function section(job: AnyJob, step: Step): string | null {
  switch (step) {
    case 'reconcile': {
      const load = movesRecords(job) ? job.load : null
      const tables = movesRecords(job)
        ? []
        : Object.values(job.map.tables).map(one => describeTable(one as TableDefinition))
      return [reconcileInWords(job.reconcile.comparisons, load), ...tables, ...secondSides(job)].join('\n\n')
    }
    case 'report':
      return `By mail to the list ${`\`${job.report.to}\``} of the environment, every night, clean ones too.`
    default:
      return movesRecords(job) ? moving(job, step) : null
  }
}

/** Sides that are files of their own: how they are fetched, parsed and mapped. */
function secondSides(job: AnyJob): string[] {
  return job.reconcile.comparisons.flatMap(({ name, source, target }) =>
    [source, target].flatMap(side =>
      side.kind === 'files'
        ? [
            `### The other side of ${name}`,
            fetchInWords(side.fetch),
            parseInWords(side.parse),
            describeMapping(side.map),
          ]
        : side.kind === 'http'
          ? [`### The other side of ${name}`, describeMapping(side.map)]
          : [],
    ),
  )
}

/** The page of a job as Markdown. */
export function jobPage(job: AnyJob): string {
  const head = [
    `# ${job.name}`,
    `<!-- Made from jobs/${job.name}.ts by bin/docs/job-page.ts. Do not edit: change the job, then run \`node test/support/write-job-pages.ts\`. -->`,
    job.purpose,
    ...(movesRecords(job) ? [] : [comparingInWords(job)]),
    `- Owner: ${job.owner}\n- If late: ${job.ifLate}${job.tags.length === 0 ? '' : `\n- Tags: ${job.tags.join(', ')}`}`,
  ]
  const body = STEPS.flatMap(step => {
    const text = section(job, step)
    return text === null ? [] : [`## ${step}`, text]
  })
  return `${[...head, ...body].join('\n\n')}\n`
}
