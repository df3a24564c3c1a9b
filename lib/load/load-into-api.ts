/**
 * Loads a revision into a bulk API (T4 of delivery.md). READ THIS FIRST of lib/load/api*.ts: spool,
 * judge, send call by call, keep what became of it in one last transaction. The protocol: POST of a JSON
 * array with an Idempotency-Key; the answer is `{"results": [{"index", "status", "error": {"code", "message"}}]}`
 * with one result per row, status created, updated, unchanged, rejected or unprocessed.
 */
import { endpointUrl } from '../http/endpoint-url.ts'
import { callsOf } from '../ledger/call.ts'
import { assertFence } from '../ledger/fence.ts'
import { finishLoad, insertLoad, type LoadRow, loadOf } from '../ledger/load.ts'
import { storeRejects } from '../ledger/reject.ts'
import { LoadError, MapError } from '../model/errors.ts'
import { failpoint } from '../model/failpoint.ts'
import { boundedRaw, issue, type Reject } from '../model/issue.ts'
import type { RecordCounts } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { LoadResult, TableCounts } from '../model/run.ts'
import { ApiDelivery, type RefusedRow, type RowTally } from './api-deliver.ts'
import type { ApiLoadInput, ApiLoadOutcome } from './api-load-input.ts'
import { ApiSpool, type IsExcluded, spoolPaths } from './api-spool.ts'
import type { CallSite } from './call-body.ts'
import { assertRecordLaw, assertTableLaw } from './laws.ts'
import { judgeRejects } from './limits.ts'
import type { MapSummary } from './load-input.ts'
import { RejectSpool } from './reject-spool.ts'
import { toldOf } from './told.ts'

/** Refused records whose text is looked up in one second pass over their file. */
const RAW_PAGE = 5_000

/** What is known before the first request. */
interface Judged {
  readonly counts: RecordCounts
  readonly mapped: MapSummary | null
  readonly warnings: readonly string[]
  readonly refusal: MapError | LoadError | null
}

/**
 * Sends the rows of a revision and keeps what became of each.
 * Guarantee: at most one accepted effect per idempotency key; the same revision again gives `done-before`;
 * an interrupted load goes on where it was, with the same keys and bytes.
 * On failure: limits of the mapping are judged before the first request, so nothing is sent; a limit breached
 * by the API's own refusals ends the sending, and what was accepted stays, as the message says. Counts and
 * rejects are kept as `unpublished` in both cases. Everything else leaves the revision to the next attempt.
 * @throws LOAD_OUTCOME_UNKNOWN, LOAD_API_UNREACHABLE, LOAD_API_THROTTLED, LOAD_API_UNAUTHORIZED, LOAD_API_REFUSED,
 * LOAD_API_UNPROCESSED, LOAD_CALLS_CHANGED, LOAD_REJECT_LIMIT, MAP_REJECT_LIMIT, RUN_FENCED, BUG_LAW_BROKEN
 */
export async function loadIntoApi(input: ApiLoadInput, context: StepContext): Promise<ApiLoadOutcome> {
  const { database, revision, spec, folder } = input
  const before = await database.use(connection => loadOf(connection, revision.id))
  if (before !== null) return { kind: 'done-before', load: before }
  const paths = spoolPaths(folder, revision.id)
  const spool = new ApiSpool(paths.rows, spec)
  const rejects = await RejectSpool.create(paths.rejects)
  try {
    const judged = await spoolAndJudge(input, spool, rejects)
    if (input.dryRun) {
      if (judged.refusal !== null) throw judged.refusal
      return { kind: 'planned', result: resultOf(judged, judged.counts, []), withheldDeletes: 0 }
    }
    if (judged.refusal !== null) return await refuse(input, judged, judged.counts, [], rejects)
    return await send(input, context, spool, rejects, judged)
  } finally {
    await rejects.remove()
    await spool.remove()
  }
}

