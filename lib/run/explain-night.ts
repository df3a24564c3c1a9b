/**
 * Explains the breaks of a night: each is put beside what the run ledger knows (rejects, versions, earlier
 * loads, what is under way), some thousand at a time, before T6 keeps the answers. What counts as an
 * explanation is reconcile/explain/decide.ts.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { readSightings } from '../../reconcile/breaks/read-sightings.ts'
import { tableOf } from '../../reconcile/compare/plan.ts'
import { explain, type KnownOfBreak, type KnownOfNight } from '../../reconcile/explain/decide.ts'
import { type EarlierRow, earlierRows } from '../../reconcile/explain/earlier-rows.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import type { Connection } from '../db/connection.ts'
import { asOfMark } from '../ledger/as-of.ts'
import {
  type ExplainingFile,
  earlierPictures,
  explainingFiles,
  inFlightBeside,
  prepareRejected,
  type RejectedRecord,
  rejectedAmong,
} from '../ledger/break-explanation.ts'
import { loadOf } from '../ledger/load.ts'
import { loadedRevision } from '../ledger/resolution.ts'
import { latestRevision } from '../ledger/revision.ts'
import { storableJson } from '../ledger/storable.ts'
import { type AskVersions, versionsOf } from '../load/row-versions.ts'
import type { Break } from '../model/break.ts'
import type { Explanation } from '../model/explanation.ts'
import { isMoving, type JobDefinition, type Reconciliation } from '../model/job.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import { instant } from '../report/figures.ts'
import type { Reconciled } from './compare-night.ts'
import type { Reporting } from './night-facts.ts'
import { readSourceSnapshots } from './source-snapshots.ts'
import { withTargetSession } from './target-session.ts'

/** Breaks looked up at a time: their keys are one statement's parameters. */
const PAGE = 5_000

/** The comparisons of a night with their breaks explained; those without breaks as they are. */
export async function explainNight(
  reporting: Reporting,
  reconciled: readonly Reconciled[],
): Promise<Reconciled[]> {
  const { scheduled } = reporting
  const explained: Reconciled[] = []
  for (const item of reconciled) {
    explained.push(
      isMoving(scheduled) && item.comparison.outcome === 'BREAKS'
        ? await explainComparison({ ...reporting, scheduled }, item)
        : item,
    )
  }
  return explained
}

type Moving = Reporting<JobDefinition>

async function explainComparison(reporting: Moving, item: Reconciled): Promise<Reconciled> {
  const { engine, scheduled } = reporting
  const { job } = scheduled
  const spec = job.reconcile.comparisons.find(
    ({ name }) => `${job.name}.${name}` === item.comparison.reconciliation,
  )!
  const table = tableOf(spec, job.map)
  const file = `${item.sightings}.explained`
  const shown = new Map<string, Explanation | null>(
    item.comparison.breaks.map(({ identity }) => [identity, null]),
  )
  const connection = await engine.database.connect({ name: 'tallyman explain', signal: engine.signal })
  const handle = await open(file, 'w')
  try {
    await withTargetSession(engine, job, null, engine, async target => {
      const facts = await factsOf(connection, target, reporting, spec, table)
      await explainAll(reporting, item, { connection, handle, facts, table, shown })
    })
  } finally {
    await handle.close()
    await connection.close()
  }
  const breaks = item.comparison.breaks.map(found => {
    const explanation = shown.get(found.identity) ?? null
    return explanation === null ? found : { ...found, explanation }
  })
  return { ...item, comparison: { ...item.comparison, breaks }, explanations: file }
}

interface Facts {
  readonly night: KnownOfNight
  readonly versions: AskVersions | null
  readonly pictures: readonly Snapshot[]
  readonly hasRejected: boolean
}

async function factsOf(
  connection: Connection,
  atTarget: Connection,
  { engine, scheduled, lease }: Moving,
  { source, target }: Reconciliation,
  table: TableDefinition,
): Promise<Facts> {
  const { load, map } = scheduled.job
  const own = source.kind === 'mapped' && target.kind === 'target' && load.kind === 'postgres'
  const base = await loadedRevision(connection, lease.runId)
  const latest = await latestRevision(connection, lease.runId)
  const loaded = latest === null ? null : await loadOf(connection, latest.id)
  const versions = own ? await versionsOf(atTarget, load, table) : null
  const marks = (base?.files ?? []).map(({ id }) => asOfMark(lease.key.businessDate, id)).sort()
  const lacksOwn = source.kind === 'mapped' ? (['missing_in_source'] as const) : []
  const lacksTarget =
    source.kind !== 'mapped' && target.kind !== 'files'
      ? (['missing_in_target', 'value_mismatch'] as const)
      : []
  const [alias] = Object.entries(map.tables).find(([, one]) => one === table)!
  const pictures: Snapshot[] = []
  if (own && table.key.length > 0) {
    for (const kept of await earlierPictures(connection, lease.runId, loaded?.snapshotHash ?? null)) {
      const picture = await readSourceSnapshots(engine, kept).catch(() => null)
      if (picture?.has(alias) === true) pictures.push(picture.get(alias)!)
    }
  }
  return {
    night: {
      ...{ own, rejectedKinds: [...lacksOwn, ...lacksTarget], table: qualifiedName(table) },
      mode: load.kind === 'postgres' ? load.mode : null,
      latest: versions === null ? null : (marks.at(-1) ?? null),
      load: loaded === null ? '' : `revision ${latest!.number}, ${instant(loaded.loadedAt)}`,
      inFlight: await inFlightBeside(connection, lease.runId),
    },
    versions,
    pictures,
    hasRejected: await prepareRejected(connection, lease.runId, qualifiedName(table)),
  }
}

