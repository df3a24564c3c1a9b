/**
 * The rejects of records that contradict each other about one key, and of those that go along with
 * them. Staging knows file, line and ordinal; the text as received comes from a second pass over the
 * file, which the caller makes. Taking the rows out: exclude-records.ts.
 */
import type { Connection } from '../db/connection.ts'
import { boundedRaw, type Issue, issue, type Reject } from '../model/issue.ts'
import type { Staging, StagingTable } from './staging.ts'

/** A record of a file as staging knows it. */
export interface StagedRecord {
  readonly line: number
  readonly ordinal: number
}

/** The texts of some records of one file as received, by ordinal; makes a second pass over the file. */
export type RawOf = (file: number, records: readonly StagedRecord[]) => Promise<ReadonlyMap<number, string>>

/** Records per second pass: their texts are in memory together. */
const PAGE = 5_000

interface RefusedRecord {
  readonly file: number
  readonly record: number
  readonly line: number
  readonly unit: string | null
  readonly why: 'conflict' | 'along'
  readonly subject: number | null
  readonly key: string | null
  readonly lines: number[] | null
}

/** All of them, in the order of the files, in pages. */
export async function* conflictRejects(
  connection: Connection,
  staging: Staging,
  rawOf: RawOf,
): AsyncGenerator<Reject[]> {
  let after = [-1, -1]
  for (;;) {
    const { rows } = await connection.query<RefusedRecord>(
      `WITH page AS (
         SELECT * FROM ${staging.refused} WHERE why IN ('conflict', 'along') AND (file, record) > ($1, $2)
         ORDER BY file, record LIMIT ${PAGE}
       )
       SELECT * FROM page WHERE file = (SELECT min(file) FROM page) ORDER BY record`,
      after,
    )
    const last = rows.at(-1)
    if (last === undefined) return
    after = [last.file, last.record]
    const records = rows.map(({ line, record }) => ({ line, ordinal: record }))
    const raw = await rawOf(last.file, records)
    yield rows.map(row => rejectOf(row, staging.tables, raw.get(row.record) ?? ''))
  }
}

function rejectOf(row: RefusedRecord, tables: readonly StagingTable[], raw: string): Reject {
  const { file, line, unit } = row
  const why = row.why === 'along' ? lostUnit(unit) : conflict(row, tables[row.subject!]!)
  return { file, line, step: 'load', raw: boundedRaw(raw), unit, issues: [why] }
}

function lostUnit(unit: string | null): Issue {
  return issue(
    'LOAD_UNIT_INCOMPLETE',
    `Another record of ${unit} contradicts a record of this file and is rejected, so the rest of ${unit} is no longer whole.`,
  )
}

function conflict(row: RefusedRecord, { table }: StagingTable): Issue {
  const personal = table.key.some(column => column.declared.pii !== 'none')
  const lines = (row.lines ?? []).join(', ')
  return issue(
    'LOAD_KEY_CONFLICT',
    `Records of this file have the same key (${table.key.map(column => column.name).join(', ')}) in ${table.name} but other values (line ${lines}); which of them holds can't be known, so none is loaded.`,
    { field: table.key.map(column => column.field).join(', '), value: personal ? null : row.key },
  )
}
