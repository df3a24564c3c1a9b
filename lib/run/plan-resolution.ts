/**
 * Makes a plan that resolves breaks of a date: compares its stored pictures once more, proposes for each
 * break what the job's authority allows, and writes plan and sheets. Changes nothing but the list of plans.
 * Applying one is apply-plan.ts; what is proposed is reconcile/resolve/propose.ts.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { readSightings } from '../../reconcile/breaks/read-sightings.ts'
import { compareSides } from '../../reconcile/compare/compare-sides.ts'
import { planOf, tableOf } from '../../reconcile/compare/plan.ts'
import { planText, sealed } from '../../reconcile/resolve/plan-file.ts'
import { propose } from '../../reconcile/resolve/propose.ts'
import {
  changeLines,
  notProposedLines,
  SHEETS,
  type SheetName,
  sheetHead,
  tellLine,
} from '../../reconcile/resolve/sheets.ts'
import { readSnapshot } from '../../reconcile/snapshot/manifest.ts'
import type { Person } from '../ledger/break-ledger-acks.ts'
import { listBreaks } from '../ledger/break-ledger-list.ts'
import { evidenceOf, type NightEvidence } from '../ledger/night-evidence.ts'
import { recordPlan } from '../ledger/resolution.ts'
import { type RunDetails, runDetails } from '../ledger/run-list.ts'
import { add, compareDecimals, decimal, toText, ZERO } from '../model/decimal.ts'
import { ConfigError } from '../model/errors.ts'
import type { Reconciliation, ScheduledJob } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import type { PlannedChange, ResolutionPlan } from '../model/resolution.ts'
import type { RunKey } from '../model/run.ts'
import { qualifiedName } from '../model/table.ts'
import type { MadeBy } from './compare-night.ts'
import type { Engine } from './engine.ts'
import { SheetFile } from './sheet-files.ts'

/** What is asked for. */
export interface PlanRequest {
  readonly engine: Engine
  readonly scheduled: ScheduledJob
  readonly businessDate: string
  /** Only these breaks; null for all of the date's comparison. */
  readonly identities: ReadonlySet<string> | null
  readonly by: Person
  /** Where plan and sheets go. */
  readonly folder: string
}

/** What was written. */
export interface PlannedResolution {
  /** Null when nothing can be proposed. */
  readonly plan: ResolutionPlan | null
  /** Lines for the source's owner, and findings for which nothing is proposed. */
  readonly told: number
  readonly notProposed: number
  /** Paths of all files, the plan's first. */
  readonly files: readonly string[]
}

/**
 * Writes a plan and its sheets.
 * Cost: the comparison once more; memory for as many changes as the caps allow.
 * @throws CONFIG_RESOLVE_REFUSED where nothing was proved or loaded, CONFIG_RESOLVE_OVER_CAP, RECONCILE_SNAPSHOT_MISSING
 */
export async function planResolution(request: PlanRequest): Promise<PlannedResolution> {
  const { engine, scheduled, businessDate, by, folder } = request
  const key = { job: scheduled.job.name, businessDate }
  const details = await engine.database.use(connection => runDetails(connection, key))
  if (details === null || details.comparison.number === 0) throw refused(key, 'it was never compared')
  if (scheduled.job.load.kind !== 'postgres')
    throw refused(key, 'its target is an API, whose rows are changed by loading them again')
  await mkdir(folder, { recursive: true })
  const sheets = openSheets(folder)
  const changes: PlannedChange[] = []
  const snapshots: ResolutionPlan['snapshots'][number][] = []
  try {
    for (const reconciliation of scheduled.job.reconcile.comparisons)
      snapshots.push(...(await proposeAll(request, reconciliation, details, sheets, changes)))
  } finally {
    for (const sheet of Object.values(sheets)) await sheet.close()
  }
  const written = Object.values(sheets).filter(({ entries }) => entries > 0)
  const counts = { told: sheets['for-the-source'].entries, notProposed: sheets['not-proposed'].entries }
  const files = written.map(sheet => sheet.path)
  if (changes.length === 0) return { plan: null, ...counts, files }
  const plan = sealed({
    ...key,
    comparison: details.comparison.number,
    snapshots,
    madeBy: by.name,
    madeAt: new Date(engine.clock.now()).toISOString(),
    changes,
    amount: amountOfChanges(changes),
  })
  await engine.database.use(connection => recordPlan(connection, plan, details.run.id, by))
  const file = path.join(folder, 'plan.json')
  await writeFile(file, planText(plan), { mode: 0o600 })
  return { plan, ...counts, files: [file, ...files] }
}

/** The sum of the amounts of some changes, as the cap counts it. */
export function amountOfChanges(changes: readonly PlannedChange[]): string {
  return toText(changes.reduce((sum, { amount }) => add(sum, decimal(amount)), ZERO))
}

/** What is beyond the caps of a comparison, null when nothing is. */
export function overCap({ resolve, name }: Reconciliation, changes: readonly PlannedChange[]): string | null {
  if (resolve === undefined || changes.length === 0) return null
  const rows = changes.reduce((sum, change) => sum + change.rows, 0)
  if (rows > resolve.maxRows)
    return `${name} has ${rows} rows to be changed, and the cap is ${resolve.maxRows}`
  const amount = amountOfChanges(changes)
  if (compareDecimals(decimal(amount), decimal(resolve.maxAmount)) <= 0) return null
  return `the changes of ${name} add up to ${amount}, and the cap is ${resolve.maxAmount}`
}

