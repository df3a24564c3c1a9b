/**
 * A night's breaks on their way into the break ledger, inside T6: every comparison that proved something
 * is recorded, and what the mail and the summary tell of it comes back. The rules are reconcile/breaks.
 */
import { createReadStream } from 'node:fs'
import { access, rm } from 'node:fs/promises'
import { ageCounter } from '../../reconcile/breaks/ages.ts'
import { causeWords, sightOf } from '../../reconcile/breaks/cause.ts'
import { foldRules } from '../../reconcile/breaks/fold.ts'
import { lookUp } from '../../reconcile/breaks/look-up.ts'
import { pendingPath } from '../../reconcile/breaks/pending-file.ts'
import { type ComparePlan, planOf, tableOf } from '../../reconcile/compare/plan.ts'
import { type AgeLimit, ageLimits, withAges } from '../../reconcile/judge/ages.ts'
import { readSnapshot, type Snapshot } from '../../reconcile/snapshot/manifest.ts'
import type { Connection } from '../db/connection.ts'
import { storeExplanations } from '../ledger/break-explanation.ts'
import { recordNight } from '../ledger/break-ledger.ts'
import { countOlder } from '../ledger/break-ledger-ages.ts'
import type { FoldedNight } from '../ledger/break-ledger-fold.ts'
import { countsOfNight, listBreaks, openOfNights, picturesOfNight } from '../ledger/break-ledger-list.ts'
import type { LookUp } from '../ledger/break-ledger-sightings.ts'
import type { Comparison } from '../model/break.ts'
import { TallymanError } from '../model/errors.ts'
import type { Calendar } from '../model/job.ts'
import type { StateCounts } from '../model/lasting-break.ts'
import type { BreakHistory, BreakState } from '../report/break-history.ts'
import type { Reconciled } from './compare-night.ts'
import type { Engine } from './engine.ts'
import type { Reporting } from './night-facts.ts'
import { type BreakChanges, NO_CHANGES } from './summary.ts'

/** What became of a night's breaks: for the mail by reconciliation, null for one that proved nothing; for the summary in all. */
export interface RecordedBreaks {
  /** The comparisons with the ages of their breaks judged. */
  readonly judged: readonly Reconciled[]
  readonly histories: ReadonlyMap<string, BreakHistory | null>
  readonly changes: BreakChanges
}

/** Records the breaks of all comparisons of a night in the caller's transaction. */
export async function recordBreaks(
  connection: Connection,
  night: Reporting,
  comparisonId: string,
  reconciled: readonly Reconciled[],
): Promise<RecordedBreaks> {
  const histories = new Map<string, BreakHistory | null>()
  const counts: StateCounts[] = []
  const judged: Reconciled[] = []
  for (const item of reconciled) {
    const { reconciliation, outcome } = item.comparison
    if (outcome === 'INCONCLUSIVE' || item.left === null || item.right === null) {
      histories.set(reconciliation, null)
      judged.push(item)
      continue
    }
    const folded = await record(connection, night, comparisonId, item)
    if (item.explanations !== undefined)
      await storeExplanations(
        connection,
        folded.ledger,
        night.lease.key.businessDate,
        createReadStream(item.explanations),
      )
    counts.push(folded.counts)
    judged.push({ ...item, comparison: await judgeAges(connection, night, folded.ledger, item) })
    histories.set(reconciliation, await historyOf(connection, night, folded))
  }
  return { judged, histories, changes: changesOf(counts) }
}

async function judgeAges(
  connection: Connection,
  { scheduled, lease }: Reporting,
  ledger: number,
  { comparison, madeBy }: Reconciled,
): Promise<Comparison> {
  const limits = ageLimits(madeBy.plan.whole?.limits ?? {}, scheduled.calendar, lease.key.businessDate)
  const older: (AgeLimit & { readonly count: number })[] = []
  for (const limit of limits)
    older.push({ ...limit, count: await countOlder(connection, ledger, limit.kind, limit.firstSeenUntil) })
  return withAges(comparison, older)
}

/** The changes of a night that was recorded before. */
export async function recordedChanges(
  connection: Connection,
  businessDate: string,
  reconciled: readonly Pick<Reconciled, 'comparison'>[],
): Promise<BreakChanges> {
  const counts: StateCounts[] = []
  for (const { comparison } of reconciled) {
    if (comparison.outcome === 'INCONCLUSIVE') continue
    const found = await countsOfNight(connection, comparison.reconciliation, businessDate)
    if (found !== null) counts.push(found)
  }
  return changesOf(counts)
}