/** Reads all blocks into the spools and judges limits and units. */
async function spoolAndJudge(input: ApiLoadInput, spool: ApiSpool, rejects: RejectSpool): Promise<Judged> {
  const counts = { read: 0, mapped: 0, rejected: 0, filtered: 0 }
  try {
    await spool.write(input.blocks, async block => {
      counts.read += block.counts.read
      counts.mapped += block.counts.mapped
      counts.rejected += block.counts.rejected
      counts.filtered += block.counts.filtered
      await rejects.add(block.rejects)
    })
  } catch (error) {
    // the rejects so far are worth keeping: they say why the limit was breached
    if (!(error instanceof MapError && error.code === 'MAP_REJECT_LIMIT')) throw error
    return { counts, mapped: null, warnings: [], refusal: error }
  }
  const { mapped, warnings = [] } = await input.afterStream()
  assertRecordLaw(counts, rejects.count)
  if (mapped.failedUnits.length > 0) {
    for await (const fallen of input.unitRejects(mapped.failedUnits)) await rejects.add(fallen)
  }
  assertRecordLaw(mapped.counts, rejects.count)
  return { counts: mapped.counts, mapped, warnings, refusal: mapped.breach }
}

async function send(
  input: ApiLoadInput,
  context: StepContext,
  spool: ApiSpool,
  rejects: RejectSpool,
  judged: Judged,
): Promise<ApiLoadOutcome> {
  const mapped = judged.mapped!
  const site = callSite(input, context)
  const isExcluded = exclusionOf(mapped)
  const recorded = await input.database.use(connection => callsOf(connection, input.revision.id))
  if (recorded.length > 0) await ApiDelivery.assertSameCalls(site, recorded, spool.chunks(isExcluded))
  const delivery = ApiDelivery.sending(site, refused => refusalBreach(input, judged, refused) !== null)
  const total = Object.values(mapped.rows).reduce((sum, rows) => sum + rows, 0)
  let refusal: LoadError | null = null
  for await (const chunk of spool.chunks(isExcluded)) {
    context.signal.throwIfAborted()
    await delivery.deliver(chunk)
    context.progress({ step: 'load', subject: site.target, unit: 'rows', done: delivery.tally.sent, total })
    refusal = limitBreach(input, judged, delivery)
    if (refusal !== null) break
  }
  await keepRefused(input, delivery.refused, rejects)
  const refusedRecords = delivery.refusedRecords.size
  const counts = {
    ...judged.counts,
    mapped: judged.counts.mapped - refusedRecords,
    rejected: judged.counts.rejected + refusedRecords,
  }
  assertRecordLaw(counts, rejects.count)
  const tables = [tableCounts(site.target, delivery.tally)]
  if (refusal !== null) return refuse(input, { ...judged, refusal }, counts, tables, rejects)
  const result = resultOf(judged, counts, tables)
  const records = delivery.refused.map(({ row }) => ({ file: row.file, ordinal: row.ordinal }))
  const snapshotHash = await input.sourceSnapshot({ units: [], records })
  const done = await keep(input, snapshotHash, result, 'published', rejects)
  return done === null ? { kind: 'loaded', result, withheldDeletes: 0 } : { kind: 'done-before', load: done }
}

function callSite(input: ApiLoadInput, context: StepContext): CallSite {
  const { spec, endpoint, resolveSecret } = input
  const { token } = endpoint
  return {
    database: input.database,
    lease: input.lease,
    revision: input.revision,
    target: `${spec.endpoint}/${spec.path}`,
    endpoint: spec.endpoint,
    url: endpointUrl(spec.endpoint, endpoint.baseUrl, spec.path),
    token: token === undefined ? null : () => resolveSecret(token),
    context,
    random: input.random ?? Math.random,
  }
}

function exclusionOf({ failedUnits }: MapSummary): IsExcluded {
  const failed = new Set(failedUnits.map(({ file, unit }) => JSON.stringify([file, unit])))
  return (file, unit) => unit !== null && failed.size > 0 && failed.has(JSON.stringify([file, unit]))
}

/** The breach by so many records refused by the API; they only grow, so it is final at once. */
function refusalBreach(
  { spec }: ApiLoadInput,
  { mapped, counts }: Judged,
  refused: number,
): LoadError | null {
  try {
    judgeRejects(mapped!.rejectedAlone + refused, counts.read, spec.rejects)
    return null
  } catch (error) {
    if (error instanceof LoadError) return error
    throw error
  }
}