type Sheets = Readonly<Record<SheetName, SheetFile>>

function openSheets(folder: string): Sheets {
  const names = Object.keys(SHEETS) as SheetName[]
  return Object.fromEntries(
    names.map(name => [name, new SheetFile(folder, name, sheetHead(name))]),
  ) as unknown as Sheets
}

/** Proposes for every break of one comparison; gives the pictures that it was made of. */
async function proposeAll(
  request: PlanRequest,
  reconciliation: Reconciliation,
  details: RunDetails,
  sheets: Sheets,
  changes: PlannedChange[],
): Promise<ResolutionPlan['snapshots'][number][]> {
  const { engine, scheduled, businessDate, identities } = request
  const { job } = scheduled
  const key = { job: job.name, businessDate }
  const table = tableOf(reconciliation, job.map)
  const name = `${job.name}.${reconciliation.name}`
  const kept = await engine.database.use(connection => evidenceOf(connection, businessDate, job.name))
  const night = kept.find(one => one.reconciliation === name && one.number === details.comparison.number)
  if (night === undefined) return []
  if (night.result.outcome === 'INCONCLUSIVE') {
    if (reconciliation.resolve === undefined) return []
    throw refused(key, `the last comparison of ${name} was inconclusive, so nothing is proved`)
  }
  const acknowledged = await acknowledgements(engine, job.name, name)
  // What was mailed is resolved: the comparison is made by what it was made by then.
  const made: Pick<MadeBy, 'plan' | 'rules'> = (night.madeBy as MadeBy | null) ?? {
    plan: planOf(reconciliation, job.name, table),
    rules: {},
  }
  const mine: PlannedChange[] = []
  const sightings = path.join(engine.folders.work, `sightings-plan-${randomUUID()}.copy`)
  try {
    const pictures = await compareAgain(request, night, made, sightings)
    for await (const found of readSightings(sightings)) {
      if (identities !== null && !identities.has(found.identity)) continue
      const { change, tell, not } = propose(found, {
        reconciliation: name,
        table: qualifiedName(table),
        rule: reconciliation.resolve,
        totals: table.totals,
        acknowledged: acknowledged.get(found.identity) ?? null,
        ownRecords: reconciliation.source.kind === 'mapped',
      })
      for (const one of tell) await sheets['for-the-source'].add(tellLine(name, one))
      for (const one of not) await sheets['not-proposed'].add(notProposedLines(name, one))
      if (change === null) continue
      await sheets.changes.add(changeLines(change))
      mine.push(change)
      // Refused while it is read: what is far beyond the cap needs no memory.
      if (mine.length > reconciliation.resolve!.maxRows) break
    }
    const over = overCap(reconciliation, mine)
    if (over !== null) throw overCapError(key, over)
    changes.push(...mine)
    return mine.length === 0 ? [] : [{ reconciliation: name, ...pictures }]
  } finally {
    await rm(sightings, { force: true })
  }
}

/** Compares what is stored once more and gives the digests of the pictures. */
async function compareAgain(
  { engine, scheduled, businessDate }: PlanRequest,
  { snapshots }: NightEvidence,
  { plan, rules }: Pick<MadeBy, 'plan' | 'rules'>,
  sightingsFile: string,
): Promise<{ readonly source: string; readonly target: string }> {
  const side = async (which: 'source' | 'target') => {
    const { path: kept } = snapshots.find(one => one.side === which)!
    return readSnapshot(path.join(engine.folders.snapshots, path.basename(kept)))
  }
  const [left, right] = [await side('source'), await side('target')]
  const { clock, log, signal, progress } = engine
  const context: StepContext = { clock, log, signal, progress }
  const run = { job: scheduled.job.name, businessDate }
  const { work } = engine.folders
  await compareSides(
    left,
    right,
    plan,
    { ...rules, run, workFolder: work, breaksFile: null, breaksInMemory: 0, sightingsFile },
    context,
  )
  return { source: left.manifest.digest, target: right.manifest.digest }
}

/** Who stands for which break of a reconciliation, in words. */
async function acknowledgements(
  engine: Engine,
  job: string,
  reconciliation: string,
): Promise<Map<string, string>> {
  const found = await engine.database.use(connection =>
    listBreaks(connection, { job, states: ['acknowledged'] }, 1_000_000),
  )
  return new Map(
    found
      .filter(one => one.reconciliation === reconciliation && one.acknowledgement !== null)
      .map(({ identity, acknowledgement }) => [
        identity,
        `${acknowledgement!.owner} stands for it until ${acknowledgement!.until}`,
      ]),
  )
}

function refused({ job, businessDate }: RunKey, why: string): ConfigError {
  return new ConfigError(
    'CONFIG_RESOLVE_REFUSED',
    `No plan can be made for ${job} of ${businessDate}: ${why}. Nothing was written.`,
  )
}

function overCapError({ job, businessDate }: RunKey, over: string): ConfigError {
  return new ConfigError(
    'CONFIG_RESOLVE_OVER_CAP',
    `The plan for ${job} of ${businessDate} is refused whole: ${over}. So many differences have one cause that is to be found first; name single breaks by their ids, or load the date again.`,
  )
}
