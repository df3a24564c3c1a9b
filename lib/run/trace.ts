/**
 * Where a record came from and what became of it: its rows on both sides by date, their breaks, the load that brought
 * them, file and line, the text as received, and the rejects of its key. Writes nothing.
 */
import path from 'node:path'
import { type ComparePlan, columnsOf, planOf, tableOf } from '../../reconcile/compare/plan.ts'
import { type FoundRow, findRows } from '../../reconcile/snapshot/find-rows.ts'
import { readSnapshot, type Snapshot } from '../../reconcile/snapshot/manifest.ts'
import { filesById } from '../ledger/file.ts'
import { type ListedSnapshot, listSnapshots } from '../ledger/snapshot.ts'
import {
  breaksWith,
  loadsOf,
  rejectsWith,
  type TracedBreak,
  type TracedLoad,
  type TracedReject,
} from '../ledger/trace.ts'
import { ConfigError } from '../model/errors.ts'
import { type AnyJob, isMoving, type Reconciliation, type ScheduledJob } from '../model/job.ts'
import type { StepContext } from '../model/progress.ts'
import { qualifiedName, type TableDefinition } from '../model/table.ts'
import type { Engine } from './engine.ts'
import { contentPathOf } from './fetch-step.ts'
import { type RowOfLine, recordTexts } from './record-texts.ts'

/** A row on a side. */
export interface TracedRow {
  readonly side: 'source' | 'target'
  readonly values: Readonly<Record<string, string | null>>
  readonly file: string | null
  readonly line: number | null
  /** Of the file's decoded content. Null where the row came from no file of the load. */
  readonly contentSha256: string | null
  /** The record as received; null where it can't be read again. */
  readonly raw: string | null
}

/** A date on which the record was compared. */
export interface TracedDate {
  readonly businessDate: string
  /** Number of the comparison; null where that was not written down. */
  readonly comparison: number | null
  /** Those of the source first. */
  readonly rows: readonly TracedRow[]
  /** Null where no load of ours brought the rows. */
  readonly load: TracedLoad | null
}

/** All that is known. */
export interface Trace {
  readonly reconciliation: string
  readonly table: string
  readonly key: Readonly<Record<string, string>>
  /** Newest first. */
  readonly dates: readonly TracedDate[]
  readonly breaks: readonly TracedBreak[]
  /** Of the table; told with its first reconciliation only. */
  readonly rejects: readonly TracedReject[]
}

/** Breaks and rejects that are told, each; a key has few. */
const TOLD = 100

/** Gives the values that a table's rows are looked for by; null when they can't be those of this table. */
export type KeyOf = (table: TableDefinition) => Readonly<Record<string, string>> | null

/**
 * Traces a record through a job: one trace for each of its reconciliations whose table the key fits, of one date or of
 * all that are kept.
 * @throws CONFIG_USAGE when it fits none
 */
export async function trace(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  keyOf: KeyOf,
  date: string | null,
  context: StepContext,
): Promise<Trace[]> {
  const { job } = scheduled
  const filter = { job: job.name, ...(date === null ? {} : { businessDate: date }) }
  const kept = await engine.database.use(connection =>
    listSnapshots(connection, filter, Number.MAX_SAFE_INTEGER),
  )
  const traces: Trace[] = []
  for (const reconciliation of job.reconcile.comparisons) {
    const table = tableOf(reconciliation, job.map)
    const values = keyOf(table)
    if (values === null) continue
    const first = traces.every(one => one.table !== qualifiedName(table))
    const asked = { scheduled, reconciliation, table, values, date, first }
    traces.push(await traceTable(engine, asked, latestOnly(kept, job.name, reconciliation), context))
  }
  if (traces.length > 0) return traces
  const tables = job.reconcile.comparisons.map(one => tableOf(one, job.map))
  const keys = tables.map(
    table =>
      `${qualifiedName(table)} (${(table.key.length > 0 ? table.key : Object.keys(table.columns)).join(', ')})`,
  )
  throw new ConfigError(
    'CONFIG_USAGE',
    `This is no key of a table that ${job.name} compares: ${keys.join('; ') || 'it compares none'}. Nothing was looked for.`,
  )
}

interface Asked {
  readonly scheduled: ScheduledJob<AnyJob>
  readonly reconciliation: Reconciliation
  readonly table: TableDefinition
  readonly values: Readonly<Record<string, string>>
  readonly date: string | null
  /** The first one of its table. */
  readonly first: boolean
}

/** Of each date the pictures of its latest comparison: lists come newest first. */
function latestOnly(
  kept: readonly ListedSnapshot[],
  job: string,
  { name }: Reconciliation,
): ListedSnapshot[] {
  const seen = new Set<string>()
  return kept.filter(one => {
    const key = `${one.businessDate} ${one.side}`
    if (one.reconciliation !== `${job}.${name}` || seen.has(key)) return false
    seen.add(key)
    return true
  })
}