/** The error of a breach, with what was sent and what stays. */
function limitBreach(input: ApiLoadInput, judged: Judged, delivery: ApiDelivery): LoadError | null {
  const breach = refusalBreach(input, judged, delivery.refusedRecords.size)
  if (breach === null) return null
  const { created, updated, unchanged, sent } = delivery.tally
  const accepted = created + updated + unchanged
  const hint =
    accepted === 0 ? " It took not one row: compare the job's table and path with what the API expects." : ''
  return new LoadError(
    'LOAD_API_REJECT_LIMIT',
    `${input.spec.endpoint}/${input.spec.path} refused so many rows that the limit is breached. Sending was stopped after ${sent} rows: ${accepted} of them are accepted and stay so at the API, the rest of the load was not sent.${hint} Mend the cause, then send the date again with rerun --force.`,
    { details: { ...breach.details, sent, accepted } },
  )
}

/** Makes one reject per record of the refused rows, with the text as received. */
async function keepRefused(
  input: ApiLoadInput,
  refused: readonly RefusedRow[],
  rejects: RejectSpool,
): Promise<void> {
  const byFile = Map.groupBy(refused, ({ row }) => row.file)
  for (const [file, rows] of byFile) {
    const records = [...Map.groupBy(rows, ({ row }) => row.ordinal).values()]
    for (let from = 0; from < records.length; from += RAW_PAGE) {
      const page = records.slice(from, from + RAW_PAGE)
      const raw = await input.rawOf(
        file,
        page.map(([first]) => ({ line: first!.row.line, ordinal: first!.row.ordinal })),
      )
      await rejects.add(page.map(record => rejectOf(record, raw)))
    }
  }
}

function rejectOf(rows: readonly RefusedRow[], raw: ReadonlyMap<number, string>): Reject {
  const { file, line, unit, ordinal } = rows[0]!.row
  return {
    file,
    line,
    step: 'load',
    raw: boundedRaw(raw.get(ordinal) ?? ''),
    unit,
    issues: rows.map(({ code, words }) =>
      issue(
        code,
        code === 'LOAD_API_ROW_REJECTED'
          ? `The API refused the row: ${words}.`
          : `The row alone is too large for the API: ${words}.`,
      ),
    ),
  }
}

function tableCounts(table: string, tally: RowTally): TableCounts {
  const { created, updated, unchanged } = tally
  const mapped = created + updated + unchanged
  const counts = {
    table,
    mapped,
    inserted: created,
    updated,
    unchanged,
    collapsed: 0,
    outdated: 0,
    deleted: 0,
  }
  assertTableLaw(counts)
  return counts
}

function resultOf(
  { mapped, warnings }: Judged,
  counts: RecordCounts,
  tables: readonly TableCounts[],
): LoadResult {
  return {
    counts,
    filters: mapped?.filters ?? [],
    tables,
    totals: mapped?.totals ?? [],
    failedUnits: mapped?.failedUnits.length ?? 0,
    told: toldOf(mapped, warnings, 0),
  }
}

/** Keeps counts and rejects of a load that was judged and refused, then throws. */
async function refuse(
  input: ApiLoadInput,
  judged: Judged,
  counts: RecordCounts,
  tables: readonly TableCounts[],
  rejects: RejectSpool,
): Promise<ApiLoadOutcome> {
  const done = await keep(input, null, resultOf(judged, counts, tables), 'unpublished', rejects)
  if (done !== null) return { kind: 'done-before', load: done }
  throw judged.refusal!
}

/** The last transaction; gives the row of a load that was done meanwhile. */
async function keep(
  input: ApiLoadInput,
  snapshotHash: string | null,
  result: LoadResult,
  state: 'published' | 'unpublished',
  rejects: RejectSpool,
): Promise<LoadRow | null> {
  const { database, lease, revision, mappingVersion } = input
  failpoint('load.api-before-keep')
  const done = await database.use(connection =>
    connection.transaction(
      async () => {
        const gate = await insertLoad(connection, lease, revision)
        if (gate !== 'new') return gate.done
        for await (const batch of rejects.batches()) await storeRejects(connection, revision, batch)
        await finishLoad(connection, revision, { state, result, snapshotHash, mappingVersion })
        await assertFence(connection, lease)
        return null
      },
      { commit: 'proved' },
    ),
  )
  failpoint('load.api-kept')
  return done
}
