/**
 * The map step: blocks of records in, blocks of rows and rejects out. READ THIS FIRST in lib/map.
 * Parsing is done by lib/parse, loading by lib/load; what it all adds up to is kept by map-tally.ts.
 */
import { boundedRaw, type Reject } from '../model/issue.ts'
import type {
  FailedUnit,
  MapContext,
  MappedBlock,
  MappedOutput,
  MappedRows,
  Mapping,
} from '../model/mapping.ts'
import type { ParsedStream, RecordBlock } from '../model/record.ts'
import type { TableDefinition } from '../model/table.ts'
import type { MapTally } from './map-tally.ts'
import { keysOfRows } from './reject-keys.ts'
import { issueOfUnit } from './unit-fold.ts'

/** What map needs of a file that is being parsed. */
export type RecordStream = Pick<ParsedStream, 'blocks' | 'shapes'>

class BlockOutput implements MappedOutput {
  readonly tables: Readonly<Record<string, MappedRows>>
  readonly rejects: Reject[] = []
  readonly #file: number
  readonly #tally: MapTally
  mappedCount = 0
  filteredCount = 0

  constructor(tableNames: readonly string[], file: number, tally: MapTally) {
    this.tables = Object.fromEntries(
      tableNames.map(name => [name, { lines: [], ordinals: [], units: [], rows: [] }]),
    )
    this.#file = file
    this.#tally = tally
  }

  mapped(unit: string | null): void {
    this.mappedCount += 1
    this.#tally.mapped(this.#file, unit)
  }

  filtered(reason: string): void {
    this.filteredCount += 1
    this.#tally.filtered(reason)
  }
}

/**
 * Maps the records of one file, block by block. The tally is that of the whole load and is fed as blocks pass.
 * Guarantee: each record comes out as rows, as a reject or as a counted filter; rejects of parse are passed on.
 * On failure: after the block that breached the absolute limit was given, iterating throws.
 * @throws MAP_COLUMN_MISSING, MAP_REJECT_LIMIT
 */
export async function* mapRecords(
  stream: RecordStream,
  mapping: Mapping,
  context: MapContext,
  tally: MapTally,
): AsyncGenerator<MappedBlock> {
  const tableNames = Object.keys(mapping.tables)
  const { file } = context
  let bound: ReturnType<Mapping['bind']> | null = null
  for await (const block of stream.blocks) {
    // The columns are known only once the header was read, and that happens with the first block.
    bound ??= mapping.bind(stream.shapes(), context)
    const out = new BlockOutput(tableNames, file, tally)
    for (const record of block.records) bound.map(record, out)
    const rejects = [...block.rejects, ...out.rejects]
    for (const { unit } of rejects) tally.rejected(file, unit)
    tally.add(file, out.tables)
    yield {
      file,
      tables: out.tables,
      rejects,
      counts: {
        read: block.records.length + block.rejects.length,
        mapped: out.mappedCount,
        rejected: rejects.length,
        filtered: out.filteredCount,
      },
    }
    const breach = tally.earlyBreach()
    if (breach !== null) throw breach
  }
}

/**
 * The rejects of records that fall with their unit, for a second pass over a file that has failed units.
 * Only such records are given: those rejected on their own and those left out by a filter were told of
 * in the first pass.
 */
export async function* rejectFailedUnits(
  stream: RecordStream,
  mapping: Mapping,
  context: MapContext,
  failedUnits: readonly FailedUnit[],
): AsyncGenerator<readonly Reject[]> {
  const rule = mapping.unit
  const failed = new Map(
    failedUnits.filter(({ file }) => file === context.file).map(unit => [unit.unit, unit]),
  )
  if (rule === null || failed.size === 0) return
  let bound: ReturnType<Mapping['bind']> | null = null
  for await (const block of stream.blocks) {
    bound ??= mapping.bind(stream.shapes(), context)
    yield fallenOf(block, bound, failed, mapping)
  }
}

function fallenOf(
  block: RecordBlock,
  bound: ReturnType<Mapping['bind']>,
  failed: ReadonlyMap<string, FailedUnit>,
  mapping: Mapping,
): readonly Reject[] {
  const rejects: Reject[] = []
  for (const record of block.records) {
    const probe = new Probe(mapping)
    // Mapped again, and not only asked for its unit: filtered and rejected records must not come twice.
    bound.map(record, probe)
    const unit = probe.unit === null ? undefined : failed.get(probe.unit)
    if (unit === undefined) continue
    rejects.push({
      file: block.file,
      line: record.line,
      step: 'map',
      raw: boundedRaw(record.raw()),
      unit: unit.unit,
      issues: [issueOfUnit(unit, mapping.unit!)],
      keys: probe.keys(mapping),
    })
  }
  return rejects
}

/** Takes what a record gives and keeps only the unit of a mapped one. */
class Probe implements MappedOutput {
  readonly tables: Readonly<Record<string, MappedRows>>
  readonly rejects: Reject[] = []
  unit: string | null = null

  constructor(mapping: Mapping) {
    this.tables = Object.fromEntries(
      Object.keys(mapping.tables).map(name => [name, { lines: [], ordinals: [], units: [], rows: [] }]),
    )
  }

  mapped(unit: string | null): void {
    this.unit = unit
  }

  filtered(): void {}

  /** The keys of its rows. */
  keys(mapping: Mapping): ReturnType<typeof keysOfRows> {
    const tables = mapping.tables as Readonly<Record<string, TableDefinition>>
    return keysOfRows(
      Object.entries(this.tables).flatMap(([name, { rows }]) =>
        rows.map(row => [tables[name]!, row] as const),
      ),
    )
  }
}
