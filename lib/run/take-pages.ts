/**
 * A side that is read over HTTP: its pages through the side's mapping into a picture. Asking and reading are
 * reconcile/sides/http-pages.ts and page-records.ts; CSV pages are parsed like files.
 */
import type { ComparedSide } from '../../reconcile/compare/gates.ts'
import { type PageRead, type PageSource, pagesName, pagesOf } from '../../reconcile/sides/http-pages.ts'
import { readJsonPage } from '../../reconcile/sides/page-records.ts'
import type { AppliedScope } from '../../reconcile/snapshot/scope.ts'
import { mapRecords } from '../map/map-records.ts'
import type { HttpSide } from '../model/job.ts'
import type { MappedBlock } from '../model/mapping.ts'
import type { StepContext } from '../model/progress.ts'
import type { RecordBlock, RecordShapes } from '../model/record.ts'
import { parseChunks } from '../parse/parse-file.ts'
import type { SideInput } from './side-input.ts'
import { snapshotMapped } from './snapshot-mapped.ts'

/** Records of one page that travel together. */
const BLOCK = 1_000

/** The records of all pages; a CSV page may not change its columns. */
interface PagedStream {
  readonly shapes: () => RecordShapes
  readonly blocks: AsyncGenerator<RecordBlock>
}

/** Reads all pages and takes the picture; its as-of is when the first was asked for. */
export async function takePages(
  side: HttpSide,
  { request, table, which }: SideInput,
  scope: AppliedScope,
  context: StepContext,
): Promise<ComparedSide> {
  const { engine, scheduled, businessDate } = request
  const source: PageSource = {
    side,
    businessDate,
    endpoint: engine.environment.api[side.endpoint]!,
    secrets: engine.secrets,
    clock: engine.clock,
    signal: context.signal,
  }
  const name = pagesName(source)
  const asOf = new Date(engine.clock.now()).toISOString()
  const place = { folder: engine.folders.snapshots, workFolder: engine.folders.work, signal: context.signal }
  const facts = {
    ...{ job: scheduled.job.name, side: which, name, businessDate, files: [name] },
    mappingVersion: side.map.version,
  }
  const mapContext = { job: scheduled.job.name, businessDate, zone: scheduled.zone, file: 0 }
  return snapshotMapped(
    { place, facts, table, mapping: side.map, asOf, scope, absentAs: name },
    async function* (tally, tee): AsyncGenerator<MappedBlock> {
      let records = 0
      for await (const block of mapRecords(streamOf(source, name), side.map, mapContext, tally)) {
        await tee(block)
        records += block.counts.read
        context.progress({ step: 'reconcile', subject: name, unit: 'rows', done: records, total: null })
        yield block
      }
    },
  )
}

function streamOf(source: PageSource, name: string): PagedStream {
  return source.side.read.format === 'json' ? jsonStream(source, name) : csvStream(source, name)
}

function jsonStream(source: PageSource, name: string): PagedStream {
  const { side } = source
  const columns = side.map.sources.record ?? []
  let before = 0
  const records = side.read.format === 'json' ? side.read.records : ''
  const next = side.pages.kind === 'cursor' ? side.pages.next : null
  async function* read(body: string): AsyncGenerator<RecordBlock, PageRead> {
    const page = readJsonPage(body, { name, records, next, columns, before })
    before += page.records
    for (let from = 0; from < page.list.length; from += BLOCK)
      yield { file: 0, records: page.list.slice(from, from + BLOCK), rejects: [] }
    return page
  }
  return { shapes: () => new Map([['record', columns]]), blocks: pagesOf(source, read) }
}

function csvStream(source: PageSource, name: string): PagedStream {
  const { side } = source
  const spec = side.read.format === 'csv' ? side.read.parse : null
  const columns = side.map.sources.record ?? []
  // The page after the last one of several has no record, and some servers give it no header either.
  const allowEmpty = side.pages.kind !== 'one' || spec!.allowEmpty
  async function* read(body: string, page: number): AsyncGenerator<RecordBlock, PageRead> {
    if (side.pages.kind !== 'one' && body.trim() === '') return { records: 0, next: null }
    async function* chunks(): AsyncGenerator<Buffer> {
      yield Buffer.from(body)
    }
    const options = { file: 0, neededColumns: side.map.sources, name: `${name}, page ${page}` }
    const parsed = parseChunks(chunks(), { ...spec!, charset: 'utf-8', allowEmpty }, options)
    let records = 0
    for await (const block of parsed.blocks) {
      const at = parsed.shapes().get('record')!
      const places = columns.map(column => at.indexOf(column))
      records += block.records.length + block.rejects.length
      yield {
        ...block,
        records: block.records.map(record => ({
          kind: record.kind,
          line: record.line,
          values: places.map(place => record.values[place] ?? null),
          raw: () => record.raw(),
        })),
      }
    }
    return { records, next: null }
  }
  return { shapes: () => new Map([['record', columns]]), blocks: pagesOf(source, read) }
}
