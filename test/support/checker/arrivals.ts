/**
 * What the deliveries come to: which file is which date's current one, which repeats or replaces
 * another, which may not be loaded, and what the current ones put into each target.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { PARTNER_JOBS, type PartnerJob, type Target } from './partner-jobs.ts'
import type { Delivery, Expected, Refused, Row } from './spec.ts'

/** `current`: part of its date's set. `replaced`: was, until a correction came. `repeated`: the content was there already. */
export type Fate = 'current' | 'replaced' | 'repeated' | 'unusable'

/** A delivery that a job takes. */
export interface Arrival {
  readonly job: PartnerJob
  readonly date: string
  readonly name: string
  readonly sha256: string
  readonly bytes: number
  /** Position among all deliveries. */
  readonly order: number
  readonly expected: Expected
  fate: Fate
}

/** By path: copies are never touched again, and a checker that stays is asked about them after each run. */
const workedOut = new Map<string, Pick<Arrival, 'sha256' | 'bytes' | 'expected'>>()

/** All deliveries that a job takes, judged in the order in which they came. */
export function arrivalsOf(deliveries: readonly Delivery[], refused: readonly Refused[]): Arrival[] {
  const arrivals: Arrival[] = []
  for (const [order, { endpoint, name, path }] of deliveries.entries()) {
    const job = PARTNER_JOBS.find(one => one.endpoint === endpoint && one.files.test(name))
    if (job === undefined) continue
    const date = job.files.exec(name)![1]!.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')
    const content = workedOut.get(path) ?? workOut(job, date, path, refused)
    workedOut.set(path, content)
    const arrival: Arrival = {
      ...{ job, date, name, order, ...content },
      fate: content.expected.unusable === null ? 'current' : 'unusable',
    }
    if (arrival.fate === 'current') judge(arrival, arrivals)
    arrivals.push(arrival)
  }
  return arrivals
}

function workOut(job: PartnerJob, date: string, path: string, refused: readonly Refused[]) {
  const content = readFileSync(path)
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { sha256, bytes: content.length, expected: job.expected(content, date, refused) }
}

function judge(arrival: Arrival, before: readonly Arrival[]): void {
  const set = before.filter(
    other => other.job === arrival.job && other.date === arrival.date && other.fate === 'current',
  )
  if (set.some(({ sha256 }) => sha256 === arrival.sha256)) {
    arrival.fate = 'repeated'
    return
  }
  const replaced = arrival.job.perDate === 'one' ? set : set.filter(({ name }) => name === arrival.name)
  for (const other of replaced) other.fate = 'replaced'
}

/** The key of a row. */
export function keyOf(target: Target, row: Row): string {
  return JSON.stringify(target.key.map(column => row[column]))
}

/** A row as one text, the same for equal rows. */
export function textOf(target: Target, row: Row): string {
  return JSON.stringify(Object.keys(target.columns).map(column => row[column] ?? null))
}

/** What a keyed target holds: by key the row that must be there, and rows that may be there instead. */
export interface KeyedRows {
  readonly must: ReadonlyMap<string, string>
  /** Rows of replaced files: a key that the correction no longer has stays, and the newest word stands. */
  readonly may: ReadonlyMap<string, ReadonlySet<string>>
}

/** The rows of a keyed target: the latest date wins, then the later file. */
export function keyedRows(target: Target, arrivals: readonly Arrival[]): KeyedRows {
  const must = new Map<string, string>()
  const may = new Map<string, Set<string>>()
  const oldestFirst = arrivals.toSorted((a, b) =>
    a.date === b.date ? a.order - b.order : a.date < b.date ? -1 : 1,
  )
  for (const { fate, expected } of oldestFirst) {
    if (fate !== 'current' && fate !== 'replaced') continue
    for (const row of expected.rows[target.name] ?? []) {
      const key = keyOf(target, row)
      if (fate === 'current') {
        must.set(key, textOf(target, row))
        may.delete(key)
      } else may.set(key, (may.get(key) ?? new Set()).add(textOf(target, row)))
    }
  }
  return { must, may }
}