/** Removes what the comparisons told the ledger of; it is kept there by now. */
export async function forgetSightings(reconciled: readonly Reconciled[]): Promise<void> {
  for (const { sightings, explanations } of reconciled) {
    await rm(sightings, { force: true })
    await rm(pendingPath(sightings), { force: true })
    if (explanations !== undefined) await rm(explanations, { force: true })
  }
}

function changesOf(counts: readonly StateCounts[]): BreakChanges {
  const sum = (state: keyof BreakChanges): number => counts.reduce((total, one) => total + one[state], 0)
  const names = Object.keys(NO_CHANGES) as (keyof BreakChanges)[]
  return Object.fromEntries(names.map(name => [name, sum(name)])) as unknown as BreakChanges
}

function record(
  connection: Connection,
  { engine, scheduled, lease }: Reporting,
  comparisonId: string,
  { comparison, left, right, sightings }: Reconciled,
): Promise<FoldedNight> {
  const { job } = scheduled
  const { reconciliation } = comparison
  const { businessDate } = lease.key
  const spec = job.reconcile.comparisons.find(({ name }) => `${job.name}.${name}` === reconciliation)!
  const plan = planOf(spec, job.name, tableOf(spec, job.map))
  return recordNight(
    connection,
    {
      ...{ reconciliation, job: job.name, businessDate, comparisonId },
      sees: sightOf(comparison.left, comparison.right).sees,
      sightings: createReadStream(sightings),
      pending: (comparison.pending ?? null) === null ? null : createReadStream(pendingPath(sightings)),
      lookUpAt: async ({ date }) => {
        if (date === businessDate) return lookUpIn(engine, plan, left!, right!)
        const pictures = await picturesOfNight(connection, reconciliation, date)
        return pictures === null ? null : lookUpStored(engine, plan, pictures)
      },
      watched: new Set(comparison.breaks.map(({ identity }) => identity)),
    },
    foldRules,
  )
}

function lookUpIn(engine: Engine, plan: ComparePlan, left: Snapshot, right: Snapshot): LookUp {
  const sight = sightOf(left.manifest, right.manifest)
  return asked =>
    lookUp({ left, right, plan, sight, workFolder: engine.folders.work, signal: engine.signal }, asked)
}

/** Null when the pictures are gone: then nobody says what became of a break that night. */
async function lookUpStored(
  engine: Engine,
  plan: ComparePlan,
  pictures: { readonly source: string; readonly target: string },
): Promise<LookUp | null> {
  try {
    const [left, right] = [await readSnapshot(pictures.source), await readSnapshot(pictures.target)]
    for (const { path } of [left, right]) await access(path)
    return lookUpIn(engine, plan, left, right)
  } catch (error) {
    const missing = error instanceof TallymanError && error.code === 'RECONCILE_SNAPSHOT_MISSING'
    if (missing || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Nights of a mail's trend: six weeks of working days, and as many bars as a narrow screen has room for. */
const TREND_NIGHTS = 30

async function historyOf(
  connection: Connection,
  { scheduled, lease }: Reporting,
  folded: FoldedNight,
): Promise<BreakHistory> {
  const { ledger, counts, resolved } = folded
  const gone = await listBreaks(connection, { ledger, identities: resolved }, resolved.length)
  return {
    open: openBreaks(folded, scheduled.calendar, lease.key.businessDate),
    resolved: gone.map(({ kind, key, course }) => ({
      kind,
      key,
      firstSeen: course.firstSeen,
      cause: causeWords(course.cause),
    })),
    counts,
    trend: await openOfNights(connection, ledger, lease.key.businessDate, TREND_NIGHTS),
  }
}

function openBreaks({ breaks }: FoldedNight, calendar: Calendar, date: string): BreakHistory['open'] {
  const ages = ageCounter(calendar)
  const open = new Map<string, BreakHistory['open'] extends ReadonlyMap<string, infer One> ? One : never>()
  for (const [identity, { course, acknowledgement }] of breaks) {
    // What is not in it is new.
    if (course.state === 'new' && acknowledgement === null && course.firstSeen === date) continue
    open.set(identity, {
      state: acknowledgement === null ? (course.state as BreakState) : 'acknowledged',
      firstSeen: course.firstSeen,
      businessDays: ages(course, date).businessDays,
      owner: acknowledgement?.owner ?? null,
      ...(acknowledgement === null
        ? {}
        : { acknowledgement: { reason: acknowledgement.reason, until: acknowledgement.until } }),
    })
  }
  return open
}
