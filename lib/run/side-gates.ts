/**
 * Gates of a comparison that need more than its two sides: trailers, file hashes, yesterday's files, the rows of
 * recent nights, when the sides were taken. Judged before comparing; the others are reconcile/compare/gates.ts.
 */
import type { ComparePlan } from '../../reconcile/compare/plan.ts'
import type { Snapshot } from '../../reconcile/snapshot/manifest.ts'
import type { Connection } from '../db/connection.ts'
import { filesOfDate } from '../ledger/file.ts'
import { rowsOfNights, sameAsBefore } from '../ledger/night-facts.ts'
import type { Gate } from '../model/break.ts'
import type { GateRules } from '../model/comparison-rules.ts'
import { type AnyJob, movesRecords, type ParseSpec, type Reconciliation, type Side } from '../model/job.ts'
import { localToInstant } from '../model/time/business-date.ts'

/** A comparison whose sides are there. */
export interface GatedComparison {
  readonly job: AnyJob
  readonly zone: string
  readonly businessDate: string
  readonly reconciliation: Reconciliation
  readonly plan: ComparePlan
  readonly left: Snapshot | null
  readonly right: Snapshot | null
}

/** Nights whose rows are looked at. */
const NIGHTS = 10

/** A band around fewer nights than this is chance. */
const FEWEST_NIGHTS = 3

const HOUR_MS = 3_600_000

/** The gates, in the order of the sides. Cost: two or three queries a side. */
export async function judgeSideGates(connection: Connection, given: GatedComparison): Promise<Gate[]> {
  const { reconciliation, plan, businessDate } = given
  const rules = plan.whole?.gates ?? {}
  const before =
    rules.rowBandPercent === undefined ? [] : await rowsOfNights(connection, plan.name, businessDate, NIGHTS)
  const gates: Gate[] = []
  for (const [name, side] of [
    ['left', reconciliation.source],
    ['right', reconciliation.target],
  ] as const) {
    const snapshot = given[name]
    if (snapshot === null) continue
    gates.push(...trailerGate(name, side, given.job))
    gates.push(...(await fileGates(connection, name, side, snapshot, given)))
    if (rules.rowBandPercent !== undefined)
      gates.push(
        bandGate(
          name,
          snapshot,
          before.map(night => night[name]),
          rules.rowBandPercent,
        ),
      )
    if (rules.asOf !== undefined) gates.push(windowGate(name, snapshot, rules.asOf, given))
  }
  return gates
}

/** Where a side's files come from, and how they are parsed; null for a side that is not made of files. */
function feedOf(side: Side, job: AnyJob): { readonly feed: string; readonly parse: ParseSpec | null } | null {
  if (side.kind === 'mapped') return movesRecords(job) ? { feed: job.fetch.feed, parse: job.parse } : null
  if (side.kind === 'files') return { feed: side.fetch.feed, parse: side.parse }
  return side.kind === 'parquet' ? { feed: side.fetch.feed, parse: null } : null
}

/** A file whose trailer does not tie is refused by parse, so that its side is not there: what is there ties. */
function trailerGate(name: string, side: Side, job: AnyJob): Gate[] {
  const parse = feedOf(side, job)?.parse ?? null
  const states =
    parse === null ? null : parse.format === 'csv' ? parse.trailer !== null : parse.countControl !== null
  return states === true ? [passed(`${name} trailer`, 'what the files state about themselves is met')] : []
}

async function fileGates(
  connection: Connection,
  name: string,
  side: Side,
  { manifest }: Snapshot,
  { job, businessDate }: GatedComparison,
): Promise<Gate[]> {
  const from = feedOf(side, job)
  if (from === null || manifest.files.length === 0) return []
  const rows = await filesOfDate(connection, from.feed, businessDate)
  const files = manifest.files.flatMap(file => {
    const row = rows.findLast(one => one.remoteName === file && one.contentSha256 !== null)
    return row === undefined ? [] : [{ name: file, sha256: row.contentSha256! }]
  })
  if (files.length < manifest.files.length) {
    const unknown = manifest.files.filter(file => !files.some(one => one.name === file))
    return [failed(`${name} file hash`, `No hash of ${unknown.join(', ')} is recorded.`)]
  }
  const same = await sameAsBefore(connection, from.feed, businessDate, files)
  const known = passed(
    `${name} file hash`,
    `recorded of ${files.length === 1 ? '1 file' : `${files.length} files`}`,
  )
  return [
    known,
    ...same.map(
      ({ name: file, earlierName, earlierDate }): Gate => ({
        name: `${name} file content`,
        state: 'warned',
        message: `${file} has the same content as ${earlierName} of ${earlierDate}.`,
      }),
    ),
  ]
}

function bandGate(name: string, { manifest }: Snapshot, before: readonly number[], percent: number): Gate {
  const gate = `${name} row band`
  if (before.length < FEWEST_NIGHTS)
    return passed(gate, `not judged: ${before.length} nights before, ${FEWEST_NIGHTS} are needed`)
  const median = medianOf(before)
  const apart = Math.abs(manifest.rows - median)
  const what = `${manifest.rows} ${manifest.rows === 1 ? 'row' : 'rows'}; the median of the last ${before.length} nights is ${median}`
  return apart * 100 <= percent * median
    ? passed(gate, what)
    : failed(gate, `${manifest.name} has ${what}, and ${percent} % more or less are allowed.`)
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function windowGate(
  name: string,
  { manifest }: Snapshot,
  { fromHours, untilHours }: NonNullable<GateRules['asOf']>,
  { businessDate, zone }: GatedComparison,
): Gate {
  const begin = localToInstant(businessDate, '00:00', zone)
  const [from, until] = [begin + fromHours * HOUR_MS, begin + untilHours * HOUR_MS]
  const at = Date.parse(manifest.asOf)
  const window = `${new Date(from).toISOString()} to ${new Date(until).toISOString()}`
  return at >= from && at <= until
    ? passed(`${name} as of`, `${manifest.asOf}, within ${window}`)
    : failed(`${name} as of`, `${manifest.name} is as of ${manifest.asOf}, outside of ${window}.`)
}

function passed(name: string, message: string): Gate {
  return { name, state: 'passed', message }
}

function failed(name: string, message: string): Gate {
  return { name, state: 'failed', message }
}
