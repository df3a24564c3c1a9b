/**
 * The rejects of records that the load refused: those that contradict each other about one key, those
 * that the target does not take, and those that go along with them. Staging knows file, line and
 * ordinal; the text as received comes from a second pass over the file, which the caller makes.
 * Taking the rows out: exclude-records.ts, refuse-violators.ts.
 */
import type { Connection } from '../db/connection.ts'
import type { RejectKey } from '../model/explanation.ts'
import { boundedRaw, type Issue, issue, type Reject } from '../model/issue.ts'
import type { RawOf, RefusedRecords } from './load-input.ts'
import type { Staging, StagingTable } from './staging.ts'
import { canonicalJson, type TargetColumn } from './target-table.ts'
import { clauseOf } from './violation.ts'

/** Records per second pass: their texts are in memory together. */
const PAGE = 5_000

interface RefusedRecord {
  readonly file: number
  readonly record: number
  readonly line: number
  readonly unit: string | null
  readonly why: 'conflict' | 'violated' | 'along'
  readonly subject: number | null
  readonly key: string | null
  readonly lines: number[] | null
  readonly rule: string | null
  readonly words: string | null
}

/** Kinds of refused records that have no reject yet; those of failed units are told by map. */
const UNTOLD = `why IN ('conflict', 'violated', 'along')`

/** All of them, in the order of the files, in pages. */
export async function* refusedRejects(
  connection: Connection,
  staging: Staging,
  rawOf: RawOf,
): AsyncGenerator<Reject[]> {
  let after = [-1, -1]
  for (;;) {
    const { rows } = await connection.query<RefusedRecord>(
      `WITH page AS (
         SELECT * FROM ${staging.refused} WHERE ${UNTOLD} AND (file, record) > ($1, $2)
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
    const keys = await keysOf(connection, staging, last.file, rows)
    yield rows.map(row => ({
      ...rejectOf(row, staging.tables, raw.get(row.record) ?? ''),
      keys: keys.get(row.record) ?? [],
    }))
  }
}

/** The keys of the rows of some refused records of one file, by record. */
async function keysOf(
  connection: Connection,
  { tables }: Staging,
  file: number,
  refused: readonly RefusedRecord[],
): Promise<Map<number, RejectKey[]>> {
  const keys = new Map<number, RejectKey[]>()
  for (const { table, removed } of tables) {
    if (table.key.length === 0) continue
    const { rows } = await connection.query<{ record: number; key: RejectKey['key'] }>(
      `SELECT _record AS record, ${canonicalJson(table.key, '')} AS key FROM ${removed}
       WHERE _file = $1 AND _record = ANY($2) AND _why IN ('conflict', 'violated', 'along') ORDER BY _seq`,
      [file, refused.map(({ record }) => record)],
    )
    for (const { record, key } of rows) {
      const list = keys.get(record) ?? []
      list.push({ table: table.name, key })
      keys.set(record, list)
    }
  }
  return keys
}

/** The same records for whoever leaves them out as well; units as a whole, so that there are not more than violators. */
export async function refusedOf(connection: Connection, staging: Staging): Promise<RefusedRecords> {
  const units = await connection.query<{ file: number; unit: string }>(
    `SELECT DISTINCT file, unit FROM ${staging.refused} WHERE ${UNTOLD} AND unit IS NOT NULL`,
  )
  const records = await connection.query<{ file: number; ordinal: number }>(
    `SELECT file, record AS ordinal FROM ${staging.refused} WHERE ${UNTOLD} AND unit IS NULL`,
  )
  return { units: units.rows, records: records.rows }
}

function rejectOf(row: RefusedRecord, tables: readonly StagingTable[], raw: string): Reject {
  const { file, line, unit } = row
  return { file, line, step: 'load', raw: boundedRaw(raw), unit, issues: [issueOf(row, tables)] }
}

function issueOf(row: RefusedRecord, tables: readonly StagingTable[]): Issue {
  if (row.why === 'along') return lostUnit(row.unit)
  const subject = tables[row.subject!]!
  return row.why === 'conflict' ? conflict(row, subject) : violation(row, subject)
}

function lostUnit(unit: string | null): Issue {
  return issue(
    'LOAD_UNIT_INCOMPLETE',
    `Another record of ${unit} is rejected by the load, so the rest of ${unit} is no longer whole.`,
  )
}

function violation({ key, rule, words }: RefusedRecord, { table }: StagingTable): Issue {
  const which = key === null ? 'A row' : `The row with ${key}`
  return issue(
    'LOAD_CONSTRAINT_VIOLATED',
    `${which} is refused by ${table.name}: it ${clauseOf({ rule: rule!, words: words! })}.`,
    { field: fieldsOf(table.key), value: key },
  )
}

function fieldsOf(columns: readonly TargetColumn[]): string | null {
  return columns.length === 0 ? null : columns.map(column => column.field).join(', ')
}

function conflict(row: RefusedRecord, { table }: StagingTable): Issue {
  const personal = table.key.some(column => column.declared.pii !== 'none')
  const lines = (row.lines ?? []).join(', ')
  return issue(
    'LOAD_KEY_CONFLICT',
    `Records of this file have the same key (${table.key.map(column => column.name).join(', ')}) in ${table.name} but other values (line ${lines}); which of them holds can't be known, so none is loaded.`,
    { field: fieldsOf(table.key), value: personal ? null : row.key },
  )
}
