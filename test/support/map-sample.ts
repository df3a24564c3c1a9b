/** A small order mapping and a way to map literal records, for the tests of lib/map. */
import { read } from '../../lib/map/index.ts'
import { mapRecords } from '../../lib/map/map-records.ts'
import { type MapResult, MapTally } from '../../lib/map/map-tally.ts'
import type { Reject } from '../../lib/model/issue.ts'
import type { RejectLimit } from '../../lib/model/job.ts'
import type { MapContext, Mapping } from '../../lib/model/mapping.ts'
import type { RecordBlock, SourceRecord, SourceValue } from '../../lib/model/record.ts'
import { column, defineTable, type Value } from '../../lib/model/table.ts'

/** The run that the samples are mapped in. */
export const context: MapContext = {
  job: 'sample',
  businessDate: '2026-11-20',
  zone: 'Europe/Berlin',
  file: 0,
}

/** A small target table. */
export const order = defineTable(
  'sales',
  'order_sample',
  {
    id: column.text({ doc: 'Order number.', max: 10 }),
    quantity: column.integer({ doc: 'Pieces.' }),
    price: column.decimal({ doc: 'Price of a piece.', precision: 10, scale: 2 }),
    currency: column.text({ doc: 'ISO code.', max: 3 }),
    note: column.text({ doc: 'Free text.', nullable: true }),
  },
  { doc: 'Orders.', key: ['id'], totals: { value: { sum: ['quantity', 'price'], per: 'currency' } } },
)

/** Source columns of the sample. */
export const orderColumns = ['Id', 'Qty', 'Price', 'Ccy', 'Note'] as const

/** Fields of `order`, read plainly. */
export const orderFields = {
  id: read.text('Id', { doc: 'As received.' }),
  quantity: read.integer('Qty', { doc: 'As received.' }),
  price: read.decimal('Price', { doc: 'As received.' }),
  currency: read.text('Ccy', { doc: 'EUR where empty.', default: 'EUR' }),
  note: read.text('Note', { doc: 'As received.', optional: true }),
}

/** All that came of some records. */
export interface Mapped {
  readonly rows: Readonly<Record<string, readonly (readonly Value[])[]>>
  readonly rejects: readonly Reject[]
  readonly result: MapResult
}

/** A literal record; its kind is `record` where it says none. */
export type Line = readonly SourceValue[] | { readonly kind: string; readonly values: readonly SourceValue[] }

const asRecord = (line: Line, index: number): SourceRecord => {
  const { kind, values } = 'kind' in line ? line : { kind: 'record', values: line }
  return { kind, line: index + 2, values, raw: () => values.join(';') }
}

/** A stream of one block per `size` lines. */
export function streamOf(mapping: Mapping, lines: readonly Line[], size = 1_000) {
  async function* blocks(): AsyncGenerator<RecordBlock> {
    for (let at = 0; at < lines.length; at += size)
      yield {
        file: 0,
        records: lines.slice(at, at + size).map((line, index) => asRecord(line, at + index)),
        rejects: [],
      }
  }
  return { shapes: () => new Map(Object.entries(mapping.sources)), blocks: blocks() }
}

/** Maps literal records as one file and gives all that came of it. */
export async function mapAll(
  mapping: unknown,
  lines: readonly Line[],
  limit: RejectLimit | null = null,
  blockSize = 1_000,
): Promise<Mapped> {
  const engine = mapping as Mapping
  const tally = new MapTally(engine, limit)
  const rows: Record<string, (readonly Value[])[]> = {}
  const rejects: Reject[] = []
  for await (const block of mapRecords(streamOf(engine, lines, blockSize), engine, context, tally)) {
    for (const [name, table] of Object.entries(block.tables)) {
      rows[name] ??= []
      rows[name].push(...table.rows)
    }
    rejects.push(...block.rejects)
  }
  return { rows, rejects, result: tally.result() }
}
