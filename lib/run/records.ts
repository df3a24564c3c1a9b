/**
 * The records of a revision on their way: its files one after another through parse and map, with a
 * copy of the mapped rows into the source snapshot. The load pulls; nothing runs ahead of it.
 */
import type { FileRow } from '../ledger/file.ts'
import { mapRecords, rejectFailedUnits } from '../map/map-records.ts'
import type { MapTally } from '../map/map-tally.ts'
import { failpoint } from '../model/failpoint.ts'
import type { Reject } from '../model/issue.ts'
import type { ParseSpec } from '../model/job.ts'
import type { FailedUnit, MapContext, MappedBlock, Mapping } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { ParsedStream } from '../model/record.ts'
import type { Clock } from '../model/time/clock.ts'
import { parseFile } from '../parse/parse-file.ts'

/** A file to be read, in its place. */
export interface InputFile {
  readonly row: Pick<FileRow, 'id' | 'remoteName' | 'businessDate'>
  /** The decoded content. */
  readonly path: string
}

/** What is read, and how. */
export interface RecordsInput {
  readonly job: string
  readonly businessDate: string
  readonly zone: string
  readonly files: readonly InputFile[]
  readonly parse: ParseSpec
  readonly mapping: Mapping
}

/** Milliseconds spent in each step so far, and what the files said about themselves. */
export class RecordsMeter {
  parseMs = 0
  mapMs = 0
  readonly warnings: string[] = []
  /** The file being read; it is to blame for what iterating throws. */
  file: InputFile | null = null
}

function open(input: RecordsInput, file: number, context: StepContext): ParsedStream {
  const { path, row } = input.files[file]!
  return parseFile(
    path,
    input.parse,
    { file, neededColumns: input.mapping.sources, name: row.remoteName },
    context,
  )
}

function mapContext(input: RecordsInput, file: number): MapContext {
  return { job: input.job, businessDate: input.businessDate, zone: input.zone, file }
}

/**
 * All mapped blocks of all files, in order. `tee` sees each block before it is given on.
 * @throws PARSE_*, MAP_* of the file or limit; a ParseError names the file.
 */
export async function* mappedBlocks(
  input: RecordsInput,
  tally: MapTally,
  tee: (block: MappedBlock) => Promise<void>,
  meter: RecordsMeter,
  context: StepContext,
): AsyncGenerator<MappedBlock> {
  const { clock } = context
  let records = 0
  for (const [file, { row }] of input.files.entries()) {
    meter.file = input.files[file]!
    const stream = open(input, file, context)
    const addParse = (ms: number): void => {
      meter.parseMs += ms
    }
    const addMap = (ms: number): void => {
      meter.mapMs += ms
    }
    const parsed = timed(stream.blocks, addParse, () => 0, clock)
    const mapped = mapRecords(
      { shapes: stream.shapes, blocks: parsed },
      input.mapping,
      mapContext(input, file),
      tally,
    )
    for await (const block of timed(mapped, addMap, () => meter.parseMs, clock)) {
      await tee(block)
      records += block.counts.read
      context.progress({ step: 'map', subject: row.remoteName, unit: 'rows', done: records, total: null })
      yield block
      failpoint('map.after-block')
    }
    meter.warnings.push(...stream.summary().warnings.map(warning => `${row.remoteName}: ${warning}`))
    meter.file = null
    failpoint('parse.after-file')
  }
}

/** The items of `source`, with the time of waiting for each counted, less what `inner` counted meanwhile. */
async function* timed<T>(
  source: AsyncIterable<T>,
  add: (ms: number) => void,
  inner: () => number,
  clock: Clock,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const [startedMs, innerMs] = [clock.monotonicMs(), inner()]
      const next = await iterator.next()
      add(clock.monotonicMs() - startedMs - (inner() - innerMs))
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

/** The rejects of records that fall with their unit: a second pass over the files that have failed units. */
export async function* unitRejects(
  input: RecordsInput,
  failed: readonly FailedUnit[],
  context: StepContext,
): AsyncGenerator<readonly Reject[]> {
  for (const file of new Set(failed.map(unit => unit.file))) {
    yield* rejectFailedUnits(open(input, file, context), input.mapping, mapContext(input, file), failed)
  }
}

/** The texts of some records of a file as received, by ordinal: a second pass that stops at the last of them. */
export async function rawTexts(
  input: RecordsInput,
  file: number,
  records: readonly { readonly ordinal: number }[],
  context: StepContext,
): Promise<ReadonlyMap<number, string>> {
  const wanted = new Set(records.map(record => record.ordinal))
  const found = new Map<number, string>()
  let ordinal = 0
  for await (const block of open(input, file, context).blocks) {
    for (const record of block.records) {
      if (wanted.has(ordinal)) found.set(ordinal, record.raw())
      ordinal += 1
    }
    if (found.size === wanted.size) break
  }
  return found
}