async function traceTable(
  engine: Engine,
  { scheduled, reconciliation, table, values, date, first }: Asked,
  kept: readonly ListedSnapshot[],
  context: StepContext,
): Promise<Trace> {
  const { job } = scheduled
  const plan = lookPlan(planOf(reconciliation, job.name, table), table)
  const pictures: { readonly row: ListedSnapshot; readonly snapshot: Snapshot }[] = []
  for (const row of kept) {
    const manifest = path.join(engine.folders.snapshots, path.basename(row.path))
    pictures.push({ row, snapshot: await readSnapshot(manifest) })
  }
  const { rows, ruled } = await findRows(
    pictures.map(({ snapshot }) => snapshot),
    { plan, values },
    engine.folders.work,
    context.signal,
  )
  const key = { given: values, ruled }
  const { breaks, rejects, loads } = await engine.database.use(async connection => ({
    breaks: await breaksWith(connection, plan.name, key, TOLD),
    rejects: first ? await rejectsWith(connection, job.name, date, qualifiedName(table), key, TOLD) : [],
    loads: await loadsOf(
      connection,
      rows.flatMap(({ snapshot }) => pictures[snapshot]!.row.revisionId ?? []),
    ),
  }))
  const dates = new Map<string, TracedDate & { rows: TracedRow[] }>()
  const texts = await textsOf(engine, scheduled, table, rows, pictures, loads, context)
  for (const [index, found] of rows.entries()) {
    const { row } = pictures[found.snapshot]!
    const { businessDate, number, side, revisionId } = row
    const load = (revisionId === null ? undefined : loads.get(revisionId)) ?? null
    const entry = dates.get(businessDate) ?? { businessDate, comparison: number, rows: [], load }
    dates.set(businessDate, entry)
    const file = load?.files.find(one => one.name === found.file && one.position !== null)
    entry.rows.push({
      ...{ side, values: found.values, file: found.file, line: found.line },
      ...{ contentSha256: file?.contentSha256 ?? null, raw: texts.get(index) ?? null },
    })
  }
  for (const { rows: own } of dates.values())
    own.sort((a, b) => (a.side < b.side ? -1 : a.side > b.side ? 1 : 0))
  return {
    ...{ reconciliation: plan.name, table: qualifiedName(table), key: values },
    ...{ dates: [...dates.values()], breaks, rejects },
  }
}

/** The plan with every column of the table, also those that are not compared: any may be looked for. */
function lookPlan(plan: ComparePlan, table: TableDefinition): ComparePlan {
  const known = new Set(columnsOf(plan).map(({ name }) => name))
  const rest = Object.entries(table.columns).flatMap(([name, { type }]) =>
    known.has(name) || type.kind === 'asOf' ? [] : [{ name, kind: type.kind, rule: {} }],
  )
  return { ...plan, columns: [...plan.columns, ...rest] }
}

/** The texts of found rows by their index: each archived file is read once, as far as it is needed. */
async function textsOf(
  engine: Engine,
  scheduled: ScheduledJob<AnyJob>,
  table: TableDefinition,
  rows: readonly FoundRow[],
  pictures: readonly { readonly row: ListedSnapshot }[],
  loads: ReadonlyMap<string, TracedLoad>,
  context: StepContext,
): Promise<ReadonlyMap<number, string>> {
  const texts = new Map<number, string>()
  if (!isMoving(scheduled)) return texts
  const wanted = new Map<string, { readonly date: string; readonly rows: [number, RowOfLine][] }>()
  for (const [index, found] of rows.entries()) {
    const { revisionId, side, businessDate } = pictures[found.snapshot]!.row
    const load = side === 'source' && revisionId !== null ? loads.get(revisionId) : undefined
    const file = load?.files.find(one => one.name === found.file && one.position !== null)
    if (file === undefined || found.line === null) continue
    const entry = wanted.get(file.id) ?? { date: businessDate, rows: [] }
    entry.rows.push([index, { line: found.line, values: found.values }])
    wanted.set(file.id, entry)
  }
  const files = await engine.database.use(connection => filesById(connection, [...wanted.keys()]))
  for (const row of files) {
    const { date, rows: own } = wanted.get(row.id)!
    const input = {
      ...{ job: scheduled.job.name, businessDate: date, zone: scheduled.zone, parse: scheduled.job.parse },
      ...{ mapping: scheduled.job.map, files: [{ row, path: contentPathOf(engine, row) }] },
    }
    const found = await recordTexts(
      input,
      table,
      own.map(([, one]) => one),
      context,
    )
    for (const [position, text] of found) texts.set(own[position]![0], text)
  }
  return texts
}
