/**
 * The page of a job, docs/integrations/<job>.md, made from the job itself so that it can't grow stale.
 * A test holds the pages to the jobs.
 */
import { describeMapping } from '../../lib/map/describe.ts'
import type { JobDefinition } from '../../lib/model/job.ts'
import { STEPS, type Step } from '../../lib/model/steps.ts'
import { fetchInWords, loadInWords, parseInWords, reconcileInWords } from './steps-in-words.ts'

function section(job: JobDefinition, step: Step): string {
  switch (step) {
    case 'fetch':
      return fetchInWords(job.fetch)
    case 'parse':
      return parseInWords(job.parse)
    case 'map':
      return describeMapping(job.map)
    case 'load':
      return loadInWords(job.load)
    case 'reconcile':
      return [reconcileInWords(job.reconcile.comparisons, job.load), ...secondSides(job)].join('\n\n')
    case 'report':
      return `By mail to the list ${`\`${job.report.to}\``} of the environment, every night, clean ones too.`
  }
}

/** Sides that are files of their own: how they are fetched, parsed and mapped. */
function secondSides(job: JobDefinition): string[] {
  return job.reconcile.comparisons.flatMap(({ name, source, target }) =>
    [source, target].flatMap(side =>
      side.kind === 'files'
        ? [
            `### The other side of ${name}`,
            fetchInWords(side.fetch),
            parseInWords(side.parse),
            describeMapping(side.map),
          ]
        : [],
    ),
  )
}

/** The page of a job as Markdown. */
export function jobPage(job: JobDefinition): string {
  const head = [
    `# ${job.name}`,
    `<!-- Made from jobs/${job.name}.ts by bin/docs/job-page.ts. Do not edit: change the job, then run \`node test/support/write-job-pages.ts\`. -->`,
    job.purpose,
    `- Owner: ${job.owner}\n- If late: ${job.ifLate}${job.tags.length === 0 ? '' : `\n- Tags: ${job.tags.join(', ')}`}`,
  ]
  const body = STEPS.flatMap(step => [`## ${step}`, section(job, step)])
  return `${[...head, ...body].join('\n\n')}\n`
}
