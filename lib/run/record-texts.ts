/**
 * The texts of records as received, for rows whose file, line and values are known: the archived file is read again
 * up to the last of them. Where several records begin on one line, the one that still maps to the row's values is it.
 */
import type { BoundMapping, MappedOutput, MappedRows, Mapping } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { SourceRecord } from '../model/record.ts'
import type { TableDefinition, Value } from '../model/table.ts'
import { parseFile } from '../parse/parse-file.ts'
import type { RecordsInput } from './records.ts'

/** A row whose record is looked for. */
export interface RowOfLine {
  readonly line: number
  readonly values: Readonly<Record<string, string | null>>
}

/** The texts of these rows of the input's only file, by position; one that is not found has none. Cost: reads the file once, twice where lines hold many records. */
export async function recordTexts(
  input: RecordsInput,
  table: TableDefinition,
  rows: readonly RowOfLine[],
  context: StepContext,
): Promise<ReadonlyMap<number, string>> {
  const wanted = new Map<number, number[]>()
  for (const [position, { line }] of rows.entries()) wanted.set(line, [...(wanted.get(line) ?? []), position])
  const last = Math.max(...wanted.keys())
  const byLine = new Map<number, string[]>()
  await eachRecord(input, last, context, record => {
    if (wanted.has(record.line)) byLine.set(record.line, [...(byLine.get(record.line) ?? []), record.raw()])
  })
  const texts = new Map<number, string>()
  const crowded = new Map<number, number[]>()
  for (const [line, positions] of wanted) {
    const found = byLine.get(line) ?? []
    if (found.length > 1) crowded.set(line, positions)
    else if (found[0] !== undefined) for (const position of positions) texts.set(position, found[0])
  }
  if (crowded.size > 0) await readCrowded(input, table, rows, crowded, texts, context)
  return texts
}

/** Maps all records from the first one on: what a row is may depend on its place among them. */
async function readCrowded(
  input: RecordsInput,
  table: TableDefinition,
  rows: readonly RowOfLine[],
  crowded: ReadonlyMap<number, readonly number[]>,
  texts: Map<number, string>,
  context: StepContext,
): Promise<void> {
  const [alias] = Object.entries(input.mapping.tables).find(([, one]) => one === table)!
  const fields = Object.entries(table.columns).flatMap(([name, { type }]) =>
    type.kind === 'asOf' ? [] : [name],
  )
  await eachRecord(input, Math.max(...crowded.keys()), context, (record, bound) => {
    const out = new Rows(input.mapping)
    bound.map(record, out)
    for (const position of crowded.get(record.line) ?? []) {
      const { values } = rows[position]!
      const same = out.tables[alias]!.rows.some(row =>
        fields.every((field, index) => textOf(row[index]) === (values[field] ?? null)),
      )
      if (same && !texts.has(position)) texts.set(position, record.raw())
    }
  })
}

function textOf(value: Value | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** Visits the records of the input's only file, to the end of a line at least. */
async function eachRecord(
  input: RecordsInput,
  lastLine: number,
  context: StepContext,
  visit: (record: SourceRecord, bound: BoundMapping) => void,
): Promise<void> {
  const { path, row } = input.files[0]!
  const { mapping, job, businessDate, zone } = input
  const options = { file: 0, neededColumns: mapping.sources, name: row.remoteName }
  const stream = parseFile(path, input.parse, options, context)
  let bound: BoundMapping | null = null
  for await (const block of stream.blocks) {
    bound ??= mapping.bind(stream.shapes(), { job, businessDate, zone, file: 0 })
    for (const record of block.records) visit(record, bound)
    if ((block.records.at(-1)?.line ?? 0) > lastLine) break
  }
}

/** Takes the rows of one record. */
class Rows implements MappedOutput {
  readonly tables: Readonly<Record<string, MappedRows>>
  readonly rejects = []

  constructor(mapping: Mapping) {
    this.tables = Object.fromEntries(
      Object.keys(mapping.tables).map(name => [name, { lines: [], ordinals: [], units: [], rows: [] }]),
    )
  }

  mapped(): void {}

  filtered(): void {}
}
