/**
 * A dry run: the files are fetched aside, the freeze is previewed, the load is rolled back. Gives the
 * counts that a run would give now, and writes nothing to target, run ledger or archive.
 */
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { fetchFiles } from '../fetch/fetch-files.ts'
import { openSource } from '../fetch/open-source.ts'
import { previewFreeze } from '../ledger/freeze-preview.ts'
import type { Revision } from '../ledger/revision.ts'
import { ConfigError } from '../model/errors.ts'
import { type AnyJob, isMoving, type ScheduledJob } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { FetchedFeed, ReceivedFile } from '../model/received-file.ts'
import { deliveryWarnings } from './endings.ts'
import type { Engine } from './engine.ts'
import { asDelivery, contentPathOf } from './fetch-step.ts'
import { freezeRules, reopenQuarantined } from './freeze-rules.ts'
import { loadRevision } from './load-step.ts'
import { noFiles, onlyRefused, refusedFiles, setIncomplete } from './no-files.ts'
import { type StepLog, silentSteps } from './steps.ts'
import { type Ending, type RunSummary, summaryOf } from './summary.ts'

/** A dry run holds no run: nothing that it does is fenced, because nothing stays. */
const NOBODY = { runId: '0', attemptId: '0', fence: '0' }

/** How a dry run is made. */
export interface DryRunOptions {
  readonly force?: boolean
  readonly fromArchive?: boolean
  /** As a rerun: quarantined files are judged anew. */
  readonly again?: boolean
}

/** What a run would do now. @throws as a run, but for what only its writing can meet. */
export async function dryRun(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  businessDate: string,
  options: DryRunOptions,
): Promise<RunSummary> {
  if (!isMoving(scheduled)) throw nothingToTry(scheduled.job.name)
  const key = { job: scheduled.job.name, businessDate }
  const context: StepContext = {
    clock: engine.clock,
    log: engine.log.with({ ...key, dryRun: true }),
    signal: engine.signal,
    progress: engine.progress,
  }
  const aside = path.join(engine.folders.work, `dry-run-${randomUUID()}`)
  const steps = silentSteps(engine.clock)
  try {
    return await summarise({ engine, scheduled, businessDate, aside, steps, context, options })
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** A job that only compares changes nothing in any target: its run is what a dry run would be. */
function nothingToTry(job: string): ConfigError {
  return new ConfigError(
    'CONFIG_USAGE',
    `${job} only compares, so there is nothing to try: a run loads nothing. Nothing was started; leave --dry-run out.`,
  )
}

interface DryRun {
  readonly engine: Engine
  readonly scheduled: ScheduledJob
  readonly businessDate: string
  readonly aside: string
  readonly steps: StepLog
  readonly context: StepContext
  readonly options: DryRunOptions
}

async function summarise(run: DryRun): Promise<RunSummary> {
  const { engine, scheduled, businessDate, steps, options } = run
  const { job } = scheduled
  const key = { job: job.name, businessDate }
  const fetched = options.fromArchive === true ? null : await steps.run('fetch', () => fetchAside(run))
  const arrived = fetched?.received ?? []
  const refused = fetched?.quarantined ?? []
  const { frozen, replaced } = await engine.database.use(connection =>
    previewFreeze(
      connection,
      key,
      freezeRules(job, options.force ?? false),
      [...arrived, ...refused].map(file => asDelivery(job.name, file)),
      options.again === true ? () => reopenQuarantined(connection, job.fetch.feed, businessDate) : undefined,
    ),
  )
  const nobody = { key, attempt: 0 }
  const ending: Ending = { state: 'dry-run', reconciled: [], changes: null, report: null, replaces: [] }
  if (frozen.kind === 'no-files') throw noFiles(scheduled, key, fetched, frozen)
  if (frozen.kind === 'blocked') throw setIncomplete(key, frozen)
  const delivered = deliveryWarnings(fetched, frozen)
  if (frozen.kind === 'nothing-to-do') {
    const keptOut = refusedFiles(frozen)
    if (keptOut.length > 0) throw onlyRefused(key, keptOut)
    const facts = { revision: null, files: frozen.files, load: null, warnings: delivered }
    return summaryOf(nobody, { ...facts, steps: steps.results() }, ending)
  }
  const { revision } = frozen
  const { result, warnings } =
    frozen.kind === 'resume'
      ? { result: frozen.load.result, warnings: [] }
      : await steps.run('load', () => loadDry(run, revision, arrived))
  const facts = { revision, files: revision.results, load: result, warnings: [...delivered, ...warnings] }
  return summaryOf(nobody, { ...facts, steps: steps.results() }, { ...ending, replaces: replaced })
}

/** Fetches the date's files into a folder that is thrown away. */
async function fetchAside({ engine, scheduled, businessDate, aside, context }: DryRun): Promise<FetchedFeed> {
  const spec = scheduled.job.fetch
  const source = await openSource(spec, engine.environment, engine.secrets, context)
  try {
    return await fetchFiles({
      spec,
      businessDate,
      source,
      known: [],
      archive: { path: aside },
      context,
      onReceived: async () => {},
    })
  } finally {
    await source.close()
  }
}

function loadDry(run: DryRun, revision: Revision, arrived: readonly ReceivedFile[]) {
  const { engine, scheduled, businessDate, steps, context } = run
  const paths = new Map(arrived.map(file => [file.rawSha256, file.contentPath]))
  return loadRevision(
    {
      engine,
      scheduled,
      businessDate,
      lease: NOBODY,
      revision,
      contentPath: row => paths.get(row.rawSha256 ?? '') ?? contentPathOf(engine, row),
      dryRun: true,
      createTarget: false,
    },
    steps,
    context,
  )
}