interface Explaining {
  readonly connection: Connection
  readonly handle: FileHandle
  readonly facts: Facts
  readonly table: TableDefinition
  /** Explanations of the breaks that are held in memory. */
  readonly shown: Map<string, Explanation | null>
}

/** Goes through all breaks in pages; earlier rows come beside them in the same order. */
async function explainAll(reporting: Moving, item: Reconciled, explaining: Explaining): Promise<void> {
  const { pictures } = explaining.facts
  const earlier = pictures.length === 0 ? null : earlierBreaks(reporting, item, explaining)
  let next = earlier === null ? null : await nextOf(earlier)
  let number = 0
  try {
    for await (const page of pagesOf(readSightings(item.sightings))) {
      const found = new Map<number, EarlierRow>()
      for (; next !== null && next.number < number + page.length; next = await nextOf(earlier!))
        found.set(next.number - number, next)
      await explainPage(page, found, explaining)
      number += page.length
    }
  } finally {
    await earlier?.return(undefined)
  }
}

function earlierBreaks(
  { engine }: Moving,
  item: Reconciled,
  { facts, table }: Explaining,
): AsyncGenerator<EarlierRow> {
  async function* asked() {
    let number = 0
    for await (const { kind, key } of readSightings(item.sightings)) {
      if (kind === 'missing_in_source') yield { number, key }
      number += 1
    }
  }
  return earlierRows(
    {
      pictures: facts.pictures,
      key: table.key,
      workFolder: engine.folders.work,
      name: `earlier-${randomUUID()}`,
      signal: engine.signal,
    },
    asked(),
  )
}

async function nextOf<T>(iterator: AsyncGenerator<T>): Promise<T | null> {
  const next = await iterator.next()
  return next.done === true ? null : next.value
}

async function* pagesOf(breaks: AsyncIterable<Break>): AsyncGenerator<Break[]> {
  let page: Break[] = []
  for await (const found of breaks) {
    page.push(found)
    if (page.length < PAGE) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

async function explainPage(
  page: readonly Break[],
  earlier: ReadonlyMap<number, EarlierRow>,
  { connection, handle, facts, table, shown }: Explaining,
): Promise<void> {
  const rejected = facts.hasRejected
    ? await rejectedAmong(
        connection,
        page.map(({ key }) => key),
      )
    : new Map<number, RejectedRecord>()
  const versions = await versionsAmong(connection, page, facts, table)
  let lines = ''
  for (const [position, found] of page.entries()) {
    const known: KnownOfBreak = {
      rejected: rejected.get(position) ?? null,
      version: versions.get(position) ?? null,
      earlier: earlier.get(position) ?? null,
    }
    const explanation = explain(found, known, facts.night)
    if (explanation === null) continue
    if (shown.has(found.identity)) shown.set(found.identity, explanation)
    lines += `${found.identity}\t${storableJson(explanation).replaceAll('\\', '\\\\')}\n`
  }
  await handle.writeFile(lines)
}

/** Versions of the rows behind some breaks, by place; keys that can't be read have none. */
async function versionsAmong(
  connection: Connection,
  page: readonly Break[],
  { versions }: Facts,
  table: TableDefinition,
): Promise<Map<number, NonNullable<KnownOfBreak['version']>>> {
  const known = new Map<number, NonNullable<KnownOfBreak['version']>>()
  if (versions === null) return known
  const asked = [...page.entries()].filter(
    ([, { kind, key }]) =>
      kind !== 'unreadable' && kind !== 'key_invalid' && table.key.every(field => field in key),
  )
  const found = await versions(asked.map(([, { key }]) => key))
  const files = await explainingFiles(connection, [...new Set(found.map(({ version }) => idIn(version)))])
  for (const { position, version } of found) {
    const file: ExplainingFile | null = files.get(idIn(version)) ?? null
    known.set(asked[position]![0], { mark: version, file })
  }
  return known
}

function idIn(version: string): string {
  return String(BigInt(version.slice(version.indexOf('#') + 1)))
}
